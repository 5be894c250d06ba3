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

"""One value of placement's, kept for a while and asked for by one caller.

A caller that finds the value too old elects itself to ask again; the others
go on with the old value. Asking happens in a thread of its own, because a
socket's time-out bounds the silence between two bytes, not the whole
answer: whoever waits, waits on a clock.
"""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import random
import threading
import time
from typing import Generic
from typing import TypeVar

from oslo_log import log as logging

from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Unreachable

LOG = logging.getLogger(__name__)

T = TypeVar('T')

# Workers start together and must not ask together: a value lives between
# this part of its time and the whole of it, never longer.
_SHORTEST = 0.8
# After a failure nobody asks again for this part of a value's life, or for
# these seconds if that is less.
_HOLD_OFF_PART = 0.1
_HOLD_OFF = 5.0
# Threads that hang in a socket past their deadline, before no new one is
# started.
_MAX_HANGING = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a value serves; all in seconds.

    :param ttl: after this it is asked for again.
    :param max_age: after this it does not serve, though nothing newer can
        be had.
    :param timeout: how long a caller waits for an answer.
    """

    ttl: float
    max_age: float
    timeout: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Snapshot(Generic[T]):
    value: T
    asked: float
    lives: float


class _Flight(Generic[T]):
    """One question under way."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.landed = threading.Event()
        self.error: Exception | None = None
        self.value: T | None = None


class Kept(Generic[T]):
    """A value that `fetch` gets, and that `get` answers from memory.

    :param name: for the log.
    :param fetch: asks for the value; called by one caller at a time.
    :param lifetime: read at each use, so that options can change.
    :param patient: whether the caller that asks waits for the answer though
        an old value serves: what it gets is then as fresh as was promised.
    """

    def __init__(self, name: str, fetch: Callable[[Deadline], T],
                 lifetime: Callable[[], Lifetime],
                 clock: Callable[[], float] = time.monotonic,
                 patient: bool = True) -> None:
        self._patient = patient
        self._name = name
        self._fetch = fetch
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._snapshot: _Snapshot[T] | None = None
        self._flight: _Flight[T] | None = None
        self._hanging: list[threading.Thread] = []
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._hold_off_until = 0.0
        self._not_before = float('-inf')

    def get(self) -> T:
        """The value, no older than `max_age`.

        :raises Exception: what `fetch` raised, when nothing kept serves.
        """
        lifetime = self._lifetime()
        now = self._clock()
        snapshot = self._snapshot
        if snapshot is not None and self._age(snapshot, now) < min(
                snapshot.lives, lifetime.ttl, lifetime.max_age):
            return snapshot.value
        flight, elected = self._board(now, lifetime)
        serves = snapshot is not None \
            and self._age(snapshot, now) <= lifetime.max_age
        if flight is not None and (
                elected and self._patient or not serves):
            if not flight.landed.wait(self._left(flight, now, lifetime)):
                self._timed_out(flight, lifetime)
            elif flight.error is None:
                return flight.value  # type: ignore[return-value]
        return self._last(lifetime, flight)

    def drop(self) -> None:
        """Forgets the value, and what is under way: the next caller asks."""
        with self._lock:
            self._snapshot = None
            self._flight = None
            self._not_before = self._clock()

    @staticmethod
    def _age(snapshot: _Snapshot[T], now: float) -> float:
        return now - snapshot.asked

    def _left(self, flight: _Flight[T], now: float,
              lifetime: Lifetime) -> float:
        return max(0.0, flight.asked + lifetime.timeout - now)

    def _last(self, lifetime: Lifetime, flight: _Flight[T] | None) -> T:
        """The last value if it serves."""
        snapshot = self._snapshot
        if snapshot is not None and self._age(
                snapshot, self._clock()) <= lifetime.max_age:
            return snapshot.value
        error = (flight and flight.error) or self._error
        raise error if error is not None else Unreachable(
            f'{self._name}: no answer within {lifetime.timeout:g} seconds')

    def _board(self, now: float, lifetime: Lifetime
               ) -> tuple[_Flight[T] | None, bool]:
        """The flight to wait for, and whether this caller started it."""
        with self._lock:
            flight = self._flight
            if flight is not None and now < flight.asked + lifetime.timeout:
                return flight, False
            if now < self._hold_off_until or not self._may_start():
                return None, False
            flight = self._flight = _Flight(now)
            self._thread = threading.Thread(
                target=self._fly, args=(flight, lifetime), daemon=True,
                name=f'mdev-compat {self._name}')
            self._thread.start()
            return flight, True

    def _may_start(self) -> bool:
        if self._thread is not None:
            self._hanging.append(self._thread)
        self._hanging = [one for one in self._hanging if one.is_alive()]
        if len(self._hanging) <= _MAX_HANGING:
            return True
        self._error = Unreachable(
            f'{self._name}: {len(self._hanging)} earlier requests still '
            'hang')
        return False

    def _fly(self, flight: _Flight[T], lifetime: Lifetime) -> None:
        try:
            value = self._fetch(Deadline(lifetime.timeout, self._clock))
        except Exception as error:
            flight.error = error
            self._failed(flight, error, lifetime)
        else:
            flight.value = value
            self._succeeded(flight, value, lifetime)
        finally:
            flight.landed.set()

    def _succeeded(self, flight: _Flight[T], value: T,
                   lifetime: Lifetime) -> None:
        with self._lock:
            newest = self._not_before if self._snapshot is None \
                else self._snapshot.asked
            if flight.asked >= newest:
                self._snapshot = _Snapshot(
                    value, flight.asked,
                    lifetime.ttl * random.uniform(_SHORTEST, 1.0))
            recovered, self._error = self._error is not None, None
            self._end(flight)
        if recovered:
            LOG.info('Placement answers again for %s.', self._name)

    def _timed_out(self, flight: _Flight[T], lifetime: Lifetime) -> None:
        with self._lock:
            under_way = self._flight is flight
        if under_way:
            flight.error = Unreachable(
                f'{self._name}: no answer within {lifetime.timeout:g} '
                'seconds')
            self._failed(flight, flight.error, lifetime)

    def _failed(self, flight: _Flight[T], error: Exception,
                lifetime: Lifetime) -> None:
        with self._lock:
            first, self._error = self._error is None, error
            snapshot = self._snapshot
            self._hold_off_until = self._clock() + min(
                _HOLD_OFF, lifetime.ttl * _HOLD_OFF_PART)
            self._end(flight)
        if first and snapshot is not None:
            # With nothing kept, whoever asked says so, with the server.
            LOG.warning(
                'Could not refresh %s: %s. What was read %.0f seconds ago '
                'serves until it is %g seconds old.', self._name, error,
                self._age(snapshot, self._clock()), lifetime.max_age)

    def _end(self, flight: _Flight[T]) -> None:
        if self._flight is flight:
            self._flight = None
