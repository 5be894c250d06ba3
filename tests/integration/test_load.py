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

"""Requests of all kinds while what is published changes all the time."""

import collections
import time

from tests.integration import base
from tests.integration import figures
from tests.integration import load

REQUESTS = figures.number('REQUESTS', 2000)
#: Seconds by which answers are looked at: how old they are.
AGES = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


class TestLoad(base.IntegrationTestCase):

    def test_while_documents_change(self) -> None:
        self.publish_anything()
        scheduler = self.scheduler(mdev_compat={
            'operations': ', '.join(load.OPERATIONS), 'cache_ttl': base.TTL})
        clients = load.Load(self.environment, self.environment.caller())
        began = time.monotonic()
        with load.Publishing(self.environment) as publishing:
            found = clients.run(REQUESTS)
        seconds = time.monotonic() - began
        self.tell(found, seconds, began)
        self.assertEqual([], publishing.failures)
        # None is lost, and none met an error.
        self.assertEqual(REQUESTS, len(found))
        self.assertEqual([], [one.error for one in found if one.error])
        self.assertEqual({*load.KINDS}, {one.kind for one in found})
        self.assertEqual(base.WORKERS, scheduler.starts())
        gave_up = scheduler.gave_up()
        figures.say('Nova lost every race for a host', (
            f'{sum(one.request in gave_up for one in found)} requests'))
        self.assert_right(found, gave_up=gave_up)

    def tell(self, found: list[load.Asked], seconds: float,
             began: float) -> None:
        figures.say('requests', (
            f'{len(found)} from {load.CLIENTS} clients in {seconds:.0f} s, '
            f'{len(found) / seconds:.1f} a second'))
        figures.say('documents published meanwhile', str(
            self.environment.journal.changes(began)))
        for kind in load.KINDS:
            some = [one for one in found if one.kind == kind]
            named = collections.Counter(bool(one.answer) for one in some)
            figures.say(kind, f'{len(some)}, {named[False]} without a host; '
                              + load.milliseconds(some))
        before = 0
        for age in AGES:
            right = sum(not load.wrong(self.environment, one, age)
                        for one in found if one.answer is not None)
            figures.say(f'right by the last {age:g} s', (
                f'{right}, {right - before} more'))
            before = right
