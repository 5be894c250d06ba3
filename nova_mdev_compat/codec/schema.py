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

"""The JSON Schema of documents, and its errors in words."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import difflib
import functools
from importlib import resources
import json
from typing import Any

import jsonschema

from nova_mdev_compat.compat.faults import Fault
from nova_mdev_compat.compat.faults import pointer
from nova_mdev_compat.compat.places import Path

_DRIVER = ('a "driver" member is refused: the mdev type contains the driver, '
           'and saying it twice would let the two disagree')
_DEVICE_API = ('device_api can not be patched: the migration stream belongs '
               'to it')
_MAX_SHOWN = 60


@functools.lru_cache(maxsize=None)
def schema(format_: int = 1) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document format, as shipped."""
    place = resources.files(__package__) / 'schemas'
    text = (place / f'document-{format_}.json').read_text(encoding='utf-8')
    found: dict[str, Any] = json.loads(text)
    return found


def _unique(validator: Any, wanted: bool, found: Any,
            schema: dict[str, Any]) -> Iterator[jsonschema.ValidationError]:
    """`uniqueItems`; jsonschema's own compares every item with every other
    one, where they cannot be sorted.
    """
    if isinstance(found, list) and _repeated(found):
        yield jsonschema.ValidationError('an item is there more than once')


def _repeated(items: list[Any]) -> list[Any]:
    """The first item that is there again, if there is one."""
    seen = set()
    for item in items:
        # As text, in which true is not 1.
        text = json.dumps(item, default=str)
        if text in seen:
            return [item]
        seen.add(text)
    return []


@functools.lru_cache(maxsize=None)
def _validator() -> jsonschema.protocols.Validator:
    extended: Callable[[Any], jsonschema.protocols.Validator] = \
        jsonschema.validators.extend(  # type: ignore[no-untyped-call]
            jsonschema.Draft202012Validator, {'uniqueItems': _unique})
    return extended(schema())


@dataclasses.dataclass(frozen=True, slots=True)
class _Error:
    """What is used of a jsonschema error, with types.

    :param keyword: the schema's keyword that the value breaks.
    :param wanted: that keyword's value.
    :param names: whether it is the names of the members that break it.
    """

    path: Path
    found: Any
    keyword: str
    wanted: Any
    schema: dict[str, Any]
    names: bool


def find_faults(value: Any,
                validator: jsonschema.protocols.Validator | None = None
                ) -> list[tuple[Path, Fault]]:
    """Every place where the value breaks the JSON Schema.

    :param validator: of another schema than the document's; each of its
        parts needs a `description`, which stands in the messages.
    """
    found: dict[Path, Fault] = {}
    for error in _errors(value, validator or _validator()):
        for path, message in _explain(error):
            # One fault a place: the first rule that it breaks says it.
            found.setdefault(path, Fault(pointer(path), message))
    return list(found.items())


def _errors(value: Any, validator: jsonschema.protocols.Validator
            ) -> Iterator[_Error]:
    for error in validator.iter_errors(value):
        broken: Any = error.schema
        yield _Error(tuple(error.absolute_path), error.instance,
                     str(error.validator), error.validator_value, broken,
                     'propertyNames' in error.absolute_schema_path)


def _explain(error: _Error) -> Iterator[tuple[Path, str]]:
    if error.names:
        name = str(error.found)
        yield (*error.path, name), _DRIVER if name == 'driver' else (
            f'{_shown(name)} is not {error.schema["description"]}')
        return
    several = _SEVERAL.get(error.keyword)
    if several is not None:
        yield from several(error)
    else:
        yield error.path, _one(error)


def _additional(error: _Error) -> Iterator[tuple[Path, str]]:
    known = sorted(error.schema['properties'])
    for name in sorted(error.found.keys() - set(known)):
        yield (*error.path, name), _unknown(name, known, error.path)


def _unknown(name: str, known: list[str], path: Path) -> str:
    if name == 'driver':
        return _DRIVER
    if name == 'device_api' and 'compatible' in path:
        return _DEVICE_API
    near = difflib.get_close_matches(name, known, n=1)
    advice = f': did you mean {_shown(near[0])}?' if near else '.'
    return (f'{_shown(name)} is not known here{advice} Known are '
            + ', '.join(known))


def _required(error: _Error) -> Iterator[tuple[Path, str]]:
    for name in error.wanted:
        if name not in error.found:
            yield (*error.path, name), f'{_shown(name)} is missing'


def _dependent(error: _Error) -> Iterator[tuple[Path, str]]:
    for name, others in error.wanted.items():
        for other in others:
            if name in error.found and other not in error.found:
                yield (*error.path, other), (
                    f'{_shown(other)} is missing: a variable with {name} '
                    'needs both')


_SEVERAL: dict[str, Callable[[_Error], Iterator[tuple[Path, str]]]] = {
    'additionalProperties': _additional,
    'required': _required,
    'dependentRequired': _dependent,
}


def _one(error: _Error) -> str:
    if error.keyword == 'maxProperties' and error.wanted == 1:
        found = ' and '.join(map(_shown, sorted(error.found)))
        return f'{found} do not go together; allowed: ' \
            f'{error.schema["description"]}'
    if error.keyword == 'uniqueItems':
        again = _repeated(error.found) or [error.found]
        found = f'{_shown(again[0])} is there more than once'
    else:
        found = _over(error) or f'{_shown(error.found)} is not right here'
    return f'{found}; allowed: {error.schema["description"]}{_near(error)}'


def _over(error: _Error) -> str | None:
    """What is over a limit, in words; None for other faults."""
    items = {'maxLength': 'characters', 'maxItems': 'items',
             'maxProperties': 'members'}.get(error.keyword)
    return items and (f'{len(error.found)} {items} are over the limit of '
                      f'{error.wanted}')


def _near(error: _Error) -> str:
    """The value that may have been meant, where there are only a few."""
    near = difflib.get_close_matches(
        str(error.found), error.wanted, n=1) if error.keyword == 'enum' else ()
    return f'; did you mean {_shown(near[0])}?' if near else ''


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + '...'
