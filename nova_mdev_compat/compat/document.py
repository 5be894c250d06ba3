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

"""A document, read and found right: the values that the matcher works on."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import Literal
from typing import TypeAlias

from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import is_mdev_type
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import Scalar
from nova_mdev_compat.compat.patterns import Pattern
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.templates import Unfillable
from nova_mdev_compat.compat.variables import Bindings

#: What a move does to the device: it takes its state along, or makes it anew.
Level: TypeAlias = Literal['live', 'cold']

LEVELS: tuple[Level, ...] = ('live', 'cold')

#: What a match asks for: {'mdev_type': ..., 'attributes': {...}}, each only
#: where the entry's `create` names something.
Created: TypeAlias = dict[
    str, str | dict[str, Scalar | list[str]]]


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """How to make the accepted device: an entry's `create`.

    :param fields: a Template, or a value as it is, by the field's path.
    """

    fields: Mapping[Field, Template | Scalar | tuple[str, ...]]

    def fill(self, bound: Bindings) -> Created:
        """The recipe for these bindings.

        :raises Unfillable: no device could have such a value.
        """
        created: Created = {}
        attributes: dict[str, Scalar | list[str]] = {}
        for field, value in self.fields.items():
            if field == MDEV_TYPE:
                assert isinstance(value, Template)
                created[field[0]] = _mdev_type(value.fill(bound))
            elif isinstance(value, Template):
                attributes[field[1]] = value.fill_value(bound)
            elif isinstance(value, tuple):
                attributes[field[1]] = list(value)
            else:
                attributes[field[1]] = value
        if attributes:
            created[ATTRIBUTES] = attributes
        return created


def _mdev_type(text: str) -> str:
    if not is_mdev_type(text):
        raise Unfillable(f'{text!r} is not an mdev type')
    return text


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `compatible`.

    :param index: its place in the array.
    :param named: the fields that it names, with their patterns.
    """

    index: int
    level: Level
    named: Mapping[Field, Pattern]
    recipe: Recipe


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """What a provider's device is, and which source devices it accepts.

    :param device: `self`.
    :param entries: `compatible`, in order.
    :param canonical: the canonical form that it was read from.
    """

    device: Device
    entries: tuple[Entry, ...]
    canonical: bytes
