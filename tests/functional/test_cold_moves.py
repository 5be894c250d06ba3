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

"""Moves that make the device anew: cold migration, resize, evacuation."""

import ddt
from nova import context
from nova import objects
from nova.tests.functional.api import client

from tests.functional import base
from tests.functional import documents
from tests.functional import hosts

published = documents.published

#: Accepts devices of any release, without their state.
COLD = published(version='2.0', compatible=[
    {}, {'software_version': {'any': True}, 'level': 'cold'}])
OTHER_RELEASE = published(version='2.0')


class ColdMoveTestCase(base.FunctionalTestCase):

    def setUp(self):
        super().setUp()
        self.larger = self._create_flavor(
            memory_mb=4096, extra_spec={'resources:VGPU': '1'})

    def judge(self, *operations):
        self.mdev_compat(operations=['live-migration', *operations])

    def migration(self, server):
        return self._migrate_server(server)

    def resize(self, server):
        return self._resize_server(server, self.larger)

    def assert_no_host(self, move, server):
        error = self.assertRaises(
            client.OpenStackApiException, move, server)
        self.assertIn('NoValidHost', str(error))
        self.assertEqual({}, self.kept())


@ddt.ddt
class ColdMigrationTests(ColdMoveTestCase):

    @ddt.data('migration', 'resize')
    def test_not_judged_by_default(self, operation):
        self.start_hosts(src=[published()], dst=[OTHER_RELEASE])
        server = self.boot()
        getattr(self, operation)(server)
        self.assertEqual({'dst': [(0,)]}, self.kept())
        self.assert_device_on(server, 'dst', 0)

    @ddt.data(('migration', 'resize'), ('resize', 'migration'))
    @ddt.unpack
    def test_the_one_is_not_the_other(self, operation, judged):
        self.judge(judged, 'evacuation')
        self.start_hosts(src=[published()], dst=[OTHER_RELEASE])
        server = self.boot()
        getattr(self, operation)(server)
        self.assert_device_on(server, 'dst', 0)

    @ddt.data('migration', 'resize')
    def test_judged(self, operation):
        self.judge(operation)
        self.start_hosts(src=[published()], wrong=[OTHER_RELEASE],
                         right=[published()])
        server = self.boot()
        getattr(self, operation)(server)
        self.assertEqual({'right': [(0,)]}, self.kept())
        self.assert_device_on(server, 'right', 0)

    @ddt.data('migration', 'resize')
    def test_nothing_fits(self, operation):
        self.judge(operation)
        self.start_hosts(src=[published()], dst=[OTHER_RELEASE])
        server = self.boot()
        self.assert_no_host(getattr(self, operation), server)
        self.assert_device_on(server, 'src', 0)

    @ddt.data('migration', 'resize')
    def test_a_cold_entry_counts(self, operation):
        self.judge(operation)
        self.start_hosts(src=[published()], dst=[COLD])
        server = self.boot()
        getattr(self, operation)(server)
        self.assert_device_on(server, 'dst', 0)

    def test_a_named_host_is_judged_too(self):
        self.judge('migration')
        self.start_hosts(src=[published()], good=[published()],
                         bad=[OTHER_RELEASE])
        server = self.boot()
        self.assert_no_host(
            lambda one: self._migrate_server(one, host='bad'), server)
        self._migrate_server(server, host='good')
        self.assert_device_on(server, 'good', 0)

    def test_a_live_entry_counts_too(self):
        self.judge('migration')
        self.start_hosts(src=[published(version='1.2')],
                         dst=[published(version='1.3')])
        server = self.boot()
        self.migration(server)
        self.assert_device_on(server, 'dst', 0)

    def test_another_type_cold(self):
        """The type by name matters to a live migration only."""
        self.judge('migration')
        self.start_hosts(
            src=[published(hosts.TYPE_A)],
            dst=[published(hosts.TYPE_B, compatible=[
                {'mdev_type': hosts.TYPE_A, 'level': 'cold',
                 'software_version': {'any': True}}])])
        server = self.boot()
        self.migration(server)
        self.assert_device_on(server, 'dst', 0)

    def test_an_old_migration_is_not_taken_for_this_one(self):
        """A record of another operation is left from before."""
        self.start_hosts(src=[published()], dst=[OTHER_RELEASE])
        server = self.boot()
        self.migration(server)
        self._revert_resize(server)
        self.assert_no_host_for_live_migration(server)
        self.judge('migration')
        self.assert_no_host(self.migration, server)
        self.judge()
        self.migration(server)
        self.assert_device_on(server, 'dst', 0)

    def _leave_a_record(self, server):
        """As after a crash of conductor: it holds nothing."""
        cell = self.cell_mappings['cell1']
        with context.target_cell(self.context, cell) as targeted:
            objects.Migration(
                targeted, instance_uuid=server['id'], status='accepted',
                migration_type='live-migration', source_compute='src',
                old_instance_type_id=1, new_instance_type_id=1).create()

    def test_a_stale_record_is_not_taken_for_this_move(self):
        self.start_hosts(src=[published()], dst=[OTHER_RELEASE])
        server = self.boot()
        self._leave_a_record(server)
        self.migration(server)
        self.assert_device_on(server, 'dst', 0)


@ddt.ddt
class EvacuationTests(ColdMoveTestCase):
    """What the scheduler lets through; the rest is up to Nova."""

    def evacuate(self, server):
        self.computes['src'].stop()
        service = self.api.get_services('nova-compute', 'src')[0]
        self.api.put_service_force_down(service['id'], True)
        try:
            self.api.post_server_action(server['id'], {'evacuate': {}})
        except client.OpenStackApiException as error:
            # Nova 34 gives every evacuated vGPU up: _allocate_mdevs does
            # not find the dead host's provider, which the server still has
            # an allocation of, among those of the new host.
            self.assertIn('BuildAbortException', str(error))

    @ddt.data((['live-migration'], ['other', 'same']),
              (['evacuation'], ['same']))
    @ddt.unpack
    def test_judged_or_not(self, operations, expected):
        self.mdev_compat(operations=operations)
        self.start_hosts(src=[published()], other=[OTHER_RELEASE],
                         same=[published()])
        server = self.boot()
        self.evacuate(server)
        self.assertEqual(expected, sorted(self.probe.calls[0].kept))

    def test_a_cold_entry_counts(self):
        self.judge('evacuation')
        self.start_hosts(src=[published()], other=[OTHER_RELEASE],
                         cold=[COLD])
        server = self.boot()
        self.evacuate(server)
        self.assertEqual(['cold'], sorted(self.probe.calls[0].kept))


class DeadHostTests(base.FunctionalTestCase):
    """A server that was evacuated, and whose first host is not back yet."""

    def hold(self, server, host):
        """Give the server an allocation on a dead host, as one has then."""
        url = '/allocations/%s' % server['id']
        body = self.placement.get(url, version='1.28').body
        allocations = {uuid: {'resources': held['resources']}
                       for uuid, held in body['allocations'].items()}
        allocations[self.compute_rp_uuids[host]] = {
            'resources': {'VCPU': 2, 'MEMORY_MB': 2048}}
        allocations[self.pgpu_uuid(host)] = {'resources': {'VGPU': 1}}
        body['allocations'] = allocations
        response = self.placement.put(url, body, version='1.28')
        self.assertEqual(204, response.status, response.body)

    def test_only_the_source_node_counts(self):
        self.start_hosts(
            dead=[published(version='2.0')], src=[published()],
            wrong=[published(version='2.0')], right=[published()])
        server = self.boot('src')
        self.computes['dead'].stop()
        service = self.api.get_services('nova-compute', 'dead')[0]
        self.api.put_service_force_down(service['id'], True)
        self.hold(server, 'dead')
        self.live_migrate(server)
        self.assertEqual(['right'], sorted(self.kept()))
        self.assert_device_on(server, 'right', 0)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)
