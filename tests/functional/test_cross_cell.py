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

"""A resize into another cell."""

from nova.policies import base as base_policies
from nova.policies import servers as servers_policies
from nova.tests.functional import integrated_helpers

from tests.functional import base
from tests.functional import documents

published = documents.published


class CrossCellTests(base.FunctionalTestCase):
    """The record and the server's mapping are the source cell's when the
    scheduler is called, whichever cell the hosts are in.
    """

    NUMBER_OF_CELLS = 2
    OPTIONS = {'operations': ['live-migration', 'resize']}

    def setUp(self) -> None:
        super().setUp()
        self.policy.set_rules({
            servers_policies.CROSS_CELL_RESIZE: base_policies.RULE_ADMIN_API,
        }, overwrite=False)
        self.start_hosts(src=[published(version='1.2')],
                         near=[published(version='2.0')])
        for name, version in (('old', '1.1'), ('far', '1.3')):
            self.start_host(name, [published(version=version)],
                            cell_name='cell2')

    def _confirm(self, server: base.Server) -> None:
        # libvirt's driver asks this option where it is, and all hosts have
        # the one that was started last.
        self.flags(host='src')
        integrated_helpers.InstanceHelperMixin._confirm_resize(
            self, server, cross_cell=True)

    def test_there_and_on(self) -> None:
        server = self.boot()
        self._resize_server(server, self._create_flavor(
            memory_mb=4096, extra_spec={'resources:VGPU': '1'}))
        self.assertEqual(['far', 'near', 'old'],
                         sorted(self.probe.last.offered))
        self.assertEqual({'far': [(0,)]}, self.kept())
        self.assert_device_on(server, 'far', 0)
        self._confirm(server)
        # From here on the other cell has the server, and what it was.
        self.assert_no_host_for_live_migration(server)
        self.start_host('newer', [published(version='1.4')],
                        cell_name='cell2')
        self.live_migrate(server)
        self.assertEqual({'newer': [(0,)]}, self.kept())
        self.assert_device_on(server, 'newer', 0)
