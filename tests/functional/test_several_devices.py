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

"""Servers with more than one device."""

from tests.functional import base
from tests.functional import documents
from tests.functional import hosts

OLD = documents.published(version='1.1')
MIDDLE = documents.published(version='1.2')
NEW = documents.published(version='1.3')


class OneProviderTests(base.FunctionalTestCase):
    """VGPU=2, which placement takes from one provider."""

    def test_two_of_one_provider(self):
        self.start_hosts(src=[MIDDLE], wrong=[OLD], mixed=[OLD, NEW])
        server = self.boot(flavor=self._create_flavor(
            extra_spec={'resources:VGPU': '2'}))
        self.live_migrate(server)
        self.assertEqual({'mixed': [(1,)]}, self.kept())
        self.assert_device_on(server, 'mixed', 1)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)


class TwoGroupsTests(base.FunctionalTestCase):

    def two_groups(self, policy):
        return self._create_flavor(extra_spec={
            'resources1:VGPU': '1', 'resources2:VGPU': '1',
            'group_policy': policy})

    def test_every_pairing_has_to_be_accepted(self):
        """Nova pairs by type name, in whatever order it finds them."""
        self.start_hosts(
            src=[OLD, NEW],
            # One of the two pairings would do, but who knows which.
            half=[OLD, NEW],
            right=[NEW, NEW])
        server = self.boot(flavor=self.two_groups('isolate'))
        self.assert_device_on(server, 'src', 0, 1)
        self.live_migrate(server)
        self.assertEqual(['right'], sorted(self.kept()))
        self.assert_device_on(server, 'right', 0, 1)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)

    def test_candidates_are_kept_one_by_one(self):
        self.start_hosts(src=[MIDDLE, MIDDLE], dst=[OLD, MIDDLE, NEW])
        server = self.boot(flavor=self.two_groups('isolate'))
        self.live_migrate(server)
        self.assertEqual({'dst': [(1, 2), (2, 1)]}, self.kept())
        self.assert_device_on(server, 'dst', 1, 2)

    def test_both_on_one_provider(self):
        self.start_hosts(src=[MIDDLE], dst=[OLD, MIDDLE])
        server = self.boot(flavor=self.two_groups('none'))
        self.live_migrate(server)
        self.assertEqual({'dst': [(1, 1)]}, self.kept())
        self.assert_device_on(server, 'dst', 1)

    def test_types_pair_by_name(self):
        """A device of the one type is never given to the other."""
        other_old, other_new = (
            documents.published(hosts.TYPE_B, version=version)
            for version in ('2.1', '2.3'))
        self.start_hosts(
            src=[MIDDLE, other_old],
            one_wrong=[OLD, other_new],
            right=[NEW, other_new])
        server = self.boot(flavor=self.two_groups('isolate'))
        self.live_migrate(server)
        self.assertEqual({'right': [(0, 1), (1, 0)]}, self.kept())
        self.assert_device_on(server, 'right', 0, 1)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)

    def test_every_device_needs_a_partner(self):
        """Two types at the source, the destination offers one of them."""
        self.start_hosts(
            src=[MIDDLE, documents.published(hosts.TYPE_B)],
            dst=[NEW, NEW])
        server = self.boot(flavor=self.two_groups('isolate'))
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self.assertEqual({}, self.kept())
