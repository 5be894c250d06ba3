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

"""What the tests of the daemons have in common."""

from collections.abc import Sequence
from collections.abc import Set
import random
from typing import Any

import testtools

from tests.integration import cloud as clouds
from tests.integration import commands
from tests.integration import documents
from tests.integration import environment
from tests.integration import figures
from tests.integration import load
from tests.integration.load import Asked

#: Seconds. The default is 60, in which the tests would have to wait for what
#: they publish.
TTL = 2
#: Seconds beyond that for which an answer may be old: on a busy machine an
#: answer of placement's takes its time.
SLACK = 1.0
WORKERS = 3


class IntegrationTestCase(testtools.TestCase):

    environment: environment.Environment

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.environment = environment.shared()

    def setUp(self) -> None:
        super().setUp()
        self.cloud = self.environment.cloud
        self.publisher = environment.Publisher(self.environment)

    def scheduler(self, workers: int = WORKERS, **more: Any
                  ) -> commands.Scheduler:
        """A `nova-scheduler` that runs until the end of the test."""
        found = self.environment.scheduler(
            self.id().rpartition('.')[2] + more.get('vhost', ''), workers,
            **more)
        self.addOnException(lambda info: self.addDetail(
            'nova-scheduler', testtools.content.text_content(found.tail())))
        self.useFixture(found)
        return found

    def publish(self, *documents_of_hosts: Sequence[documents.Json | None]
                ) -> None:
        """For the hosts in order, what each of their pGPUs carries."""
        self.assertEqual(len(self.cloud.hosts), len(documents_of_hosts))
        for host, found in zip(self.cloud.hosts, documents_of_hosts):
            for pgpu, document in zip(host.pgpus, found, strict=True):
                self.publisher.publish(pgpu, document)

    def publish_anything(self, seed: int = 0) -> None:
        chosen = random.Random(seed)
        self.publish(*([chosen.choice(documents.VARIANTS) for _ in host.pgpus]
                       for host in self.cloud.hosts))

    def ask(self, caller: environment.Caller, server: clouds.Server
            ) -> dict[str, int]:
        """The place of the chosen pGPU on each host that is named."""
        answer = caller.select(server)
        self.cloud.give_back(server)
        return {host.name: host.pgpus.index(answer[host.name])
                for host in self.cloud.hosts if host.name in answer}

    def assert_right(self, some: Sequence[Asked], seconds: float
                     = TTL + SLACK, gave_up: Set[str] = frozenset()) -> None:
        """Each answer agrees with what was published at its time.

        A host that lacks for having been republished at that very time is a
        known short-coming: it is counted, and must be rare.

        :param gave_up: requests for which Nova could claim no host.
        """
        found = [(asked.kind, round(asked.seconds, 1), faults)
                 for asked in some if asked.answer is not None
                 and not (asked.answer == {} and asked.request in gave_up)
                 for faults in [load.wrong(
                     self.environment, asked, seconds)] if faults]
        excused = [one for one in found
                   if all(fault.republished for fault in one[-1])]
        figures.say('a host missed while republished',
                    f'{len(excused)} of {len(some)} answers')
        self.assertEqual([], [one for one in found if one not in excused])
        self.assertLessEqual(len(excused), len(some) // 1000)
