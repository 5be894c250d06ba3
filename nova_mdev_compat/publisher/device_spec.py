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


"""Nova's `[pci] device_spec`: which PCI devices Nova hands out.

The rules are those of `nova/pci/devspec.py` and `nova/pci/whitelist.py` of
Nova 34.  `devname` is refused, as PCI in placement does.  The devices of a
`remote_managed` entry are left out: which those are depends on the serial
number of a DPU's card, and they are its ports.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import json
import re
import string
from typing import Any

import os_resource_classes
from oslo_utils import strutils

_ANY = '*'
_FIELDS = (('domain', 0xFFFF, '%04x'), ('bus', 0xFF, '%02x'),
           ('slot', 0x1F, '%02x'), ('function', 0x7, '%01x'))
_ADDRESS = re.compile(
    '([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})[.]([0-7])')
_BOOLEANS = ('managed', 'live_migratable', 'one_time_use')


class InvalidDeviceSpec(ValueError):
    """Nova does not start with such a device_spec, or it is not known here."""


def address_fields(address: str) -> tuple[str, ...] | None:
    """Domain, bus, slot and function of a device of sysfs.

    None for a domain of more than 16 bits: Nova leaves such devices out.
    """
    fields = _ADDRESS.fullmatch(address)
    return fields.groups() if fields else None


@dataclasses.dataclass(frozen=True, slots=True)
class AddressPattern:
    """The `address` of a device_spec.

    :param fields: domain, bus, slot and function: hex digits or `*`, or
        regular expressions.
    :param regex: they are regular expressions.
    """

    fields: tuple[str, ...]
    regex: bool = False

    def matches(self, address: str) -> bool:
        """Does it match an address as sysfs writes it?"""
        fields = address_fields(address)
        if fields is None:
            return False
        if self.regex:
            return all(re.match(pattern, field)
                       for pattern, field in zip(self.fields, fields))
        return all(pattern in (_ANY, field)
                   for pattern, field in zip(self.fields, fields))

    def single(self) -> str | None:
        """The one address that it is, or None if it is a pattern.

        Nova takes a regular expression that is all hex digits for one too.
        """
        if all(letter in string.hexdigits
               for field in self.fields for letter in field):
            return '{}:{}:{}.{}'.format(*self.fields)
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One entry of device_spec.

    :param text: the entry as JSON.
    :param tags: what is neither an id nor an address.
    """

    text: str
    vendor_id: str
    product_id: str
    address: AddressPattern
    tags: dict[str, Any]

    def matches(self, vendor_id: str, product_id: str, address: str,
                physical_function: str | None) -> bool:
        """Does it match a device?

        :param physical_function: address of the device's physical function,
            if the entry's address is that of a physical function too.
        """
        return (self.vendor_id in (_ANY, vendor_id)
                and self.product_id in (_ANY, product_id)
                and (self.address.matches(address)
                     or physical_function is not None
                     and self.address.matches(physical_function)))

    @property
    def tracked_in_placement(self) -> bool:
        """A device with a physical network is Neutron's."""
        return not self.tags.get('physical_network')

    @property
    def remote_managed(self) -> bool:
        return bool(strutils.bool_from_string(
            self.tags.get('remote_managed')))

    @property
    def traits(self) -> frozenset[str]:
        """What Nova puts on the provider, all of it as custom traits."""
        traits = [trait for trait in
                  str(self.tags.get('traits') or '').upper().split(',')
                  if trait]
        if strutils.bool_from_string(self.tags.get('live_migratable')):
            traits.append('HW_PCI_LIVE_MIGRATABLE')
        return frozenset(_custom(trait) for trait in traits)

    def resource_class(self, vendor_id: str, product_id: str) -> str:
        """The class that Nova gives a device of these ids."""
        requested = self.tags.get('resource_class')
        if not requested:
            return f'CUSTOM_PCI_{vendor_id}_{product_id}'.upper()
        name = str(requested).upper()
        if name in os_resource_classes.STANDARDS:
            return name
        return _custom(name)


def _custom(name: str) -> str:
    """A name in capitals as placement takes it, of a class or a trait."""
    if os_resource_classes.is_custom(name):
        return name
    return str(os_resource_classes.normalize_name(name))


def read(entries: Iterable[str]) -> tuple[DeviceSpec, ...]:
    """The entries of a nova.conf, each a JSON object or an array of them.

    :raises InvalidDeviceSpec: one of them is invalid or not supported.
    """
    return tuple(_spec(entry) for text in entries for entry in _load(text))


def _load(text: str) -> Iterator[dict[str, Any]]:
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise InvalidDeviceSpec(f'{text}: not JSON: {error}') from error
    for entry in loaded if isinstance(loaded, list) else [loaded]:
        if not isinstance(entry, dict):
            raise InvalidDeviceSpec(
                f'{text}: it must be an object or an array of objects')
        yield entry


def _spec(entry: dict[str, Any]) -> DeviceSpec:
    text = json.dumps(entry)
    try:
        return _checked_spec(text, dict(entry))
    except InvalidDeviceSpec as error:
        raise InvalidDeviceSpec(f'{text}: {error}') from error


def _checked_spec(text: str, tags: dict[str, Any]) -> DeviceSpec:
    if tags.pop('devname', None):
        raise InvalidDeviceSpec(
            'devname is refused by PCI in placement: give the address')
    for tag in _BOOLEANS:
        _check_boolean(tag, tags.get(tag))
    vendor_id = _id('vendor_id', tags.pop('vendor_id', _ANY), strip=True)
    product_id = _id('product_id', tags.pop('product_id', _ANY))
    address = _address(tags.pop('address', None) or '*:*:*.*')
    return DeviceSpec(text, vendor_id, product_id, address, tags)


def _check_boolean(tag: str, value: object) -> None:
    try:
        if value is not None:
            strutils.bool_from_string(value, strict=True)
    except ValueError as error:
        raise InvalidDeviceSpec(f'{tag}: {error}') from error


def _id(name: str, value: object, strip: bool = False) -> str:
    if not isinstance(value, str):
        raise InvalidDeviceSpec(f'{name}: {value!r} is not a string')
    return _number(name, value.strip() if strip else value, 0xFFFF, '%04x')


def _number(name: str, text: str, maximum: int, form: str) -> str:
    if text == _ANY:
        return text
    try:
        value = int(text, 16)
    except ValueError:
        raise InvalidDeviceSpec(
            f'{name}: {text!r} is not a hex number') from None
    if value > maximum:
        raise InvalidDeviceSpec(
            f'{name}: {text} is greater than {maximum:X}')
    return form % value


def _address(value: object) -> AddressPattern:
    if isinstance(value, str):
        return _glob(value)
    if isinstance(value, dict):
        return _regex(value)
    raise InvalidDeviceSpec(
        f'address: {value!r} is neither a string nor an object')


def _glob(text: str) -> AddressPattern:
    """`[[[[<domain>]:]<bus>]:][<slot>][.[<function>]]`, empty is any."""
    before, _, function = text.partition('.')
    parts = before.split(':')
    if len(parts) > 3:
        raise InvalidDeviceSpec(f'address: {text!r} has too many parts')
    texts = [_ANY] * (3 - len(parts))
    texts += [part.strip() or _ANY for part in parts]
    texts.append(function.strip() if function else _ANY)
    return AddressPattern(tuple(
        _number(f'address: {name}', text, maximum, form)
        for text, (name, maximum, form) in zip(texts, _FIELDS)))


def _regex(value: dict[str, Any]) -> AddressPattern:
    patterns = tuple(value.get(name, '.*') for name, _, _ in _FIELDS)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise InvalidDeviceSpec(
                f'address: {pattern!r} is not a regular expression: '
                f'{error}') from error
    return AddressPattern(patterns, regex=True)
