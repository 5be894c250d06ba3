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

"""A device as its document's `self` describes it: flat, frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import re
from typing import TypeAlias

from nova_mdev_compat.compat.versions import Version

#: Path of a field inside `self`: ('mdev_type',), ('vfio-pci', 'vendor'),
#: ('attributes', 'ecc').
Field: TypeAlias = tuple[str, ...]

#: What a field holds; an array is a set, and None stands for "absent".
Value: TypeAlias = str | int | bool | frozenset[str] | Version

#: A scalar of JSON that the language knows.
Scalar: TypeAlias = str | int | bool

MDEV_TYPE: Field = ('mdev_type',)
SOFTWARE_VERSION: Field = ('software_version',)
ATTRIBUTES = 'attributes'
_OF_NO_BUS = {*MDEV_TYPE, *SOFTWARE_VERSION, ATTRIBUTES}

#: The bus facts of the APIs whose facts are known; others take any scalar.
BUS_FACTS: Mapping[str, tuple[str, ...]] = {
    'vfio-pci': ('vendor', 'device', 'subsystem_vendor',
                 'subsystem_device'),
    'vfio-ccw': ('subchannel_type', 'chpid_type'),
}

DEVICE_APIS = ('vfio-pci', 'vfio-platform', 'vfio-amba', 'vfio-ccw',
               'vfio-ap')


@dataclasses.dataclass(frozen=True, slots=True)
class Device:
    """What a device made on a resource provider is.

    :param device_api: one of DEVICE_APIS.
    :param fields: every other fact by its path. An empty set is not there:
        to the language it is the same as none.
    """

    device_api: str
    fields: Mapping[Field, Value]

    @property
    def mdev_type(self) -> str | None:
        found = self.fields.get(MDEV_TYPE)
        return found if isinstance(found, str) else None

    @property
    def software_version(self) -> Version | None:
        found = self.fields.get(SOFTWARE_VERSION)
        return found if isinstance(found, Version) else None


def field_name(field: Field) -> str:
    """The field as a person reads it: bus facts with their bus."""
    return field[-1] if field[0] in _OF_NO_BUS else '.'.join(field)


def plain(value: Value | None) -> Scalar | list[str] | None:
    """The value as JSON has it; sets sorted, so that answers are stable."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Version):
        return value.text
    return value


def same(one: Value | None, other: Value | None) -> bool:
    """Equality in which `true` is not 1."""
    return type(one) is type(other) and one == other


def alike(one: Device, other: Device) -> bool:
    """Equality of devices in which `true` is not 1."""
    return one.device_api == other.device_api and all(
        same(one.fields.get(field), other.fields.get(field))
        for field in one.fields.keys() | other.fields.keys())


# Control characters are those of Unicode's category Cc.
_MDEV_TYPE = re.compile(
    r'[^-/\x00-\x1f\x7f-\x9f]+-[^/\x00-\x1f\x7f-\x9f]+')
_PCI_FACT = re.compile(r'[0-9a-f]{4}')


def is_mdev_type(text: str) -> bool:
    """Whether it is `<driver>-<type>`, as the kernel names mdev types."""
    return _MDEV_TYPE.fullmatch(text) is not None


def is_pci_fact(text: str) -> bool:
    """Whether it is four lower-case hex digits."""
    return _PCI_FACT.fullmatch(text) is not None
