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

"""Values of a rule: literals, facts, and text with facts in it.

`%{name}` in a text stands for a fact, `%%` for a percent sign.  A document's
own templates begin with `${`, so neither is ever taken for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import json
import re
from typing import Any

from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Facts

_TOKEN = re.compile(r'%%|%\{([a-z][a-z0-9_.-]*)\}|%')
_ABSENT = {'absent': True}


class Unusable(ValueError):
    """A value cannot be made of these facts; the message says why.

    :param path: the place inside the value.
    """

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


class Filler:
    """Fills in facts.

    :param substituted: called with the fact's name and with what stands for
        it, each time that a value takes its `otherwise`.
    """

    def __init__(self, facts: Facts,
                 substituted: Callable[[str, Any], None] | None = None
                 ) -> None:
        self._facts = facts
        self._substituted = substituted

    def value(self, value: Any, path: Path = ()) -> Any:
        """A value of `self`, where `$` is a character like others.

        :returns: what JSON has, or None where the value is to be left out.
        :raises Unusable: a fact is not known, or is no text for a text.
        """
        if isinstance(value, dict):
            found = self._fact(value, path)
            return None if found == _ABSENT else found
        return self._literal(value, path)

    def patch(self, value: Any, path: Path = ()) -> Any:
        """A field of an entry: a text there is a document's template."""
        if isinstance(value, str):
            return self._text(value, path, _escaped)
        if not isinstance(value, dict):
            return self._literal(value, path)
        if 'fact' in value:
            found = self._fact(value, path)
            return _escaped(found) if isinstance(found, str) else found
        return {name: self._operand(operand, (*path, name))
                for name, operand in value.items()}

    def _operand(self, value: Any, path: Path) -> Any:
        """What an operator holds is literal, but for facts."""
        if isinstance(value, dict):
            return self._fact(value, path)
        return self._literal(value, path)

    def _fact(self, value: dict[str, Any], path: Path) -> Any:
        name = value['fact']
        if name in self._facts:
            return _plain(self._facts[name])
        if 'otherwise' not in value:
            raise Unusable(path, f'the fact {name} is not known: ask for it '
                           'in "when", or say "otherwise"')
        other = value['otherwise']
        if self._substituted is not None:
            self._substituted(name, other)
        return other if other == _ABSENT else self._literal(other, path)

    def _literal(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._text(value, path, str)
        if isinstance(value, list):
            return [self._literal(item, (*path, index))
                    for index, item in enumerate(value)]
        return value

    def _text(self, text: str, path: Path, escape: Callable[[str], str]
              ) -> str:
        def fill(token: re.Match[str]) -> str:
            if token[1] is None:
                return '%'
            return escape(self._in_text(token[1], path))
        return _TOKEN.sub(fill, text)

    def _in_text(self, name: str, path: Path) -> str:
        if name not in self._facts:
            raise Unusable(path, f'the fact {name} is not known: ask for it '
                           'in "when"')
        fact = self._facts[name]
        if isinstance(fact, tuple):
            raise Unusable(path, f'the fact {name} is a set, which has no '
                           'place in a text')
        return fact if isinstance(fact, str) else json.dumps(fact)


def _plain(fact: Fact) -> Any:
    return list(fact) if isinstance(fact, tuple) else fact


def _escaped(text: str) -> str:
    return text.replace('$', '$$')


def find_faults(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts, anywhere inside the value, that cannot be filled in."""
    if isinstance(value, str):
        if any(token[0] == '%' for token in _TOKEN.finditer(value)):
            yield path, f'{value!r}: after "%" comes the name of a fact in ' \
                'braces, %{name}; a percent sign is %%'
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from find_faults(item, (*path, index))
    elif isinstance(value, dict):
        if 'otherwise' in value and 'fact' not in value:
            yield (*path, 'otherwise'), '"otherwise" needs a "fact"'
        for name, member in value.items():
            yield from find_faults(member, (*path, name))


def uses_facts(value: Any) -> bool:
    """Whether anything inside the value depends on facts."""
    if isinstance(value, str):
        return any(token[1] for token in _TOKEN.finditer(value))
    if isinstance(value, list):
        return any(map(uses_facts, value))
    return isinstance(value, dict) and (
        'fact' in value or any(map(uses_facts, value.values())))
