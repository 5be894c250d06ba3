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

"""The base of the tests with PCI devices in placement."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
from typing import Any
import unittest

from nova import context as nova_context
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import test_pci_in_placement
from nova.virt.libvirt import driver

from nova_mdev_compat.codec import labels
from tests.functional import base
from tests.functional import hosts
from tests.functional import publication

VENDOR, VF, PLAIN = (fakelibvirt.PCI_VEND_ID, fakelibvirt.VF_PROD_ID,
                     fakelibvirt.PCI_PROD_ID)
VF_CLASS = f'CUSTOM_PCI_{VENDOR}_{VF}'
OWNER = 'HOSTHOST'

VARIANT = getattr(driver, 'MIN_VFIO_PCI_VARIANT_LIBVIRT_VERSION', None)


def document(version: str = '1.2', **attributes: Any) -> dict[str, Any]:
    """A document of a virtual function with a variant driver."""
    return {'format': 1, 'compatible': [{}], 'self': {
        'device_api': 'vfio-pci', 'software_version': version,
        'vfio-pci': {'vendor': VENDOR, 'device': VF},
        'attributes': attributes}}


def entry(label: str | None = None, **more: Any) -> dict[str, Any]:
    """An entry of device_spec for all virtual functions."""
    found = {'vendor_id': VENDOR, 'product_id': VF,
             'live_migratable': 'yes', **more}
    if label is not None:
        found['traits'] = labels.trait(label)
    return found


def slot_entry(slot: int, label: str) -> dict[str, Any]:
    """The same for those of one physical function of several."""
    return entry(label, address={'domain': '.*', 'bus': '.*',
                                 'slot': f'{slot:02x}', 'function': '.*'})


@dataclasses.dataclass(frozen=True)
class PciHost:
    """A host with physical functions, at slots 0 and on, after its pGPUs.

    :param specs: entries of its device_spec.
    :param functions: how many physical functions; each has four virtual ones.
    """

    specs: Sequence[Mapping[str, Any]]
    functions: int = 1
    pgpus: Sequence[hosts.PGpu] = ()

    def addresses(self) -> list[str]:
        return ['0000:81:%02x.0' % (len(self.pgpus) + number)
                for number in range(self.functions)]


@unittest.skipIf(VARIANT is None, 'Nova moves no PCI device live')
class PciTestCase(base.FunctionalTestCase,
                  test_pci_in_placement.PlacementPCIReportingTests):
    """Nova's own base for PCI in placement, with the filter."""

    FAKE_LIBVIRT_VERSION = 10000000
    FAKE_QEMU_VERSION = 8002002
    ADDITIONAL_FILTERS = ['NUMATopologyFilter', 'PciPassthroughFilter']
    PCI_DEVICE_SPEC: Sequence[str] = []
    PCI_ALIAS = [json.dumps({
        'name': 'vf', 'vendor_id': VENDOR, 'product_id': VF,
        'device_type': 'type-VF', 'live_migratable': 'yes'})]

    OPTIONS = {'resource_classes': ['VGPU', 'CUSTOM_PCI_*']}

    def setUp(self) -> None:
        super().setUp()
        self.flags(group='filter_scheduler', pci_in_placement=True)
        self.sequence = 0

    def start_pci_host(self, name: str, host: PciHost) -> None:
        # nova-compute reads it when it starts; in these tests all of them
        # share one configuration.
        self.flags(device_spec=list(map(json.dumps, host.specs)), group='pci')
        if host.pgpus:
            self._configure_types(host.pgpus)
        self.start_compute(
            name, pci_info=self._devices(host),
            libvirt_version=self.FAKE_LIBVIRT_VERSION,
            qemu_version=self.FAKE_QEMU_VERSION)
        uuids = [self.pgpu_uuid(name, position)
                 for position in range(len(host.pgpus))]
        for uuid, pgpu in zip(uuids, host.pgpus):
            if pgpu.document is not None:
                self.publication.publish(uuid, pgpu.document)
        self.ranks.declare(name, [*uuids, *(
            self.pf_uuid(name, address) for address in host.addresses())])

    def _devices(self, host: PciHost) -> fakelibvirt.HostPCIDevicesInfo:
        return fakelibvirt.HostPCIDevicesInfo(
            num_pci=0, num_pfs=host.functions, num_vfs=4 * host.functions,
            num_mdevcap=len(host.pgpus), multiple_gpu_types=True, numa_node=0)

    def start_pci_hosts(self, **table: PciHost) -> None:
        for name, host in table.items():
            self.start_pci_host(name, host)

    def pf_uuid(self, host: str, address: str = '0000:81:00.0') -> str:
        return self._get_provider_uuid_by_name(f'{host}_{address}')

    def map(self, label: str, content: Mapping[str, Any]) -> str:
        """Makes a label stand for a document, as a publisher does."""
        names = publication.trait_names(content)
        self.sequence += 1
        self.publication.write_traits(*names.chunks, labels.Mapping(
            label, self.sequence, OWNER, names.digest).name)
        return names.digest

    def with_vfs(self, count: int = 1, **more: str) -> str:
        """A flavor with so many virtual functions."""
        return self._create_flavor(extra_spec={
            'pci_passthrough:alias': f'vf:{count}', **more})

    def traits_of(self, uuid: str) -> set[str]:
        return set(self._get_provider_traits(uuid))

    def update_available_resource(self, host: str) -> None:
        """nova-compute's periodic task, with nothing known from before."""
        self.computes[host].manager.reportclient.clear_provider_cache()
        self.computes[host].manager.update_available_resource(
            nova_context.get_admin_context())

    def held(self, consumer: str) -> set[str]:
        return set(self.allocations_of(consumer))

    def kept_hosts(self) -> list[str]:
        return sorted(self.kept())
