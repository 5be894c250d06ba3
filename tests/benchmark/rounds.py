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

"""Times that can be compared: peers in turn, round by round.

The machine is shared, and its noise only ever adds. So what is compared runs
in the same round, one after the other, in an order that turns; a ratio is the
median of the rounds' ratios. A peer that runs twice gives the noise.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import gc
import statistics
import time

ROUNDS = 9

Times = Mapping[str, Sequence[float]]


@dataclasses.dataclass(frozen=True)
class Case:
    """What is timed.

    :param prepare: called before each round, and not timed.
    :param repeats: how often it runs in a round, where once is too short.
    """

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    repeats: int = 1


def interleave(cases: Sequence[Case], rounds: int = ROUNDS,
               clock: Callable[[], float] = time.process_time) -> Times:
    """Seconds of every case in every round.

    One round before the first is thrown away. The collector of garbage
    stays off while something is timed, as with `timeit`.

    :param clock: processor time, or for what waits for others the wall's.
    """
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    for number in range(rounds + 1):
        turn = number % len(cases)
        for case in [*cases[turn:], *cases[:turn]]:
            seconds = _timed(case, clock)
            if number:
                times[case.name].append(seconds)
    return times


def _timed(case: Case, clock: Callable[[], float]) -> float:
    case.prepare()
    gc.disable()
    try:
        began = clock()
        for _ in range(case.repeats):
            case.run()
        return (clock() - began) / case.repeats
    finally:
        gc.enable()


def milliseconds(seconds: Sequence[float]) -> float:
    return 1000 * statistics.median(seconds)


def ratio(mine: Sequence[float], peer: Sequence[float]) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(
        one / other for one, other in zip(mine, peer))


def spread(seconds: Sequence[float]) -> float:
    """Half of the rounds lie in a band of this part of the median."""
    first, middle, third = statistics.quantiles(seconds, n=4)
    return (third - first) / middle
