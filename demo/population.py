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

"""Puts the fleet and its server into the cloud, as Nova's services would."""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
from typing import Any

import nova.conf
from nova import objects
from nova.objects import fields
import os_traits
from oslo_utils import uuidutils

from demo import cloud as cloud_module
from demo import fleet
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement import client as placement_client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement import publication

_SECONDS = 60.0
_MICROVERSION = '1.39'
_CPUS = 128
_DISK = 8000
_GIB = 1024
# Free memory differs between hosts of a kind, so that the runs are alike.
_USED = 4
_PROJECT = 'demo-project'
_USER = 'demo-user'


@dataclasses.dataclass(frozen=True)
class Server:
    """The server that moves."""

    instance: Any
    spec: Any
    source: fleet.Host
    pgpu: fleet.PGpu


class Registry:
    """Adds compute hosts as nova-compute would when it starts.

    The inventories are kept back and written in one request, because each
    request takes placement a while.
    """

    def __init__(self, cloud: cloud_module.Cloud) -> None:
        self._cloud = cloud
        self._inventories: dict[str, Any] = {}

    def add(self, host: fleet.Host) -> None:
        _add_records(self._cloud, host)
        self._add_provider(host.uuid, host.name, None, {
            'VCPU': _inventory(_CPUS, ratio=4.0),
            'MEMORY_MB': _inventory(host.kind.memory * _GIB),
            'DISK_GB': _inventory(_DISK)})
        for uuid, name, pgpu in host.providers():
            self._add_provider(uuid, name, host.uuid, {
                'VGPU': _inventory(fleet.AMOUNTS[pgpu.mdev_type])})
        # Since 2026.2 nova-compute sets it, and nova-scheduler asks for it.
        _check(self._cloud.report.put(
            f'/resource_providers/{host.uuid}/traits',
            {'resource_provider_generation': 0,
             'traits': [os_traits.OWNER_NOVA]}, version=_MICROVERSION))
        self._inventories[host.uuid]['resource_provider_generation'] = 1

    def _add_provider(self, uuid: str, name: str, parent: str | None,
                      inventories: dict[str, Any]) -> None:
        _check(self._cloud.report.post(
            '/resource_providers', {'uuid': uuid, 'name': name,
                                    'parent_provider_uuid': parent},
            version=_MICROVERSION))
        self._inventories[uuid] = {'resource_provider_generation': 0,
                                   'inventories': inventories}

    def write_inventories(self) -> None:
        _check(self._cloud.report.post(
            '/reshaper', {'inventories': self._inventories,
                          'allocations': {}}, version=_MICROVERSION))


def _add_records(cloud: cloud_module.Cloud, host: fleet.Host) -> None:
    context = cloud.cell_context()
    memory = host.kind.memory * _GIB
    used = _USED * _GIB * host.number
    objects.Service(context, host=host.name, binary='nova-compute',
                    topic='compute', report_count=1).create()
    node = objects.ComputeNode(
        context, uuid=host.uuid, host=host.name, hypervisor_hostname=host.name,
        vcpus=_CPUS, vcpus_used=0, memory_mb=memory, memory_mb_used=used,
        free_ram_mb=memory - used, local_gb=_DISK, local_gb_used=0,
        free_disk_gb=_DISK, disk_available_least=_DISK, cpu_info='{}',
        hypervisor_type=fields.HVType.QEMU, hypervisor_version=10000000,
        cpu_allocation_ratio=4.0, ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0, current_workload=0, running_vms=0,
        supported_hv_specs=[], numa_topology=None, pci_device_pools=None,
        mapped=1)
    node.create()
    objects.HostMapping(cloud.context, host=host.name,
                        cell_mapping=cloud.cell).create()


def _check(answer: Any) -> None:
    if answer.status_code >= 400:
        raise RuntimeError(f'{answer.url} answered {answer.status_code}: '
                           f'{answer.text}')


def _inventory(total: int, ratio: float = 1.0) -> dict[str, Any]:
    return {'total': total, 'reserved': 0, 'min_unit': 1, 'max_unit': total,
            'step_size': 1, 'allocation_ratio': ratio}


class Publisher:
    """Publishes the documents of pGPUs with the project's own code."""

    def __init__(self) -> None:
        self._client = placement_client.Client(
            placement_client.load_adapter(nova.conf.CONF))

    def publish(self, host: fleet.Host) -> None:
        for uuid, _, pgpu in host.providers():
            if pgpu.document is None:
                continue
            names = traits.encode(pgpu.document)
            deadline = Deadline(_SECONDS)
            if pgpu.corrupt:
                self._publish_corrupt(uuid, names, deadline)
            else:
                publication.publish(self._client, uuid, names, deadline)

    def _publish_corrupt(self, provider: str, names: traits.TraitNames,
                         deadline: Deadline) -> None:
        # The last letter of each piece of the body is another one.
        for name in names.chunks:
            self._client.put_trait(
                name[:-1] + ('B' if name.endswith('A') else 'A'), deadline)
        self._client.put_trait(names.marker, deadline)
        current = self._client.provider_traits(provider, deadline)
        self._client.put_provider_traits(
            provider, [*current.traits, names.marker], current.generation,
            deadline)


def boot(cloud: cloud_module.Cloud, host: fleet.Host) -> Server:
    """A running server with one vGPU of the host's first pGPU."""
    provider, _, pgpu = next(host.providers())
    context = cloud.cell_context()
    node = objects.ComputeNode.get_by_host_and_nodename(
        context, host.name, host.name)
    instance = _instance(context, node)
    instance.create()
    objects.InstanceMapping(
        cloud.context, instance_uuid=instance.uuid, project_id=_PROJECT,
        user_id=_USER, cell_mapping=cloud.cell,
        queued_for_delete=False).create()
    spec = objects.RequestSpec.from_components(
        context, instance.uuid,
        objects.ImageMeta(properties=objects.ImageMetaProps()),
        instance.flavor, None, objects.InstancePCIRequests(requests=[]),
        {}, None, None, project_id=_PROJECT, user_id=_USER)
    spec.is_bfv = False
    spec.create()
    flavor = instance.flavor
    cloud.report.put_allocations(
        context, instance.uuid, {'allocations': {
            host.uuid: {'resources': {
                'VCPU': flavor.vcpus, 'MEMORY_MB': flavor.memory_mb,
                'DISK_GB': flavor.root_gb}},
            provider: {'resources': {'VGPU': 1}}},
            'project_id': _PROJECT, 'user_id': _USER,
            'consumer_generation': None})
    return Server(instance, spec, host, pgpu)


def sync_instances(cloud: cloud_module.Cloud, scheduler: Any,
                   hosts: Iterable[fleet.Host], server: Server) -> None:
    """Tell a new scheduler what runs where, as nova-compute does by and by.

    For a host that has not told it the scheduler asks the database, each time.
    """
    for host in hosts:
        here = [server.instance.uuid] if host is server.source else []
        # What the scheduler did not know it reads, and confirms next time.
        for _ in range(2):
            scheduler.sync_instance_info(cloud.context, host.name, here)


def _instance(context: Any, node: Any) -> Any:
    flavor = objects.Flavor(
        id=1, flavorid='vgpu', name='vgpu', vcpus=8, memory_mb=16 * _GIB,
        root_gb=80, ephemeral_gb=0, swap=0, rxtx_factor=1.0, vcpu_weight=0,
        disabled=False, is_public=True, extra_specs={'resources:VGPU': '1'})
    return objects.Instance(
        context, uuid=uuidutils.generate_uuid(), host=node.host,
        node=node.hypervisor_hostname, compute_id=node.id,
        project_id=_PROJECT, user_id=_USER, vm_state='active', power_state=1,
        flavor=flavor, old_flavor=None, new_flavor=None,
        memory_mb=flavor.memory_mb, vcpus=flavor.vcpus, root_gb=flavor.root_gb,
        ephemeral_gb=0, display_name='demo', hostname='demo',
        numa_topology=None, pci_requests=objects.InstancePCIRequests(
            requests=[]), system_metadata={}, availability_zone=None)
