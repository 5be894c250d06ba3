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

"""Moves of servers with PCI devices in placement, which have labels."""

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from tests.functional import documents
from tests.functional import pci
from tests.functional.pci import document
from tests.functional.pci import entry
from tests.functional.pci import PciHost
from tests.functional import publication

OLD, MIDDLE, NEW = (document(version) for version in ('1.1', '1.2', '1.3'))


def one(label: str) -> PciHost:
    """A host whose virtual functions have a label."""
    return PciHost([entry(label)])


class LiveMigrationTests(pci.PciTestCase):

    def start(self) -> None:
        self.start_pci_hosts(src=one('S'), wrong=one('W'), right=one('R'))
        self.map('S', MIDDLE)
        self.map('W', OLD)
        self.map('R', NEW)

    def test_right_host(self) -> None:
        self.start()
        server = self.boot(flavor=self.with_vfs())
        self.live_migrate(server)
        self.assertEqual(['right'], self.kept_hosts())
        self.assertEqual('right', self.host_of(server))
        self.assertIn(self.pf_uuid('right'), self.held(server['id']))
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)
        # The whole answer of the first move, with one request for what the
        # labels stand for.
        self.assertEqual(1, len([
            request for request in self.probe.last.requests
            if labels.MAPPING_PREFIX in request]))

    def test_new_driver_release(self) -> None:
        """What a label stands for changes, and no nova.conf does."""
        self.start()
        server = self.boot(flavor=self.with_vfs())
        self.mdev_compat(cache_ttl=0)
        self.map('R', document('2.0'))
        self.assert_no_host_for_live_migration(server)
        self.assertEqual([], self.kept_hosts())
        self.map('W', MIDDLE)
        self.live_migrate(server)
        self.assertEqual('wrong', self.host_of(server))

    def test_periodic_update(self) -> None:
        """Nova leaves the label, and takes a marker off.

        It does so whenever it has read a provider's traits anew, which is
        after `[compute] resource_provider_association_refresh`.
        """
        self.start()
        server = self.boot(flavor=self.with_vfs())
        uuid = self.pf_uuid('right')
        marker = self.publication.publish(uuid, NEW)
        self.assertIn(marker, self.traits_of(uuid))
        self.update_available_resource('right')
        found = self.traits_of(uuid)
        self.assertNotIn(marker, found)
        self.assertIn(labels.trait('R'), found)
        self.live_migrate(server)
        self.assertEqual('right', self.host_of(server))

    def test_marker_in_device_spec(self) -> None:
        """The direct way: another entry with every release."""
        names = publication.trait_names(MIDDLE)
        self.start_pci_hosts(
            src=one('S'), unpublished=PciHost([entry()]),
            marked=PciHost([entry(traits=names.marker)]))
        self.publication.write_traits(*names.chunks)
        self.map('S', MIDDLE)
        server = self.boot(flavor=self.with_vfs())
        self.live_migrate(server)
        self.assertEqual(['marked'], self.kept_hosts())
        self.update_available_resource('marked')
        self.assertEqual(names.digest, next(filter(None, map(
            traits.read_marker, self.traits_of(self.pf_uuid('marked'))))))


class PlainNovaTests(pci.PciTestCase):

    WITH_FILTER = False

    def test_wrong_host(self) -> None:
        """Without the filter Nova takes the first host, whatever it is."""
        self.start_pci_hosts(src=one('S'), wrong=one('W'), right=one('R'))
        self.map('S', MIDDLE)
        self.map('W', OLD)
        self.map('R', NEW)
        server = self.boot(flavor=self.with_vfs())
        self.live_migrate(server)
        self.assertEqual('wrong', self.host_of(server))


class ColdMoveTests(pci.PciTestCase):

    OPTIONS = {**pci.PciTestCase.OPTIONS,
               'operations': ['migration', 'resize']}

    def test_migration_and_resize(self) -> None:
        self.start_pci_hosts(src=one('S'), wrong=one('W'), right=one('R'))
        self.map('S', MIDDLE)
        self.map('W', OLD)
        self.map('R', NEW)
        server = self.boot(flavor=self.with_vfs())
        self._migrate_server(server)
        self._wait_for_state_change(server, 'VERIFY_RESIZE')
        self.assertEqual(['right'], self.kept_hosts())
        self.assertEqual('right', self.host_of(server))
        self._revert_resize(server)
        self._resize_server(server, self._create_flavor(
            vcpu=1, extra_spec={'pci_passthrough:alias': 'vf:1'}))
        self.assertEqual(['right'], self.kept_hosts())
        self.assertEqual('right', self.host_of(server))


class SeveralDevicesTests(pci.PciTestCase):

    def test_several_groups(self) -> None:
        """Two devices, a group each: all of them must be accepted."""
        two = [pci.slot_entry(0, 'A'), pci.slot_entry(1, 'B')]
        self.start_pci_hosts(
            src=PciHost([pci.slot_entry(0, 'S'), pci.slot_entry(1, 'T')],
                        functions=2),
            mixed=PciHost(two, functions=2), wrong=one('W'))
        self.map('S', MIDDLE)
        self.map('T', OLD)
        self.map('A', OLD)
        self.map('B', NEW)
        self.map('W', OLD)
        server = self.boot(flavor=self.with_vfs(2))
        self.live_migrate(server)
        self.assertEqual(['mixed'], self.kept_hosts())
        held = self.allocations_of(server['id'])
        self.assertIn(self.pf_uuid('mixed', '0000:81:01.0'), held)

    def test_vgpu_and_virtual_function(self) -> None:
        """Both must be accepted, each by its own kind."""
        self.start_pci_hosts(
            src=self._both('S', '1.2'), old_vgpu=self._both('N', '1.1'),
            old_vf=self._both('O', '1.2'), right=self._both('R', '1.3'))
        self.map('S', MIDDLE)
        self.map('N', NEW)
        self.map('O', OLD)
        self.map('R', NEW)
        server = self.boot(flavor=self.with_vfs(**{'resources:VGPU': '1'}))
        self.assertEqual(3, len(self.held(server['id'])))
        self.live_migrate(server)
        self.assertEqual(['right'], self.kept_hosts())
        self.assert_device_on(server, 'right', 0)
        self.assertIn(self.pf_uuid('right', '0000:81:01.0'),
                      self.held(server['id']))

    def _both(self, label: str, version: str) -> PciHost:
        return PciHost([entry(label)],
                       pgpus=[documents.published(version=version)])
