"""``python -m socket_runtime.app DIR``: run the app in a folder; what a build's launcher starts."""

from __future__ import annotations

import sys

from socket_runtime.app.run import main

sys.exit(main(sys.argv[1:]))
