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

"""What happens to requests when a daemon dies meanwhile."""

from collections.abc import Callable
import concurrent.futures
import threading
import time

from tests.integration import base
from tests.integration import figures
from tests.integration import load

REQUESTS = figures.number('FAULT_REQUESTS', 300)
#: A killed worker's requests are lost when conductor's time for an answer is
#: over: a worker that lives says from time to time that it is at it.
LOST = 'MessagingTimeout'
_AWAY = 3.0


class FaultTestCase(base.IntegrationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.publish_anything(1)
        self.running = self.scheduler(mdev_compat={
            'operations': ', '.join(load.OPERATIONS), 'cache_ttl': base.TTL})
        self.clients = load.Load(self.environment, self.environment.caller())

    def run_load(self, *faults: Callable[[], None]) -> list[load.Asked]:
        """Requests, and at equal distances between them the faults."""
        due = [threading.Event() for _ in faults]

        def tell(done: int) -> None:
            for number, event in enumerate(due, 1):
                if done >= REQUESTS * number / (len(due) + 1):
                    event.set()

        # The faults by this thread: what it starts ends when it does.
        with load.Publishing(self.environment), \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.clients.run, REQUESTS, tell)
            for event, fault in zip(due, faults):
                while not event.wait(1) and not running.done():
                    pass
                fault()
            return running.result()

    def ask_again(self, some: list[load.Asked]) -> list[load.Asked]:
        return [self.clients.ask(one.kind, one.server) for one in some]


class TestKilledWorker(FaultTestCase):

    def test_under_load(self) -> None:
        killed: list[int] = []

        def kill() -> None:
            killed.append(min(self.running.workers() - {*killed}))
            self.running.kill(killed[-1])

        found = self.run_load(kill, kill)
        lost = [one for one in found if one.error]
        again = self.ask_again(lost)
        figures.say('two workers killed', (
            f'{len(lost)} of {len(found)} requests lost, and answered when '
            'they were sent again'))
        self.assertEqual({LOST} if lost else set(),
                         {one.error for one in lost})
        # No more than the clients had under way.
        self.assertLessEqual(len(lost), load.CLIENTS * len(killed))
        self.assertEqual([], [one.error for one in again if one.error])
        self.assert_right(found + again, gave_up=self.running.gave_up())
        self.running.wait_for_starts(base.WORKERS + len(killed))
        left = self.running.workers()
        self.assertEqual(base.WORKERS, len(left))
        self.assertEqual(set(), left & {*killed})


class TestRestartedPlacement(FaultTestCase):

    def test_under_load(self) -> None:
        placement = self.environment.placement
        moments: list[float] = []

        def restart() -> None:
            moments.append(time.monotonic())
            placement.stop()
            time.sleep(_AWAY)
            placement.start()
            placement.wait()
            moments.append(time.monotonic())

        found = self.run_load(restart)
        down, up = moments
        touched = [one for one in found
                   if one.began <= up and one.ended >= down]
        others = [one for one in found if one not in touched]
        refused = [one for one in touched if not one.answer]
        again = self.ask_again(refused)
        figures.say('placement restarted', (
            f'away for {up - down:.1f} s; {len(touched)} requests met it, '
            f'{len(refused)} of them got no host or an error, and were '
            'answered when they were sent again'))
        self.assertEqual([], [one.error for one in others + again
                              if one.error])
        gave_up = self.running.gave_up()
        self.assert_right(others + again, gave_up=gave_up)
        # What was kept serves meanwhile, and nobody published either.
        self.assert_right([one for one in touched if one.answer],
                          base.TTL + base.SLACK + up - down, gave_up)
        self.assertEqual(base.WORKERS, self.running.starts())
