"""``python -m socket_runtime.app DIR``: run the app in a folder; what a build's launcher starts."""

from __future__ import annotations

import gc

gc.disable()  # until the first page has loaded (`App`): a start makes much and drops nothing

import sys  # noqa: E402

from socket_runtime.app.run import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
