"""The way of a call, from its URI to its one answer, and the gate on it.

    uri.py         ``ipc://fs.readFile?path=…``, parsed once, canonical or refused
    csp.py         Content-Security-Policy: parsing, matching, ``ipc://fs.*`` expanded
    page.py        a page's own policies: found, expanded, served
    document.py    which document asks, and what its policies allow
    grants.py      what ``socket.ini`` grants, and in which scopes
    gate.py        decides: identity, policy, grant
    command.py     the table of commands, and the checking of arguments
    router.py      runs commands and answers: results, streams, uploads, files, time limits, quotas
    results.py     the envelope ``{source, id, data | err}`` and its headers
    streams.py     to the page and from it, with backpressure
    quotas.py      how much one window may have under way
    transport.py   what all this needs of its carriers

There is one gate, and every way from a page into native code passes it: every transport, every internal
command, every stream's every chunk. The engine's own check of the policy stands in front of it and is not
relied upon: workers loaded from an URL, frames, navigations and preloads reach scheme handlers past it
(findings "webview" 3). Nothing here knows a host or a service; both register with it.
"""
