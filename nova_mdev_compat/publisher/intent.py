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

"""What a host wants its providers to carry."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses

from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.compat.document import Document


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """The provider of the host itself.

    :param uuid: as nova-compute's `compute_id` file has it, or None.
    :param names: the hypervisor hostname, and what else it may be called;
        looked up only without a UUID.
    """

    uuid: str | None
    names: tuple[str, ...]

    def __str__(self) -> str:
        names = ' or '.join(self.names)
        return names if self.uuid is None else f'{names} ({self.uuid})'


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What one provider is to carry.

    :param names: of the document's traits.
    :param doubted: the document may be wrong, so one that is published
        already stays.
    :param optional: Nova may well make no such provider.
    :param device_spec: for PCI in placement, where Nova takes off every
        trait that its own configuration does not name: the entry that names
        the device, as JSON.
    """

    document: Document
    names: TraitNames
    doubted: bool = False
    optional: bool = False
    device_spec: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Intent:
    """What all providers of a host are to carry.

    :param wanted: by what follows the root's name in a provider's name.
    :param unknown: where it could not be found out, why, by the same; such
        providers are left as they are.
    """

    root: Root
    wanted: Mapping[str, Wanted]
    unknown: Mapping[str, str] = dataclasses.field(default_factory=dict)


def provider_name(root: str, suffix: str) -> str:
    """Name that Nova gives to the provider of a device."""
    return f'{root}_{suffix}'
