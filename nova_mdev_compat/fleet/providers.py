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

"""The device providers of a cloud, at one moment, as values."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.inventories import Capacity

#: What is published for a provider.
USABLE, UNPUBLISHED, CORRUPT = 'usable', 'unpublished', 'corrupt'


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """What is published for a provider.

    :param state: USABLE, UNPUBLISHED or CORRUPT.
    :param digest: what its marker names, or its label stands for, if that is
        one document.
    :param document: None unless it is usable.
    :param fault: why it is not usable, in words.
    """

    state: str
    digest: str | None = None
    document: Document | None = None
    fault: str = ''


NOTHING = Publication(UNPUBLISHED, fault='it carries no marker')


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceProvider:
    """A pGPU or PCI device in placement, with one class of devices.

    :param root: UUID of the root of its tree.
    :param host: the root's name: the compute node's.
    """

    uuid: str
    name: str
    root: str
    host: str
    resource_class: str
    capacity: Capacity
    publication: Publication

    @property
    def digest(self) -> str | None:
        return self.publication.digest

    @property
    def document(self) -> Document | None:
        return self.publication.document


@dataclasses.dataclass(frozen=True, slots=True)
class Fleet:
    """All device providers, and the documents that they carry.

    :param providers: in the order of their hosts' and their own names.
    :param documents: usable documents by digest.
    :param unusable: why the others are not usable, by digest.
    :param others: resource classes of the providers that carry a marker and
        have no device, by UUID.
    """

    providers: tuple[DeviceProvider, ...]
    documents: Mapping[str, Document]
    unusable: Mapping[str, str]
    others: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict)

    def of(self, uuid: str, resource_class: str) -> DeviceProvider | None:
        """The provider, if it has devices of the class."""
        return next((one for one in self.providers if one.uuid == uuid
                     and one.resource_class == resource_class), None)

    def carrying(self, digest: str) -> Iterator[DeviceProvider]:
        """The providers with a usable document."""
        return (one for one in self.providers
                if one.digest == digest and one.document is not None)

    @property
    def hosts(self) -> list[str]:
        """The names of the hosts, in order."""
        return list(dict.fromkeys(one.host for one in self.providers))
