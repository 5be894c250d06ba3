#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Calls of the filter by many threads while the cache is refreshed.

A placement in other processes has 5,000 hosts of 8 pGPUs; eight threads of
one process judge moves between 1,000 hosts with 4 candidates each. While a
refresh runs all of them go on with what is kept. Placement has processors of
its own where there is more than one: what it takes from others is not ours.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import itertools
import json
import os
import statistics
import threading
import time
from typing import Any
from unittest import mock

from nova_mdev_compat.placement import kept
from tests.benchmark import clouds
from tests.benchmark.filtering import Request
from tests.benchmark import logs
from tests.benchmark import moves
from tests.benchmark import rounds
from tests.benchmark.scheduler import Scheduler

Row = dict[str, Any]

THREADS = 8
HOSTS, PGPUS = 5000, 8
OFFERED, CANDIDATES = 1000, 4
#: Of a round, for each case.
SECONDS = 4.0

REST = 'no refresh'
REFRESH = 'a refresh all the time'
AT_ONCE = 'the same, answers parsed at once'
_BOUND = 3.0


def rows(hosts: int = HOSTS, number: int = rounds.ROUNDS,
         seconds: float = SECONDS) -> Iterator[Row]:
    fleet = moves.ParityFleet(hosts, PGPUS)
    with _apart(fleet) as cloud, \
            Scheduler(fleet, cloud.url) as scheduler, logs.at_info():
        requests = [Request(scheduler, moves.host_states(
            fleet.hosts[:OFFERED], CANDIDATES)) for _ in range(THREADS)]
        cases: dict[str, Callable[[], Any]] = {
            REST: contextlib.nullcontext,
            REFRESH: _refreshing, AT_ONCE: _parsing_at_once}
        seen: dict[str, list[list[float]]] = {name: [] for name in cases}
        requests[0].warm_up()
        scheduler.move(moves.HALF_OF_HOSTS)
        for _, (name, state) in itertools.product(
                range(number), cases.items()):
            with state():
                seen[name].append(_latencies(requests, seconds))
            clouds.settle()
    for name, found in seen.items():
        yield _row(name, found, seen[REST])


@contextlib.contextmanager
def _apart(fleet: moves.ParityFleet) -> Iterator[clouds.Cloud]:
    """Placement on other processors than this one's threads."""
    processors = os.sched_getaffinity(0)
    mine = {min(processors)}
    os.sched_setaffinity(0, processors - mine or mine)
    try:
        with clouds.on_sqlite(fleet) as cloud:
            os.sched_setaffinity(0, mine)
            yield cloud
    finally:
        os.sched_setaffinity(0, processors)


def _latencies(requests: Sequence[Request], seconds: float) -> list[float]:
    """Seconds of all calls of all threads in a while.

    :raises AssertionError: a call left something else than half of the hosts.
    """
    found: list[float] = []
    wrong: list[int] = []
    start = threading.Barrier(len(requests))

    def call_again(request: Request) -> None:
        start.wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            request.restore()
            began = time.perf_counter()
            left = request.ask(request.scheduler.filter)
            found.append(time.perf_counter() - began)
            if len(left) != len(request.states) // 2:
                wrong.append(len(left))
    threads = [threading.Thread(target=call_again, args=(request,))
               for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise AssertionError(f'{len(wrong)} calls left {wrong[0]} hosts')
    return found


@contextlib.contextmanager
def _refreshing() -> Iterator[None]:
    """What is kept is always due, and never older than was promised.

    As it is in a busy cloud, where a refresh begins before `cache_ttl` is
    over; past it all callers would wait.
    """
    with mock.patch.object(kept._Snapshot, 'is_fresh', lambda *_: False):
        yield


@contextlib.contextmanager
def _parsing_at_once() -> Iterator[None]:
    """As long as the standard library's parser takes for it all."""
    with _refreshing(), mock.patch(
            'nova_mdev_compat.placement.client.members', _load):
        yield


def _load(parts: Iterable[bytes], what: str, name: str) -> Any:
    return json.loads(b''.join(parts))[name]


def _row(name: str, found: Sequence[list[float]],
         rest: Sequence[list[float]]) -> Row:
    ratio = rounds.ratio(*([_percentile(one, 99) for one in calls]
                           for calls in (found, rest)))
    row = {
        'case': name, 'threads': THREADS,
        'calls a round': statistics.median(map(len, found)),
        **{f'p{part} ms': rounds.milliseconds(
            [_percentile(one, part) for one in found]) for part in (50, 99)},
        'longest ms': rounds.milliseconds(list(map(max, found))),
        'p99 x no refresh': ratio}
    if name != REFRESH:
        return {**row, 'to reach': '', 'reached': None}
    return {**row, 'to reach': f'{_BOUND:g} x {REST}',
            'reached': ratio <= _BOUND}


def _percentile(values: Sequence[float], part: int) -> float:
    return statistics.quantiles(values, n=100, method='inclusive')[part - 1]
