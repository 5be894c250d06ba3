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

"""A cell with compute hosts and servers, made of records alone.

No nova-compute runs: what it would write is written here, to the databases
through Nova's objects and to placement.
"""

import dataclasses
import threading
from typing import Any
import uuid

import fixtures
from nova import context as nova_context
from nova import objects
from nova.objects import host_mapping

from tests.services.served_placement import ServedPlacement

LIVE, COLD, RESIZE, EVACUATION = (
    'live-migration', 'migration', 'resize', 'evacuation')
#: Nova's status of the migration when conductor calls the scheduler.
_STATUS = {LIVE: 'accepted', EVACUATION: 'accepted',
           COLD: 'pre-migrating', RESIZE: 'pre-migrating'}
PROJECT, USER = 'demo', 'demo'
#: Seconds. nova-compute reports every 10, and is down after 60.
_REPORT = 10
#: Room for as many servers as a test can think of.
_ROOM = 100_000
_ROOT_ROOM = {'VCPU': _ROOM, 'MEMORY_MB': 1 << 30, 'DISK_GB': _ROOM}
_MEMORY = 64
# A provider that others claim from meanwhile answers with a conflict.
_RACES = 20
# Nova asks for it since 2026.2.
_TRAITS = ['OWNER_NOVA']


@dataclasses.dataclass(frozen=True)
class Host:
    """A compute host.

    :param node: its compute node's number in the cell's database.
    :param root: its root provider, which is the compute node's UUID.
    :param pgpus: their providers.
    """

    name: str
    node: int
    root: str
    pgpus: list[str]


@dataclasses.dataclass(frozen=True)
class Server:
    """A server, and what conductor is about to do with it.

    :param operation: Nova's migration type, or None.
    :param pgpu: the provider that its device is on; None: it has none.
    :param device: whether its flavor asks for one.
    """

    uuid: str
    operation: str | None = None
    source: Host | None = None
    pgpu: str | None = None
    device: bool = True


class Cloud(fixtures.Fixture):
    """The records of one cell.

    :param cell: its mapping's UUID.
    """

    def __init__(self, placement: ServedPlacement, cell: str) -> None:
        self.placement = placement
        self.context = nova_context.get_admin_context()
        self.context.project_id, self.context.user_id = PROJECT, USER
        self._cell = objects.CellMapping.get_by_uuid(self.context, cell)
        self.hosts: list[Host] = []
        self._services: list[Any] = []

    def _setUp(self) -> None:
        self._over = threading.Event()
        thread = threading.Thread(target=self._report, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self._over.set)

    def _report(self) -> None:
        """As the hosts' nova-compute would."""
        while not self._over.wait(_REPORT):
            for service in [*self._services]:
                service.report_count += 1
                service.save()

    def targeted(self) -> Any:
        return nova_context.target_cell(self.context, self._cell)

    def make_hosts(self, number: int, pgpus: int = 2) -> list[Host]:
        made = [self._make_host(f'{uuid.uuid4().hex[:8]}', pgpus)
                for _ in range(number)]
        # As `nova-manage cell_v2 discover_hosts`.
        host_mapping.discover_hosts(self.context, self._cell.uuid)
        self.hosts += made
        return made

    def _make_host(self, suffix: str, pgpus: int) -> Host:
        name, root = f'compute-{suffix}', str(uuid.uuid4())
        with self.targeted() as context:
            service = objects.Service(
                context, host=name, binary='nova-compute',
                topic='compute', report_count=1, disabled=False)
            service.create()
            service.report_count += 1
            service.save()
            node = _compute_node(context, name, root)
            node.create()
        self._services.append(service)
        host = Host(name, node.id, root,
                    [str(uuid.uuid4()) for _ in range(pgpus)])
        self._make_provider(host.name, host.root, None, _ROOT_ROOM)
        for number, found in enumerate(host.pgpus):
            self._make_provider(f'{host.name}_pci_0000_8{number}_00_0',
                                found, host.root, {'VGPU': _ROOM})
        return host

    def _make_provider(self, name: str, found: str, parent: str | None,
                       room: dict[str, int]) -> None:
        self.placement.call('POST', '/resource_providers', {
            'name': name, 'uuid': found, 'parent_provider_uuid': parent})
        url = f'/resource_providers/{found}'
        self.placement.call('PUT', f'{url}/inventories', {
            'resource_provider_generation': 0, 'inventories': {
                name: {'total': total} for name, total in room.items()}})
        self.placement.call('PUT', f'{url}/traits', {
            'resource_provider_generation': 1, 'traits': _TRAITS})

    def make_server(self, operation: str | None = None,
                    source: Host | None = None, position: int = 0,
                    device: bool = True, has_host: bool = True) -> Server:
        """A server that is about to be moved, or that was offloaded.

        :param source: where it is, and holds a device.
        :param has_host: false: a first boot, of which no cell knows.
        """
        pgpu = source.pgpus[position] if source and device else None
        server = Server(str(uuid.uuid4()), operation, source, pgpu, device)
        if has_host:
            with self.targeted() as context:
                self._instance(context, server).create()
            objects.InstanceMapping(
                self.context, cell_mapping=self._cell,
                instance_uuid=server.uuid, project_id=PROJECT, user_id=USER,
                queued_for_delete=False).create()
        holder = self._migration(server) if operation else None
        if source:
            self._hold(holder or server.uuid, source, pgpu)
        return server

    def _instance(self, context: Any, server: Server) -> Any:
        source = server.source
        return objects.Instance(
            context, uuid=server.uuid, project_id=PROJECT, user_id=USER,
            host=source and source.name, node=source and source.name,
            compute_id=source and source.node,
            vm_state='active' if source else 'shelved_offloaded',
            memory_mb=_MEMORY, vcpus=1, root_gb=1, ephemeral_gb=0,
            flavor=flavor(server.device), system_metadata={})

    def _migration(self, server: Server) -> str | None:
        """The record that conductor or the API makes; its UUID where it
        holds the source's allocations.
        """
        assert server.source is not None and server.operation is not None
        with self.targeted() as context:
            migration = objects.Migration(
                context, instance_uuid=server.uuid,
                migration_type=server.operation,
                status=_STATUS[server.operation],
                source_compute=server.source.name,
                source_node=server.source.name,
                old_instance_type_id=1, new_instance_type_id=1)
            migration.create()
        return None if server.operation == EVACUATION else migration.uuid

    def _hold(self, consumer: str, source: Host, pgpu: str | None) -> None:
        """The allocations on the source, and no others."""
        url = f'/allocations/{consumer}'
        allocations = {source.root: {'resources': {
            'VCPU': 1, 'MEMORY_MB': _MEMORY, 'DISK_GB': 1}}}
        if pgpu:
            allocations[pgpu] = {'resources': {'VGPU': 1}}
        for _ in range(_RACES):
            found = self.placement.ask('PUT', url, {
                'allocations': allocations, 'project_id': PROJECT,
                'user_id': USER, 'consumer_type': 'INSTANCE',
                'consumer_generation': self.placement.call('GET', url).get(
                    'consumer_generation')})
            if found.ok:
                return
        raise AssertionError(f'{url} answered {found.text}')

    def give_back(self, server: Server) -> None:
        """Takes off what the scheduler has claimed for it."""
        if server.operation == EVACUATION:
            assert server.source is not None
            self._hold(server.uuid, server.source, server.pgpu)
        else:
            self.placement.ask('DELETE', f'/allocations/{server.uuid}')

    def request_spec(self, server: Server) -> Any:
        """What conductor sends for it."""
        properties: dict[str, Any] = {}
        if server.operation:
            assert server.source is not None
            properties['ignore_hosts'] = [server.source.name]
        spec = objects.RequestSpec.from_components(
            self.context, server.uuid, {'id': str(uuid.uuid4()),
                                        'properties': {}, 'min_disk': 0,
                                        'min_ram': 0, 'status': 'active'},
            flavor(server.device), None,
            objects.InstancePCIRequests(requests=[]), properties, None, None,
            security_groups=objects.SecurityGroupList(objects=[]),
            project_id=PROJECT, user_id=USER, port_resource_requests=[],
            request_level_params=objects.RequestLevelParams())
        if server.operation or server.source:
            spec.requested_destination = objects.Destination(cell=self._cell)
        return spec

    def offered(self, server: Server) -> dict[str, list[str]]:
        """The providers to choose from, of every host that may be named."""
        return {host.name: host.pgpus if server.device else [host.root]
                for host in self.hosts
                if not server.operation or host != server.source}


def flavor(device: bool) -> Any:
    return objects.Flavor(
        id=1, flavorid='1', name='small', vcpus=1, memory_mb=_MEMORY,
        root_gb=1, ephemeral_gb=0, swap=0, vcpu_weight=0, rxtx_factor=1.0,
        disabled=False, is_public=True, description=None, projects=[],
        extra_specs={'resources:VGPU': '1'} if device else {})


def _compute_node(context: Any, name: str, root: str) -> Any:
    return objects.ComputeNode(
        context, uuid=root, host=name,
        hypervisor_hostname=name, hypervisor_type='QEMU',
        hypervisor_version=8000000, vcpus=_ROOM, vcpus_used=0,
        memory_mb=1 << 30, memory_mb_used=0, local_gb=_ROOM, local_gb_used=0,
        free_ram_mb=1 << 30, free_disk_gb=_ROOM, disk_available_least=_ROOM,
        current_workload=0, running_vms=0, cpu_info='{}', stats={},
        supported_hv_specs=[], cpu_allocation_ratio=1.0,
        ram_allocation_ratio=1.0, disk_allocation_ratio=1.0, mapped=0)
