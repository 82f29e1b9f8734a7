"""``ssc``, the command line: one module per command.

A command's module has ``arguments(parser)``, which declares its options, and ``run(args, console)``, which
does the work and returns the exit code. Commands do not catch errors to print them: a ``LocalError`` knows
what is wrong, how to mend it and which exit code that is, and ``main`` hands it to the console. All output
goes through ``console.Console``, so that ``--json`` and ``--quiet`` hold everywhere.

Nothing imports this package but the console script and ``python -m socket_runtime``.
"""

from __future__ import annotations
