"""Nothing grows: thousands of navigations and of calls, with memory, descriptors and threads looked at.

The short form runs always, the full one (10,000 navigations, 100,000 calls) with ``--soak``.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.e2e.harness import Project, Report

pytestmark = pytest.mark.display

PAGE = """
import { call, on, stream } from 'socket:ipc'
on('hello', () => {})
const items = stream('probe.items', { count: 3 })
await call('probe.act', { tag: 'x' })
call('probe.coroutine', { value: 1 }).catch(() => {})
call('probe.slow', { seconds: 5 }).catch(() => {})
fetch('ipc://probe.bytes', { method: 'POST', body: new Blob(['x'.repeat(10000)]) }).catch(() => {})
for await (const _ of items) break
"""

CALLS = """
import { call, stream, upload } from 'socket:ipc'
const total = TOTAL
for (let done = 0; done < total; done += 500) {
  if (done % (total / 20) === 0) await call('probe.sample')
  const jobs = []
  for (let i = 0; i < 480; i++) jobs.push(call('probe.coroutine', { value: i }), )
  for (let i = 0; i < 10; i++) jobs.push(ask('ipc://probe.bytes', { method: 'POST', body: new Uint8Array(10000) }))
  for (let i = 0; i < 5; i++) jobs.push(upload('probe.upload', {}, new Uint8Array(1000)))
  for (let i = 0; i < 5; i++) jobs.push((async () => { for await (const _ of stream('probe.items', { count: 10 })); })())
  await Promise.all(jobs)
}
await sleep(1500)
await call('probe.sample')
done()
"""


def soak(folder: Path, navigations: int, calls: int, limit: float) -> Report:
    project = Project(folder)
    for name in ('index', 'a', 'b'):
        project.page(PAGE, calls='ipc://probe.*', name=name)
    project.page(CALLS.replace('TOTAL', str(calls)), calls='ipc://probe.*', name='calls')
    process = project.start(scenario='soak', navigations=navigations, limit=limit)
    report = project.finish(process, limit + 30)
    assert report.ended == 'done', (report.ended, report.console[-3:], report.notes['samples'][-1:])
    return report


def growth(samples: list[dict[str, Any]], *path: str) -> float:
    """From the second quarter to the last, medians; the first quarter is for warming up."""

    def value(sample: dict[str, Any]) -> float:
        for key in path:
            sample = sample[key]
        return sample  # type: ignore[return-value]

    values = [value(sample) for sample in samples]
    quarter = len(values) // 4
    return median(values[-quarter:]) - median(values[quarter : 2 * quarter])


def check(report: Report, host_kib: int, web_kib: int) -> None:
    for kind in ('navigations', 'calls'):
        samples = [sample for sample in report.notes['samples'] if sample['kind'] == kind]
        assert len(samples) >= 10
        numbers = {
            'host': growth(samples, 'host', 'anonymous'),
            'web': growth(samples, 'web', 'anonymous'),
            'fds': growth(samples, 'fds'),
            'threads': growth(samples, 'threads'),
        }
        print(kind, 'growth', numbers, 'first', samples[0], 'last', samples[-1])
        assert numbers['host'] < host_kib, kind
        assert numbers['web'] < web_kib, kind
        assert abs(numbers['fds']) <= 12, kind  # WebKit's own watch on memory opens eight, once
        assert abs(numbers['threads']) <= 3, kind
    assert report.notes['samples'][-1]['under_way'] == 0
    assert report.state['under_way'] <= 1  # the console's own last line


@pytest.mark.timeout(60)
def test_a_few_hundred_navigations_and_thousands_of_calls(tmp_path: Path) -> None:
    check(soak(tmp_path, navigations=300, calls=5000, limit=45), host_kib=4096, web_kib=65536)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_ten_thousand_navigations_and_a_hundred_thousand_calls(tmp_path: Path) -> None:
    check(soak(tmp_path, navigations=10_000, calls=100_000, limit=1700), host_kib=8192, web_kib=65536)
