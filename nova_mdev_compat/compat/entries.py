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

"""Reading one entry of `compatible`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import DEVICE_APIS
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import Scalar
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Entry
from nova_mdev_compat.compat.document import Recipe
from nova_mdev_compat.compat import fields
from nova_mdev_compat.compat.patterns import Equal
from nova_mdev_compat.compat.patterns import Pattern
from nova_mdev_compat.compat.patterns import Text
from nova_mdev_compat.compat.places import Faults
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.variables import INT64_MAX
from nova_mdev_compat.compat.variables import INT64_MIN
from nova_mdev_compat.compat.variables import Variable

_BIND_NOTHING = {SOFTWARE_VERSION[0], 'level', 'variables'}

# Stands for a variable whose declaration is at fault: every value that one
# could have, so that what uses it is not blamed for that.
_UNREAD = Variable(INT64_MIN, INT64_MAX)


def members(value: Any) -> dict[str, Any]:
    """The members of what should be an object; none if it is not one.

    That it is none is a fault which the JSON Schema has told already.
    """
    return value if isinstance(value, dict) else {}


def read_bus_name(value: dict[str, Any], device_api: str, path: Path,
                  faults: Faults) -> None:
    """A member named after another device API is a fault."""
    for name in DEVICE_APIS:
        if name in value and name != device_api:
            faults.add((*path, name), f'the device API is {device_api}: only '
                       f'a member "{device_api}" can hold its bus facts')


class EntryReader:
    """Reads the entry at `path`, once.

    :param device: `self`, or None when its device API could not be read:
        then what depends on it is not looked at.
    """

    def __init__(self, value: dict[str, Any], path: Path,
                 device: Device | None, faults: Faults) -> None:
        self.value = value
        self.path = path
        self.device = device
        self.faults = faults
        self.variables: dict[str, Variable] = {}
        # Without them no use of a variable can be judged.
        self.named_variables = isinstance(value.get('variables', {}), dict)

    def read(self) -> Entry | None:
        """The entry, or None and at least one fault."""
        self._read_variables()
        named = self._read_named()
        recipe = self._read_recipe()
        self._check_version_named(named)
        self._check_bound(named, recipe)
        if self.faults.broken(self.path):
            return None
        return Entry(int(self.path[-1]), self.value.get('level', 'live'),
                     named, Recipe(recipe))

    def _read_variables(self) -> None:
        for name, value in members(self.value.get('variables')).items():
            path = (*self.path, 'variables', name)
            variable = _UNREAD
            if self.faults.broken(path):
                pass
            elif 'enum' in value:
                variable = Variable.of(frozenset(value['enum']))
            elif value['minimum'] > value['maximum']:
                self.faults.add(path, f'the minimum {value["minimum"]} is '
                                f'over the maximum {value["maximum"]}')
            else:
                variable = Variable(value['minimum'], value['maximum'])
            self.variables[name] = variable

    def _read_named(self) -> dict[Field, Pattern]:
        named: dict[Field, Pattern] = {}
        for field, value, kind in self._fields():
            path = (*self.path, *field)
            if field == SOFTWARE_VERSION:
                pattern = fields.read_version_pattern(
                    value, path, self.faults)
            elif self.named_variables:
                pattern = fields.read_pattern(
                    value, kind, self.variables, path, self.faults)
            else:
                continue
            if pattern is not None:
                named[field] = pattern
        return named

    def _fields(self) -> Iterator[tuple[Field, Any, fields.Kind]]:
        for field, kind in ((MDEV_TYPE, fields.MDEV_TYPE),
                            (SOFTWARE_VERSION, fields.FREE)):
            if field[0] in self.value:
                yield field, self.value[field[0]], kind
        if self.device is not None:
            read_bus_name(self.value, self.device.device_api, self.path,
                          self.faults)
            yield from self._bus_facts(self.device.device_api)
        for name, value in members(self.value.get(ATTRIBUTES)).items():
            yield (ATTRIBUTES, name), value, fields.FREE

    def _bus_facts(self, bus: str) -> Iterator[tuple[Field, Any,
                                                     fields.Kind]]:
        kind = fields.PCI_FACT if bus == 'vfio-pci' else fields.FREE
        for name, value in members(self.value.get(bus)).items():
            yield (bus, name), value, kind

    def _read_recipe(self) -> dict[Field, Template | Scalar
                                   | tuple[str, ...]]:
        recipe: dict[Field, Template | Scalar | tuple[str, ...]] = {}
        for field, value, kind in self._created():
            path = (*self.path, 'create', *field)
            if self.faults.broken(path) or not self.named_variables:
                continue
            if isinstance(value, list):
                recipe[field] = tuple(value)
            elif isinstance(value, str):
                template = fields.read_template(
                    value, kind, self.variables, path, self.faults)
                if template is not None:
                    recipe[field] = template
            else:
                recipe[field] = value
        return recipe

    def _created(self) -> Iterator[tuple[Field, Any, fields.Kind]]:
        create = members(self.value.get('create'))
        if MDEV_TYPE[0] in create:
            yield MDEV_TYPE, create[MDEV_TYPE[0]], fields.MDEV_TYPE
        for name, value in members(create.get(ATTRIBUTES)).items():
            yield (ATTRIBUTES, name), value, fields.FREE

    def _check_version_named(self, named: dict[Field, Pattern]) -> None:
        """Versions of different types are not comparable (section 4)."""
        device = self.device
        if device is None or device.software_version is None \
                or SOFTWARE_VERSION[0] in self.value \
                or self.faults.broken(('self', *MDEV_TYPE)):
            return
        field = self._relative(device, named)
        if field is not None:
            self.faults.add(
                self.path, f'it names {field}, so "software_version" must be '
                'named too: the version of "self" is relative to its own '
                f'{field}')

    def _relative(self, device: Device,
                  named: dict[Field, Pattern]) -> str | None:
        """The field, named here, that the version of `self` is relative to.
        """
        if MDEV_TYPE[0] in self.value:
            own = device.mdev_type
            if own is None or named.get(MDEV_TYPE, Equal(own)) != Equal(own):
                return MDEV_TYPE[0]
        if device.mdev_type is None \
                and members(self.value.get(device.device_api)):
            return device.device_api
        return None

    def _check_bound(self, named: dict[Field, Pattern], recipe: dict[
            Field, Template | Scalar | tuple[str, ...]]) -> None:
        # A template that could not be read may have bound any of them.
        if self.device is None or any(
                self.faults.broken((*self.path, name))
                for name in self.value.keys() - _BIND_NOTHING):
            return
        bound = {name for pattern in named.values()
                 if isinstance(pattern, Text)
                 for name in pattern.template.names}
        created = {name for value in recipe.values()
                   if isinstance(value, Template) for name in value.names}
        for name in sorted(self.variables.keys() - bound):
            path = (*self.path, 'variables', name)
            if self.faults.broken(path):
                continue
            if name in created:
                self.faults.add(path, '"create" uses it, but no field of the '
                                'entry binds it to a value of the source')
            else:
                self.faults.add(path, 'it is declared but not used')
