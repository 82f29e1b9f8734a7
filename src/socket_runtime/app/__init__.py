"""The app: where host, gate and services meet.

    application.py   ``App``: commands, windows, run, exit code
    window.py        ``Window``, as Python steers it
    callbacks.py     what the host asks, step by step to the part that knows
    assets.py        the app's own files and the ``socket:`` modules, each with its policy
    wiring.py        the services, their grants and folders
    events.py        events from Python to pages, in batches
    pool.py          where commands run
    config/          ``socket.ini``: parse, validate, resolve
    testing.py       a page without a display
    run.py           what ``ssc run`` runs

The way of a call, from door to door: the page's ``fetch`` → the host's scheme handler →
``callbacks.on_call`` → ``ipc.router`` → ``ipc.gate`` → the command → the reply. The way of a page: the
host's scheme handler → ``callbacks.on_asset`` → ``assets`` (file, policy) → the engine, and meanwhile
``callbacks.on_start`` (a document with a fresh token, its preload) and ``on_commit`` (the document that
calls are judged by).

The GUI's thread belongs to the host. Nothing here blocks it: a command that is not marked ``inline`` runs in
the pool, and everything that comes from another thread goes through ``App.post``.
"""
