"""The main job, from nothing to a window: ``ssc init``, ``ssc build -r``, a screenshot, the page's own report.

Then the same without the one line of its policy that lets the page read its file: it is refused, and told which
line is missing.

The window opens on your display where there is one, and otherwise on an Xvfb of the command's own.

    python scripts/demo.py                        the screenshot goes to build/demo/hello.png
    python scripts/demo.py --screenshot FILE      ... or to FILE
    python scripts/demo.py --folder DIR           keep the project in DIR, which must be empty or absent
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SSC = [sys.executable, '-m', 'socket_runtime']
LIMIT_SECONDS = 120
PAGE_FAILED = 9  # errors.PageError


def has_display() -> bool:
    return bool(os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')) or sys.platform in ('darwin', 'win32')


def step(*arguments: str | Path, cwd: Path) -> int:
    """Show a command as one would type it, and run it; returns its exit code."""
    print('$ ssc', *arguments, flush=True)
    try:
        return subprocess.run([*SSC, *map(str, arguments)], cwd=cwd, timeout=LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        print(f'demo: `ssc {arguments[0]}` did not end within {LIMIT_SECONDS} s', file=sys.stderr)
        return 1


def demo(project: Path, screenshot: Path) -> int:
    """Make, build and show an app in ``project``; returns the exit code."""
    screenshot.parent.mkdir(parents=True, exist_ok=True)
    screenshot.unlink(missing_ok=True)
    where = [] if has_display() else ['--headless']
    code = step('init', cwd=project) or step('build', '-r', *where, '--screenshot', screenshot, cwd=project)
    if code == 0 and not screenshot.is_file():
        print('demo: the window was shown, but no screenshot was written', file=sys.stderr)
        code = 1
    if code:
        return code
    print(f'screenshot: {screenshot} ({screenshot.stat().st_size} bytes)')
    return refusal(project, screenshot.with_stem(screenshot.stem + '-refused'), where)


def refusal(project: Path, screenshot: Path, where: list[str]) -> int:
    """Take the line out of the page's policy, and see that the page is refused; returns the exit code."""
    page = project / 'src' / 'index.html'
    print("$ sed -i 's# ipc://fs.readFile##' src/index.html")
    page.write_text(page.read_text('utf-8').replace(' ipc://fs.readFile', ''), 'utf-8')
    code = step('build', '-r', *where, '--screenshot', screenshot, cwd=project)
    if code != PAGE_FAILED:
        print(f'demo: the page was to be refused, with exit code {PAGE_FAILED}, not {code}', file=sys.stderr)
        return 1
    print(f'refused, as it should be (exit code {code})')
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--screenshot', type=Path, default=ROOT / 'build' / 'demo' / 'hello.png', metavar='FILE')
    parser.add_argument(
        '--folder', type=Path, metavar='DIR', help='keep the project here (default: a temporary folder)'
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='hello-')))
        else:
            folder = options.folder
            folder.mkdir(parents=True, exist_ok=True)
        # The app is named after its folder.
        project = folder / 'hello' if options.folder is None else folder
        project.mkdir(exist_ok=True)
        return demo(project.resolve(), options.screenshot.resolve())


if __name__ == '__main__':
    sys.exit(main())
