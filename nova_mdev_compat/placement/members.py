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

"""The members of a long answer's array, one by one as they arrive.

An accept set of a large cloud is an answer of 16 MB and more. To parse it in
one go would hold the interpreter's lock for a fifth of a second, in which no
thread of the scheduler does anything, and leave 60 MB of objects of which
36 bytes each are wanted. Here a member is parsed at a time, by the standard
library's decoder, and no more than a part of the answer is in memory.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
import json
import re
from typing import Any

from nova_mdev_compat.placement.errors import Unreachable

# Characters of a member: a provider has about 800.
_MAX_MEMBER = 1 << 20
_SPACE = re.compile(r'[ \t\r\n]*')


def members(parts: Iterable[bytes], what: str, name: str) -> Iterator[Any]:
    """The members of an answer's array, in order.

    :param parts: the body, which is a JSON object.
    :param what: what was asked, for the error.
    :param name: the array's, in the object.
    :raises Unreachable: it is no such object; perhaps after some members.
    """
    text = _Text(parts)
    try:
        found = yield from _members(text, name)
        text.end()
    except (ValueError, RecursionError) as error:
        raise Unreachable(
            f'{what} answered what is not JSON: {error}') from error
    if not found:
        raise Unreachable(f'placement answered without an array "{name}"')


def _members(text: _Text, name: str) -> Generator[Any, None, bool]:
    """Returns whether the object has the array."""
    text.take('{')
    if text.peek() == '}':
        return False
    found = False
    while True:
        key = text.value()
        text.take(':')
        if key == name:
            found = True
            yield from _array(text)
        else:
            text.value()
        if text.take(',}') == '}':
            return found


def _array(text: _Text) -> Iterator[Any]:
    text.take('[')
    if text.peek() == ']':
        text.take(']')
        return
    while True:
        yield text.value()
        if text.take(',]') == ']':
            return


class _Text:
    """JSON that comes in parts, and is taken from the front."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._decode = codecs.getincrementaldecoder('utf-8')().decode
        self._scan = json.JSONDecoder().raw_decode
        self._text = ''
        self._place = 0

    def peek(self) -> str:
        """The next character that is no space."""
        while True:
            place = _SPACE.match(  # type: ignore[union-attr]
                self._text, self._place).end()
            if place < len(self._text):
                self._place = place
                return self._text[place]
            self._read_on()

    def take(self, wanted: str) -> str:
        """Takes the next character, one of those wanted."""
        found = self._text[self._place:self._place + 1]
        if not found or found not in wanted:
            found = self.peek()
        if found not in wanted:
            raise ValueError(f'{found!r} where one of {wanted!r} should be')
        self._place += 1
        if self._text.startswith(' ', self._place):
            # As placement writes it: the next value needs no search.
            self._place += 1
        return found

    def value(self) -> Any:
        """Takes the next value."""
        while True:
            try:
                value, end = self._scan(self._text, self._place)
            except ValueError as error:
                if self._text[self._place:self._place + 1].strip():
                    # It is wrong, or its end has not come yet.
                    self._read_on(error)
                else:
                    self.peek()
                continue
            if end < len(self._text):
                self._place = end
                return value
            # The digits of a number could go on.
            self._read_on()

    def end(self) -> None:
        """Reads on to the end, where nothing else may come."""
        rest = ''.join([self._text[self._place:],
                        *map(self._decode, self._parts)])
        if rest.strip():
            raise ValueError('something follows it')

    def _read_on(self, error: ValueError | None = None) -> None:
        rest = self._text[self._place:]
        part = next(self._parts, None)
        if part is None or len(rest) > _MAX_MEMBER:
            raise error or ValueError('it ends too early')
        self._text, self._place = rest + self._decode(part), 0
