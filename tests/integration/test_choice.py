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

"""The filter is loaded by its name, and chooses what it should."""

import json

from nova import exception

from tests.integration import base
from tests.integration import cloud as clouds
from tests.integration import documents

RIGHT = documents.document('1.2.0')
NEWER = documents.document('1.3.0')
WRONG = documents.document('2.0.0', compatible=[{}, documents.COLD])
OTHER = documents.document('1.2.0', documents.OTHER_TYPE)


class TestChoice(base.IntegrationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.publish((RIGHT, WRONG), (WRONG, RIGHT), (NEWER, OTHER),
                     (WRONG, OTHER), (None, None), (RIGHT, NEWER))
        (self.source, self.second, self.first, self.neither,
         self.unpublished, self.both) = self.cloud.hosts
        self.running = self.scheduler(
            mdev_compat={'operations': 'live-migration, migration'})
        self.caller = self.environment.caller()

    def names(self, *hosts: clouds.Host) -> set[str]:
        return {host.name for host in hosts}

    def test_live_migration(self) -> None:
        server = self.cloud.make_server(clouds.LIVE, self.source)
        found = self.ask(self.caller, server)
        self.assertEqual(self.names(self.second, self.first, self.both),
                         found.keys())
        self.assertEqual(1, found[self.second.name])
        self.assertEqual(0, found[self.first.name])
        self.assertIn('Filter MdevCompatFilter', self.plain_log(server))

    def plain_log(self, server: clouds.Server) -> str:
        """What the filter says about a server that cannot be moved."""
        self.publish(*[(RIGHT, RIGHT)], *[(None, None)] * 5)
        other = self.cloud.make_server(clouds.LIVE, self.source)
        self.assertRaises(exception.NoValidHost, self.ask_fresh, other)
        return self.running.log()

    def ask_fresh(self, server: clouds.Server) -> None:
        """Asks a scheduler that has read nothing before."""
        self.running.reload()
        self.ask(self.caller, server)

    def test_what_is_claimed_accepts_the_device(self) -> None:
        server = self.cloud.make_server(clouds.LIVE, self.source)
        answer = self.caller.select(server)
        held = self.environment.placement.call(
            'GET', f'/allocations/{server.uuid}')['allocations']
        chosen = next(iter(answer))
        self.assertEqual(answer[chosen], next(
            provider for provider, one in held.items()
            if 'VGPU' in one['resources']), json.dumps(held))
        self.assertIn(answer[chosen], [
            self.second.pgpus[1], self.first.pgpus[0], *self.both.pgpus])

    def test_other_operations(self) -> None:
        everywhere = self.names(*self.cloud.hosts)
        others = everywhere - self.names(self.source)
        for operation, expected in (
                (clouds.COLD, self.names(
                    self.second, self.first, self.neither, self.both)),
                (clouds.RESIZE, others), (clouds.EVACUATION, others)):
            server = self.cloud.make_server(operation, self.source)
            self.assertEqual(expected, self.ask(self.caller, server).keys(),
                             operation)
        for in_cell in (False, True):
            server = self.cloud.make_server(has_host=in_cell)
            self.assertEqual(
                everywhere, self.ask(self.caller, server).keys())
        server = self.cloud.make_server(
            clouds.LIVE, self.source, device=False)
        self.assertEqual(others, self.caller.select(server).keys())
