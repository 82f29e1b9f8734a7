"""Run a project as `python -m socket_runtime.app` does, and say which modules it has loaded once it is asked to.

modules.py PROJECT      after a line on standard input: MODULES <names>
"""

from __future__ import annotations

import _thread
import os
import sys


def _answer() -> None:
    os.read(0, 1)
    # A stand-in that was put there by hand has no spec, and costs nothing.
    names = [name for name, module in sys.modules.items() if getattr(module, '__spec__', None) is not None]
    os.write(1, f'MODULES {" ".join(sorted(names))}\n'.encode())


if __name__ == '__main__':
    # Not `threading`: this program must not load anything by itself.
    _thread.start_new_thread(_answer, ())
    from socket_runtime.app.run import main

    sys.exit(main(sys.argv[1:]))
