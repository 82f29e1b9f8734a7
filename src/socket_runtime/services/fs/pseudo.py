"""Which files are windows into the kernel rather than data (C12).

``/proc/self/mem`` and its like claim to be regular files. They are known by the file system that they lie
on, wherever that is mounted.
"""

from __future__ import annotations

import os
import sys

__all__ = ['is_pseudo']

PSEUDO = frozenset(
    'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs functionfs mqueue nfsd proc '
    'pstore resctrl rpc_pipefs securityfs selinuxfs smackfs sysfs tracefs'.split()
)
MAX_KNOWN = 256  # devices remembered

_known: dict[int, bool] = {}


def is_pseudo(device: int) -> bool:
    """Is this device number (``st_dev``) a file system of the kernel's own?"""
    if sys.platform != 'linux' or os.major(device) != 0:  # those never lie on a block device
        return False
    answer = _known.get(device)
    if answer is None:
        answer = _look_up(device)
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[device] = answer
    return answer


def _look_up(device: int) -> bool:
    wanted = f'{os.major(device)}:{os.minor(device)}'
    try:
        with open('/proc/self/mountinfo', encoding='utf-8', errors='replace') as lines:
            for line in lines:
                # "36 35 98:0 /root /mount options optional... - type source superoptions" (proc(5))
                left, _, right = line.partition(' - ')
                if left.split(' ', 3)[2] == wanted:
                    return right.split(' ', 1)[0] in PSEUDO
    except FileNotFoundError:
        return False
    return False
