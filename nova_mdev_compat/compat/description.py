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

"""A document in words."""

from __future__ import annotations

from collections.abc import Iterator

from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import field_name
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Entry
from nova_mdev_compat.compat.patterns import shown
from nova_mdev_compat.compat.templates import Template


def describe(document: Document) -> Iterator[str]:
    """Lines: what the device is, then what its provider accepts."""
    yield f'is {describe_device(document.device)}'
    if not document.entries:
        yield 'accepts nothing, not even its own kind'
    for entry in document.entries:
        yield f'accepts {describe_entry(entry, document.device)}'


def describe_device(device: Device) -> str:
    """What a device is, in one line."""
    words = [device.mdev_type or 'a physical device',
             f'device_api {device.device_api}']
    if device.software_version is not None:
        words.append(f'software_version {device.software_version}')
    words += [f'{field_name(field)} {shown(value)}'
              for field, value in sorted(device.fields.items())
              if field not in (MDEV_TYPE, SOFTWARE_VERSION)]
    return ', '.join(words)


def describe_entry(entry: Entry, device: Device) -> str:
    """Which sources an entry of this device's document accepts."""
    kind = entry.named.get(MDEV_TYPE)
    words = ['its own kind' if kind is None else f'mdev_type {kind.words()}']
    version = entry.named.get(SOFTWARE_VERSION)
    if version is not None:
        words.append(f'software_version {version.words()}')
    elif device.software_version is not None:
        major, minor = device.software_version.release
        words.append(f'at {major}.0 to {major}.{minor}')
    words += [f'{field_name(field)} {pattern.words()}'
              for field, pattern in sorted(
                  entry.named.items(), key=lambda named: named[0])
              if field not in (MDEV_TYPE, SOFTWARE_VERSION)]
    text = ', '.join(words)
    if entry.recipe.fields:
        text += '; made here with ' + ', '.join(_recipe(entry))
    return text if entry.level == 'live' else f'{text}; cold moves only'


def _recipe(entry: Entry) -> Iterator[str]:
    for field, value in entry.recipe.fields.items():
        if isinstance(value, Template):
            yield f'{field[-1]} {shown(value.text)}'
        elif isinstance(value, tuple):
            yield f'{field[-1]} {shown(frozenset(value))}'
        else:
            yield f'{field[-1]} {shown(value)}'
