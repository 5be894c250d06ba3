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

"""What our traits cost the requests of others."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import functools
import json
import random
import statistics
import string
from typing import Any

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from tests.benchmark import clouds
from tests.benchmark.clouds import Cloud
from tests.benchmark.fleet import Fleet
from tests.benchmark import population
from tests.benchmark import rounds
from tests.benchmark.rounds import Case
from tests.unit import corpus

Row = dict[str, Any]

COUNTS = (0, 1000, 2000, 3000, 4000)
_HOSTS = 20
_ROUNDS = 25
_MAX_TRAITS = 3
_ALPHABET = string.ascii_uppercase + '234567'


def rows(counts: Sequence[int] = COUNTS,
         number: int = _ROUNDS) -> Iterator[Row]:
    yield _documents()
    with clouds.in_process(Fleet(_HOSTS, 4)) as cloud:
        cases = _cases(cloud)
        seen: dict[str, list[float]] = {case.name: [] for case in cases}
        written = 0
        for count in counts:
            population.write_traits(
                cloud.engine, _names(count - written, written))
            written = count
            times = rounds.interleave(cases, number, cloud.clock)
            for name, seconds in times.items():
                seen[name].append(1e6 * statistics.median(seconds))
    for name, found in seen.items():
        yield _row(name, counts, found)


def _row(name: str, counts: Sequence[int], found: Sequence[float]) -> Row:
    slope = statistics.linear_regression(counts, found).slope
    return {'case': name, 'ms without': found[0] / 1000,
            f'ms with {counts[-1]}': found[-1] / 1000,
            'us a trait': slope,
            'us a document': slope * _MAX_TRAITS}


def _cases(cloud: Cloud) -> list[Case]:
    host = cloud.fleet.hosts[0]
    paths = {
        "a provider's traits":
            f'/resource_providers/{host.root}/traits',
        'the tree of a host':
            f'/resource_providers?in_tree={host.root}'
            '&required=COMPUTE_NODE',
        'allocation candidates, no device':
            '/allocation_candidates?resources=VCPU:1,MEMORY_MB:512&limit=1'}
    return [Case(name, functools.partial(_get, cloud, path))
            for name, path in paths.items()]


def _get(cloud: Cloud, path: str) -> None:
    cloud.adapter.get(path, microversion='1.39')


def _names(count: int, first: int) -> Iterator[str]:
    """Bodies of documents that are not in use."""
    chance = random.Random(first)
    for _ in range(count):
        digest = ''.join(chance.choices(_ALPHABET, k=26))
        chunk = ''.join(chance.choices(_ALPHABET, k=170))
        yield f'{traits.BODY_PREFIX}{digest}_AAAA_0_1_{chunk}'


def _documents() -> Row:
    """The traits of each of the corpus's documents."""
    sizes = [_size(case.destination) for case in corpus.verdict_cases()]
    return {'case': "the corpus's documents", 'documents': len(sizes),
            'median traits': statistics.median(sizes),
            'most traits': max(sizes),
            'to reach': f'{_MAX_TRAITS} traits',
            'reached': max(sizes) <= _MAX_TRAITS}


def _size(document: Any) -> int:
    names = traits.encode(loading.load(json.dumps(document)))
    return 1 + len(names.chunks)
