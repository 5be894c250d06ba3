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

"""How load, compile and match grow with a document, in CPU time."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import json
import math
import statistics
import time
from typing import Any

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.matching import Matcher
from tests.benchmark.documents import Growth
from tests.benchmark.documents import GROWTHS

_ROUNDS = 9
_SHORTEST = 0.002


@dataclasses.dataclass(frozen=True)
class Row:
    """Medians, in milliseconds, for one size."""

    growth: str
    size: int
    canonical_bytes: int
    load_ms: float
    compile_ms: float
    match_ms: float


def rows(number: int = _ROUNDS,
         largest: float = math.inf) -> Iterator[dict[str, Any]]:
    """The times, how they grow, and which of them are the worst.

    :param largest: no size is larger, but for the two smallest.
    """
    measured = [
        measure(growth, size, number) for growth in GROWTHS
        for place, size in enumerate(growth.sizes)
        if size <= largest or place < 2]
    yield from map(dataclasses.asdict, measured)
    yield from exponents(measured)
    for name in ('match_ms', 'load_ms'):
        worst = max(measured, key=lambda row: getattr(row, name))
        yield {'slowest': name, 'ms': getattr(worst, name),
               'growth': worst.growth, 'size': worst.size}


def measure(growth: Growth, size: int, number: int = _ROUNDS) -> Row:
    destination, source = map(json.dumps, growth.question(size))
    document = loading.load(destination)
    device = loading.load(source).device
    matcher = Matcher(document)
    return Row(growth.name, size, len(document.canonical),
               _median(lambda: loading.load(destination), number),
               _median(lambda: Matcher(document), number),
               _median(lambda: matcher.match(device), number))


def exponents(measured: list[Row]) -> Iterator[dict[str, Any]]:
    """For each family, the power of the size that the times grow with."""
    for growth in GROWTHS:
        family = [row for row in measured if row.growth == growth.name]
        yield {'growth': growth.name, **{
            f'{name}_exponent': round(_slope(
                [(row.size, getattr(row, f'{name}_ms'))
                 for row in family]), 2)
            for name in ('load', 'compile', 'match')}}


def _median(call: Callable[[], object], number: int) -> float:
    repeats = 1
    while _timed(call, repeats) < _SHORTEST:
        repeats *= 4
    return 1000 * statistics.median(
        _timed(call, repeats) / repeats for _ in range(number))


def _timed(call: Callable[[], object], repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        call()
    return time.process_time() - began


def _slope(points: list[tuple[float, float]]) -> float:
    """Least squares on logarithms: 1 is linear, 2 is quadratic."""
    xs = [math.log(x) for x, _ in points]
    ys = [math.log(y) for _, y in points]
    return statistics.linear_regression(xs, ys).slope
