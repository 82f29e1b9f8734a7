"""``python -m socket_runtime``: the same as ``ssc``."""

from __future__ import annotations

import sys

from socket_runtime.cli.main import main

if __name__ == '__main__':
    sys.exit(main())
