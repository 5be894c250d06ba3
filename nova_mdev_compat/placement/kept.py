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

A caller that finds the value due has it asked for again, and goes on with the
old one, as all others do, while that is no older than was promised. Asking
happens in a thread of its own, because a socket's time-out bounds the silence
between two bytes, not the whole answer: whoever waits, waits on a clock.
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
from nova_mdev_compat.placement.deadline import patience
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
# Seconds without a failure after which the next one is told of again.
_FORGOTTEN = 600.0
# A provisional value lives for this part of an ordinary one's time.
_SOON = 0.1
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
class Reading(Generic[T]):
    """A value, and when it was asked for on the clock.

    What came later than that, it cannot know.
    """

    value: T
    asked: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Snapshot(Reading[T]):
    lives: float

    def is_fresh(self, now: float, lifetime: Lifetime) -> bool:
        return now - self.asked < min(self.lives, lifetime.ttl,
                                      lifetime.max_age)

    def serves(self, now: float, lifetime: Lifetime) -> bool:
        return now - self.asked <= lifetime.max_age


class Outage:
    """What is told of failures, once for all values that share it.

    :param clock: that of the values.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failing = self._told = False
        self._last = float('-inf')

    def fails(self, tell: bool) -> bool:
        """Notes a failure.

        :param tell: whether it should be told of.
        :returns: whether it is news.
        """
        with self._lock:
            now = self._clock()
            # A value that failed and is not asked for any more never says
            # that it is over.
            self._told &= now - self._last < _FORGOTTEN
            self._failing, self._last = True, now
            news = tell and not self._told
            self._told |= tell
            return news

    def ends(self) -> bool:
        """Notes that a value that had failed is answered; whether it is
        news.
        """
        with self._lock:
            news, self._failing, self._told = self._failing, False, False
            return news


class _Flight(Generic[T]):
    """One question under way."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.landed = threading.Event()
        self.error: Exception | None = None
        self.reading: Reading[T] | None = None


class Kept(Generic[T]):
    """A value that `fetch` gets, and that `get` answers from memory.

    :param name: for the log.
    :param fetch: asks for the value; called by one caller at a time.
    :param lifetime: read at each use, so that options can change.
    :param patient: whether callers wait for the answer where the old value
        is older than its `ttl`: what they get is then as fresh as was
        promised. While placement fails, only the one that asks waits.
    :param provisional: whether a value is to be asked for again soon, in the
        background.
    :param outage: what other values share with this one; by default nothing.
    """

    def __init__(self, name: str, fetch: Callable[[Deadline], T],
                 lifetime: Callable[[], Lifetime],
                 clock: Callable[[], float] = time.monotonic,
                 patient: bool = True,
                 provisional: Callable[[T], bool] = lambda value: False,
                 outage: Outage | None = None) -> None:
        self._outage = outage or Outage(clock)
        self._patient = patient
        self._provisional = provisional
        self._name = name
        self._fetch = fetch
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._snapshot: _Snapshot[T] | None = None
        self._flight: _Flight[T] | None = None
        self._threads: list[threading.Thread] = []
        self._error: Exception | None = None
        self._hold_off_until = float('-inf')
        self._not_before = float('-inf')
        self._due = float('-inf')

    def get(self) -> T:
        """The value, no older than `max_age`.

        :raises Exception: what `fetch` raised, when nothing kept serves.
        """
        return self.read().value

    def read(self) -> Reading[T]:
        """The value, and when it was asked for; raises as `get` does."""
        lifetime = self._lifetime()
        now = self._clock()
        snapshot = self._snapshot
        if snapshot is not None and snapshot.is_fresh(now, lifetime) \
                and snapshot.asked >= self._due:
            return snapshot
        self._give_up_overdue(now, lifetime)
        flight, elected = self._board(now, lifetime)
        if flight is not None and self._must_wait(
                snapshot, elected, now, lifetime):
            self._wait(flight, now, lifetime)
            if flight.reading is not None:
                return flight.reading
        return self._last(lifetime, flight)

    def renew(self, moment: float) -> Reading[T]:
        """A value that was asked for no earlier than a moment, if one can be
        had; raises as `get` does.
        """
        with self._lock:
            self._due = max(self._due, moment)
        # What is under way may have been asked for before.
        reading = self.read()
        return reading if reading.asked >= moment else self.read()

    def _must_wait(self, snapshot: _Snapshot[T] | None, elected: bool,
                   now: float, lifetime: Lifetime) -> bool:
        if snapshot is None or not snapshot.serves(now, lifetime):
            return True
        if not self._is_patient():
            return False
        if snapshot.asked >= self._due and now - snapshot.asked \
                < min(lifetime.ttl, lifetime.max_age):
            # It is asked for ahead of time, so that in a busy cloud no move
            # waits.
            return False
        # Nobody may have asked for a long time. While placement fails, an
        # older value is what was promised.
        return elected or self._error is None

    def _is_patient(self) -> bool:
        snapshot = self._snapshot
        return self._patient and not (
            snapshot is not None and self._provisional(snapshot.value))

    def _wait(self, flight: _Flight[T], now: float,
              lifetime: Lifetime) -> None:
        """Waits until it lands, as long as it and the caller may take."""
        left = max(0.0, flight.asked + lifetime.timeout - now)
        patient = patience()
        if not flight.landed.wait(min(left, patient)) and left <= patient:
            # A caller that runs out of patience leaves it for the next one.
            self._give_up(flight, self._no_answer(lifetime), lifetime)

    def drop(self) -> None:
        """Forgets the value, and what is under way: the next caller asks."""
        with self._lock:
            self._snapshot = self._flight = self._error = None
            self._hold_off_until = float('-inf')
            self._not_before = self._clock()

    def _last(self, lifetime: Lifetime,
              flight: _Flight[T] | None) -> Reading[T]:
        """The last value if it serves."""
        snapshot = self._snapshot
        if snapshot is not None and snapshot.serves(self._clock(), lifetime):
            return snapshot
        # While an answer is on its way, what an earlier question failed of is
        # no news: it may be over.
        error = (self._error if flight is None else flight.error) \
            or self._no_answer(lifetime)
        # Each raising would lengthen the stack that the last one left.
        raise error.with_traceback(None)

    def _no_answer(self, lifetime: Lifetime) -> Unreachable:
        return Unreachable(f'{self._name}: no answer within '
                           f'{lifetime.timeout:g} seconds')

    def _board(self, now: float, lifetime: Lifetime
               ) -> tuple[_Flight[T] | None, bool]:
        """The flight to wait for, and whether this caller started it."""
        with self._lock:
            snapshot = self._snapshot
            if snapshot is not None and snapshot.is_fresh(now, lifetime) \
                    and snapshot.asked >= self._due:
                # It landed since this caller looked.
                return None, False
            if self._flight is not None:
                return self._flight, False
            if now < self._hold_off_until or not self._may_start():
                return None, False
            flight = self._flight = _Flight(now)
            thread = threading.Thread(
                target=self._fly, args=(flight, lifetime), daemon=True,
                name=f'mdev-compat {self._name}')
            self._threads.append(thread)
            thread.start()
            return flight, True

    def _may_start(self) -> bool:
        self._threads = [one for one in self._threads if one.is_alive()]
        if len(self._threads) <= _MAX_HANGING:
            return True
        self._error = Unreachable(
            f'{self._name}: {len(self._threads)} earlier requests still '
            'hang')
        return False

    def _fly(self, flight: _Flight[T], lifetime: Lifetime) -> None:
        try:
            value = self._fetch(Deadline(lifetime.timeout, self._clock))
        except Exception as error:
            flight.error = error
            self._give_up(flight, error, lifetime)
        except BaseException:
            # Such as eventlet's GreenletExit: whoever waits must not take
            # what is not there for the answer.
            flight.error = Unreachable(f'{self._name}: the request was ended')
            self._give_up(flight, flight.error, lifetime)
            raise
        else:
            flight.reading = Reading(value, flight.asked)
            self._land(flight, value, lifetime)
        finally:
            flight.landed.set()

    def _land(self, flight: _Flight[T], value: T,
              lifetime: Lifetime) -> None:
        with self._lock:
            newest = self._not_before if self._snapshot is None \
                else self._snapshot.asked
            recovered = False
            if flight.asked >= newest:
                part = _SOON if self._provisional(value) else 1.0
                self._snapshot = _Snapshot(
                    value, flight.asked,
                    part * lifetime.ttl * random.uniform(_SHORTEST, 1.0))
                recovered, self._error = self._error is not None, None
            if self._flight is flight:
                self._flight = None
        if recovered:
            LOG.log(logging.INFO if self._outage.ends() else logging.DEBUG,
                    'Placement answers again for %s.', self._name)

    def _give_up_overdue(self, now: float, lifetime: Lifetime) -> None:
        """Says that a flight nobody waits for has not landed in time."""
        flight = self._flight
        if flight is not None and now >= flight.asked + lifetime.timeout:
            self._give_up(flight, self._no_answer(lifetime), lifetime)

    def _give_up(self, flight: _Flight[T], error: Exception,
                 lifetime: Lifetime) -> None:
        now = self._clock()
        with self._lock:
            if self._flight is not flight:
                # Given up before: what comes of it late is no news.
                return
            self._flight = None
            first, self._error = self._error is None, error
            snapshot = self._snapshot
            self._hold_off_until = now + min(
                _HOLD_OFF, lifetime.ttl * _HOLD_OFF_PART)
        news = first and self._outage.fails(tell=snapshot is not None)
        if first and snapshot is not None:
            # With nothing kept, whoever asked says so, with the server.
            LOG.log(
                logging.WARNING if news else logging.DEBUG,
                'Could not refresh %s: %s. What was read %.0f seconds ago '
                'serves until it is %g seconds old.', self._name, error,
                now - snapshot.asked, lifetime.max_age)
