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

"""What the cache keeps in memory, and what it needs meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import gc
import tracemalloc
from typing import Any

from nova_mdev_compat.placement import newcomers
from nova_mdev_compat.placement import trait_cache
from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.placement.verdicts import Question
from tests.benchmark import clouds
from tests.benchmark.fleet import Fleet

Row = dict[str, Any]

HOSTS, PGPUS = 5000, 8
_LIVE = Question('live', same_type=True)
_MIB = 1 << 20
_BOUND = 32


def rows(hosts: int = HOSTS) -> Iterator[Row]:
    with clouds.on_sqlite(Fleet(hosts, PGPUS)) as cloud:
        fleet = cloud.fleet
        providers = [device for device, _ in fleet.carried()]
        gc.collect()
        tracemalloc.start()
        try:
            yield from _grow(cloud, fleet, providers)
        finally:
            tracemalloc.stop()


def _grow(cloud: clouds.Cloud, fleet: Fleet,
          providers: list[str]) -> Iterator[Row]:
    cache = cloud.cache(cloud.store())
    for count in (1, fleet.releases // 2, fleet.releases):
        yield _row(f'accept sets of {count} sources', lambda: [
            _ask(cache.accepting, fleet, release)
            for release in range(count)], _BOUND)
    yield _row('and the refuse sets', lambda: [
        _ask(cache.refusing, fleet, release)
        for release in range(fleet.releases)])
    yield _row('and all memberships', lambda: [
        cache.members(digest) for digest in fleet.digests])
    yield _row('and the providers that requests offered',
               lambda: _offer(cache, providers))


def _ask(question: Callable[..., object], fleet: Fleet,
         release: int) -> None:
    question(fleet.documents[release], fleet.digests[release], _LIVE)


def _offer(cache: TraitCache, providers: list[str]) -> None:
    # Strings of their own, as those of an answer of placement's are.
    for start in range(0, len(providers), 1000):
        cache.doubts([''.join(one) for one
                      in providers[start:start + 1000]], 0.0)


def _row(case: str, run: Callable[[], object],
         bound: int | None = None) -> Row:
    tracemalloc.reset_peak()
    run()
    clouds.settle()
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    return {'case': case, 'kept MiB': kept / _MIB, 'peak MiB': peak / _MIB,
            'kept sets at most': trait_cache.MAX_SETS,
            'seen providers at most': newcomers.MAX_SEEN,
            'to reach': f'{bound} MiB' if bound else '',
            'reached': kept <= bound * _MIB if bound else None}
