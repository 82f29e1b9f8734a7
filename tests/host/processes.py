"""What this process and its children do, as Linux tells it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ['listening_ports', 'web_processes']

PROCESS_NAMES = ('WebKitWebProcess', '--type=renderer')
ZYGOTE = '--type=zygote'


def listening_ports() -> list[int]:
    """The TCP ports on which this process listens; Linux only."""
    if sys.platform != 'linux':
        return []
    own = set()
    for name in os.listdir('/proc/self/fd'):
        try:
            target = os.readlink(f'/proc/self/fd/{name}')
        except OSError:
            continue
        if target.startswith('socket:['):
            own.add(target[8:-1])
    ports = []
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == '0A' and fields[9] in own:
                ports.append(int(fields[1].rsplit(':', 1)[1], 16))
    return ports


def web_processes() -> list[int]:
    """The processes of pages below this one; Linux only."""
    if sys.platform != 'linux':
        return []
    parents, lines = {}, {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            stat = Path(f'/proc/{name}/stat').read_text()
            lines[int(name)] = Path(f'/proc/{name}/cmdline').read_bytes().decode(errors='replace')
        except OSError:
            continue
        parents[int(name)] = int(stat.rsplit(')', 1)[1].split()[1])

    def is_ours(process: int) -> bool:
        while process > 1 and process != os.getpid():
            process = parents.get(process, 0)
        return process == os.getpid()

    def is_page(process: int) -> bool:
        # Chromium's zygote makes its children without naming them
        parent = lines.get(parents.get(process, 0), '')
        return any(name in lines[process] for name in PROCESS_NAMES) or ZYGOTE in lines[process] and ZYGOTE in parent

    return [process for process in lines if is_page(process) and is_ours(process)]
