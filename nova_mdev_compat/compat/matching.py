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
from collections.abc import Mapping
from typing import TypeAlias

from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import Field
from nova_mdev_compat.compat.device import field_name
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

_CODES = {MDEV_TYPE[0]: 'mdev-type', SOFTWARE_VERSION[0]: 'version',
          ATTRIBUTES: 'attribute'}

#: The fields in which a source fails the default test, with that test. It is
#: made once for a source: an entry matches when it names all of them, and
#: all that it names fits. So an entry costs what it names, and no more.
Differences: TypeAlias = Mapping[Field, Pattern]


def _bind(entry: Entry, source: Device,
          differences: Differences) -> Bindings | None:
    """What the entry's variables stand for; None: it does not match."""
    if not differences.keys() <= entry.named.keys():
        return None
    bound: Bindings = {}
    for field, pattern in entry.named.items():
        found = pattern.match(source.fields.get(field), bound)
        if found is None:
            return None
        bound = found
    return bound


def _failures(entry: Entry, source: Device,
              differences: Differences) -> list[tuple[Field, Pattern, str]]:
    """The fields that do not fit, their tests, and what binds them."""
    return [*((field, pattern, '') for field, pattern in differences.items()
              if field not in entry.named),
            *_named_failures(entry, source)]


def _distance(entry: Entry, source: Device, differences: Differences) -> int:
    """How many fields do not fit; as everything here, it costs what the entry
    names, not what the source differs in.
    """
    named = sum(field in differences for field in entry.named)
    return len(differences) - named + len(_named_failures(entry, source))


def _named_failures(entry: Entry, source: Device
                    ) -> list[tuple[Field, Pattern, str]]:
    failures: list[tuple[Field, Pattern, str]] = []
    bound: Bindings = {}
    for field, pattern in entry.named.items():
        value = source.fields.get(field)
        found = pattern.match(value, bound)
        if found is not None:
            bound = found
        elif bound and pattern.match(value, {}) is not None:
            failures.append((field, pattern, _bindings(bound)))
        else:
            failures.append((field, pattern, ''))
    return failures


class Matcher:
    """A document, compiled: says which source devices it accepts.

    Frozen after construction, so threads may share it.
    """

    def __init__(self, document: Document) -> None:
        self.device = document.device
        self._entries = document.entries
        self._defaults = {field: default(value) for field, value
                          in document.device.fields.items()}

    def match(self, source: Device, level: Level = 'live',
              plain_only: bool = False) -> Verdict:
        """Whether the document's provider accepts the source device.

        :param level: `live` asks the live entries only, `cold` all.
        :param plain_only: entries whose `create` asks for anything but
            `self` do not count: whoever makes the device makes a plain one.
        """
        if not self._entries:
            return Verdict(False, reasons=(self._nothing(),))
        if source.device_api != self.device.device_api:
            return Verdict(False, reasons=(_device_api(source, self.device),))
        differences = self._differences(source)
        for entry in self._of(level):
            verdict = self._accepted(entry, source, differences, plain_only)
            if verdict is not None:
                return verdict
        return Verdict(False, reasons=(
            *self._refusal(source, differences, level),
            *self._cold_hint(source, differences, level, plain_only)))

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

    def _differences(self, source: Device) -> Differences:
        found = {field: pattern for field, pattern in self._defaults.items()
                 if pattern.match(source.fields.get(field), {}) is None}
        # A field that `self` does not have must be absent.
        found.update(dict.fromkeys(
            source.fields.keys() - self._defaults.keys(), _ABSENT))
        return found

    def _of(self, level: Level) -> Iterator[Entry]:
        for entry in self._entries:
            if level == 'cold' or entry.level == 'live':
                yield entry

    def _accepted(self, entry: Entry, source: Device,
                  differences: Differences,
                  plain_only: bool) -> Verdict | None:
        bound = _bind(entry, source, differences)
        if bound is None:
            return None
        try:
            created = entry.recipe.fill(bound)
        except Unfillable:
            return None
        if plain_only and not self.is_plain(created):
            return None
        return Verdict(True, entry.index, bound, created)

    def _refusal(self, source: Device, differences: Differences,
                 level: Level) -> list[Reason]:
        """The reasons of the entry with the fewest failures."""
        entry = min(self._of(level), default=None, key=lambda entry: _distance(
            entry, source, differences))
        if entry is None:
            return [self._nothing()]
        failures = _failures(entry, source, differences)
        if not failures:
            # Every field fits, so what stood in the way is the recipe.
            return [_create(entry, _bind(entry, source, differences))]
        return [_failure(entry, source, *failure)
                for failure in sorted(failures, key=lambda one: one[0])]

    def _nothing(self) -> Reason:
        if not self._entries:
            return _reason('accepts-nothing', None, 'this device accepts '
                           'nothing, not even its own kind')
        return _reason('level', None, 'this device accepts no device with '
                       'its state: all its entries are of level cold')

    def _cold_hint(self, source: Device, differences: Differences,
                   level: Level, plain_only: bool) -> list[Reason]:
        """Says so when only the level stands in the way."""
        if level == 'cold':
            return []
        return [_reason(
            'level', entry.index, f'entry {entry.index} would accept it, but '
            'only for a move that makes the device anew')
            for entry in self._entries if entry.level == 'cold'
            and self._accepted(entry, source, differences, plain_only)][:1]


_ABSENT = Absent()


def _failure(entry: Entry, source: Device, field: Field, pattern: Pattern,
             others: str) -> Reason:
    value = source.fields.get(field)
    wanted = pattern.words()
    if others:
        wanted += f', and {others} from its other fields'
    advice = pattern.advice(value)
    message = (f'{field_name(field)}: the source has {shown(value)}, this '
               f'device accepts {wanted}')
    return Reason(
        _CODES.get(field[0], 'bus-fact'), pointer(field), entry.index,
        plain(value), wanted, f'{message}; {advice}' if advice else message)


def _reason(code: str, entry: int | None, message: str) -> Reason:
    return Reason(code, '', entry, None, '', message)


def _device_api(source: Device, destination: Device) -> Reason:
    wanted = f'only {shown(destination.device_api)}'
    return Reason(
        'device-api', '/device_api', None, source.device_api, wanted,
        f'device_api: the source has {shown(source.device_api)}, this device '
        f'accepts {wanted}: the migration stream belongs to it')


def _create(entry: Entry, bound: Bindings | None) -> Reason:
    assert bound is not None
    try:
        created = entry.recipe.fill(bound)
    except Unfillable as error:
        return _reason('create', entry.index, f'entry {entry.index} matches, '
                       f'but its create gives no device: {error}')
    return Reason(
        'create', '', entry.index, created, 'only a plain device',
        f'entry {entry.index} matches, but its create asks for more than the '
        'plain device that is made here')


def _bindings(bound: Bindings) -> str:
    return ', '.join(f'{name} is {bound[name]}' for name in sorted(bound))
