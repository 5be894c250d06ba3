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

"""Bounds in wall-clock time for several requests together."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import contextvars
import math
import time

from nova_mdev_compat.placement.errors import Unreachable


class Deadline:
    """Counts down from its construction.

    :param seconds: how long everything may take.
    """

    def __init__(self, seconds: float,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds left, more than zero.

        :raises Unreachable: none are left.
        """
        left = self.left()
        if left <= 0:
            raise Unreachable(f'no answer within {self._seconds:g} seconds')
        return left

    def left(self) -> float:
        """Seconds left; zero or less when it is past."""
        return self._end - self._clock()


class Asking:
    """What one request asks, as far as it takes several answers.

    :param seconds: how long it waits for all of them.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        #: When the oldest of the noted answers was asked for, on their clock.
        self.as_of = math.inf
        #: And the newest.
        self.newest = -math.inf

    def left(self) -> float:
        """Seconds for which it may still wait."""
        return max(0.0, self._end - time.monotonic())

    def note(self, asked: float) -> None:
        """Notes the age of an answer that decides."""
        self.as_of = min(self.as_of, asked)
        self.newest = max(self.newest, asked)


# Of the thread, or greenthread, that asks; a fetch's own has none.
_asking: contextvars.ContextVar[Asking | None] = contextvars.ContextVar(
    'asking', default=None)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Asking]:
    """Whoever asks in here waits so long in all, however many answers.

    Inside another `within` no longer than is left there.
    """
    asking = Asking(min(seconds, patience()))
    token = _asking.set(asking)
    try:
        yield asking
    finally:
        _asking.reset(token)


def patience() -> float:
    """Seconds for which the caller may still wait."""
    asking = _asking.get()
    return math.inf if asking is None else asking.left()


def note(asked: float) -> None:
    """Notes the age of an answer for the request that is made, if any."""
    asking = _asking.get()
    if asking is not None:
        asking.note(asked)


def as_of() -> float:
    """When the oldest answer that the request noted was asked for."""
    asking = _asking.get()
    return math.inf if asking is None else asking.as_of


def newest() -> float:
    """When the newest answer that the request noted was asked for."""
    asking = _asking.get()
    return -math.inf if asking is None else asking.newest
