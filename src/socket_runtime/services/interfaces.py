"""The addresses of this machine, from the C library's ``getifaddrs``.

Source: getifaddrs(3), ``<net/if.h>``, ``<sys/socket.h>`` of Linux and macOS.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from typing import Any

__all__ = ['addresses']

MAX_INTERFACES = 4096  # entries of the list that are looked at

IFF_UP, IFF_LOOPBACK, IFF_RUNNING = 0x1, 0x8, 0x40  # the same on both systems
_BSD = sys.platform == 'darwin'
_LINK = 18 if _BSD else getattr(socket, 'AF_PACKET', 17)  # the family of hardware addresses
# struct sockaddr begins with a length of one byte on BSD, with a family of two bytes elsewhere.


class _Entry(ctypes.Structure):
    _fields_ = (
        ('next', ctypes.c_void_p),
        ('name', ctypes.c_char_p),
        ('flags', ctypes.c_uint),
        ('address', ctypes.c_void_p),
        ('netmask', ctypes.c_void_p),
        ('destination', ctypes.c_void_p),
        ('data', ctypes.c_void_p),
    )


def addresses() -> dict[str, list[dict[str, Any]]]:
    """Name of an interface that is up -> its IP addresses.

    Raises:
        OSError: the system does not tell.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.freeifaddrs.argtypes = [ctypes.c_void_p]
    libc.freeifaddrs.restype = None
    head = ctypes.c_void_p()
    if libc.getifaddrs(ctypes.byref(head)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    found: dict[str, list[dict[str, Any]]] = {}
    hardware: dict[str, str] = {}
    try:
        address: int | None = head.value
        for _ in range(MAX_INTERFACES):
            if address is None:
                break
            entry = _Entry.from_address(address)
            _take(entry, found, hardware)
            address = entry.next
    finally:
        libc.freeifaddrs(head)
    for name, rows in found.items():
        for row in rows:
            row['mac'] = hardware.get(name, '00:00:00:00:00:00')
    return found


def _take(entry: _Entry, found: dict[str, list[dict[str, Any]]], hardware: dict[str, str]) -> None:
    if not entry.address or not entry.flags & IFF_UP or not entry.flags & IFF_RUNNING:
        return
    name = entry.name.decode('utf-8', 'replace')
    family = _family(entry.address)
    if family == _LINK:
        hardware[name] = _hardware(entry.address)
    elif family in (socket.AF_INET, socket.AF_INET6):
        offset, size = (4, 4) if family == socket.AF_INET else (8, 16)
        raw = ctypes.string_at(entry.address + offset, size)
        mask = ctypes.string_at(entry.netmask + offset, size) if entry.netmask else b'\xff' * size
        prefix = int.from_bytes(mask, 'big').bit_count()
        text = socket.inet_ntop(family, raw)
        row: dict[str, Any] = {
            'address': text,
            'netmask': socket.inet_ntop(family, mask),
            'family': 'IPv4' if family == socket.AF_INET else 'IPv6',
            'mac': '',
            'internal': bool(entry.flags & IFF_LOOPBACK),
            'cidr': f'{text}/{prefix}',
        }
        if family == socket.AF_INET6:
            row['scopeid'] = int.from_bytes(ctypes.string_at(entry.address + 24, 4), sys.byteorder)
        found.setdefault(name, []).append(row)


def _family(address: int) -> int:
    if _BSD:
        return ctypes.c_uint8.from_address(address + 1).value
    return ctypes.c_uint16.from_address(address).value


def _hardware(address: int) -> str:
    if _BSD:  # struct sockaddr_dl: lengths of name and address at 5 and 6, both from 8 on
        begin = 8 + ctypes.c_uint8.from_address(address + 5).value
        length = ctypes.c_uint8.from_address(address + 6).value
    else:  # struct sockaddr_ll: length at 11, address from 12 on
        begin, length = 12, ctypes.c_uint8.from_address(address + 11).value
    return ':'.join(f'{byte:02x}' for byte in ctypes.string_at(address + begin, length)) if length == 6 else ''
