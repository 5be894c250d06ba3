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

"""Tables and lines that fit a terminal, with every word in one piece.

cliff gives all columns of a table that is too wide the same width, and breaks
words: a UUID or a host's name can then not be copied.
"""

from __future__ import annotations

from collections.abc import Sequence
import shutil
import sys
import textwrap
from typing import Any

from cliff import columns
from oslo_utils import uuidutils

#: Around a table's columns, and between two of them.
FRAME, BETWEEN = 4, 3
# Narrower columns do not help anybody.
_LEAST = 8
# Sentences in narrower ones are hard to read.
_EASY = 14


def terminal(most: int = 0, wanted: bool = False) -> int | None:
    """Columns that there are; None: there is no bound.

    :param most: columns that were asked for; 0: none were.
    :param wanted: whether to fit what is no terminal, too.
    """
    if most > 0:
        return most
    if sys.stdout.isatty() or wanted:
        return shutil.get_terminal_size().columns
    return None


def fill(line: str, width: int | None) -> str:
    """A line as several, where it is too long."""
    if width is None or len(line) <= width:
        return line
    indent = ' ' * (len(line) - len(line.lstrip()))
    return textwrap.fill(line.lstrip(), width, initial_indent=indent,
                         subsequent_indent=f'{indent}  ',
                         break_long_words=False, break_on_hyphens=False)


def fit(names: Sequence[str], rows: Sequence[Sequence[Any]],
        width: int) -> list[list[Any]]:
    """The rows of a table, with line breaks such that it is narrow enough.

    What need not be broken is left as it is, of whatever type.

    :param names: of the columns.
    """
    texts = _texts(rows)
    widths = _widths(names, texts, _room(names, width))
    return [[cell if _longest(text.split('\n')) <= most
             else _broken(text, most)
             for cell, text, most in zip(row, line, widths)]
            for row, line in zip(rows, texts)]


def has_room(names: Sequence[str], rows: Sequence[Sequence[Any]],
             width: int) -> bool:
    """Whether a table is narrow enough with no word broken."""
    return sum(_words(names, _texts(rows))[0]) <= _room(names, width)


def _room(names: Sequence[str], width: int) -> int:
    return width - FRAME - BETWEEN * (len(names) - 1)


def _texts(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: Any) -> str:
    return cell.human_readable() \
        if isinstance(cell, columns.FormattableColumn) else str(cell)


def _longest(texts: Sequence[str]) -> int:
    return max(map(len, texts), default=0)


def _broken(text: str, most: int) -> str:
    return '\n'.join(
        part for line in text.split('\n')
        for part in textwrap.wrap(line, most, break_on_hyphens=False) or [''])


def _columns(names: Sequence[str],
             texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """The lines of each column, with those of its head."""
    return [[line for text in (name, *(row[place] for row in texts))
             for line in text.split('\n')]
            for place, name in enumerate(names)]


def _words(names: Sequence[str], texts: Sequence[Sequence[str]]
           ) -> tuple[list[int], list[bool]]:
    """What each column needs, and whether that is for UUIDs.

    That is its longest word, and enough for several where there are more. A
    head is a word: it is not broken.
    """
    longest = [max((word for line in column for word in line.split()),
                   key=len, default='')
               for column in _columns(names, texts)]
    return ([max(len(word), min(_EASY, _longest(column)),
                 _longest(name.split('\n')))
             for word, column, name in zip(
                 longest, _columns(names, texts), names)],
            [uuidutils.is_uuid_like(word) for word in longest])


def _widths(names: Sequence[str], texts: Sequence[Sequence[str]],
            room: int) -> list[int]:
    """A width for each column: what its words need, and a part of the rest."""
    wanted = [_longest(column) for column in _columns(names, texts)]
    widths, precious = _words(names, texts)
    _shrink(widths, [_longest(name.split('\n')) for name in names], precious,
            room)
    while sum(widths) < min(room, sum(wanted)):
        # To the one that is short of most lines.
        widths[max(range(len(widths)), key=lambda place:
                   wanted[place] / max(widths[place], 1))] += 1
    return widths


def _shrink(widths: list[int], heads: Sequence[int],
            precious: Sequence[bool], room: int) -> None:
    """Makes room where even single words take too much: UUIDs go last."""
    while sum(widths) > room:
        places = [place for place, width in enumerate(widths)
                  if width > max(_LEAST, heads[place])]
        if not places:
            return
        widths[max(places, key=lambda place: (
            not precious[place], widths[place]))] -= 1
