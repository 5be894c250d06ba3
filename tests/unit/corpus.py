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

"""The corpus of verdict and validity cases, read from its YAML files.

The format is described in tests/corpus/README.rst.
"""

import collections.abc
import dataclasses
import functools
import json
import pathlib
from typing import Any

import yaml

Json = dict[str, Any]

DIRECTORY = pathlib.Path(__file__).parents[1] / 'corpus'
MEMBERS = {'shared', 'devices', 'documents', 'verdicts', 'validity'}
REPEAT_FROM = 10


class CorpusError(ValueError):
    """A file of the corpus does not say what its format wants."""

    def __init__(self, theme: str, name: object, problem: str) -> None:
        super().__init__(f'{theme}.yaml: {name}: {problem}')


@dataclasses.dataclass(frozen=True)
class VerdictCase:
    """Whether a destination accepts a source, and how."""

    theme: str
    name: str
    origin: str
    source: Json
    destination: Json
    level: str
    plain_only: bool
    accepted: bool
    entry: int | None
    variables: dict[str, int]
    create: Json
    fields: frozenset[str] | None

    def __str__(self) -> str:
        return f'{self.theme}: {self.name}'


@dataclasses.dataclass(frozen=True)
class ValidityCase:
    """Whether a text is a document, and if not, where its faults are."""

    theme: str
    name: str
    origin: str
    text: str
    valid: bool
    pointers: tuple[str, ...]

    def __str__(self) -> str:
        return f'{self.theme}: {self.name}'


@dataclasses.dataclass(frozen=True)
class Theme:
    """One file, its names at hand."""

    name: str
    content: Json

    @classmethod
    def read(cls, path: pathlib.Path) -> 'Theme':
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        theme = cls(path.stem, content)
        theme.expect('the file', content, MEMBERS, set())
        both = set(content.get('devices', {})) & set(
            content.get('documents', {}))
        if both:
            raise CorpusError(theme.name, sorted(both),
                              'a device and a document of one name')
        return theme

    def expect(self, name: object, mapping: Any, allowed: set[str],
               required: set[str]) -> None:
        if not isinstance(mapping, dict):
            raise CorpusError(self.name, name, 'not a mapping')
        if unknown := set(mapping) - allowed:
            raise CorpusError(self.name, name, f'unknown {sorted(unknown)}')
        if missing := required - set(mapping):
            raise CorpusError(self.name, name, f'no {sorted(missing)}')

    def cases(self, member: str) -> collections.abc.Iterator[Json]:
        seen: set[str] = set()
        for case in self.content.get(member, []):
            name = case.get('name') if isinstance(case, dict) else case
            if not isinstance(name, str) or name in seen:
                raise CorpusError(self.name, name, 'no name, or one twice')
            seen.add(name)
            yield case

    def device(self, name: object, device: Any) -> Json:
        """A ``self``: its own text, or that of a device or a document."""
        if isinstance(device, str):
            if device in self.content.get('documents', {}):
                own: Json = self.document(name, device)['self']
                return own
            device = self._lookup(name, 'devices', device)
        if not isinstance(device, dict):
            raise CorpusError(self.name, name, f'not a device: {device}')
        return device

    def document(self, name: object, document: Any) -> Json:
        """A whole document, ``format: 1`` added and ``self`` looked up."""
        if isinstance(document, str):
            document = self._lookup(name, 'documents', document)
        self.expect(name, document, {'format', 'self', 'compatible'},
                    {'self', 'compatible'})
        return {'format': 1, **document,
                'self': self.device(name, document['self'])}

    def _lookup(self, name: object, member: str, key: str) -> Any:
        try:
            return self.content.get(member, {})[key]
        except KeyError:
            raise CorpusError(self.name, name,
                              f'{key} is not in {member}') from None


def _verdict_case(theme: Theme, case: Json) -> VerdictCase:
    name, required = case['name'], {'name', 'origin', 'source', 'destination',
                                    'verdict'}
    theme.expect(name, case, required | {'level', 'plain_only'}, required)
    verdict = case['verdict']
    theme.expect(name, verdict, {'accepted', 'entry', 'variables', 'create',
                                 'fields'}, {'accepted'})
    if verdict['accepted'] != isinstance(verdict.get('entry'), int):
        raise CorpusError(theme.name, name, 'an entry if and only if accepted')
    if verdict['accepted'] and 'fields' in verdict:
        raise CorpusError(theme.name, name, 'accepted, and yet fields')
    return VerdictCase(
        theme.name, name, case['origin'],
        theme.device(name, case['source']),
        theme.document(name, case['destination']),
        case.get('level', 'live'), case.get('plain_only', False),
        verdict['accepted'], verdict.get('entry'),
        verdict.get('variables', {}), verdict.get('create', {}),
        frozenset(verdict['fields']) if 'fields' in verdict else None)


def _validity_case(theme: Theme, case: Json) -> ValidityCase:
    name = case['name']
    theme.expect(name, case, {'name', 'origin', 'document', 'text', 'repeat',
                              'valid', 'pointers'}, {'origin', 'valid'})
    if ('text' in case) == ('document' in case):
        raise CorpusError(theme.name, name, 'a text or a document, one')
    if case['valid'] and 'pointers' in case:
        raise CorpusError(theme.name, name, 'valid, and yet pointers')
    text = case.get('text')
    if text is None:
        text = json.dumps(case['document'], ensure_ascii=False)
    for mark, piece in case.get('repeat', {}).items():
        theme.expect(name, piece, {'each', 'times', 'between'},
                     {'each', 'times'})
        text = text.replace(mark, _repeat(**piece))
    return ValidityCase(theme.name, name, case['origin'], text, case['valid'],
                        tuple(case.get('pointers', ())))


def _repeat(each: str, times: int, between: str = '') -> str:
    return between.join(each.replace('#', str(REPEAT_FROM + index))
                        for index in range(times))


@functools.cache
def themes() -> tuple[Theme, ...]:
    paths = sorted(DIRECTORY.glob('*.yaml'))
    if not paths:
        raise FileNotFoundError(f'no corpus in {DIRECTORY}')
    return tuple(Theme.read(path) for path in paths)


@functools.cache
def verdict_cases() -> tuple[VerdictCase, ...]:
    return tuple(_verdict_case(theme, case) for theme in themes()
                 for case in theme.cases('verdicts'))


@functools.cache
def validity_cases() -> tuple[ValidityCase, ...]:
    return tuple(_validity_case(theme, case) for theme in themes()
                 for case in theme.cases('validity'))
