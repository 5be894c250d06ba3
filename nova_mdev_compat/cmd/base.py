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

"""What the commands have in common: input, messages, exit status."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Sequence
import json
import sys
from typing import Any
from typing import TYPE_CHECKING

from cliff import columns
from cliff import command
from cliff import lister
from cliff import show

from nova_mdev_compat.cmd import layout
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import strict_json
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.placement.errors import Unreachable

YES, NO, BAD_INPUT, UNREACHABLE = 0, 1, 2, 3
STANDARD_INPUT = '-'
MAX_DOCUMENT = strict_json.MAX_TEXT
_NAMES = 3
_LONG = 30


if TYPE_CHECKING:
    _Column = columns.FormattableColumn[Any]
else:
    # The oldest cliff that we run with has no generic one.
    _Column = columns.FormattableColumn


class BadInput(Exception):
    """What was given cannot be used; the message says what would be right."""


class NovaUnreachable(Unreachable):
    """Nova's API could not be asked; says why."""


class _Guarded:
    """Tells failures in one clear message each, and as an exit status."""

    app: Any

    def _guard(self, act: Callable[[], int]) -> int:
        try:
            return act()
        except BadInput as error:
            print(error, file=sys.stderr)
            return BAD_INPUT
        except PlacementError as error:
            service = 'Nova' if isinstance(error, NovaUnreachable) \
                else 'Placement'
            print(f'{service}: {error}', file=sys.stderr)
            return UNREACHABLE
        except BrokenPipeError:
            raise
        except OSError as error:
            print(f'{error.filename or "standard output"}: '
                  f'{error.strerror}', file=sys.stderr)
            return BAD_INPUT
        except Exception as error:
            # Left to cliff it would end with 1, which says "no".
            if self.app is not None and self.app.options.debug:
                raise
            print(f'{type(error).__name__}: {error} (--debug shows where)',
                  file=sys.stderr)
            return BAD_INPUT


class Command(_Guarded, command.Command):
    """A command that tells its failures in one clear message each.

    Exit status: 0 yes or done, 1 no, 2 bad input or usage, 3 the service
    could not be reached.
    """

    def run(self, parsed_args: argparse.Namespace) -> int:
        return self._guard(
            lambda: int(self.take_action(parsed_args) or YES))


class DocumentCommand(Command):
    """A command about one document, whose file is its argument."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('file', metavar='FILE',
                            help='a document; "-" is standard input')
        return parser


class _Display(_Guarded):
    """What is printed as a table, or for a program as JSON and so on.

    :param human_columns: those that a table has unless others are asked
        for; a program gets all.
    :param status: the exit status of the answer.
    """

    human_columns: Sequence[str] = ()
    status = YES

    def run(self, parsed_args: argparse.Namespace) -> int:
        return self._guard(lambda: self._display(parsed_args))

    def _display(self, parsed_args: argparse.Namespace) -> int:
        super().run(parsed_args)  # type: ignore[misc]
        return self.status

    def produce_output(self, parsed_args: argparse.Namespace,
                       column_names: Sequence[str], data: Any) -> int:
        if is_for_people(parsed_args) and not parsed_args.columns:
            parsed_args.columns = list(self.human_columns)
        return int(super().produce_output(  # type: ignore[misc]
            parsed_args, column_names, data))

    def say(self, parsed_args: argparse.Namespace, *lines: str) -> None:
        """Lines around a table; a program that reads the answer gets none."""
        if is_for_people(parsed_args):
            for line in lines:
                self.app.stdout.write(
                    f'{layout.fill(line, width(parsed_args))}\n')


class Lister(_Display, lister.Lister):
    """A command whose answer is a list.

    :param dispensable: columns that people do without on a narrow terminal,
        the first one first.
    :param remarks: lines that people find below the table.
    """

    dispensable: Sequence[str] = ()
    remarks: Sequence[str] = ()

    def produce_output(self, parsed_args: argparse.Namespace,
                       column_names: Sequence[str], data: Any) -> int:
        most = width(parsed_args)
        if is_for_people(parsed_args) and most is not None:
            rows = list(data)
            if not parsed_args.columns:
                self.human_columns = self._columns(column_names, rows, most)
            data = _fitted(column_names, _named(
                column_names, parsed_args.columns or self.human_columns),
                rows, most)
        super().produce_output(parsed_args, column_names, data)
        self.say(parsed_args, *self.remarks)
        return YES

    def _columns(self, names: Sequence[str], rows: Sequence[Sequence[Any]],
                 most: int) -> Sequence[str]:
        """The columns for people, as many as the terminal has room for."""
        shown = list(self.human_columns or names)
        for name in self.dispensable:
            if layout.has_room(shown, _cells(names, shown, rows), most):
                break
            shown = [one for one in shown if one != name]
        return shown


class ShowOne(_Display, show.ShowOne):
    """A command whose answer is one thing."""


def _fitted(names: Sequence[str], shown: Sequence[str],
            rows: Sequence[Sequence[Any]], most: int) -> list[list[Any]]:
    """The rows, with those columns made narrow that are shown."""
    found = []
    for row, fitted in zip(rows, layout.fit(
            shown, _cells(names, shown, rows), most)):
        narrow = dict(zip(shown, fitted))
        found.append([narrow.get(name, cell)
                      for name, cell in zip(names, row)])
    return found


def _named(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns of these names, which cliff lets users write otherwise."""
    words = {name.lower().replace('_', ' ') for name in wanted}
    return [name for name in names if name.lower() in words]


def _cells(names: Sequence[str], shown: Sequence[str],
           rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The rows with those columns alone that are shown."""
    return [[cell for name, cell in zip(names, row) if name in shown]
            for row in rows]


class Lines(_Column):
    """Several values: one a line for people, an array for programs."""

    def human_readable(self) -> str:
        return '\n'.join(self._value)


class Names(_Column):
    """Many names: the first few for people, all of them for programs."""

    def human_readable(self) -> str:
        first = self._value[:_NAMES]
        # Such as UUIDs, of which one fills a column.
        between = '\n' if any(len(one) > _LONG for one in first) else ', '
        more = len(self._value) - _NAMES
        return between.join(first) + (f' and {more} more' if more > 0 else '')


class Number(_Column):
    """A number, or nothing."""

    def human_readable(self) -> str:
        return '' if self._value is None else str(self._value)


class Raw(_Column):
    """What only a program reads, as it is."""

    def human_readable(self) -> str:
        return json.dumps(self._value, ensure_ascii=False)


def is_for_people(parsed_args: argparse.Namespace) -> bool:
    """Whether the answer is shown as a table."""
    return bool(parsed_args.formatter == 'table')


def width(parsed_args: argparse.Namespace) -> int | None:
    """Columns that a table may take; None: there is no bound."""
    return layout.terminal(parsed_args.max_width, parsed_args.fit_width)


def read_bytes(name: str, most: int = MAX_DOCUMENT) -> bytes:
    """A file's content; `-` is standard input.

    :param most: bytes after which no more is read than one, which tells
        that it is too long: a device or a pipe may never end.
    :raises BadInput: it cannot be read.
    """
    try:
        if name == STANDARD_INPUT:
            if sys.stdin is None:
                raise BadInput('standard input is closed')
            return sys.stdin.buffer.read(most + 1)
        with open(name, 'rb') as file:
            return file.read(most + 1)
    except OSError as error:
        raise BadInput(f'{name}: it cannot be read: {error.strerror}') \
            from error


def read_document(name: str) -> Document:
    """The document of a file.

    :raises BadInput: it cannot be read, or has faults.
    """
    try:
        return loading.load(read_bytes(name))
    except InvalidDocument as error:
        raise BadInput('\n'.join(
            f'{name}: {fault}' for fault in error.faults)) from error
