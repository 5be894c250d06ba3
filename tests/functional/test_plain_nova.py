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

"""What Nova does without the filter: the contrast to the other tests."""

from tests.functional import base
from tests.functional import hosts


class PlainNovaTests(base.FunctionalTestCase):
    WITH_FILTER = False

    def test_wrong_pgpu_first_hides_the_right_one(self):
        self.start_hosts(
            src=[hosts.PGpu(hosts.TYPE_A)],
            mixed=[hosts.PGpu(hosts.TYPE_B), hosts.PGpu(hosts.TYPE_A)])
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        # The second round finds nothing: the only host was tried.
        self.assert_moves(rounds=2, destination_checks=1, source_checks=1)

    def test_right_pgpu_first_is_found(self):
        self.start_hosts(
            src=[hosts.PGpu(hosts.TYPE_A)],
            mixed=[hosts.PGpu(hosts.TYPE_A), hosts.PGpu(hosts.TYPE_B)])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'mixed', 0)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)

    def test_every_wrong_host_costs_a_round(self):
        self.start_host('src', [hosts.PGpu(hosts.TYPE_A)])
        for number in range(5):
            self.start_host('wrong%d' % number, [hosts.PGpu(hosts.TYPE_B)])
        self.start_host('right', [hosts.PGpu(hosts.TYPE_A)])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'right', 0)
        self.assert_moves(rounds=6, destination_checks=6, source_checks=6)
