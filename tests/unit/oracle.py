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

"""A brute-force evaluator of the compatibility language.

It shares no code and no idea with the matcher: it tries assignments of the
variables one after the other, writes the templates out and compares.  It
takes documents that are valid and checks nothing about them.
"""

import collections.abc
import dataclasses
import itertools
import json
import operator
import re
from typing import Any

Json = dict[str, Any]
Variables = dict[str, int]

EXPRESSION = re.compile(r'\$(?:\$|\{([a-z][a-z0-9_]*)(?:([*/+-])([0-9]+))?\})')
COMPUTE: dict[str, collections.abc.Callable[[int, int], int]] = {
    '*': operator.mul,
    '/': operator.floordiv,
    '+': operator.add,
    '-': operator.sub,
}
UNDO = {'*': COMPUTE['/'], '/': COMPUTE['*'],
        '+': COMPUTE['-'], '-': COMPUTE['+']}
MAX_TEXT = 255
EXHAUSTIVE = 64


class NoValue(Exception):
    """A template has no value under these variables."""


@dataclasses.dataclass(frozen=True)
class Answer:
    accepted: bool = False
    entry: int | None = None
    variables: Variables = dataclasses.field(default_factory=dict)
    create: Json = dataclasses.field(default_factory=dict)

    def as_json(self) -> str:
        """For comparing: in Python true is 1, in JSON it is not."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of the source, and what the destination says about it."""

    pointer: str
    source: Any
    own: Any
    named: bool
    patch: Any

    @property
    def template(self) -> str | None:
        if isinstance(self.patch, str) and not self.is_version:
            return self.patch
        return None

    @property
    def is_version(self) -> bool:
        return self.pointer == '/software_version'


def evaluate(document: Json, source: Json, level: str = 'live',
             plain_only: bool = False) -> Answer:
    """Say whether a document accepts a source's ``self``."""
    for index, entry in enumerate(document['compatible']):
        if level == 'live' and entry.get('level', 'live') != 'live':
            continue
        fields = fields_of(document['self'], source, entry)
        for variables in assignments(entry, fields):
            if not all(passes(field, variables) for field in fields):
                continue
            try:
                create = fill_create(entry.get('create', {}), variables)
            except NoValue:
                break
            if plain_only and not is_plain(create, document['self']):
                break
            return Answer(True, index, variables, create)
    return Answer()


def closest(document: Json, source: Json, level: str = 'live'
            ) -> list[str] | None:
    """The fields that fail in the entry with the fewest, or None.

    A template counts as failing when no value of its own variables fits it;
    when only the fields together fail there is no saying which one did.
    """
    failing = []
    for entry in document['compatible']:
        if level == 'cold' or entry.get('level', 'live') == 'live':
            fields = fields_of(document['self'], source, entry)
            failing.append([field.pointer for field in fields
                            if not any(passes(field, variables) for variables
                                       in assignments(entry, [field]))])
    return min(failing, key=len, default=None) or None


def fields_of(own: Json, source: Json, entry: Json) -> list[Field]:
    if source['device_api'] != own['device_api']:
        return [Field('/device_api', source['device_api'],
                      own['device_api'], False, None)]
    fields = [_field('', name, source, own, entry)
              for name in ('mdev_type', 'software_version')]
    for member in (own['device_api'], 'attributes'):
        parts = [part.get(member, {}) for part in (source, own, entry)]
        for name in sorted(set().union(*parts)):
            fields.append(_field('/' + member, name, *parts))
    return fields


def _field(prefix: str, name: str, source: Json, own: Json, entry: Json
           ) -> Field:
    escaped = name.replace('~', '~0').replace('/', '~1')
    return Field(f'{prefix}/{escaped}', _present(source.get(name)),
                 _present(own.get(name)), name in entry, entry.get(name))


def _present(value: Any) -> Any:
    """An absent set and an empty one are the same thing."""
    return None if value == [] else value


def assignments(entry: Json, fields: list[Field]
                ) -> collections.abc.Iterator[Variables]:
    """All assignments, or, of wide ranges, all that could pass.

    An expression's digits are never followed by a digit (the language
    forbids it), so in a string that matches they are the end of a run of
    digits, maybe after a minus; and in an integer they are the integer.
    What none of these can give, undone through the expression, can not
    pass: leaving it out loses nothing.
    """
    names = [name for name in entry.get('variables', {})
             if any(name == match[1] for field in fields
                    for match in _expressions(field))]
    ranges = [_range(entry['variables'][name]) for name in names]
    size = 1
    for values in ranges:
        size *= len(values)
    if size > EXHAUSTIVE:
        ranges = [[value for value in _candidates(name, fields)
                   if value in values]
                  for name, values in zip(names, ranges)]
    for values in itertools.product(*ranges):
        yield dict(zip(names, values))


def _expressions(field: Field) -> list[re.Match[str]]:
    return [match for match in EXPRESSION.finditer(field.template or '')
            if match[1]]


def _range(variable: Json) -> collections.abc.Sequence[int]:
    if 'enum' in variable:
        return list(variable['enum'])
    return range(variable['minimum'], variable['maximum'] + 1)


def _candidates(name: str, fields: list[Field]) -> set[int]:
    """What every expression of a variable could have been written from."""
    candidates: list[set[int]] = []
    for field in fields:
        for match in _expressions(field):
            if match[1] == name:
                undo, operand = UNDO[match[2] or '+'], int(match[3] or 0)
                candidates.append({undo(value, operand)
                                   for value in _integers(field.source)})
    return set.intersection(*candidates)


def _integers(value: Any) -> set[int]:
    if isinstance(value, str):
        ends = [run[start:] for run in re.findall('[0-9]+', value)
                for start in range(len(run))]
        return {sign * int(end) for end in ends for sign in (1, -1)}
    return {value} if _is_integer(value) else set()


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _compute(match: re.Match[str], variables: Variables) -> int:
    value, operand = variables[match[1]], int(match[3] or 0)
    if match[2] == '/' and value % operand:
        raise NoValue
    result = COMPUTE[match[2] or '+'](value, operand)
    if not -2 ** 63 <= result < 2 ** 63:
        raise NoValue
    return result


def fill(template: str, variables: Variables, as_text: bool) -> str | int:
    """Write a template out; one expression alone is an integer."""
    whole = EXPRESSION.fullmatch(template)
    if whole and whole[1] and not as_text:
        return _compute(whole, variables)
    text = EXPRESSION.sub(
        lambda match: str(_compute(match, variables)) if match[1] else '$',
        template)
    if len(text) > MAX_TEXT:
        raise NoValue
    return text


def passes(field: Field, variables: Variables) -> bool:
    if field.named and isinstance(field.patch, dict):
        return _passes_operator(field, field.patch)
    expected = field.patch if field.named else field.own
    if field.is_version:
        return _passes_version(field.source, expected)
    if field.named and isinstance(field.patch, list):
        return _contains(_present(expected), field.source)
    if field.template is not None:
        return _passes_template(field, field.template, variables)
    if not field.named and (isinstance(expected, list)
                            or isinstance(field.source, list)):
        return _contains(expected, field.source)
    return same(field.source, expected)


def same(one: Any, other: Any) -> bool:
    """Equal scalars: true is not 1."""
    return type(one) is type(other) and bool(one == other)


def _contains(expected: Any, source: Any) -> bool:
    if not all(side is None or isinstance(side, list)
               for side in (expected, source)):
        return False
    return set(source or []) <= set(expected or [])


def _passes_template(field: Field, template: str, variables: Variables
                     ) -> bool:
    try:
        value = fill(template, variables, field.pointer == '/mdev_type')
    except NoValue:
        return False
    return same(field.source, value) or (
        not isinstance(value, str) and same(field.source, str(value)))


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split('.')[:2]
    return int(major), int(minor)


def _passes_version(source: Any, expected: Any) -> bool:
    if source is None or expected is None:
        return source is expected
    (major, minor), (own_major, own_minor) = map(_version, (source, expected))
    return major == own_major and minor <= own_minor


def _passes_operator(field: Field, patch: Json) -> bool:
    if 'any' in patch:
        return True
    if 'absent' in patch:
        return field.source is None
    if 'any_of' in patch:
        return any(same(field.source, value) for value in patch['any_of'])
    read: collections.abc.Callable[[Any], Any] = int
    if field.is_version and field.source is not None:
        read = _version
    elif not _is_integer(field.source):
        return False
    value = read(field.source)
    return (('minimum' not in patch or read(patch['minimum']) <= value)
            and ('maximum' not in patch or value <= read(patch['maximum'])))


def fill_create(create: Json, variables: Variables) -> Json:
    """A recipe with its templates filled in, without its empty members."""
    recipe: Json = {}
    if 'mdev_type' in create:
        recipe['mdev_type'] = fill(create['mdev_type'], variables, True)
    attributes = {
        name: (fill(value, variables, False) if isinstance(value, str)
               else value)
        for name, value in create.get('attributes', {}).items()}
    if attributes:
        recipe['attributes'] = attributes
    return recipe


def is_plain(create: Json, own: Json) -> bool:
    """Whether a recipe asks for nothing but ``self``."""
    if create.get('mdev_type', own.get('mdev_type')) != own.get('mdev_type'):
        return False
    attributes = own.get('attributes', {})
    return all(_is_own(value, attributes.get(name))
               for name, value in create.get('attributes', {}).items())


def _is_own(value: Any, own: Any) -> bool:
    value, own = _present(value), _present(own)
    if isinstance(value, list) and isinstance(own, list):
        return set(value) == set(own)
    return same(value, own)
