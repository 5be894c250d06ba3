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

"""Servers that hold something of a provider that many hosts share."""

from typing import Any

from nova.virt.libvirt import driver
from oslo_utils import uuidutils

from tests.functional import base
from tests.functional import documents

published = documents.published

_SHARES = 'MISC_SHARES_VIA_AGGREGATE'


class SharingProviderTests(base.FunctionalTestCase):
    """Disk on a provider of its own, whose tree is no compute node's.

    A host that is named cannot be had: Nova asks for its tree alone.
    """

    def setUp(self) -> None:
        super().setUp()
        # No disk of their own.
        driver.LibvirtDriver._get_local_gb_info.return_value = {
            'total': 0, 'used': 0, 'free': 0}
        self.start_hosts(src=[published(version='1.2')],
                         wrong=[published(version='2.0')],
                         right=[published(version='1.3')])
        self.shared = self._share('src', 'wrong', 'right')

    def _share(self, *names: str) -> str:
        shared, aggregate = (uuidutils.generate_uuid() for _ in range(2))
        self._post('/resource_providers', {'name': 'shared', 'uuid': shared})
        for provider in (shared, *(self.compute_rp_uuids[name]
                                   for name in names)):
            self._put(provider, 'aggregates', {'aggregates': [aggregate]})
        self._put(shared, 'traits', {'traits': [_SHARES]})
        self._provide(shared, DISK_GB=1000)
        return shared

    def _provide(self, provider: str, **totals: int) -> None:
        self._put(provider, 'inventories', {'inventories': {
            name: {'total': total} for name, total in totals.items()}})

    def _post(self, url: str, body: Any) -> None:
        response = self.placement.post(url, body, version='1.20')
        self.assertEqual(200, response.status, response.body)

    def _put(self, provider: str, what: str, body: Any) -> None:
        url = '/resource_providers/%s' % provider
        generation = self.placement.get(url, version='1.20').body['generation']
        response = self.placement.put(
            '%s/%s' % (url, what),
            {**body, 'resource_provider_generation': generation},
            version='1.20')
        self.assertEqual(200, response.status, response.body)

    def test_shared_disk(self) -> None:
        server = self.boot(host=None)
        self.assertEqual('src', self.host_of(server))
        self.assertIn(self.shared, self.allocations_of(server['id']))
        self.live_migrate(server)
        self.assertEqual({'right': [(0,)]}, self.kept())
        self.assert_device_on(server, 'right', 0)
        # It is no device, so nobody asks whose it is.
        self.assertNotIn(self.shared, ' '.join(self.probe.last.requests))

    def test_a_destination_device_of_the_shared_provider(self) -> None:
        """It is judged by its provider's document, as any other."""
        server = self.boot(host=None)
        self._provide(self.shared, DISK_GB=1000, VGPU=8)
        self.live_migrate(server)
        self.assertIn((), self.probe.last.offered['right'])
        self.assertEqual({'right': [(0,)]}, self.kept())

    def test_a_source_device_of_the_shared_provider(self) -> None:
        """It is not of the source node, so nothing is known of it."""
        url = '/allocations/'
        server = self.boot(host=None)
        self._provide(self.shared, DISK_GB=1000, VGPU=8)
        # If it were asked, nobody would accept it.
        self.publication.publish(self.shared, documents.document(
            version='9.0', compatible=()))
        body = self.placement.get(url + server['id'], version='1.28').body
        held = {uuid: {'resources': dict(one['resources'])}
                for uuid, one in body['allocations'].items()}
        del held[self.pgpu_uuid('src')]
        held[self.shared]['resources']['VGPU'] = 1
        response = self.placement.put(
            url + server['id'], {**body, 'allocations': held}, version='1.28')
        self.assertEqual(204, response.status, response.body)
        self.assert_no_host_for_live_migration(server)
        # It is Nova that has no use for such a device: libvirt's driver
        # makes devices of its own node's providers only.
        first = self.probe.calls[0]
        self.assertEqual(['right', 'wrong'], sorted(first.kept))
        self.assertEqual(first.offered, first.kept)
        self.assertEqual([], self.said('INFO', 'live-migration'))
