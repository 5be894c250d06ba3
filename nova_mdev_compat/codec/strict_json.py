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

"""JSON, read strictly: what the canonical form could not hold is a fault."""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import Any

from nova_mdev_compat.compat.faults import Fault
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat.faults import pointer
from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.compat import surrogates

# Only white space and escapes can make a legal document longer than its
# canonical form; the bound keeps a wrong file from filling the memory.
MAX_TEXT = 1024 * 1024
# The schema nests seven levels; the walk below must never run out of stack.
_MAX_DEPTH = 16
# Digits of a 64-bit integer, its sign, and room for leading zeros never
# come up: JSON has none.
_MAX_DIGITS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class _Refused:
    """Stands where the text has something that no document can hold."""

    why: str


class _Object(dict[str, Any]):
    """An object that remembers which of its keys came twice."""

    duplicates: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Parsed:
    """A JSON value, and the places of what no document can hold.

    :param value: null stands where something was refused.
    :param faults: duplicate keys, floats, NaN, integers past any bound,
        half surrogate pairs, with their places.
    """

    value: Any
    faults: tuple[tuple[Path, Fault], ...]


def parse(text: str | bytes) -> Parsed:
    """The JSON value of a text.

    :raises InvalidDocument: it is not JSON, or nested too deeply to look at.
    """
    if len(text) > MAX_TEXT:
        raise _invalid(f'the text is over {MAX_TEXT} bytes')
    text = _decoded(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer,
            parse_float=_float, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise _invalid(f'it is not JSON: {error.msg} at line {error.lineno}, '
                       f'column {error.colno}') from error
    except RecursionError as error:
        raise _invalid('it is nested too deeply') from error
    walk = _Walk()
    value = walk.clean(value, ())
    return Parsed(value, tuple(walk.faults))


def _invalid(message: str) -> InvalidDocument:
    return InvalidDocument([Fault('', message)])


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        try:
            text = text.decode('utf-8')
        except UnicodeDecodeError as error:
            raise _invalid('it is not UTF-8: byte '
                           f'{error.start + 1}: {error.reason}') from error
    if text.startswith('\ufeff'):
        raise _invalid('it begins with a byte-order mark: save it as UTF-8 '
                       'without one')
    return text


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    if len(found) < len(pairs):
        # Counted in one pass: a file may hold a hundred thousand members.
        counts = collections.Counter(name for name, _ in pairs)
        found.duplicates = tuple(sorted(
            name for name, count in counts.items() if count > 1))
    return found


def _integer(text: str) -> int | _Refused:
    if len(text) > _MAX_DIGITS:
        return _Refused('the integer does not fit in 64 bits')
    return int(text)


def _float(text: str) -> _Refused:
    return _Refused(f'{text[:40]} is a float: write an integer, or a string')


def _constant(text: str) -> _Refused:
    return _Refused(f'{text} is not JSON')


class _Walk:
    """Goes through a value, takes out what is refused, and says where."""

    def __init__(self) -> None:
        self.faults: list[tuple[Path, Fault]] = []

    def clean(self, value: Any, path: Path) -> Any:
        if isinstance(value, _Refused):
            self._refuse(path, value.why)
            return None
        if isinstance(value, str):
            return self._text(value, path)
        if not isinstance(value, (_Object, list)):
            return value
        if len(path) > _MAX_DEPTH:
            self._refuse(path, 'it is nested too deeply')
            return None
        if isinstance(value, list):
            return [self.clean(item, (*path, index))
                    for index, item in enumerate(value)]
        for name in value.duplicates:
            self._refuse((*path, surrogates.printable(name)),
                         'the key is there more than once')
        return {self._name(name, path):
                self.clean(member, (*path, surrogates.printable(name)))
                for name, member in value.items()}

    def _refuse(self, path: Path, why: str) -> None:
        self.faults.append((path, Fault(pointer(path), why)))

    def _text(self, text: str, path: Path) -> str | None:
        if surrogates.is_unicode(text):
            return text
        self._refuse(path, f'{surrogates.printable(text)!r} holds half of a '
                     'surrogate pair')
        return None

    def _name(self, name: str, path: Path) -> str:
        printable = surrogates.printable(name)
        self._text(name, (*path, printable))
        return printable
