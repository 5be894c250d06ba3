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

"""The base of the functional tests."""

from collections.abc import Mapping
from collections.abc import Sequence
import importlib
import logging
import re
from typing import Any

import nova.conf
from nova.tests.functional.api import client
from nova.tests.functional.libvirt import base as libvirt_base
from nova.tests.functional.libvirt import test_vgpu

from tests.functional import counters
from tests.functional import endpoint
from tests.functional import hosts
from tests.functional import ordering
from tests.functional import paste
from tests.functional import patience
from tests.functional import publication
from tests.functional import write_locks

CONF = nova.conf.CONF
IMAGE = '155d900f-4e14-4e4c-a73d-069cbf4541e6'
FILTER = 'MdevCompatFilter'

Server = Mapping[str, Any]


class FunctionalTestCase(
    patience.Patience, libvirt_base.LibvirtMigrationMixin,
    test_vgpu.VGPUTestBase,
):
    """A Nova with the filter, without hosts; a test starts its own."""

    # What Nova asks of both ends of a live migration with a vGPU.
    FAKE_LIBVIRT_VERSION = 8006000
    FAKE_QEMU_VERSION = 8001000

    #: Whether nova-scheduler has our filter.
    WITH_FILTER = True

    #: Options of [mdev_compat] that have to be there at the scheduler's start.
    OPTIONS: Mapping[str, Any] = {}

    def setUp(self) -> None:
        self.flags(api_paste_config=paste.nova_api_paste(), group='wsgi')
        # It logs when a test is over, past the fixture that captures logs.
        logging.getLogger('nova.thread_pool_factory').setLevel(
            logging.WARNING)
        self.useFixture(write_locks.WriteLocks())
        super().setUp()
        self.ranks = hosts.Ranks()
        self.useFixture(ordering.DeclaredOrder(self.ranks))
        self.moves = self.useFixture(counters.MoveCounter())
        self.publication = publication.Publication(self.placement)
        self.flavor = self._create_flavor(
            extra_spec={'resources:VGPU': '1'})
        if self.WITH_FILTER:
            self._watch_filter()

    def _watch_filter(self) -> None:
        self.endpoint = self.useFixture(
            endpoint.FilterEndpoint(self.placement.fixture))
        manager = self.scheduler.manager.host_manager
        self.filter = manager.filter_obj_map[FILTER]
        self.probe = self.useFixture(counters.FilterProbe(
            self.filter, self.ranks, self.endpoint))
        self.addCleanup(self._assert_filter_behaved)

    def _assert_filter_behaved(self) -> None:
        self.assertEqual([], self.probe.faults)

    def _setup_scheduler_service(self) -> Any:
        if self.WITH_FILTER:
            self._enable_filter()
        return super()._setup_scheduler_service()

    def _enable_filter(self) -> None:
        filters = importlib.import_module('nova_mdev_compat.filters')
        filters.all_filters()
        self.mdev_compat(**{'refresh_timeout': patience.ANSWER,
                            **self.OPTIONS})
        enabled = list(CONF.filter_scheduler.enabled_filters)
        enabled.insert(enabled.index('ComputeFilter') + 1, FILTER)
        self.flags(
            group='filter_scheduler', enabled_filters=enabled,
            available_filters=['nova.scheduler.filters.all_filters',
                               'nova_mdev_compat.filters.all_filters'])

    def mdev_compat(self, **options: Any) -> None:
        """Set options of the filter, as nova.conf would."""
        self.flags(group='mdev_compat', **options)

    # Hosts

    def start_host(self, name: str, pgpus: Sequence[hosts.PGpu],
                   cell_name: str | None = None) -> None:
        """Start a nova-compute whose candidates come in this order."""
        self._configure_types(pgpus)
        self.start_compute(
            name, pci_info=hosts.pci_devices(len(pgpus)),
            libvirt_version=self.FAKE_LIBVIRT_VERSION,
            qemu_version=self.FAKE_QEMU_VERSION, cell_name=cell_name)
        uuids = [self.pgpu_uuid(name, position)
                 for position in range(len(pgpus))]
        self.ranks.declare(name, uuids)
        for uuid, pgpu in zip(uuids, pgpus):
            if pgpu.document is not None:
                self.publication.publish(uuid, pgpu.document)

    def start_hosts(self, **table: Sequence[hosts.PGpu]) -> None:
        for name, pgpus in table.items():
            self.start_host(name, pgpus)

    def _configure_types(self, pgpus: Sequence[hosts.PGpu]) -> None:
        # Each LibvirtDriver reads these once, when it is made.
        addresses = hosts.addresses_by_type(pgpus)
        self.flags(enabled_mdev_types=list(addresses), group='devices')
        nova.conf.devices.register_dynamic_opts(CONF)
        for mdev_type, found in addresses.items():
            self.flags(device_addresses=found, group='mdev_' + mdev_type)
        for pgpu in pgpus:
            self.flags(mdev_class=pgpu.resource_class,
                       group='mdev_' + pgpu.mdev_type)

    def pgpu_uuid(self, host: str, position: int = 0) -> str:
        return self._get_provider_uuid_by_name(
            hosts.provider_name(host, position))

    # Servers

    def boot(self, host: str | None = 'src', flavor: Any = None) -> Server:
        """A server with a vGPU; where counting begins."""
        self.server = self._create_server(
            image_uuid=IMAGE, flavor_id=flavor or self.flavor,
            networks='auto', host=host)
        self.moves.restart()
        if self.WITH_FILTER:
            self.probe.calls.clear()
        return self.server

    def host_of(self, server: Server) -> str:
        return self.api.get_server(server['id'])['OS-EXT-SRV-ATTR:host']

    def allocations_of(self, consumer: str) -> dict[str, Any]:
        return self.placement.get(
            '/allocations/%s' % consumer, version='1.28').body['allocations']

    def assert_device_on(self, server: Server, host: str, *positions: int,
                         ) -> None:
        """The server is there, and holds a vGPU of each of these pGPUs."""
        self.assertEqual(host, self.host_of(server))
        held = self.allocations_of(server['id'])
        for position in positions:
            self.assertIn(self.pgpu_uuid(host, position), held)

    # Moves

    def live_migrate(self, server: Server, host: str | None = None) -> None:
        self.server = server
        self._ask_for_live_migration(server, host)
        # Half a second each; a busy machine needs more than Nova's ten.
        self._wait_for_assert(
            lambda: self.assertEqual('completed', self._status(server)),
            max_retries=120)
        self._wait_for_state_change(server, 'ACTIVE')

    def assert_no_host_for_live_migration(
        self, server: Server, host: str | None = None,
    ) -> None:
        error = self.assertRaises(
            client.OpenStackApiException,
            self._ask_for_live_migration, server, host)
        self.assertEqual(500, error.response.status_code)
        self.assertIn('NoValidHost', str(error))
        self.assertEqual('error', self._status(server))
        self._wait_for_state_change(server, 'ACTIVE')

    def _ask_for_live_migration(
        self, server: Server, host: str | None,
    ) -> None:
        self.api.post_server_action(server['id'], {
            'os-migrateLive': {'host': host, 'block_migration': 'auto'}})

    def _status(self, server: Server) -> str:
        return self.newest_migration(server)['status']

    def newest_migration(self, server: Server) -> Mapping[str, Any]:
        migrations = self.api.api_get(
            '/os-migrations?instance_uuid=%s' % server['id'])
        return max(migrations.body['migrations'], key=lambda m: m['id'])

    def assert_moves(
        self, rounds: int, destination_checks: int, source_checks: int,
    ) -> None:
        self.assertEqual(
            (rounds, destination_checks, source_checks),
            (self.moves.rounds, self.moves.destination_checks,
             self.moves.source_checks))

    def _migrate_stub(
        self, domain: Any, destination: str, params: Mapping[str, Any],
        flags: int,
    ) -> None:
        """What Domain.migrateToURI3 does: the guest appears over there."""
        host = re.fullmatch(r'qemu\+tcp://(.*)/system', destination).group(1)
        connection = self.computes[host].driver._host.get_connection()
        connection.createXML(params['destination_xml'], 'no flags')
        domain.complete_job()
        self.migrate_stub_ran = True

    # What the filter did and said

    def kept(self) -> counters.Candidates:
        """What the filter's last call left."""
        return self.probe.last.kept

    def said(self, level: str = '[A-Z]+', pattern: str = '') -> list[str]:
        """Our own lines at INFO and above in which the pattern is found."""
        ours = re.compile(r'\S+ \S+ %s \[nova_mdev_compat\S*\] .*%s'
                          % (level, pattern))
        return [line for line in self.stdlog.logger.output.splitlines()
                if ours.match(line)]
