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

"""nova-mdev-compat matrix"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import layout
from nova_mdev_compat.cmd import picture
from nova_mdev_compat.codec import canonical
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet.kinds import Kind
from nova_mdev_compat.fleet import matrix
from nova_mdev_compat.placement.verdicts import Question

COLUMNS = ('No', 'Document', 'Kind', 'Version', 'Details', 'Live',
           'Otherwise', 'Cold')
_PEOPLE = ('No', 'Kind', 'Version', 'Details')
#: One character each, so that sixty of them fit.
MARKS = {matrix.LIVE: '#', matrix.OTHERWISE: 'o', matrix.COLD: 'c',
         matrix.REFUSED: '.'}
_LEGEND = ('A row is a source, a column a destination.',
           '# accepted        o accepted by the document, not by Nova',
           '. refused         c accepted without its state')
_LEAST_MARKS = 10

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


class Matrix(access.ByOptions, base.Lister):
    """Say which kinds of device accept which.

    They are those of the documents in use, or of files.
    A program gets the digests of the destinations: "Live" ones accept the
    device with its state; "Otherwise" ones accept it, but Nova does not
    make what they ask for (honour_create, live_migration_same_type);
    "Cold" ones accept it when it is made anew.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'files', nargs='*', metavar='FILE',
            help='documents; none: those that are in use in placement')
        parser.add_argument(
            '--picture', action='append', default=[], metavar='FILE',
            help='draw it too, as .svg or .png; needs the extra "plot"; may '
                 'be given several times')
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        for name in parsed_args.picture:
            picture.check(name)
        compared = self._compare(parsed_args)
        for name in parsed_args.picture:
            picture.draw(compared, name)
        if base.is_for_people(parsed_args):
            return _marked(compared)
        return COLUMNS, [_row(compared, number, kind)
                         for number, kind in enumerate(compared.kinds)]

    def _compare(self, parsed_args: argparse.Namespace) -> matrix.Matrix:
        if not parsed_args.files:
            asked = self.access(parsed_args)
            return matrix.compare(
                asked.cache.in_use().documents, asked.question(),
                asked.question('migration'), asked.cache.verdicts)
        return matrix.compare(
            _read(parsed_args.files), Question('live', same_type=True),
            Question('cold'))

    def produce_output(self, parsed_args: argparse.Namespace,
                       column_names: Sequence[str], data: Any) -> int:
        if not base.is_for_people(parsed_args) or parsed_args.columns:
            return super().produce_output(parsed_args, column_names, data)
        rows = list(data)
        for names, part in _parts(column_names, rows, base.width(parsed_args)):
            self.human_columns = names
            super().produce_output(parsed_args, names, part)
            parsed_args.columns = []
        self.say(parsed_args, *_LEGEND)
        return base.YES


def _read(names: Iterable[str]) -> Mapping[str, Document]:
    documents = [base.read_document(name) for name in names]
    return {canonical.digest(one.canonical): one for one in documents}


def _row(compared: matrix.Matrix, number: int, kind: Kind) -> Sequence[Any]:
    digests = [[one.digest for one in compared.saying(number, answer)]
               for answer in (matrix.LIVE, matrix.OTHERWISE, matrix.COLD)]
    return (number + 1, kind.digest, kind.name, kind.version,
            base.Lines(list(kind.details)), *map(base.Lines, digests))


def _marked(compared: matrix.Matrix) -> Table:
    """As people read it: the answers of a row are one text."""
    return (*_PEOPLE, 'Marks'), [
        (number, kind.name, kind.version, ', '.join(kind.details),
         ''.join(MARKS[answer] for answer in row))
        for number, (kind, row) in enumerate(
            zip(compared.kinds, compared.rows), 1)]


def _parts(names: Sequence[str], rows: Sequence[Sequence[Any]],
           width: int | None) -> Iterable[Table]:
    """Tables that are narrow enough, each with some of the destinations."""
    count = len(rows)
    labels = [max(len(str(cell)) for cell in (name, *column))
              for name, column in zip(names, zip(*(row[:-1] for row in rows)))]
    room = count if width is None else max(_LEAST_MARKS, (
        width - layout.FRAME - sum(labels) - layout.BETWEEN * len(labels)))
    for start in range(0, count, room):
        end = min(start + room, count)
        yield ((*names[:-1], ruler(start + 1, end)),
               [(*row[:-1], row[-1][start:end]) for row in rows])


def ruler(first: int, last: int) -> str:
    """The numbers of columns one character wide, written downwards."""
    digits = len(str(last))
    return '\n'.join(
        ''.join(f'{number:>{digits}}'[place]
                for number in range(first, last + 1))
        for place in range(digits))
