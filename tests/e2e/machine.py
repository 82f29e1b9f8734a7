"""What the operating system says of an app: its processes, memory, descriptors, threads and ports."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

LISTEN = '0A'  # include/net/tcp_states.h


def descendants(pid: int) -> list[int]:
    """All processes below ``pid``, in no particular order."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parent = int(Path(f'/proc/{entry}/stat').read_text().rpartition(')')[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def name_of(pid: int) -> str:
    """The process's own short name (15 characters), or ``''``."""
    try:
        return Path(f'/proc/{pid}/comm').read_text().strip()
    except OSError:
        return ''


def web_processes(pid: int) -> list[int]:
    """The processes of ``pid``'s webview that run pages."""
    return [child for child in descendants(pid) if name_of(child).startswith('WebKitWebProces')]


def memory(pid: int) -> dict[str, int]:
    """``pss``, ``uss`` and ``anonymous`` of one process in KiB; empty when it is gone.

    The first two also change with what other programs share; ``anonymous`` is the process's own doing alone.
    """
    try:
        text = Path(f'/proc/{pid}/smaps_rollup').read_text()
    except OSError:
        return {}
    fields = {key: int(value) for key, value in re.findall(r'^(\w+):\s+(\d+) kB', text, re.M)}
    return {
        'pss': fields['Pss'],
        'uss': fields['Private_Clean'] + fields['Private_Dirty'],
        'anonymous': fields['Anonymous'] + fields['Swap'],
    }


def fd_count(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f'/proc/{pid}/fd'))


def open_files(pid: int) -> dict[str, int]:
    """What the descriptors of a process lead to, in a few words, and how many there are of each."""
    kinds: Counter[str] = Counter()
    for fd in os.listdir(f'/proc/{pid}/fd'):
        with contextlib.suppress(OSError):
            kinds[re.sub(r'\d+', '', os.readlink(f'/proc/{pid}/fd/{fd}'))] += 1
    return dict(kinds)


def listening_ports(pids: list[int]) -> list[str]:
    """TCP ports, as ``address:port`` in hexadecimal, that these processes listen on."""
    inodes = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.scandir(f'/proc/{pid}/fd'):
                with contextlib.suppress(OSError):
                    target = os.readlink(fd.path)
                    if target.startswith('socket:['):
                        inodes.add(target[8:-1])
    ports = []
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                ports.append(fields[1])
    return ports


def state(app: Any) -> dict[str, Any]:
    """Of the app in this process, on its GUI's thread."""
    pid = os.getpid()
    web = web_processes(pid)
    return {
        'fds': fd_count(pid),
        'threads': [thread.name for thread in threading.enumerate()],
        'under_way': app.router.under_way,
        'ports': listening_ports([pid, *descendants(pid)]),
        'memory': memory(pid),
        'web_memory': memory(web[0]) if len(web) == 1 else {},
        'web_processes': len(web),
    }
