"""The hello worlds that are weighed and timed: a window with a heading, each in its own way, nothing else.

What `ssc init` writes shows more than that (it reads a file and asks for versions), so it is measured beside them.
"""

from __future__ import annotations

from benchmarks import ours
from benchmarks.harness import Program
from benchmarks.peers import bare_c, original, pywebview_js_api, tauri

OURS = ours.NAME
OURS_ON = f'{ours.NAME}, acceleration on'
OURS_OFF = f'{ours.NAME}, acceleration off'
TEMPLATE = f'{ours.NAME}, ssc init'
BARE = bare_c.NAME
BARE_OFF = f'{bare_c.NAME}, no acceleration'


def programs() -> dict[str, Program]:
    """All of them, ours first."""
    found = [
        *(ours.hello_program(acceleration) for acceleration in ('auto', 'on', 'off')),
        ours.template_program(),
        bare_c.program(),
        bare_c.program(acceleration=False),
        original.program(),
        original.program(acceleration=False),
        tauri.program(),
        pywebview_js_api.program(),
    ]
    return {program.name: program for program in found}
