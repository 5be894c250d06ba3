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

"""The service: rounds in a thread, signals in front of it.

The rounds have a thread of their own, so that SIGTERM ends the process though
a probe or a request hangs: to be stopped at any point is what publication is
made for. There is nothing else to look after, no child and no socket; so this
is a loop, and not a framework for services.
"""

from __future__ import annotations

from collections.abc import Callable
import dataclasses
import math
import queue
import random
import signal
import threading
import time
from types import FrameType

from oslo_log import log as logging

from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.agent import Round
from nova_mdev_compat.publisher.health import HealthFile

LOG = logging.getLogger(__name__)

_FIRST_WAIT = 5.0
# How much of the interval is left to chance.
_JITTER = 0.2
# SIGTERM waits so long for a round to end by itself.
_GRACE = 0.7
# Intervals that may go wrong in a row before the health file is bad news.
_PATIENCE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """What one reading of the configuration gives."""

    agent: Agent
    interval: float
    health: HealthFile


class Backoff:
    """How long to wait until the next round.

    :param interval: seconds between rounds when nothing is missing, and the
        longest wait when something is.
    """

    def __init__(self, interval: float,
                 chance: Callable[[], float] = random.random) -> None:
        self._interval = interval
        self._chance = chance
        self._failures = 0

    def after(self, complete: bool) -> float:
        """Seconds to wait after a round."""
        if complete:
            self._failures = 0
            return self._interval * (1 + _JITTER * (2 * self._chance() - 1))
        # Hosts that fail together must not come back together.
        longest = min(self._interval,
                      math.ldexp(_FIRST_WAIT, self._failures))
        self._failures = min(self._failures + 1, 32)
        return longest * (1 + self._chance()) / 2


class Service:
    """Runs rounds until it is told to stop.

    :param load: reads the configuration and the rules; what it raises is
        logged, and the configuration from before stays.
    """

    def __init__(self, load: Callable[[], Running]) -> None:
        self._load = load
        self._running = load()
        self._backoff = Backoff(self._running.interval)
        self._wake = threading.Event()
        self._reload = threading.Event()
        self._stop = threading.Event()
        # Safe to be put into by a signal's handler, which an event is not.
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._good_until = time.time() + self._patience

    def run(self) -> None:
        """Until SIGTERM or SIGINT; SIGHUP reads everything again."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._put)
        rounds = threading.Thread(target=self._rounds, daemon=True,
                                  name='mdev-compat rounds')
        rounds.start()
        while self._signals.get() == signal.SIGHUP:
            self._reload.set()
            self._wake.set()
        self._stop.set()
        self._wake.set()
        rounds.join(_GRACE)
        LOG.info('Stopped%s.', ' amid a round, which the next start '
                 'completes' if rounds.is_alive() else '')

    def _put(self, number: int, frame: FrameType | None) -> None:
        self._signals.put(number)

    def _rounds(self) -> None:
        while not self._stop.is_set():
            if self._reload.is_set():
                self._reload.clear()
                self._read_again()
            self._wake.wait(self._backoff.after(self._round()))
            self._wake.clear()

    def _read_again(self) -> None:
        why = None
        try:
            self._running = self._load()
        except Exception as error:
            # Whatever is wrong with what was edited: the service goes on.
            why = str(error) or type(error).__name__
        # Not while it is handled: oslo.log would say it a second time.
        if why is not None:
            LOG.error('Nothing was reloaded, what was read before stays: %s',
                      why)
            return
        self._backoff = Backoff(self._running.interval)
        LOG.info('Reloaded.')

    def _round(self) -> bool:
        """Whether nothing is left that could come right by itself."""
        why = None
        try:
            done = self._running.agent.round()
        except PlacementError as error:
            why = str(error)
        except Exception as error:
            # A fault of ours or of a plug-in must not end the service.
            LOG.exception('The round failed; what is published stays.')
            self._failed(f'{type(error).__name__}: {error}')
            return False
        if why is not None:
            LOG.error('Placement: %s; what is published stays.', why)
            self._failed(f'placement: {why}')
            return False
        self._succeeded(done)
        return done.complete

    @property
    def _patience(self) -> float:
        return _PATIENCE * self._running.interval

    def _succeeded(self, done: Round) -> None:
        if not done.intent.unknown:
            self._good_until = time.time() + self._patience
        self._running.health.write(
            self._good_until, error=None, published=done.published,
            waiting_for=done.waiting_for, unknown=dict(done.intent.unknown))

    def _failed(self, why: str) -> None:
        self._running.health.write(self._good_until, error=why)
