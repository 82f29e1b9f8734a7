"""``os.*`` against what the machine says of itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from socket_runtime.services import system
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]


@pytest.fixture
def machine(make: MakeBench) -> Bench:
    """An app without grants."""
    return make({'fs.read': False}, more=system.commands)


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_info(machine: Bench) -> None:
    info = machine.run('os.info')
    assert info['platform'] == sys.platform
    assert (info['type'], info['release'], info['machine']) == tuple(output('uname', f'-{flag}') for flag in 'srm')
    assert info['arch'] in ('x64', 'arm64', 'ia32', 'arm', 'riscv64', 's390x', 'ppc64')
    assert info['cpus'] == os.cpu_count() and info['EOL'] == os.linesep and info['endianness'] in ('LE', 'BE')
    assert info['tmpdir'] == str(machine.roots['TMP'])
    with open('/proc/meminfo', encoding='ascii') as lines:
        total = int(lines.readline().split()[1]) * 1024
    assert abs(info['totalmem'] - total) <= total // 50


@pytest.mark.parametrize(
    ('name', 'arch'),
    [('x86_64', 'x64'), ('AMD64', 'x64'), ('aarch64', 'arm64'), ('i686', 'ia32'), ('armv7l', 'arm'), ('mips', 'mips')],
)
def test_architecture(monkeypatch: pytest.MonkeyPatch, name: str, arch: str) -> None:
    monkeypatch.setattr(system, '_machine', lambda: name)
    assert system.architecture() == arch


def test_uptime_and_load(machine: Bench) -> None:
    with open('/proc/uptime', encoding='ascii') as line:
        assert abs(machine.run('os.uptime') - float(line.read().split()[0])) < 2
    assert len(machine.run('os.loadavg')) == 3


def test_memory(machine: Bench) -> None:
    free = machine.run('os.freemem')
    assert 0 < free <= machine.run('os.info')['totalmem']


def test_rusage(machine: Bench) -> None:
    before = machine.run('os.rusage')
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    after = machine.run('os.rusage')
    spent = after['userCPUTime'] + after['systemCPUTime'] - before['userCPUTime'] - before['systemCPUTime']
    assert 30_000 < spent < 5_000_000
    assert after['maxRSS'] > 1000


def test_cpus(machine: Bench) -> None:
    found = machine.run('os.cpus')
    assert len(found) == int(output('getconf', '_NPROCESSORS_ONLN'))
    for cpu in found:
        assert set(cpu['times']) == {'user', 'nice', 'sys', 'idle', 'irq'} and cpu['times']['idle'] > 0
        assert isinstance(cpu['model'], str) and isinstance(cpu['speed'], int)


def test_network_interfaces(machine: Bench) -> None:
    found: dict[str, list[dict[str, Any]]] = machine.run('os.networkInterfaces')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('127.0.0.1', 0))
    loopback = [row for rows in found.values() for row in rows if row['address'] == '127.0.0.1']
    assert loopback == [
        {
            'address': '127.0.0.1',
            'netmask': '255.0.0.0',
            'family': 'IPv4',
            'mac': '00:00:00:00:00:00',
            'internal': True,
            'cidr': '127.0.0.1/8',
        }
    ]
    names = {name for _, name in socket.if_nameindex()}
    assert set(found) <= names
    for name, rows in found.items():
        for row in rows:
            family = socket.AF_INET if row['family'] == 'IPv4' else socket.AF_INET6
            assert socket.inet_ntop(family, socket.inet_pton(family, row['address'])) == row['address']
            assert row['cidr'].startswith(row['address'] + '/')
            with open(f'/sys/class/net/{name}/address', encoding='ascii') as line:
                assert row['mac'] == (line.read().strip() or '00:00:00:00:00:00')
            assert ('scopeid' in row) == (row['family'] == 'IPv6')


def test_many_times_leaves_nothing_behind(machine: Bench) -> None:
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(200):
        for name in ('os.networkInterfaces', 'os.cpus', 'os.freemem'):
            machine.run(name)
    assert len(os.listdir('/proc/self/fd')) == before
