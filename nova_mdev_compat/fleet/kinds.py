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

"""Short names for documents, such that no two of a fleet have the same."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import re

from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import field_name
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.patterns import shown

#: So many characters of a digest are shown where the whole is too long.
SHORT = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One document of a fleet, as a person tells it from the others.

    :param name: the mdev type, or what stands for it in a physical device.
    :param version: the software version; empty where there is none.
    :param details: the facts in which documents of this name differ, such
        as `ecc true`.
    """

    digest: str
    name: str
    version: str
    details: tuple[str, ...]

    @property
    def label(self) -> str:
        """All of it in one line."""
        return ' '.join(filter(None, [self.name, self.version,
                                      ', '.join(self.details)]))


def kinds(documents: Mapping[str, Document]) -> list[Kind]:
    """The kinds of these documents, like ones next to each other."""
    groups = collections.defaultdict(list)
    for digest, document in documents.items():
        groups[kind_name(document.device)].append((digest, document))
    return [kind for name in sorted(groups, key=_natural)
            for kind in _group(name, groups[name])]


def kind_name(device: Device) -> str:
    """The mdev type; for a physical device its PCI ids or its API."""
    if device.mdev_type is not None:
        return device.mdev_type
    ids = [value for name in ('vendor', 'device')
           for value in [device.fields.get((device.device_api, name))]
           if isinstance(value, str)]
    return ':'.join(ids) if len(ids) == 2 else device.device_api


def _group(name: str, members: Sequence[tuple[str, Document]]) -> list[Kind]:
    devices = [document.device for _, document in members]
    differing = _differing(devices)
    made = [Kind(digest, name, str(document.device.software_version or ''),
                 _details(document.device, differing,
                          len({one.device_api for one in devices}) > 1))
            for digest, document in members]
    labels = collections.Counter(kind.label for kind in made)
    # What they accept may still differ, which a label cannot say.
    made = [kind if labels[kind.label] == 1 else dataclasses.replace(
        kind, details=(*kind.details, f'#{kind.digest[:SHORT]}'))
        for kind in made]
    return sorted(made, key=lambda kind: (
        _natural(kind.version), _natural(kind.label), kind.digest))


def _differing(devices: Sequence[Device]) -> list[Field]:
    fields = sorted({field for device in devices for field in device.fields
                     if field not in (MDEV_TYPE, SOFTWARE_VERSION)})
    return [field for field in fields if len({
        (type(value), value) for device in devices
        for value in [device.fields.get(field)]}) > 1]


def _details(device: Device, fields: Iterable[Field],
             with_api: bool) -> tuple[str, ...]:
    api = [device.device_api] if with_api else []
    return (*api, *(f'{field_name(field)} {_words(device, field)}'
                    for field in fields))


def _words(device: Device, field: Field) -> str:
    value = device.fields.get(field)
    if isinstance(value, str):
        return value
    return 'absent' if value is None else shown(value)


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A key that sorts numbers inside a text by their value."""
    return [(0, int(part), '') if part.isdecimal() and part.isascii()
            else (1, 0, part) for part in re.split(r'([0-9]+)', text) if part]
