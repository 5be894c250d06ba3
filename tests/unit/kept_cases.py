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

"""What tests of kept values have in common."""

from collections.abc import Callable
import threading
import time
from typing import Any

import fixtures
import testtools

from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Unreachable
from nova_mdev_compat.placement.kept import Kept
from nova_mdev_compat.placement.kept import Lifetime

TTL = 10.0
MAX_AGE = 100.0
#: Nothing takes this long unless it is broken.
LONG = 10.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Answers:
    """What is fetched: the number of the fetch, unless told otherwise.

    A fetch that is held answers when it is released.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: dict[int, threading.Event] = {}
        self._gates: dict[int, threading.Event] = {}
        self._wrong: dict[int, BaseException] = {}
        self.threads: list[threading.Thread] = []

    def hold(self, *numbers: int) -> None:
        for number in numbers:
            self._gates[number] = threading.Event()

    def release(self, *numbers: int) -> None:
        for number in numbers:
            self._gates[number].set()

    def release_all(self) -> None:
        self.release(*self._gates)

    def fail(self, *numbers: int) -> None:
        for number in numbers:
            self._wrong[number] = Unreachable(f'fetch {number} failed')

    def wait_started(self, number: int) -> None:
        with self._lock:
            event = self._started.setdefault(number, threading.Event())
        if not event.wait(LONG):
            raise AssertionError(f'fetch {number} does not begin')

    @property
    def count(self) -> int:
        return len(self.threads)

    def __call__(self, deadline: Deadline) -> int:
        with self._lock:
            number = len(self.threads)
            self.threads.append(threading.current_thread())
            self._started.setdefault(number, threading.Event()).set()
        if number in self._gates:
            self._gates[number].wait(LONG)
        if number in self._wrong:
            raise self._wrong[number]
        return number


class Caller(threading.Thread):
    """Somebody who asks, in a thread of its own."""

    def __init__(self, get: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._get = get
        self._answer: Any = None
        self.start()

    def run(self) -> None:
        try:
            self._answer = self._get()
        except Exception as error:
            self._answer = error

    def answer(self) -> Any:
        self.join(LONG)
        if self.is_alive():
            raise AssertionError('a caller still waits')
        return self._answer


class KeptTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(
            fixtures.FakeLogger('nova_mdev_compat.placement'))
        # Nobody else would see what goes wrong in a fetch's thread.
        broken: list[threading.ExceptHookArgs] = []
        self.useFixture(fixtures.MonkeyPatch('threading.excepthook',
                                             broken.append))
        self.addCleanup(lambda: self.assertEqual([], broken))
        self.clock = Clock()
        self.answers = Answers()
        self.addCleanup(self.finish)
        self.lifetime = Lifetime(TTL, MAX_AGE, LONG)
        self.kept: Kept[int] = Kept('the value', self.answers,
                                    lambda: self.lifetime, self.clock)

    def wait_for(self, met: Callable[[], bool]) -> None:
        end = time.monotonic() + LONG
        while not met():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.001)

    def finish(self) -> None:
        """Let every fetch answer, and wait until all have done so.

        One that lands later would speak in the next test's log.
        """
        self.answers.release_all()
        for thread in threading.enumerate():
            if thread.name.startswith('mdev-compat '):
                thread.join(LONG)

    def land(self, *numbers: int) -> None:
        """Let fetches answer, and wait until they have done so."""
        self.answers.release(*numbers)
        for number in numbers:
            self.answers.threads[number].join(LONG)

    def said(self, words: str) -> int:
        return self.log.output.count(words)

    def assert_raises(self, words: str) -> Exception:
        error = self.assertRaises(Unreachable, self.kept.get)
        self.assertIn(words, str(error))
        return error
