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


"""Which mdev type each parent makes, by Nova's own precedence.

The rules are those of `nova/virt/libvirt/driver.py` of Nova 34:
`_get_supported_vgpu_types`, `_get_device_address`, `_get_vgpu_type_per_pgpu`
and `_get_resource_class_for_device`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import re

#: What Nova gives a device that no [mdev_<type>] names by its address.
DEFAULT_CLASS = 'VGPU'

# As in nova/pci/utils.py: any character stands before the function.
_PCI_ADDRESS = re.compile(
    r'[\da-fA-F]{4}:[\da-fA-F]{2}:[\da-fA-F]{2}.[0-7]')


@dataclasses.dataclass(frozen=True, slots=True)
class MdevGroup:
    """A group [mdev_<type>] of nova.conf, of an enabled type."""

    mdev_type: str
    device_addresses: tuple[str, ...] = ()
    mdev_class: str = DEFAULT_CLASS
    max_instances: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class MdevConfiguration:
    """What the groups come to.

    :param types: the mdev type by the address that a group names.
    :param classes: the resource class by the address.
    :param default: the type of every parent that no group names.
    :param virtual: addresses that are no PCI addresses but libvirt names.
    :param maxima: the largest number of devices, by type.
    """

    types: Mapping[str, str] = dataclasses.field(default_factory=dict)
    classes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    default: str | None = None
    virtual: frozenset[str] = frozenset()
    maxima: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def address(self, libvirt_name: str) -> str | None:
        """How Nova writes a parent's address; None if it cannot."""
        if libvirt_name in self.virtual:
            return libvirt_name
        fields = libvirt_name[4:].split('_')
        if len(fields) < 4:
            return None
        address = '{}:{}:{}.{}'.format(*fields)
        return address if _PCI_ADDRESS.fullmatch(address) else None

    def mdev_type(self, libvirt_name: str) -> str | None:
        """The type that Nova makes of a parent, if any."""
        address = self.address(libvirt_name)
        if address is None:
            return None
        return self.types.get(address) or self.default

    def resource_class(self, libvirt_name: str) -> str:
        """The class of the inventory of a parent's provider.

        It is the default class for a parent that has the default type,
        whatever the type's `mdev_class` is.
        """
        address = self.address(libvirt_name)
        # A comma too many in device_addresses names the empty text.
        if address is None:
            return DEFAULT_CLASS
        return self.classes.get(address, DEFAULT_CLASS)


def resolve(groups: Iterable[MdevGroup], exists: Callable[[str], bool]
            ) -> tuple[MdevConfiguration, list[str], list[str]]:
    """Apply the precedence.

    :param groups: in the order of `enabled_mdev_types`.
    :param exists: is there such a path below /sys/devices/virtual?
    :returns: the configuration; errors, with which nova-compute does not
        start; and warnings.
    """
    building = _Building(exists)
    for group in groups:
        building.add(group)
    return building.result(), building.errors, building.warnings


class _Building:

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._types: dict[str, str] = {}
        self._classes: dict[str, str] = {}
        self._virtual: set[str] = set()
        self._maxima: dict[str, int] = {}
        self._default: str | None = None
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def add(self, group: MdevGroup) -> None:
        if group.max_instances:
            self._maxima[group.mdev_type] = group.max_instances
        if not group.device_addresses:
            self._add_default(group)
        for address in group.device_addresses:
            self._add_address(group, address)

    def _add_default(self, group: MdevGroup) -> None:
        if self._default:
            self.warnings.append(
                f'[mdev_{group.mdev_type}] has no device_addresses, and '
                f'{self._default} is the default type already: Nova does '
                f'not use {group.mdev_type}')
            return
        self._default = group.mdev_type
        if group.mdev_class != DEFAULT_CLASS:
            self.warnings.append(
                f'[mdev_{group.mdev_type}] mdev_class is '
                f'{group.mdev_class}, but without device_addresses Nova '
                f'gives {DEFAULT_CLASS}')

    def _add_address(self, group: MdevGroup, address: str) -> None:
        if address in self._types:
            self.errors.append(
                f'[mdev_{group.mdev_type}] device_addresses: {address} is '
                f'named for {self._types[address]} already')
            return
        if not _PCI_ADDRESS.fullmatch(address):
            if not self._exists(address.replace('_', '/')):
                self.errors.append(
                    f'[mdev_{group.mdev_type}] device_addresses: {address} '
                    'is neither a PCI address nor below /sys/devices/virtual')
                return
            self._virtual.add(address)
        self._types[address] = group.mdev_type
        self._classes[address] = group.mdev_class

    def result(self) -> MdevConfiguration:
        return MdevConfiguration(
            types=self._types, classes=self._classes, default=self._default,
            virtual=frozenset(self._virtual), maxima=self._maxima)
