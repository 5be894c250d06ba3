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

"""The sample fleet, as a table of kinds of host.

Boards, mdev types and releases are modelled on NVIDIA's. Which release loads
which is made up: a rule is a vendor's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import json
from typing import Any
import uuid

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.matching import Matcher
from nova_mdev_compat.compat.verdict import Verdict

_NAMESPACE = uuid.UUID('6d646576-636f-6d70-6174-64656d6f0000')

A40 = {'vendor': '10de', 'device': '2235'}
L40S = {'vendor': '10de', 'device': '26b9'}
#: Framebuffer profiles, with how many a board can have.
A40_1Q = 'nvidia-557'
A40_2Q = 'nvidia-558'
L40S_1B = 'nvidia-1145'
AMOUNTS = {A40_1Q: 32, A40_2Q: 24, L40S_1B: 32}

#: Branches of the vGPU manager: the release, and the oldest it loads.
BRANCHES = {15: ('525.147.05', '525.60'),
            16: ('535.161.05', '525.60'),
            17: ('550.90.05', '535.54')}


@dataclasses.dataclass(frozen=True)
class PGpu:
    """What a physical GPU makes, and what is published for it.

    :param document: None where nothing is published.
    :param corrupt: the document's body in placement is damaged.
    """

    mdev_type: str
    document: Document | None
    corrupt: bool = False

    def verdict(self, source: PGpu) -> Verdict | None:
        """Whether it loads a device's state; None: nothing says so."""
        if self.document is None or source.document is None or self.corrupt:
            return None
        return Matcher(self.document).match(
            source.document.device, 'live', plain_only=True)

    def accepts(self, source: PGpu) -> bool:
        return bool(self.verdict(source))


@dataclasses.dataclass(frozen=True)
class Kind:
    """Some compute hosts that are alike.

    :param memory: GiB; Nova prefers the hosts with the most free memory.
    """

    name: str
    hosts: int
    memory: int
    words: str
    pgpus: Sequence[PGpu]


@dataclasses.dataclass(frozen=True)
class Host:
    """One compute host; its pGPUs are in the order of their addresses."""

    name: str
    kind: Kind
    number: int

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, self.name))

    def providers(self) -> Iterator[tuple[str, str, PGpu]]:
        """UUID and name of each pGPU's resource provider."""
        for bus, pgpu in enumerate(self.kind.pgpus, 0x81):
            name = f'{self.name}_pci_0000_{bus:02x}_00_0'
            yield str(uuid.uuid5(_NAMESPACE, name)), name, pgpu


def _pgpu(mdev_type: str, board: dict[str, str], branch: int, ecc: bool,
          corrupt: bool = False) -> PGpu:
    release, oldest = BRANCHES[branch]
    if corrupt:
        # A document of its own: the others' bodies must stay whole.
        release = release[:-1] + '9'
    newest = release.rpartition('.')[0]
    content: dict[str, Any] = {
        'format': 1,
        'self': {'device_api': 'vfio-pci', 'mdev_type': mdev_type,
                 'software_version': release, 'vfio-pci': board,
                 'attributes': {'ecc': ecc}},
        'compatible': [{'software_version': {'minimum': oldest,
                                             'maximum': newest}}],
    }
    return PGpu(mdev_type, loading.load(json.dumps(content)), corrupt)


_RIGHT = _pgpu(A40_2Q, A40, 16, True)
_SMALL = _pgpu(A40_1Q, A40, 16, True)

#: The first host of the first kind is the source.
KINDS = (
    Kind('a40-r16', 8, 512, 'A40, branch 16, ECC on: as the source',
         [_RIGHT] * 3),
    Kind('a40-r17', 7, 512, 'A40, branch 17, ECC on: loads 16 and 17',
         [_pgpu(A40_2Q, A40, 17, True)] * 2),
    Kind('a40-r15', 10, 384, 'A40, branch 15, ECC on: loads 15 only',
         [_pgpu(A40_2Q, A40, 15, True)] * 2),
    Kind('a40-r16-noecc', 6, 768, 'A40, branch 16, ECC off',
         [_pgpu(A40_2Q, A40, 16, False)] * 2),
    Kind('a40-r17-noecc', 4, 384, 'A40, branch 17, ECC off',
         [_pgpu(A40_2Q, A40, 17, False)] * 2),
    Kind('l40s-r17', 6, 1536, 'L40S, branch 17: another board and mdev type',
         [_pgpu(L40S_1B, L40S, 17, True)] * 3),
    Kind('a40-mixed', 4, 1024, 'A40, branch 16, ECC on: the first pGPU makes '
         'another type', [_SMALL, _RIGHT, _RIGHT]),
    Kind('a40-new', 4, 256, 'A40, nothing is published for them',
         [PGpu(A40_2Q, None)] * 2),
    Kind('a40-broken', 1, 256, 'A40, the document in placement is corrupt',
         [_pgpu(A40_2Q, A40, 16, True, corrupt=True)] * 2),
)


def hosts() -> list[Host]:
    """All of them; the source comes first."""
    return [Host(f'{kind.name}-{number:02d}', kind, number)
            for kind in KINDS for number in range(1, kind.hosts + 1)]
