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

"""Options that change while nova-scheduler runs, and wrong ones."""

import subprocess

import ddt
import testtools

from tests.integration import base
from tests.integration import cloud as clouds
from tests.integration import commands
from tests.integration import documents
from tests.integration import figures
from tests.integration import load

RIGHT = documents.document('1.2.0')
WRONG = documents.document('2.0.0')
_REFUSED = 120.0


class TestReload(base.IntegrationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.publish((RIGHT, RIGHT), *[(WRONG, RIGHT)] * 2,
                     *[(WRONG, WRONG)] * 3)
        self.source, *self.others = self.cloud.hosts
        self.caller = self.environment.caller()

    def named(self, operation: str) -> set[str]:
        server = self.cloud.make_server(operation, self.source)
        return {*self.ask(self.caller, server)}

    def test_options_take_effect(self) -> None:
        every = {host.name for host in self.others}
        right = {host.name for host in self.others[:2]}
        running = self.scheduler()
        before = running.workers()
        self.assertEqual(right, self.named(clouds.LIVE))
        self.assertEqual(every, self.named(clouds.EVACUATION))
        for changed, live, evacuation in (
                ({'enforce': 'false'}, every, every),
                ({'operations': 'evacuation'}, every, right),
                ({'operations': 'live-migration, evacuation'}, right, right),
                ({}, right, every)):
            self.reload(running, changed)
            self.assertEqual(live, self.named(clouds.LIVE), changed)
            self.assertEqual(
                evacuation, self.named(clouds.EVACUATION), changed)
        self.assertEqual(set(), before & running.workers())
        self.assertIsNone(running.exit_status())

    def reload(self, running: commands.Scheduler,
               options: dict[str, str]) -> None:
        self.environment.conf.write(
            running.config.stem, base.WORKERS, mdev_compat=options)
        running.reload()

    def test_under_load(self) -> None:
        running = self.scheduler(mdev_compat={
            'operations': ', '.join(load.OPERATIONS)})
        clients = load.Load(self.environment, self.caller)
        requests = figures.number('RELOAD_REQUESTS', 150)

        def reload(done: int) -> None:
            if done == requests // 3:
                running.reload()

        found = clients.run(requests, reload)
        lost = [one for one in found if one.error]
        again = [clients.ask(one.kind, one.server) for one in lost]
        figures.say('all workers replaced by SIGHUP', (
            f'{len(lost)} of {len(found)} requests lost, and answered when '
            'they were sent again'))
        # What Nova's workers had begun, at the most.
        self.assertLessEqual(len(lost), load.CLIENTS + base.WORKERS)
        self.assertEqual([], [one.error for one in again if one.error])
        self.assert_right(found + again, gave_up=running.gave_up())


@ddt.ddt
class TestWrongOptions(base.IntegrationTestCase):

    @ddt.data(
        ({'on_error': 'perhaps'}, '[mdev_compat] on_error: ', 'perhaps'),
        ({'enforce': 'a little'}, '[mdev_compat] enforce: ', 'a little'),
        ({'operations': 'live-migration, teleport'},
         '[mdev_compat] operations: ', 'teleport'),
        ({'cache_ttl': 'soon'}, '[mdev_compat] cache_ttl: ', 'soon'),
        ({'cache_ttl': '-1'}, '[mdev_compat] cache_ttl: ',
         'greater than or equal to 0'),
        ({'resource_classes': 'VGPU, not one'},
         '[mdev_compat] resource_classes: ', 'not one'),
        ({'approved_only': 'true'}, '[mdev_compat] approved_only: ',
         'documents_dir'))
    @ddt.unpack
    def test_refused(self, options: dict[str, str], place: str,
                     word: str) -> None:
        conf = self.environment.conf
        path = conf.write(self.id().rpartition('.')[2], mdev_compat=options)
        done = subprocess.run(
            commands.command('nova-scheduler', path), timeout=_REFUSED,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        said = done.stdout + conf.log(path.stem).read_text()
        self.addDetail('nova-scheduler',
                       testtools.content.text_content(said))
        self.assertNotEqual(0, done.returncode)
        (*_, line) = [line for line in said.splitlines() if place in line]
        self.assertIn(word, line.partition(place)[2])
