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

"""What is none of the filter's business, and what that costs."""

import ddt

from tests.functional import base
from tests.functional import documents
from tests.functional import hosts

published = documents.published


class NoSourceTests(base.FunctionalTestCase):
    """Nothing to compare with: everything passes."""

    def setUp(self):
        super().setUp()
        # Strict as can be; without a source none of it matters.
        self.mdev_compat(
            unpublished_source='reject', unpublished_destination='reject',
            operations=['live-migration', 'migration', 'resize',
                        'evacuation'])
        self.start_hosts(src=[published()], other=[published(hosts.TYPE_B)],
                         silent=[hosts.PGpu()])

    def _assert_all_passed(self):
        self.assertEqual(self.probe.last.offered, self.kept())
        self.assertEqual([], self.said('(WARNING|ERROR)'))

    def test_first_boot(self):
        self._create_server(image_uuid=base.IMAGE, flavor_id=self.flavor,
                            networks='auto')
        self.assertEqual(3, len(self.kept()))
        self.assertEqual([], self.endpoint.requests)
        self._assert_all_passed()

    def test_server_group(self):
        """Several servers of a group in one request."""
        group = self.api.post_server_groups({
            'name': 'apart', 'policy': 'anti-affinity'})
        body = self._build_server(image_uuid=base.IMAGE, networks='auto',
                                  flavor_id=self.flavor)
        body['min_count'] = 2
        first = self.api.post_server({
            'server': body, 'os:scheduler_hints': {'group': group['id']}})
        self._wait_for_state_change(first, 'ACTIVE')
        self.assertGreaterEqual(len(self.probe.calls), 2)
        for call in self.probe.calls:
            self.assertEqual(call.offered, call.kept)
            self.assertTrue(call.same_list)
        self.assertEqual([], self.endpoint.requests)

    def test_unshelve(self):
        self.flags(shelved_offload_time=0)
        server = self.boot(host=None)
        self._shelve_server(server)
        self.probe.calls.clear()
        self._unshelve_server(server)
        self.assertEqual(3, len(self.kept()))
        self._assert_all_passed()

    def test_rebuild(self):
        server = self.boot()
        self.endpoint.requests.clear()
        # A new image, so that the scheduler is asked.
        self._rebuild_server(server, 'a2459075-d96c-40d5-893e-577ff92e721c')
        self.assertEqual(1, len(self.probe.calls))
        self.assertEqual({'src': []}, self.kept())
        self.assertEqual([], self.endpoint.requests)
        self.assertEqual([], self.probe.last.queries)
        self._assert_all_passed()

    def test_forced_host(self):
        """Forced hosts skip every filter; that is Nova's doing."""
        server = self._create_server(
            image_uuid=base.IMAGE, flavor_id=self.flavor, networks='auto',
            az='nova:other')
        self.assertEqual('other', self.host_of(server))
        self.assertEqual([], self.probe.calls)


@ddt.ddt
class NoDeviceTests(base.FunctionalTestCase):
    """A server without a device costs the filter nothing at all."""

    def setUp(self):
        super().setUp()
        self.mdev_compat(operations=['live-migration', 'migration', 'resize',
                                     'evacuation'])
        self.start_hosts(src=[published()], other=[published()])
        self.plain = self._create_flavor()

    def _boot(self):
        pass

    def _live_migrate_it(self):
        self.live_migrate(self.server)

    def _cold_migrate(self):
        self._migrate_server(self.server)

    def _resize(self):
        self._resize_server(self.server, self._create_flavor(memory_mb=1024))

    @ddt.data('boot', 'live_migrate_it', 'cold_migrate', 'resize')
    def test_costs_nothing(self, operation):
        self.boot(flavor=self.plain)
        self.probe.calls.clear()
        if operation == 'boot':
            self._create_server(image_uuid=base.IMAGE, flavor_id=self.plain,
                                networks='auto')
        else:
            getattr(self, '_' + operation)()
        self.assertEqual(1, len(self.probe.calls))
        self.assertTrue(self.probe.last.same_list)
        self.assertEqual([], self.endpoint.requests)
        self.assertEqual([], self.probe.last.queries)

    def test_a_move_that_gives_the_device_up(self):
        """What the new flavor does not ask for is not compared."""
        self.boot()
        self._resize_server(self.server, self.plain)
        self.assertTrue(self.probe.last.same_list)

    def test_a_class_that_is_not_configured(self):
        self.mdev_compat(resource_classes=['CUSTOM_PCI_*'])
        server = self.boot()
        self.live_migrate(server)
        self.assertTrue(self.probe.last.same_list)
        self.assertEqual([], self.endpoint.requests)


class CacheTests(base.FunctionalTestCase):

    def test_a_warm_move_asks_nothing_about_traits(self):
        self.start_hosts(src=[published()], dst=[published()],
                         bad=[published(version='2.0')])
        servers = [self.boot(), self.boot()]
        self.live_migrate(servers[0])
        cold = self._about_traits()
        self.assertNotEqual([], cold)
        self.live_migrate(servers[1])
        self.assert_device_on(servers[1], 'dst', 0)
        self.assertEqual([], self._about_traits())

    def _about_traits(self):
        return [request for request in self.probe.last.requests
                if 'trait' in request or 'required=' in request]

    def test_requests_do_not_grow_with_hosts(self):
        self.start_hosts(src=[published()],
                         **{'dst%d' % n: [published(), published()]
                            for n in range(4)})
        self.live_migrate(self.boot())
        few = len(self.probe.last.requests)
        self.start_hosts(**{'more%d' % n: [published(), published()]
                            for n in range(4)})
        self.mdev_compat(cache_ttl=1)
        self.live_migrate(self.boot())
        self.assertEqual(9, len(self.kept()) + 1)
        self.assertLessEqual(len(self.probe.last.requests), few)
