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


"""What is not real here: the computes, the network and the message bus.

Everything that talks to them is Nova's own code.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
from typing import Any

import fixtures
from nova import context as nova_context
from nova import objects
from nova.objects import migrate_data
from nova.scheduler.client import report
from nova.virt.libvirt import driver as libvirt_driver
import oslo_messaging as messaging

from demo import fleet

_MDEV = '00000000-0000-4000-8000-000000000001'


@dataclasses.dataclass(frozen=True)
class Claim:
    """What the scheduler claimed for the server.

    :param provider: the pGPU's name in placement.
    """

    host: str
    provider: str
    pgpu: fleet.PGpu


class Network:
    """A Neutron that knows of no port."""

    def has_port_binding_extension(self, context: Any) -> bool:
        return False

    def get_requested_resource_for_instance(
            self, context: Any, instance: str) -> tuple[list[Any], Any]:
        return [], objects.RequestLevelParams()


class Bus:
    """The way from conductor to the scheduler, without a message queue."""

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def select_destinations(self, context: Any, spec: Any,
                            instances: list[str], **options: Any) -> Any:
        try:
            # What arrives is a copy, and a context without a cell.
            return self._scheduler.select_destinations(
                nova_context.get_admin_context(), spec_obj=spec.obj_clone(),
                instance_uuids=instances, **options)
        except messaging.ExpectedException as expected:
            raise expected.exc_info[1]


class CandidateOrder(fixtures.Fixture):
    """A host's allocation candidates come by their pGPUs' addresses.

    Placement leaves their order open, and it changes from run to run.
    """

    def __init__(self, hosts: Iterable[fleet.Host]) -> None:
        self._numbers = {
            uuid: number for host in hosts
            for number, (uuid, _, _) in enumerate(host.providers())}

    def _setUp(self) -> None:
        get = report.SchedulerReportClient.get_allocation_candidates

        def ordered(client: Any, *arguments: Any, **options: Any) -> Any:
            candidates, *others = get(client, *arguments, **options)
            return sorted(candidates or (), key=self._number), *others

        self.useFixture(fixtures.MockPatchObject(
            report.SchedulerReportClient, 'get_allocation_candidates',
            ordered))

    def _number(self, candidate: Mapping[str, Any]) -> int:
        return max(self._numbers.get(provider, 0)
                   for provider in candidate['allocations'])


class Driver:
    """A host's devices, as far as the libvirt driver's check asks them."""

    def __init__(self, pgpus: Mapping[str, fleet.PGpu]) -> None:
        self._pgpus = pgpus
        self.instance_claimed_mdevs: dict[str, Any] = {}
        self.supported_vgpu_types = sorted(
            {pgpu.mdev_type for pgpu in pgpus.values()})

    def _allocate_mdevs(self, allocations: Mapping[str, Any]) -> list[str]:
        return [provider for provider, held in allocations.items()
                if 'VGPU' in held['resources']]

    def _get_mdev_types_from_uuids(self,
                                   mdevs: Iterable[str]) -> dict[str, str]:
        # A device is named after its pGPU here.
        return {mdev: self._pgpus[mdev].mdev_type for mdev in mdevs}


class Computes:
    """All nova-compute services: they answer conductor's two calls.

    The pre-check's answer is that of Nova's libvirt driver.

    :param source_type: the mdev type that the source host reports.
    """

    def __init__(self, client: Any, hosts: Iterable[fleet.Host],
                 source_type: str) -> None:
        self._client = client
        self._source_type = source_type
        self._claims = {
            uuid: Claim(host.name, name, pgpu) for host in hosts
            for uuid, name, pgpu in host.providers()}
        #: What was claimed at each pre-check.
        self.asked: list[Claim] = []
        #: Where the guest was sent, if it was.
        self.started: Claim | None = None

    def check_can_live_migrate_destination(
            self, context: Any, instance: Any, destination: str,
            block_migration: Any, disk_over_commit: Any, migration: Any,
            limits: Any) -> Any:
        held = self._client.get_allocations_for_consumer(
            context, instance.uuid)
        self.asked.append(next(
            self._claims[uuid] for uuid in held if uuid in self._claims))
        data = migrate_data.LibvirtLiveMigrateData(
            source_mdev_types={_MDEV: self._source_type}, vifs=[])
        return libvirt_driver.LibvirtDriver.check_source_migrate_data_at_dest(
            Driver(self._pgpus(destination)), context, instance, data,
            migration, limits, held)

    def _pgpus(self, host: str) -> dict[str, fleet.PGpu]:
        return {uuid: claim.pgpu for uuid, claim in self._claims.items()
                if claim.host == host}

    def live_migration(self, context: Any, **arguments: Any) -> None:
        self.started = self.asked[-1]
