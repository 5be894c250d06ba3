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
        left = self._end - self._clock()
        if left <= 0:
            raise Unreachable(f'no answer within {self._seconds:g} seconds')
        return left


# Of the thread, or greenthread, that asks; a fetch's own has none.
_patience: contextvars.ContextVar[float] = contextvars.ContextVar(
    'patience', default=math.inf)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whoever asks in here waits so long in all, however many answers.

    Inside another `within`, the earlier end counts.
    """
    token = _patience.set(min(_patience.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _patience.reset(token)


def patience() -> float:
    """Seconds for which the caller may still wait; zero when none are left.
    """
    return max(0.0, _patience.get() - time.monotonic())
