"""The parts of the core's benchmarks: contenders do what is measured of them, and bars are judged as they say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.bars import Values, in_turns
from benchmarks.core import busy, cache, imports, packet, paths, peers, receive, reconcile, relay, send
from benchmarks.core.peers import lines, python_relay
from benchmarks.core.peers.caches import FOREIGN, OWN, DictCache
from benchmarks.core.workers import Feeder, Sinks, Worker, started
from benchmarks.harness import PEERS, BenchError, Program
from socket_core import PUBLISH, ProtocolError, parse
from tests.support.skips import skip_loudly

COUNT = 50
SOURCE = ('127.0.0.1', 9)


@pytest.fixture
def feeder() -> Iterator[Feeder]:
    with Feeder() as made:
        yield made


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    with Sinks(4) as made:
        yield made


def compiled(name: str, *arguments: str) -> Program:
    if not sys.platform.startswith('linux'):
        skip_loudly('recvmmsg and sendmmsg exist on Linux only', 'run the tests there')
    return peers.c_program(name, name, *arguments)


def python(module: str, *arguments: str) -> Program:
    return peers.python_program(module, module, *arguments)


def script(code: str) -> Program:
    return Program('script', (sys.executable, '-c', code))


RECEIVERS: dict[str, Callable[[], Program]] = {
    'C': lambda: compiled('receive'),
    'C, GRO': lambda: compiled('receive', 'gro'),
    'C, floor of the relay': lambda: compiled('relay_floor', 'auto'),
    'ours, no GIL': lambda: python('ours', 'count'),
    'ours, batches': lambda: python('ours', 'batches'),
    'ours, bytes read': lambda: python('ours', 'read'),
    'ours, by asyncio': lambda: python('ours', 'asyncio'),
    'ours, at their own pace': lambda: python('ours', 'counted', '--spin'),
    'ours, relay': lambda: python('ours', 'relay', '--path', 'scalar'),
    'recv_into': lambda: python('sockets', 'receive-into'),
    'recvfrom': lambda: python('sockets', 'receive'),
    'relay in Python': lambda: python('sockets', 'relay'),
    'asyncio': lambda: python('asyncio_loop', 'asyncio', 'stock'),
    'asyncio, small': lambda: python('asyncio_loop', 'asyncio', 'small'),
    'asyncio, add_reader': lambda: python('asyncio_loop', 'asyncio', 'reader'),
    'asyncio, busy': lambda: python('asyncio_loop', 'asyncio', 'reader', '--spin'),
    'asyncio, relay': lambda: python('asyncio_loop', 'asyncio', 'relay'),
}


# -- contenders ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', RECEIVERS)
def test_a_receiver_gets_all_that_was_queued_in_each_round(name: str, feeder: Feeder) -> None:
    with Worker(RECEIVERS[name]()) as worker:
        for _ in range(2):
            feeder.fill(worker.port, COUNT)
            found = worker.go(COUNT)
            assert found['cpu_us'] > 0
            assert found['kpps'] > 0


@pytest.mark.parametrize(
    'make',
    [lambda: compiled('receive'), lambda: compiled('receive', 'gro'), lambda: python('ours', 'count', '--gro')],
    ids=['C', 'C, GRO', 'ours, GRO'],
)
def test_what_was_sent_together_is_counted_one_by_one(feeder: Feeder, make: Callable[[], Program]) -> None:
    with Worker(make()) as worker:
        feeder.fill_by_segments(worker.port, 150)
        worker.begin(150)
        assert worker.end()['packets'] == 150


@pytest.mark.parametrize(
    'make',
    [
        lambda port: compiled('send', port),
        lambda port: compiled('send', port, 'gso'),
        lambda port: compiled('send', port, 'watched'),
        lambda port: python('ours', 'send', port),
        lambda port: python('ours', 'send-copies', port),
        lambda port: python('ours', 'send-copies', port, '--gro'),
        lambda port: python('sockets', 'send', port),
        lambda port: python('asyncio_loop', 'asyncio', 'send', port),
    ],
    ids=['C', 'C, GSO', 'C, watched', 'ours', 'ours, copies', 'ours, GSO', 'sendto', 'asyncio'],
)
def test_a_sender_sends_as_many_as_it_is_asked_for(make: Callable[[str], Program], sinks: Sinks) -> None:
    with Worker(make(sinks.ports[0])) as worker:
        for count in (COUNT, 130):
            worker.go(count)
            assert sinks.empty() == count


@pytest.mark.parametrize('path', ['auto', 'scalar'])
def test_the_floor_of_the_relay_sends_three_copies_of_each(path: str, feeder: Feeder, sinks: Sinks) -> None:
    with Worker(compiled('relay_floor', path, *sinks.ports)) as worker:
        feeder.fill(worker.port, COUNT)
        worker.go(COUNT)
        assert sinks.empty() == 3 * COUNT


@pytest.mark.parametrize('module', ['ours', 'sockets'])
def test_a_relay_sends_three_copies_of_each_new_frame(module: str, feeder: Feeder, sinks: Sinks) -> None:
    with Worker(python(module, 'relay', *sinks.ports)) as worker:
        feeder.fill(worker.port, COUNT)
        worker.go(COUNT)
        assert sinks.empty() == 3 * COUNT


@pytest.mark.parametrize('mode', ['struct', 'struct-hashlib', 'ours', 'ours-each', 'ours-unhashed'])
def test_packets_are_parsed_in_whole_batches(mode: str) -> None:
    with Worker(python('packets', mode)) as worker:
        worker.begin(1)
        assert worker.end()['packets'] == 48 * 64


@pytest.mark.parametrize('mode', ['ours', 'ours-many', 'dicts', 'ordered'])
def test_every_insertion_is_of_a_packet_that_is_not_there(mode: str) -> None:
    with Worker(python('caches', mode, 'time')) as worker:
        for _ in range(2):
            worker.begin(64 * 64)
            assert worker.end()['packets'] == 64 * 64


def test_every_insertion_in_c_is_of_a_packet_that_is_not_there() -> None:
    with Worker(compiled('store')) as worker:
        for _ in range(2):
            worker.begin(64 * 64)
            assert worker.end()['packets'] == 64 * 64


@pytest.mark.parametrize('name', [cache.OURS, cache.DICTS])
def test_a_cache_is_weighed_when_it_is_full(name: str) -> None:
    found = cache.weighed(name, 'memory')
    assert 15.9 < found['frame_mb'] < 16.8
    # what the kernel says and what the cache says of itself are much the same
    assert abs(found['private'] - (found['accounted'] or found['private'])) < 16


def test_the_pacer_sends_at_its_rate(sinks: Sinks) -> None:
    with Worker(compiled('pace', sinks.ports[0], '10000')) as worker:
        worker.begin(COUNT)
        sent = worker.end()
    assert sent['packets'] == COUNT
    assert sinks.empty() == COUNT
    # no sooner than they were due; how much later is the machine's affair
    assert sent['wall_ns'] >= COUNT / 10_000 * 1e9


def test_a_contender_that_lost_packets_does_not_count(feeder: Feeder) -> None:
    with Worker(python('sockets', 'receive')) as worker:
        feeder.fill(worker.port, COUNT)
        with pytest.raises(BenchError, match='sockets: 50 of 51 packets'):
            worker.go(COUNT + 1, 0.2)


def test_a_contender_that_ends_says_why() -> None:
    with pytest.raises(BenchError, match='(?s)script ended .1.*the reason'):
        Worker(script("raise SystemExit('the reason')"))


def test_a_contender_that_ends_later_says_so() -> None:
    with Worker(script('print(\'{"port": 0}\', flush=True); input()')) as worker:
        with pytest.raises(BenchError, match='script ended'):
            worker.go(1)
        with pytest.raises(BenchError, match='script ended'):
            worker.go(1)


def test_a_silent_contender_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('benchmarks.core.workers.START_TIMEOUT', 0.2)
    with pytest.raises(BenchError, match='script is silent'):
        Worker(script('input()'))


def test_what_this_machine_cannot_have_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> Program:
        raise BenchError('no such thing')

    programs = {
        'one': lambda: python('sockets', 'receive'),
        'two': missing,
        'three': lambda: Program('three', ('/no/such/program',)),
    }
    with started(programs) as workers:
        assert list(workers) == ['one']
    said = capsys.readouterr().err
    assert 'two: left out: no such thing' in said
    assert 'three: left out: /no/such/program: No such file' in said


def test_c_peers_are_made_below_build() -> None:
    path = Path(compiled('receive').argv[0])
    assert path.is_relative_to(PEERS)
    assert (PEERS / 'core') == peers.BUILT


# -- frames and the relay in Python -------------------------------------------------------------------------------


def test_frames_are_frames_and_all_different() -> None:
    found = [parse(lines.frame(clock, index)) for clock in (1, 2) for index in range(3)]
    assert {(one.type, len(one), one.cluster, one.to) for one in found} == {(PUBLISH, 1166, bytes(32), bytes(32))}
    assert [(one.clock, one.index) for one in found] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert len({one.next_id for one in found}) == len({one.id for one in found}) == 6


def test_what_is_queued_is_new_in_each_round(feeder: Feeder, sinks: Sinks) -> None:
    received = []
    for sink in sinks.sockets[:2]:
        feeder.fill(sink.getsockname()[1], 3)
        received += [parse(sink.recv(2048)) for _ in range(3)]
    assert [(one.clock, one.index) for one in received] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
    assert len({one.id for one in received}) == 6
    assert received[0].data == lines.frame(1, 0)


def test_parsing_in_python_agrees_with_ours() -> None:
    data = bytearray(lines.frame(7, 9))
    data[2:6] = (5).to_bytes(4, 'big')
    ours = parse(bytes(data))
    assert python_relay.parse(bytes(data)) == (
        ours.type,
        ours.version,
        ours.hops,
        ours.clock,
        ours.index,
        ours.cluster,
        ours.previous_id,
        ours.next_id,
        ours.to,
    )
    assert python_relay.packet_id(bytes(data)) == ours.id == python_relay.packet_id(lines.frame(7, 9))


@pytest.mark.parametrize('data', [bytes(142), bytes((0, 1)) + bytes(140), bytes((11, 1)) + bytes(140), bytes(1167)])
def test_the_relay_in_python_drops_what_is_no_frame(data: bytes) -> None:
    relaying = python_relay.PythonRelay([SOURCE])
    assert relaying.handle(data, SOURCE, 0.0) is None
    assert (relaying.malformed, len(relaying.cache.packets)) == (1, 0)
    with pytest.raises(ValueError, match='not a frame'):
        python_relay.parse(data)
    with pytest.raises(ProtocolError):
        parse(data)


def test_the_relay_in_python_sends_each_packet_on_once_and_never_back() -> None:
    others = [('127.0.0.1', port) for port in range(1, 6)]
    relaying = python_relay.PythonRelay(others)
    for index in range(20):
        source = others[index % 5]
        found = relaying.handle(lines.frame(0, index), source, 0.0)
        assert found is not None
        copy, chosen = found
        assert len(set(chosen)) == 3
        assert source not in chosen
        assert parse(copy).hops == 1
        assert parse(copy).id == parse(lines.frame(0, index)).id
        assert relaying.handle(copy, source, 0.0) is None
    assert relaying.duplicate == 20


def test_the_relay_in_python_stops_at_sixteen_hops() -> None:
    relaying = python_relay.PythonRelay([('127.0.0.1', port) for port in range(4)])
    data = lines.frame(0, 0)
    sent = relaying.handle(data[:2] + (15).to_bytes(4, 'big') + data[6:], SOURCE, 0.0)
    assert sent is not None
    data = lines.frame(0, 1)
    assert relaying.handle(data[:2] + (16).to_bytes(4, 'big') + data[6:], SOURCE, 0.0) is None


def test_the_cache_in_python_keeps_its_budget_and_forgets_what_is_old() -> None:
    kept = python_relay.PythonCache(3 * lines.FRAME_BYTES)
    for index in range(5):
        assert kept.insert(bytes([index]), lines.frame(0, index), float(index))
    assert list(kept.packets) == [b'\2', b'\3', b'\4']
    assert not kept.insert(b'\3', lines.frame(0, 3), 5.0)
    assert kept.insert(b'\5', lines.frame(0, 5), 4.0 + python_relay.LIFE)
    assert list(kept.packets) == [b'\4', b'\5']
    assert kept.used == 2 * lines.FRAME_BYTES


def test_the_cache_of_dictionaries_drops_own_packets_last() -> None:
    kept = DictCache(3 * lines.FRAME_BYTES)
    kinds = (OWN, FOREIGN, FOREIGN, OWN, FOREIGN, OWN, OWN)
    for index, kind in enumerate(kinds):
        assert kept.insert(bytes([index]), lines.frame(0, index), 0.0, kind)
    assert sorted(kept.packets) == [b'\3', b'\5', b'\6']
    assert sorted(kept.previous.values()) == [b'\3', b'\5', b'\6']
    assert kept.used == 3 * lines.FRAME_BYTES
    assert not kept.insert(b'\6', lines.frame(0, 6), 0.0)


@pytest.mark.parametrize(('common', 'ours', 'theirs'), [(0, 0, 0), (0, 30, 0), (500, 0, 0), (500, 1, 0), (500, 40, 60)])
def test_reconciling_finds_every_difference_and_no_other(common: int, ours: int, theirs: int) -> None:
    one, other = reconcile.cache_of(common, ours, 2), reconcile.cache_of(common, theirs, 3)
    found, size, trips = reconcile.reconcile(one.summary(), other.summary())
    assert found == set(one.summary().ids()) ^ set(other.summary().ids())
    assert len(found) == ours + theirs
    assert trips >= 1
    assert size >= 16


# -- bars ---------------------------------------------------------------------------------------------------------


def test_a_bar_in_turns_is_judged_round_by_round() -> None:
    # our machine was slow in the second round, and so was the peer
    values = {'ours': {'us': [1.0, 9.0, 1.1]}, 'peer': {'us': [1.0, 9.0, 1.0]}}
    row = in_turns('w', values, 'ours', 'peer', 'us', 'us', at_most=1.05)
    assert (row.verdict, row.ratio, row.bar) == ('met', '1.00x', 'at most 1.05x peer')
    assert row.measured == '1.1 [1-9] against 1 [1-9] us'
    better = in_turns('w', values, 'ours', 'peer', 'us', 'us', at_least=2)
    assert (better.verdict, better.bar) == ('not met', '2x better than peer')
    assert in_turns('w', values, 'ours', 'peer', 'us', 'us', at_least=0.9).verdict == 'met'


def test_a_bar_in_turns_with_a_side_missing_is_not_shown() -> None:
    values = {'ours': {'us': [1.0]}}
    assert in_turns('w', values, 'ours', 'peer', 'us', 'us', at_most=1).ratio == 'no peer'
    assert in_turns('w', values, 'x', 'ours', 'us', 'us', at_most=1).verdict == 'not shown'


def values_of(**medians: float) -> Values:
    return {name: {'cpu_us': [value] * 3} for name, value in medians.items()}


def test_the_bars_of_receiving() -> None:
    values = values_of(
        **{receive.C: 1.0, receive.OURS: 1.09, receive.BATCHES: 1.3, receive.UVLOOP: 2.6, receive.ASYNCIO: 12.9}
    )
    assert [row.verdict for row in receive.judge(values)] == ['met', 'met', 'met', 'not met']
    assert [row.verdict for row in receive.judge({})] == ['not shown'] * 4


def test_the_bars_of_sending() -> None:
    values = values_of(**{send.C: 1.0, send.OURS: 1.06, send.C_WATCHED: 1.03})
    assert [row.verdict for row in send.judge(values)] == ['not met', 'met']


def test_the_bar_of_a_busy_interpreter_is_every_single_packet() -> None:
    assert busy.judge({busy.OURS: {'delivered': [100.0, 100.0, 100.0]}})[0].verdict == 'met'
    assert busy.judge({busy.OURS: {'delivered': [100.0, 100.0, 99.99]}})[0].verdict == 'not met'


@pytest.mark.parametrize('with_sha', [False, True])
def test_the_bars_of_relaying(monkeypatch: pytest.MonkeyPatch, with_sha: bool) -> None:
    monkeypatch.setattr(paths, 'has_sha_instructions', lambda: with_sha)
    peer = relay.PYTHON_PLAIN if with_sha else relay.PYTHON
    values = dict(values_of(**{relay.ours('avx512', False): 1.0, relay.ours('avx2', False): 1.2, peer: 4.1}))
    verdicts = {row.what + row.bar: row.verdict for row in relay.judge(values)}
    assert [verdict for what, verdict in verdicts.items() if 'AVX2' in what] == ['not met']
    assert 'met' in [verdict for what, verdict in verdicts.items() if 'AVX-512' in what]
    forward = {relay.ours('auto', True): 12.5, relay.floor('auto', True): 10.0}
    assert relay.judge(values_of(**forward))[-3].verdict == 'met'
    # a processor without AVX-512 shows nothing of it, rather than meeting it
    assert all(row.verdict == 'not shown' for row in relay.judge({}))


def test_the_bars_of_parsing() -> None:
    values = values_of(**{packet.STRUCT: 1.0, packet.OURS: 0.36, packet.STRUCT_PLAIN: 2.0})
    assert [row.verdict for row in packet.judge(values)] == ['not met', 'not shown', 'not shown']


def test_the_bars_of_the_cache() -> None:
    values = {
        cache.OURS: {'insert_ns': [300.0], 'accounted_b': [40.0], 'private_b': [49.0]},
        cache.DICTS: {'insert_ns': [1100.0]},
    }
    assert [row.verdict for row in cache.judge(values)] == ['met', 'not met', 'met', 'not met']


def test_the_bars_of_the_import() -> None:
    values = {imports.CORE: {'added_mb': [1.1], 'ms': [4.0]}}
    assert [row.verdict for row in imports.judge(values)] == ['not met', 'met']


def test_an_import_that_fails_is_no_measurement() -> None:
    assert imports.cost('pass')['private_mb'] > 1
    with pytest.raises(BenchError, match='no_such_module'):
        imports.cost('import no_such_module')


def test_the_core_is_a_group_of_benchmarks() -> None:
    assert {run.BENCHMARKS[name] for name in run.GROUPS['core']} == {
        busy,
        cache,
        imports,
        packet,
        receive,
        reconcile,
        relay,
        send,
    }
    for name in run.GROUPS['core']:
        assert name.startswith('core.')
        assert run.BENCHMARKS[name].ROUNDS >= 3


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(['core.nothing'])
    assert "there is no benchmark 'core.nothing'" in capsys.readouterr().err
