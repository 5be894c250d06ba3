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

"""YAML, read strictly, with the line of every value.

Only what JSON could hold too is let through, written in the way that cannot
be misread: YAML 1.1 takes `no` for false, `010` for 8, `6.10` for 6.1 and
`12:30` for 750.
"""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import re
from typing import Any

import yaml

from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.compat import surrogates

#: Bytes of a rule file.
MAX_FILE = 256 * 1024
# Values of a file; what an alias stands for counts each time, so aliases of
# aliases end here.
_MAX_VALUES = 20_000
# A condition nests as deep as it likes; the walk and jsonschema must not run
# out of stack.
_MAX_DEPTH = 24
_TAG = 'tag:yaml.org,2002:'
_INTEGER = re.compile('-?(0|[1-9][0-9]{0,18})')
_QUOTES = 'put it into quotes if a text is meant'


class InvalidYaml(ValueError):
    """The text is no YAML that could be looked at.

    :param line: counted from 1; 0 where it is the whole text's fault.
    """

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A YAML text's value, and where everything stands.

    :param value: null stands where something was refused.
    :param lines: the line, from 1, of each member and item by its path.
    :param faults: what was refused: its path, and why.
    """

    value: Any
    lines: Mapping[Path, int]
    faults: tuple[tuple[Path, str], ...]

    def line(self, path: Path) -> int:
        """The line of a place, or of what would hold it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def parse(text: bytes) -> Source:
    """The value of a YAML text.

    :raises InvalidYaml: it is too long, not UTF-8, no YAML, or unfolds to
        more than a rule file can have.
    """
    if len(text) > MAX_FILE:
        raise InvalidYaml(0, f'it has more than {MAX_FILE} bytes')
    node = _compose(_decoded(text))
    if node is None:
        raise InvalidYaml(0, 'it is empty')
    walk = _Walk()
    walk.lines[()] = 1
    value = walk.value(node, ())
    return Source(value, walk.lines, tuple(walk.faults))


def _decoded(text: bytes) -> str:
    try:
        return text.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = text[:error.start].count(b'\n') + 1
        raise InvalidYaml(line, f'it is not UTF-8: {error.reason}') from error


def _compose(text: str) -> yaml.Node | None:
    try:
        found: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        return found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidYaml(0 if mark is None else mark.line + 1,
                          f'it is not YAML: {error.problem}') from error
    except yaml.reader.ReaderError as error:
        line = text[:error.position].count('\n') + 1
        raise InvalidYaml(line, 'it is not YAML: the character '
                          f'{error.character:#x} is not allowed') from error
    except RecursionError as error:
        raise InvalidYaml(0, 'it is nested too deeply') from error
    except (ValueError, OverflowError) as error:
        # PyYAML turns numeric escapes such as "\U00110000" into characters
        # without a look at their range.
        raise InvalidYaml(0, f'it is not YAML: {error}') from error


class _Walk:
    """Turns nodes into values, and remembers lines and what is refused."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.faults: list[tuple[Path, str]] = []
        self._left = _MAX_VALUES

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._left -= 1
        line = node.start_mark.line + 1
        if self._left < 0:
            raise InvalidYaml(line, f'it has more than {_MAX_VALUES} values; '
                              'an alias counts as what it stands for')
        if len(path) > _MAX_DEPTH:
            raise InvalidYaml(line, 'it is nested too deeply')
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + 'map':
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + 'seq':
            return [self.value(item, (*path, index))
                    for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return self._refuse(path, f'the tag {_short(node.tag)} is not known '
                            'here')

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, member in node.value:
            name = self._name(key, path)
            if name is None:
                continue
            inside = (*path, name)
            if name in found:
                self._refuse(inside, f'{_short(name)} is there more than '
                             'once', key.start_mark.line + 1)
                continue
            self.lines[inside] = key.start_mark.line + 1
            found[name] = self.value(member, inside)
        return found

    def _name(self, key: yaml.Node, path: Path) -> str | None:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            self._refuse(path, f'line {line}: a name is a text')
            return None
        if key.tag == _TAG + 'merge':
            self._refuse((*path, '<<'), 'merge keys are not known here; '
                         'write the members, or use an alias', line)
            return None
        if key.tag != _TAG + 'str' or not surrogates.is_unicode(key.value):
            self._refuse((*path, surrogates.printable(key.value)),
                         f'{_short(key.value)} is no text: {_QUOTES}', line)
            return None
        return str(key.value)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if kind in ('str', 'timestamp'):
            if surrogates.is_unicode(text):
                return text
            return self._refuse(path, f'{_short(text)} holds half of a '
                                'surrogate pair')
        if kind == 'bool' and text in ('true', 'false'):
            return text == 'true'
        if kind == 'int' and _INTEGER.fullmatch(text):
            return int(text)
        return self._refuse(path, _why(kind, text))

    def _refuse(self, path: Path, why: str, line: int | None = None) -> None:
        if line is not None:
            self.lines[path] = line
        self.faults.append((path, why))


def _why(kind: str, text: str) -> str:
    shown = _short(text)
    if kind == 'null':
        return f'there is no value; {_QUOTES}'
    if kind == 'bool':
        return f'{shown}: write true or false; {_QUOTES}'
    if kind == 'int':
        return f'{shown}: write an integer of up to 19 digits in decimal, ' \
            f'without leading zeros; {_QUOTES}'
    if kind == 'float':
        return f'{shown} is a float: write an integer, or {_QUOTES}'
    return f'the tag {_short(kind)} is not known here'


def _short(text: str) -> str:
    return surrogates.printable(text if len(text) <= 60 else text[:60] + '...')
