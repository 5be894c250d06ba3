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

"""A fleet of devices: hosts with pGPUs or VFs, and their documents.

Documents are of as many releases of one vendor's driver; each accepts itself
and the releases behind it, around the circle, up to half of all. So every
accept set holds half of the fleet and no two are equal: nothing is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
import functools
import json
import random
from typing import Any
import uuid

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document

MDEV_TYPE = 'nvidia-558'
RELEASES = 20
#: What a server takes of a host's own provider.
AMOUNTS = {'VCPU': 2, 'MEMORY_MB': 2048, 'DISK_GB': 20}


@dataclasses.dataclass(frozen=True)
class Host:
    """A host's providers.

    :param devices: UUIDs of the pGPUs or VFs.
    """

    number: int
    root: str
    devices: tuple[str, ...]

    @property
    def name(self) -> str:
        return f'gpu{self.number:05}.example.org'

    def device_name(self, place: int) -> str:
        return f'{self.name}_pci_0000_{0x40 + place // 32:02x}_' \
               f'{place % 32:02x}_0'


@dataclasses.dataclass(frozen=True)
class Fleet:
    """So many hosts with so many devices each.

    :param releases: how many documents there are.
    """

    count: int
    devices: int
    releases: int = RELEASES

    @functools.cached_property
    def hosts(self) -> list[Host]:
        chance = random.Random(7)
        return [Host(number, _uuid(chance), tuple(
            _uuid(chance) for _ in range(self.devices)))
            for number in range(self.count)]

    @functools.cached_property
    def documents(self) -> list[Document]:
        return [document(release, self.releases)
                for release in range(self.releases)]

    @functools.cached_property
    def digests(self) -> list[str]:
        return [canonical.digest(one.canonical) for one in self.documents]

    @property
    def markers(self) -> list[str]:
        return list(map(traits.marker, self.digests))

    def release(self, host: Host, place: int) -> int:
        """Which document a device carries: hosts are mixed."""
        return (host.number + place) % self.releases

    def carried(self) -> Iterator[tuple[str, int]]:
        """Every device, with the number of its document."""
        for host in self.hosts:
            for place, device in enumerate(host.devices):
                yield device, self.release(host, place)

    def accepting(self, release: int) -> list[int]:
        """The documents that accept one."""
        return [(release + ahead) % self.releases
                for ahead in range(max(1, self.releases // 2))]


@functools.cache
def document(release: int, releases: int) -> Document:
    behind = [(release - back) % releases
              for back in range(1, max(1, releases // 2))]
    entries: list[Any] = [{}]
    if behind:
        entries.append({'attributes': {'release': {'any_of': [
            _release(other) for other in sorted(behind)]}}})
    return loading.load(json.dumps({
        'format': 1,
        'self': {'device_api': 'vfio-pci', 'mdev_type': MDEV_TYPE,
                 'vfio-pci': {'vendor': '10de', 'device': '2235'},
                 'attributes': {'ecc': True, 'release': _release(release)}},
        'compatible': entries}))


def _release(number: int) -> str:
    return f'{525 + 5 * (number // 4)}.{60 + 25 * (number % 4)}.{number:02}'


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
