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

"""From facts and the rules that hold to a document."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import itertools
import json
from typing import Any
from typing import TypeAlias

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules.rule import Rule
from nova_mdev_compat.publisher.rules.rule import Stage
from nova_mdev_compat.publisher.rules.stages import expand
from nova_mdev_compat.publisher.rules.stages import NewAttribute
from nova_mdev_compat.publisher.rules.trial import places
from nova_mdev_compat.publisher.rules.values import Filler
from nova_mdev_compat.publisher.rules.values import Unusable

#: Stages that the operator has set, by rule and attribute.
Stages: TypeAlias = Mapping[tuple[str, str], Stage]

_MOST_ENTRIES = 64
_FILLED = ('mdev_type', 'software_version')
_BUSES = {'pci': 'vfio-pci', 'css': 'vfio-ccw', 'ap': 'vfio-ap'}
_BUS_FACTS = {
    'vfio-pci': {'vendor': 'pci.vendor', 'device': 'pci.device',
                 'subsystem_vendor': 'pci.subsystem_vendor',
                 'subsystem_device': 'pci.subsystem_device'},
    'vfio-ccw': {'subchannel_type': 'ccw.subchannel_type',
                 'chpid_type': 'ccw.chpid_type'},
}


def device(facts: Facts) -> dict[str, Any]:
    """The `self` of a device before any rule has spoken.

    Its device API, its mdev type and the bus facts, as far as facts go.
    """
    found: dict[str, Any] = {}
    api = facts.get('device_api', _BUSES.get(str(facts.get('bus'))))
    if api is not None:
        found['device_api'] = api
    if 'mdev_type' in facts:
        found['mdev_type'] = facts['mdev_type']
    bus = {name: facts[fact] for name, fact
           in _BUS_FACTS.get(str(api), {}).items() if fact in facts}
    if bus:
        found[str(api)] = bus
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A document, and what had to be guessed for it."""

    document: Document
    plain: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def load(plain: Mapping[str, Any]) -> Document:
    """The document of what JSON has.

    :raises InvalidDocument: it is none.
    """
    return loading.load(json.dumps(plain))


class Describer:
    """Makes one document, once.

    :param facts: of the device, statements included.
    :param rules: the one that describes it, then those that add to it.
    """

    def __init__(self, facts: Facts, rules: tuple[Rule, ...],
                 stages: Stages) -> None:
        self._rules = rules
        self._stages = stages
        self._facts = facts
        self._notes: dict[str, None] = {}
        self._new: list[NewAttribute] = []
        # Which rule, and what inside it, a place of the document is from.
        self._origins: dict[Path, tuple[Rule, Path]] = {}

    def describe(self) -> Description:
        """The document.

        :raises InvalidRule: the rules give none for these facts.
        """
        found = device(self._facts)
        attributes: dict[str, Any] = {}
        for rule in self._rules:
            self._device(rule, found)
        for name, rule in self._attribute_rules().items():
            self._attribute(name, rule, attributes)
        if attributes:
            found[ATTRIBUTES] = attributes
        plain = {'format': 1, 'self': found, 'compatible': self._entries()}
        try:
            document = load(plain)
        except InvalidDocument as error:
            raise InvalidRule(self._blame(fault.pointer, fault.message)
                              for fault in error.faults) from error
        return Description(document, plain, tuple(self._notes))

    def _device(self, rule: Rule, found: dict[str, Any]) -> None:
        for name, value in rule.device.items():
            path: Path = ('self', name)
            self._origins[path] = rule, path
            if isinstance(value, dict) and 'fact' not in value:
                filled: Any = {
                    member: content for member, content in (
                        (member, self._value(rule, content, (*path, member)))
                        for member, content in value.items())
                    if content is not None}
            else:
                filled = self._value(rule, value, path)
            if filled in (None, {}):
                found.pop(name, None)
            else:
                found[name] = filled

    def _attribute_rules(self) -> dict[str, Rule]:
        """The rule that has the last word on each attribute."""
        return {name: rule for rule in self._rules for name in
                rule.attributes}

    def _attribute(self, name: str, rule: Rule,
                   attributes: dict[str, Any]) -> None:
        attribute = rule.attributes[name]
        stage = self._stages.get((rule.name, name), attribute.stage)
        path: Path = ('attributes', name)
        self._origins['self', 'attributes', name] = rule, path
        value = self._value(rule, attribute.value, path)
        if stage != 'require':
            self._new.append(NewAttribute(name, stage, _literal(value)))
        if stage != 'accept' and value is not None:
            attributes[name] = value

    def _value(self, rule: Rule, value: Any, path: Path) -> Any:
        def note(fact: str, other: Any) -> None:
            stands = 'left out' if isinstance(other, dict) \
                else f'given as {json.dumps(other, ensure_ascii=False)}'
            self._notes[f'rule {rule.name}: the fact {fact} is not known, so '
                        f'{".".join(map(str, path))} is {stands}'] = None
        try:
            return Filler(self._facts, note).value(value)
        except Unusable as error:
            raise InvalidRule([rule.fault(path, str(error))]) from error

    def _entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for rule in self._rules:
            for index, entry in enumerate(rule.compatible):
                path: Path = ('compatible', index)
                filled = self._entry(rule, entry, path)
                room = _MOST_ENTRIES - len(found)
                for expanded in itertools.islice(
                        expand(filled, self._new), room + 1):
                    self._origins['compatible', len(found)] = rule, path
                    found.append(expanded)
                if len(found) > _MOST_ENTRIES:
                    raise InvalidRule([rule.fault(path, self._too_many())])
        return found

    def _too_many(self) -> str:
        message = f'more than {_MOST_ENTRIES} entries'
        if self._new:
            message += ': attributes that are not required yet double them; ' \
                'finish with some of ' + ', '.join(
                    attribute.name for attribute in self._new)
        return message

    def _entry(self, rule: Rule, entry: Mapping[str, Any],
               path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in entry.items():
            inside = (*path, name)
            if name in ('level', 'variables'):
                found[name] = value
            elif name in _FILLED:
                found[name] = self._patch(rule, value, inside)
            elif name == 'create':
                found[name] = self._entry(rule, value, inside)
            else:
                found[name] = {
                    member: self._patch(rule, content, (*inside, member))
                    for member, content in value.items()}
        return found

    def _patch(self, rule: Rule, value: Any, path: Path) -> Any:
        try:
            return Filler(self._facts).patch(value)
        except Unusable as error:
            raise InvalidRule([rule.fault((*path, *error.path),
                                          str(error))]) from error

    def _blame(self, pointer: str, message: str) -> RuleFault:
        """The fault of the rule that a fault of the document comes from."""
        path = places(pointer)
        message = f'the document that it gives is invalid: {pointer}: ' \
            f'{message}'
        for length in range(len(path), 0, -1):
            if path[:length] in self._origins:
                rule, place = self._origins[path[:length]]
                return rule.fault((*place, *path[length:]), message)
        return self._rules[0].fault((), message)


def _literal(value: Any) -> Any:
    """A value of `self` as an entry has it, where `$` begins a template."""
    return value.replace('$', '$$') if isinstance(value, str) else value
