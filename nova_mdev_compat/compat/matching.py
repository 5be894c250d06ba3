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

"""Matching: one destination's document against source devices."""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses

from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import plain
from nova_mdev_compat.compat.device import same
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Created
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Entry
from nova_mdev_compat.compat.document import Level
from nova_mdev_compat.compat.faults import pointer
from nova_mdev_compat.compat.patterns import Absent
from nova_mdev_compat.compat.patterns import default
from nova_mdev_compat.compat.patterns import Pattern
from nova_mdev_compat.compat.patterns import shown
from nova_mdev_compat.compat.templates import Unfillable
from nova_mdev_compat.compat.variables import Bindings
from nova_mdev_compat.compat.verdict import Reason
from nova_mdev_compat.compat.verdict import Verdict

_ABSENT = Absent()
_CODES = {MDEV_TYPE[0]: 'mdev-type', SOFTWARE_VERSION[0]: 'version',
          ATTRIBUTES: 'attribute'}


@dataclasses.dataclass(frozen=True, slots=True)
class _Rule:
    """An entry with `self` behind it: a pattern for every field it knows."""

    entry: Entry
    patterns: dict[Field, Pattern]

    def tests(self, source: Device) -> Iterator[tuple[Field, Pattern]]:
        yield from self.patterns.items()
        # A field that neither `self` nor the entry knows must be absent.
        for field in source.fields.keys() - self.patterns.keys():
            yield field, _ABSENT

    def bind(self, source: Device) -> Bindings | None:
        bound: Bindings = {}
        for field, pattern in self.tests(source):
            found = pattern.match(source.fields.get(field), bound)
            if found is None:
                return None
            bound = found
        return bound

    def failures(self, source: Device) -> Iterator[Reason]:
        bound: Bindings = {}
        for field, pattern in self.tests(source):
            value = source.fields.get(field)
            found = pattern.match(value, bound)
            if found is None:
                yield self._failure(field, pattern, source, bound)
            else:
                bound = found

    def _failure(self, field: Field, pattern: Pattern, source: Device,
                 bound: Bindings) -> Reason:
        value = source.fields.get(field)
        wanted = pattern.words()
        if pattern.match(value, {}) is not None:
            wanted += f', and {_bindings(bound)} from its other fields'
        found = f'the source has {shown(value)}'
        return Reason(
            _CODES.get(field[0], 'bus-fact'), pointer(field),
            self.entry.index, plain(value), wanted,
            f'{field[-1]}: {found}, this device accepts {wanted}')


class Matcher:
    """A document, compiled: says which source devices it accepts.

    Frozen after construction, so threads may share it.
    """

    def __init__(self, document: Document) -> None:
        self.device = document.device
        defaults = {field: default(value)
                    for field, value in document.device.fields.items()}
        self._rules = tuple(
            _Rule(entry, {**defaults, **entry.named})
            for entry in document.entries)

    def match(self, source: Device, level: Level = 'live',
              plain_only: bool = False) -> Verdict:
        """Whether the document's provider accepts the source device.

        :param level: `live` asks the live entries only, `cold` all.
        :param plain_only: entries whose `create` asks for anything but
            `self` do not count: whoever makes the device makes a plain one.
        """
        if source.device_api == self.device.device_api:
            for rule in self._of(level):
                verdict = self._accepted(rule, source, plain_only)
                if verdict is not None:
                    return verdict
        return Verdict(False, reasons=self._refusal(source, level))

    def is_plain(self, created: Created) -> bool:
        """Whether the recipe asks for nothing but what `self` is."""
        if created.get('mdev_type', self.device.mdev_type) \
                != self.device.mdev_type:
            return False
        attributes = created.get(ATTRIBUTES, {})
        assert isinstance(attributes, dict)
        for name, value in attributes.items():
            wanted = (frozenset(value) or None) if isinstance(value, list) \
                else value
            if not same(wanted, self.device.fields.get((ATTRIBUTES, name))):
                return False
        return True

    def _of(self, level: Level) -> Iterator[_Rule]:
        for rule in self._rules:
            if level == 'cold' or rule.entry.level == 'live':
                yield rule

    def _accepted(self, rule: _Rule, source: Device,
                  plain_only: bool) -> Verdict | None:
        bound = rule.bind(source)
        if bound is None:
            return None
        try:
            created = rule.entry.recipe.fill(bound)
        except Unfillable:
            return None
        if plain_only and not self.is_plain(created):
            return None
        return Verdict(True, rule.entry.index, bound, created)

    def _refusal(self, source: Device, level: Level) -> tuple[Reason, ...]:
        if source.device_api != self.device.device_api:
            return (_device_api(source, self.device),)
        rules = list(self._of(level))
        if not rules:
            return (self._nothing(),)
        # An entry whose every field fits is the closest, whatever its
        # recipe; so it counts as having no failure.
        closest = min(
            ((len(failures), failures or [_create(rule, source)])
             for rule in rules
             for failures in [list(rule.failures(source))]),
            key=lambda found: found[0])[1]
        return tuple(closest) + self._cold_hint(source, level)

    def _nothing(self) -> Reason:
        if not self._rules:
            return _reason('accepts-nothing', None, 'this device accepts '
                           'nothing, not even its own kind')
        return _reason('level', None, 'this device accepts no device with '
                       'its state: all its entries are of level cold')

    def _cold_hint(self, source: Device, level: Level) -> tuple[Reason, ...]:
        """Says so when only the level stands in the way."""
        if level == 'cold':
            return ()
        for rule in self._rules:
            if rule.entry.level == 'cold' and rule.bind(source) is not None:
                return (_reason(
                    'level', rule.entry.index, f'entry {rule.entry.index} '
                    'would accept it, but only for a move that makes the '
                    'device anew'),)
        return ()


def _reason(code: str, entry: int | None, message: str) -> Reason:
    return Reason(code, '', entry, None, '', message)


def _device_api(source: Device, destination: Device) -> Reason:
    wanted = f'only {shown(destination.device_api)}'
    return Reason(
        'device-api', '/device_api', None, source.device_api, wanted,
        f'device_api: the source has {shown(source.device_api)}, this device '
        f'accepts {wanted}: the migration stream belongs to it')


def _create(rule: _Rule, source: Device) -> Reason:
    index = rule.entry.index
    bound = rule.bind(source)
    assert bound is not None
    try:
        created = rule.entry.recipe.fill(bound)
    except Unfillable as error:
        return _reason('create', index, f'entry {index} matches, but its '
                       f'create gives no device: {error}')
    return Reason(
        'create', '', index, created, 'only a plain device',
        f'entry {index} matches, but its create asks for more than the '
        'plain device that is made here')


def _bindings(bound: Bindings) -> str:
    return ', '.join(f'{name} is {bound[name]}' for name in sorted(bound))
