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
"""After a fork each worker asks for itself, over a connection of its own."""

import collections
import pathlib
import subprocess
import sys

import fixtures

from tests.functional import fault_proxy
from tests.functional import forked_workers
from tests.functional import placement_cloud

ROOT = pathlib.Path(__file__).parents[2]
LIMIT = 120.0


class TestForkedWorkers(placement_cloud.PlacementTestCase):

    def test_each_refreshes_by_itself(self) -> None:
        served = self.useFixture(fault_proxy.Served(self.placement._app))
        proxy = self.useFixture(fault_proxy.FaultProxy(served.port))
        nova_conf = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'nova.conf')
        nova_conf.write_text(
            '[placement]\nauth_type = admin_token\n'
            f'token = {placement_cloud.TOKEN}\nendpoint = {proxy.url}\n')
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m',
             forked_workers.__name__, str(nova_conf)],
            cwd=ROOT, timeout=LIMIT, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        by_process = collections.defaultdict(list)
        for request in proxy.requests:
            by_process[request.process].append(request.connection)
        # What the parent had read was of no use to its children, and what
        # each had read was of use to itself.
        self.assertEqual([1] * (forked_workers.CHILDREN + 1),
                         [len(found) for found in by_process.values()])
        connections = [one for found in by_process.values() for one in found]
        self.assertEqual(len(connections), len({*connections}))
