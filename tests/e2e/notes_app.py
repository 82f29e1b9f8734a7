"""The notes example, driven by a WebDriver: ``python notes_app.py FOLDER``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples/notes/notes.py'

if __name__ == '__main__':
    make_app = runpy.run_path(str(EXAMPLE))['make_app']
    raise SystemExit(make_app(Path(sys.argv[1])).run(automation=True))
