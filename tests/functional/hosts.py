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

"""The compute hosts of a test, as a table."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any

from nova.tests.fixtures import libvirt as fakelibvirt

#: The two types that each of fakelibvirt's pGPUs can make.
TYPE_A = fakelibvirt.NVIDIA_11_VGPU_TYPE
TYPE_B = fakelibvirt.NVIDIA_12_VGPU_TYPE

Document = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class PGpu:
    """A pGPU: the type it makes, and the document to publish, if any.

    All pGPUs of a type and host have the same resource class.
    """

    mdev_type: str = TYPE_A
    document: Document | None = None
    resource_class: str = 'VGPU'


def pci_address(position: int) -> str:
    return '0000:81:%02x.0' % position


def provider_name(host: str, position: int) -> str:
    return '%s_pci_0000_81_%02x_0' % (host, position)


def pci_devices(count: int) -> fakelibvirt.HostPCIDevicesInfo:
    """As many pGPUs, each able to make TYPE_A (16) or TYPE_B (8)."""
    return fakelibvirt.HostPCIDevicesInfo(
        num_pci=0, num_pfs=0, num_vfs=0, num_mdevcap=count,
        multiple_gpu_types=True)


def addresses_by_type(pgpus: Sequence[PGpu]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for position, pgpu in enumerate(pgpus):
        found.setdefault(pgpu.mdev_type, []).append(pci_address(position))
    return found


class Ranks:
    """The order in which a test declared its pGPUs, by provider UUID.

    Placement and the weighers choose an order that changes from run to run;
    a test is about one order, so it is the order of declaration that counts.
    """

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self._pgpus: dict[str, tuple[int, int]] = {}

    def declare(self, host: str, uuids: Iterable[str]) -> None:
        for position, uuid in enumerate(uuids):
            self._pgpus[uuid] = (len(self.hosts), position)
        self.hosts.append(host)

    def of_host(self, host: str) -> int:
        return self.hosts.index(host)

    def of_candidate(self, candidate: Mapping[str, Any]) -> list[Any]:
        """A sort key: the candidate's pGPUs in the order of its groups."""
        return [self._pgpus[uuid] for uuid in self._providers(candidate)]

    def positions(self, candidate: Mapping[str, Any]) -> tuple[int, ...]:
        """The candidate's pGPUs by their place in the host's table."""
        return tuple(rank[1] for rank in self.of_candidate(candidate))

    def _providers(self, candidate: Mapping[str, Any]) -> Iterator[str]:
        for _group, uuids in sorted(candidate['mappings'].items()):
            yield from sorted((uuid for uuid in uuids if uuid in self._pgpus),
                              key=lambda uuid: self._pgpus[uuid])
