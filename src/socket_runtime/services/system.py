"""``os.*``: what machine this is, and how it fares.

Whatever a system cannot tell is refused with ``ENOSYS``, never invented.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Any

from socket_runtime.ipc.command import Command
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs.failure import failed, failing

__all__ = ['architecture', 'commands', 'platform_name']

_ARCHITECTURES = {
    'x86_64': 'x64',
    'amd64': 'x64',
    'aarch64': 'arm64',
    'arm64': 'arm64',
    'i386': 'ia32',
    'i686': 'ia32',
    'x86': 'ia32',
    'riscv64': 'riscv64',
    's390x': 's390x',
    'ppc64le': 'ppc64',
}
_TICKS = os.sysconf('SC_CLK_TCK') if hasattr(os, 'sysconf') else 100  # per second, in /proc/stat


def commands(context: ServiceContext) -> list[Command]:
    """The rows of ``os.*``. Those that are inline read at most a few lines of the kernel's memory."""
    temporary = str(context.roots['TMP']) if 'TMP' in context.roots else ''

    def info() -> dict[str, Any]:
        return {**_facts(), 'tmpdir': temporary}

    return [
        Command('os.info', info, inline=True, help='The system, its version and machine.'),
        Command('os.uptime', uptime, inline=True, help='Seconds since the machine started.'),
        Command('os.freemem', free_memory, inline=True, help='Bytes of memory that programs can still have.'),
        Command('os.loadavg', load_average, inline=True, help='The load over 1, 5 and 15 minutes.'),
        Command('os.rusage', resource_usage, inline=True, help='What this process has used.'),
        Command('os.cpus', cpus, help='The processors and their times.'),
        Command('os.networkInterfaces', network_interfaces, help='The addresses of this machine.'),
    ]


def platform_name() -> str:
    """``'linux'``, ``'darwin'``, ``'win32'``, ...: Node's ``os.platform()``."""
    return sys.platform


def architecture() -> str:
    """``'x64'``, ``'arm64'``, ...: Node's ``os.arch()``."""
    machine = _machine().lower()
    return _ARCHITECTURES.get(machine, 'arm' if machine.startswith('arm') else machine)


def _machine() -> str:
    if sys.platform == 'win32':
        return os.environ.get('PROCESSOR_ARCHITEW6432') or os.environ.get('PROCESSOR_ARCHITECTURE', '')
    return os.uname().machine


def _facts() -> dict[str, Any]:
    if sys.platform == 'win32':
        version = sys.getwindowsversion()
        kernel = ('Windows_NT', f'{version.major}.{version.minor}.{version.build}', version.service_pack)
    else:
        name = os.uname()
        kernel = (name.sysname, name.release, name.version)
    return {
        'platform': platform_name(),
        'arch': architecture(),
        'type': kernel[0],
        'release': kernel[1],
        'version': kernel[2],
        'machine': _machine(),
        'endianness': 'LE' if sys.byteorder == 'little' else 'BE',
        'EOL': os.linesep,
        'cpus': os.cpu_count() or 1,
        'totalmem': _total_memory(),
        'homedir': os.path.expanduser('~'),
    }


def _no(syscall: str) -> Exception:
    return failed(OSError(errno.ENOSYS, ''), syscall)


def _total_memory() -> int:
    """Bytes; 0 where the system does not tell (Windows)."""
    if not hasattr(os, 'sysconf'):
        return 0
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')


def uptime() -> float:
    """Seconds since the machine started."""
    if sys.platform == 'linux':
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        return time.monotonic()  # macOS and Windows count from the start of the machine


def free_memory() -> int:
    """Bytes of memory that programs can still have."""
    if sys.platform == 'linux':
        with failing('sysinfo'), open('/proc/meminfo', 'rb') as lines:
            for line in lines:
                if line.startswith(b'MemAvailable:'):
                    return int(line.split()[1]) * 1024
    if hasattr(os, 'sysconf') and 'SC_AVPHYS_PAGES' in os.sysconf_names:
        return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_AVPHYS_PAGES')
    raise _no('sysinfo')


def load_average() -> list[float]:
    """The load over 1, 5 and 15 minutes; zeros on Windows, as with Node."""
    return list(os.getloadavg()) if hasattr(os, 'getloadavg') else [0.0, 0.0, 0.0]


def resource_usage() -> dict[str, Any]:
    """What this process has used: Node's ``process.resourceUsage()``. Times in microseconds, ``maxRSS`` in
    KiB."""
    if sys.platform == 'win32':
        raise _no('getrusage')
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        'userCPUTime': round(usage.ru_utime * 1e6),
        'systemCPUTime': round(usage.ru_stime * 1e6),
        'maxRSS': usage.ru_maxrss // 1024 if sys.platform == 'darwin' else usage.ru_maxrss,
        'minorPageFault': usage.ru_minflt,
        'majorPageFault': usage.ru_majflt,
        'fsRead': usage.ru_inblock,
        'fsWrite': usage.ru_oublock,
        'voluntaryContextSwitches': usage.ru_nvcsw,
        'involuntaryContextSwitches': usage.ru_nivcsw,
    }


def cpus() -> list[dict[str, Any]]:
    """``{model, speed, times}`` of every processor; speed in MHz, times in milliseconds."""
    if sys.platform != 'linux':
        raise _no('cpu_info')
    with failing('cpu_info'):
        models = _models()
        with open('/proc/stat', encoding='ascii') as lines:
            rows = [line.split() for line in lines if line[:3] == 'cpu' and line[3:4].isdigit()]
    answer = []
    for row in rows:
        model, speed = models.get(int(row[0][3:]), ('', 0))
        user, nice, system, idle, _, irq = (int(value) * 1000 // _TICKS for value in row[1:7])
        times = {'user': user, 'nice': nice, 'sys': system, 'idle': idle, 'irq': irq}
        answer.append({'model': model, 'speed': speed, 'times': times})
    return answer


def _models() -> dict[int, tuple[str, int]]:
    """Number of a processor -> its model's name and MHz, as far as ``/proc/cpuinfo`` knows."""
    found: dict[int, tuple[str, int]] = {}
    number, model, speed = -1, '', 0
    with open('/proc/cpuinfo', encoding='utf-8', errors='replace') as lines:
        for line in lines:
            key, _, value = line.partition(':')
            match key.strip():
                case 'processor':
                    number, model, speed = int(value), '', 0
                case 'model name':
                    model = value.strip()
                case 'cpu MHz':
                    speed = round(float(value))
            if number >= 0:
                found[number] = (model, speed)
    return found


def network_interfaces() -> dict[str, list[dict[str, Any]]]:
    """Name of an interface -> its addresses: Node's ``os.networkInterfaces()``."""
    if sys.platform == 'win32':
        raise _no('uv_interface_addresses')
    from socket_runtime.services.interfaces import addresses

    with failing('getifaddrs'):
        return addresses()
