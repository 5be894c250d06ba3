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

"""Reading a document that its JSON Schema has passed: the semantic checks."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import types
from typing import Any

from nova_mdev_compat.compat import device
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.entries import EntryReader
from nova_mdev_compat.compat.entries import members
from nova_mdev_compat.compat.entries import read_bus_name
from nova_mdev_compat.compat.faults import Fault
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat import fields
from nova_mdev_compat.compat.places import Faults
from nova_mdev_compat.compat.places import Path


def read(value: Any, canonical: bytes, broken: Iterable[Path] = (),
         known: Iterable[Fault] = ()) -> Document:
    """The document that a JSON value is.

    :param value: the parsed JSON.
    :param canonical: its canonical form, kept with the document.
    :param broken: the places of the faults that the JSON Schema has found.
        They are not read, but everything else is, so that one look tells
        every fault.
    :param known: those faults.
    :raises InvalidDocument: there are faults, `known` or new.
    """
    faults = Faults(broken)
    found = _read_device(members(members(value).get('self')), faults)
    entries = []
    compatible = members(value).get('compatible')
    for index, entry in enumerate(
            compatible if isinstance(compatible, list) else ()):
        reader = EntryReader(
            members(entry), ('compatible', index), found, faults)
        entries.append(reader.read())
    every = sorted({*known, *faults.found})
    if every:
        raise InvalidDocument(every)
    assert found is not None
    return Document(found, tuple(e for e in entries if e is not None),
                    canonical)


def _read_device(value: dict[str, Any],
                 faults: Faults) -> device.Device | None:
    """`self`, without its members at fault; None without a device API."""
    path: Path = ('self',)
    api = value.get('device_api')
    if faults.broken((*path, 'device_api')) or not isinstance(api, str):
        return None
    read_bus_name(value, api, path, faults)
    found = {field: content for field, content in _device_fields(
        value, api, faults) if content is not None}
    return device.Device(api, types.MappingProxyType(found))


def _device_fields(value: dict[str, Any], api: str, faults: Faults
                   ) -> Iterator[tuple[device.Field, device.Value | None]]:
    for name in ('mdev_type', 'software_version'):
        path: Path = ('self', name)
        if name not in value or faults.broken(path):
            continue
        if name == 'software_version':
            yield (name,), fields.read_version(value[name], path, faults)
        else:
            yield (name,), value[name]
    for group in (api, device.ATTRIBUTES):
        for name, content in members(value.get(group)).items():
            if not faults.broken(('self', group, name)):
                yield (group, name), _value(content)


def _value(content: Any) -> device.Value | None:
    """An empty set is the same as none."""
    if isinstance(content, list):
        return frozenset(content) or None
    value: device.Value = content
    return value
