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

"""Reading a rule file: what is right is used, what is not is named."""

from __future__ import annotations

from collections.abc import Iterator
import datetime
import functools
from importlib import resources
import json
from typing import Any

import jsonschema

from nova_mdev_compat.codec import schema as documents
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.rules import conditions
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules.rule import ALWAYS
from nova_mdev_compat.publisher.rules.rule import Attribute
from nova_mdev_compat.publisher.rules.rule import Broken
from nova_mdev_compat.publisher.rules.rule import Origin
from nova_mdev_compat.publisher.rules.rule import Rule
from nova_mdev_compat.publisher.rules.rule import RuleFile
from nova_mdev_compat.publisher.rules.rule import Stage
from nova_mdev_compat.publisher.rules.rule import Statement
from nova_mdev_compat.publisher.rules.source import InvalidYaml
from nova_mdev_compat.publisher.rules.source import parse
from nova_mdev_compat.publisher.rules.source import Source
from nova_mdev_compat.publisher.rules import trial
from nova_mdev_compat.publisher.rules import values

_ARRAYS = ('rules', 'facts')
_MAPPINGS = ('attributes', 'facts', 'self')


@functools.lru_cache(maxsize=None)
def schema(format_: int = 1) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a rule file's format, as shipped."""
    place = resources.files(__package__) / 'schemas'
    text = (place / f'rules-{format_}.json').read_text(encoding='utf-8')
    found: dict[str, Any] = json.loads(text)
    return found


@functools.lru_cache(maxsize=None)
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def read(name: str, text: bytes) -> RuleFile:
    """The rules of a file's text, without the broken ones.

    :param name: the file's path, as faults name it.
    """
    try:
        source = parse(text)
    except InvalidYaml as error:
        fault = RuleFault(name, error.line, None, error.message)
        return RuleFile(name, broken=(Broken((fault,)),))
    return _Reader(name, source).read()


class _Reader:
    """Reads one file, once."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self._broken: list[Broken] = []
        self._faults = dict(_find_faults(source))
        # Places at fault, and whatever holds one.
        self._touched = {path[:length] for path in self._faults
                         for length in range(len(path) + 1)}

    def read(self) -> RuleFile:
        content = self.source.value
        self._check_file()
        if not isinstance(content, dict):
            return RuleFile(self.name, broken=tuple(self._broken))
        rules = tuple(self._rules(content))
        statements = tuple(self._statements(content))
        stages = dict(self._stages(content))
        switches = dict(self._switches(content))
        lines: dict[tuple[str, ...], int] = {}
        for key in stages:
            lines[key] = self.source.line(('stages', *key))
        for name, enabled in switches.items():
            lines[name,] = self.source.line(
                ('enable' if enabled else 'disable',))
        return RuleFile(self.name, rules, statements, stages, switches,
                        lines, tuple(self._broken))

    def _check_file(self) -> None:
        """Faults that belong to no rule, statement or stage."""
        found = [path for path in self._faults
                 if not (path[:1] and path[0] in _ARRAYS and len(path) > 1)
                 and not (path[:1] == ('stages',) and len(path) > 1)]
        if found:
            self._add(found)

    def _add(self, paths: list[Path], **known: Any) -> None:
        faults = tuple(RuleFault(
            self.name, self.source.line(path), known.get('name'),
            _place(path) + self._faults[path]) for path in paths)
        self._broken.append(Broken(faults, **known))

    def _items(self, content: dict[str, Any],
               array: str) -> Iterator[tuple[Path, Any]]:
        found = content.get(array)
        for index, item in enumerate(
                found if isinstance(found, list) else ()):
            yield (array, index), item

    def _inside(self, path: Path) -> list[Path]:
        return [found for found in self._faults
                if found[:len(path)] == path]

    def _rules(self, content: dict[str, Any]) -> Iterator[Rule]:
        names: dict[str, int] = {}
        for path, item in self._items(content, 'rules'):
            if isinstance(item, dict):
                self._check_rule(path, item)
            name = self._right(path, item, 'name')
            if name in names:
                self._fault((*path, 'name'), 'this file has a rule of that '
                            f'name already, in line {names[name]}')
            elif name is not None:
                names[name] = self.source.line(path)
            if path in self._touched:
                self._add(self._inside(path), name=name,
                          when=self._condition(path, item),
                          about=self._right(path, item, 'adds_to'))
            else:
                yield _rule(item, self._origin(path))

    def _fault(self, path: Path, message: str) -> None:
        self._faults.setdefault(path, message)
        self._touched.update(path[:length]
                             for length in range(len(path) + 1))

    def _check_rule(self, path: Path, item: dict[str, Any]) -> None:
        if 'adds_to' not in item and 'when' not in item:
            self._fault((*path, 'when'), '"when" is missing: a rule for '
                        'every device there is would hide all others')
        if 'adds_to' in item and item['adds_to'] == item.get('name'):
            self._fault((*path, 'adds_to'), 'a rule cannot add to itself')
        # What the one finds fault with is not shown to the other.
        for find_faults in (_meaning, trial.find_faults):
            for place, message in find_faults(self._sound(path, item)):
                self._fault((*path, *place), message)

    def _sound(self, path: Path, item: dict[str, Any]) -> dict[str, Any]:
        """A rule or a statement without what is at fault already.

        What is left can be looked at, so that one look tells every fault.
        """
        found: dict[str, Any] = {}
        for name, value in item.items():
            inside = (*path, name)
            if inside not in self._touched:
                found[name] = value
            elif name in _MAPPINGS and isinstance(value, dict):
                found[name] = {
                    member: content for member, content in value.items()
                    if (*inside, member) not in self._touched}
            elif name == 'compatible' and isinstance(value, list):
                found[name] = [
                    {} if (*inside, index) in self._touched else entry
                    for index, entry in enumerate(value)]
        return found

    def _right(self, path: Path, item: Any, member: str) -> str | None:
        """A member of a rule that may be at fault elsewhere."""
        if not isinstance(item, dict) or (*path, member) in self._touched:
            return None
        found = item.get(member)
        return found if isinstance(found, str) else None

    def _condition(self, path: Path, item: Any) -> conditions.Condition:
        if not isinstance(item, dict) or 'when' not in item \
                or (*path, 'when') in self._touched:
            return ALWAYS
        return conditions.read(item['when'])

    def _origin(self, path: Path) -> Origin:
        return Origin(self.name, path, self.source.lines)

    def _statements(self, content: dict[str, Any]) -> Iterator[Statement]:
        for path, item in self._items(content, 'facts'):
            if isinstance(item, dict):
                for place, message in _meaning(self._sound(path, item)):
                    self._fault((*path, *place), message)
            if path in self._touched:
                self._add(self._inside(path),
                          when=self._condition(path, item))
            else:
                yield Statement(self._origin(path),
                                self._condition(path, item), item['facts'])

    def _stages(self, content: dict[str, Any]
                ) -> Iterator[tuple[tuple[str, str], Stage]]:
        found = content.get('stages')
        for rule, stages in (found.items() if isinstance(found, dict)
                             else ()):
            path: Path = ('stages', rule)
            if path in self._touched:
                self._add(self._inside(path), about=rule)
                continue
            for attribute, stage in stages.items():
                yield (rule, attribute), stage

    def _switches(self, content: dict[str, Any]
                  ) -> Iterator[tuple[str, bool]]:
        for member, enabled in (('enable', True), ('disable', False)):
            if (member,) not in self._touched:
                for name in content.get(member, ()):
                    yield name, enabled


def _find_faults(source: Source) -> Iterator[tuple[Path, str]]:
    """What YAML and the JSON Schema have against it, one a place."""
    refused = {path for path, _ in source.faults}
    if source.value is not None:
        for path, fault in documents.find_faults(source.value, _validator()):
            if path not in refused:
                yield path, fault.message
    yield from source.faults


def _place(path: Path) -> str:
    """The place inside a rule, for the message; its line is told apart."""
    inside = path[2:] if path[:1] and path[0] in _ARRAYS else path
    return '.'.join(map(str, inside)) + ': ' if inside else ''


def _meaning(item: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """What the JSON Schema cannot see of a rule or a statement."""
    yield from conditions.find_faults(item.get('when', {}), ('when',))
    if 'date' in item:
        try:
            datetime.date.fromisoformat(item['date'])
        except ValueError as error:
            yield ('date',), f'{item["date"]} is no date: {error}'
    for path, value in fields(item):
        yield from values.find_faults(value, path)
    for name, value in item.get('attributes', {}).items():
        if isinstance(value, dict) and ('value' in value) == (
                'fact' in value):
            yield ('attributes', name), 'it needs a "value" or a "fact", ' \
                'and not both'


def fields(item: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The values of a rule or a statement that can hold facts."""
    for name, value in item.get('facts', {}).items():
        yield ('facts', name), value
    for name, value in item.get('attributes', {}).items():
        yield ('attributes', name), value
    for name, value in item.get('self', {}).items():
        yield from _members(('self', name), value)
    for index, entry in enumerate(item.get('compatible', ())):
        for name, value in entry.items():
            if name not in ('level', 'variables', 'create'):
                yield from _members(('compatible', index, name), value)
        for name, value in entry.get('create', {}).items():
            yield from _members(('compatible', index, 'create', name), value)


def _members(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if path[-1] in ('mdev_type', 'software_version', 'device_api'):
        yield path, value
    else:
        for name, member in value.items():
            yield (*path, name), member


def _rule(item: dict[str, Any], origin: Origin) -> Rule:
    return Rule(
        item['name'], origin, item.get('description'), item.get('source'),
        item.get('date'), item.get('enabled', True), item.get('adds_to'),
        conditions.read(item['when']) if 'when' in item else ALWAYS,
        item.get('self', {}),
        {name: _attribute(value)
         for name, value in item.get('attributes', {}).items()},
        tuple(item.get('compatible', ())))


def _attribute(value: Any) -> Attribute:
    if not isinstance(value, dict):
        return Attribute(value, 'require')
    stage = value.get('stage', 'require')
    if 'value' in value:
        return Attribute(value['value'], stage)
    return Attribute({name: member for name, member in value.items()
                      if name != 'stage'}, stage)
