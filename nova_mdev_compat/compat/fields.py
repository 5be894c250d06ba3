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

"""Reading what an entry says of one field: a JSON value into a pattern."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_mdev_compat.compat.device import is_mdev_type
from nova_mdev_compat.compat.device import is_pci_fact
from nova_mdev_compat.compat.patterns import Absent
from nova_mdev_compat.compat.patterns import AnyOf
from nova_mdev_compat.compat.patterns import Anything
from nova_mdev_compat.compat.patterns import Between
from nova_mdev_compat.compat.patterns import Equal
from nova_mdev_compat.compat.patterns import Loads
from nova_mdev_compat.compat.patterns import Pattern
from nova_mdev_compat.compat.patterns import Releases
from nova_mdev_compat.compat.patterns import Superset
from nova_mdev_compat.compat.patterns import Text
from nova_mdev_compat.compat.places import Faults
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.compat.shapes import can_be_mdev_type
from nova_mdev_compat.compat.shapes import can_be_pci_fact
from nova_mdev_compat.compat.templates import InvalidTemplate
from nova_mdev_compat.compat.templates import Template
from nova_mdev_compat.compat.variables import Variable
from nova_mdev_compat.compat.versions import InvalidVersion
from nova_mdev_compat.compat.versions import Version

Variables = dict[str, Variable]


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """What the strings of a field have in common.

    :param text: whether a literal can be a value of the field.
    :param template: whether a template can give such a literal.
    :param wanted: what is right, for a message.
    """

    text: Callable[[str], bool]
    template: Callable[[Template, Variables], bool]
    wanted: str


MDEV_TYPE = Kind(
    is_mdev_type, can_be_mdev_type,
    'an mdev type is <driver>-<type>, neither part empty, without "/" or '
    'control characters')
PCI_FACT = Kind(is_pci_fact, can_be_pci_fact,
                'a PCI fact is four lower-case hex digits')
FREE = Kind(lambda text: True, lambda template, variables: True, '')


def read_template(text: str, kind: Kind, variables: Variables, path: Path,
                  faults: Faults) -> Template | None:
    """The template, or None and a fault."""
    try:
        template = Template(text)
    except InvalidTemplate as error:
        faults.add(path, str(error))
        return None
    unknown = sorted(template.names - variables.keys())
    if unknown:
        faults.add(path, f'{text!r} uses {", ".join(unknown)}, which '
                   '"variables" does not declare')
        return None
    if not _possible(template, kind, variables):
        faults.add(path, f'{text!r} can never be right: {kind.wanted}')
        return None
    return template


def _possible(template: Template, kind: Kind, variables: Variables) -> bool:
    if template.literal is not None:
        return kind.text(template.literal)
    return kind.template(template, variables)


def read_pattern(value: Any, kind: Kind, variables: Variables, path: Path,
                 faults: Faults) -> Pattern | None:
    """The pattern of any field but the version, or None and a fault."""
    if faults.broken(path):
        return None
    if isinstance(value, str):
        template = read_template(value, kind, variables, path, faults)
        if template is None:
            return None
        if template.literal is not None:
            return Equal(template.literal)
        return Text(template, variables)
    if isinstance(value, list):
        return Superset(frozenset(value))
    if isinstance(value, dict):
        return _operator(value, kind, path, faults)
    return Equal(value)


def _operator(value: Mapping[str, Any], kind: Kind, path: Path,
              faults: Faults) -> Pattern | None:
    if 'any' in value:
        return Anything()
    if 'absent' in value:
        return Absent()
    if 'any_of' in value:
        return _any_of(value['any_of'], kind, path, faults)
    minimum, maximum = value.get('minimum'), value.get('maximum')
    if minimum is not None and maximum is not None and minimum > maximum:
        faults.add(path, f'the minimum {minimum} is over the maximum '
                   f'{maximum}')
        return None
    return Between(minimum, maximum)


def _any_of(values: list[Any], kind: Kind, path: Path,
            faults: Faults) -> Pattern | None:
    for index, value in enumerate(values):
        if isinstance(value, str) and not kind.text(value):
            faults.add((*path, 'any_of', index),
                       f'{value!r} can never be right: {kind.wanted}')
    return None if faults.broken(path) else AnyOf(tuple(values))


def read_version(text: str, path: Path, faults: Faults) -> Version | None:
    """The version, or None and a fault."""
    try:
        return Version(text)
    except InvalidVersion as error:
        faults.add(path, str(error))
        return None


def read_version_pattern(value: Any, path: Path,
                         faults: Faults) -> Pattern | None:
    """The pattern of `software_version`, or None and a fault."""
    if faults.broken(path):
        return None
    if isinstance(value, str):
        version = read_version(value, path, faults)
        return None if version is None else Loads(version, named=True)
    if 'any' in value:
        return Anything()
    if 'absent' in value:
        return Absent()
    bounds = {name: read_version(value[name], (*path, name), faults)
              for name in ('minimum', 'maximum') if name in value}
    if faults.broken(path):
        return None
    minimum, maximum = bounds.get('minimum'), bounds.get('maximum')
    if minimum and maximum and minimum.release > maximum.release:
        faults.add(path, f'the minimum {minimum} is over the maximum '
                   f'{maximum}')
        return None
    return Releases(minimum, maximum)
