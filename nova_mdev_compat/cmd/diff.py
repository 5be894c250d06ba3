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

"""nova-mdev-compat diff"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from typing import TypeAlias

from nova_mdev_compat.cmd import base
from nova_mdev_compat.compat import boxes
from nova_mdev_compat.compat import description
from nova_mdev_compat.compat.device import alike
from nova_mdev_compat.compat import difference
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import Level

_Function: TypeAlias = Callable[
    [Document, Document, Level], list[difference.Difference]]

_MAX_LINES = 20


class Diff(base.Command):
    """Say what one document accepts and another one does not.

    The thing to run before a driver upgrade. Exit status 0 when the two say
    the same of their device, accept the same devices, and make what they
    accept alike; 1 when not.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('old', metavar='A',
                            help='a document; "-" is standard input')
        parser.add_argument('new', metavar='B', help='another one')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if parsed_args.old == parsed_args.new == base.STANDARD_INPUT:
            raise base.BadInput('A and B cannot both be standard input')
        old = base.read_document(parsed_args.old)
        new = base.read_document(parsed_args.new)
        try:
            lines = list(compare(old, new))
        except difference.TooComplex as error:
            raise base.BadInput(str(error)) from error
        for line in lines:
            print(line)
        return base.NO if lines else base.YES


def compare(old: Document, new: Document,
            names: tuple[str, str] = ('A', 'B')) -> Iterator[str]:
    """The differences in words, none where the two mean the same.

    :param names: of the two documents.
    :raises difference.TooComplex: it cannot be told in a bounded list.
    """
    if old.canonical == new.canonical:
        # However many ways there are to compare.
        return
    if not alike(old.device, new.device):
        yield f'{names[0]} is {description.describe_device(old.device)}'
        yield f'{names[1]} is {description.describe_device(new.device)}'
    told = [
        *_told(f'only {names[1]} accepts', difference.differences, new, old),
        *_told(f'only {names[0]} accepts', difference.differences, old, new)]
    try:
        told += _told('both accept, but make differently ("create")',
                      difference.made_differently, new, old)
    except difference.TooComplex:
        told.append(('what both accept may be made differently ("create"): '
                     'there is too much of it to compare', False))
    yield from (line for line, _ in told)
    if any(is_symbolic for _, is_symbolic in told):
        yield (f'(variables with more than {boxes.MAX_BINDINGS} values are '
               'not tried one by one: their templates are compared as text, '
               'so what is told of them may overlap)')


def _told(title: str, function: _Function, one: Document,
          other: Document) -> Iterator[tuple[str, bool]]:
    """Lines, and whether they hold what was not tried one by one."""
    found = list(_by_level(function, one, other))
    for levels, each in found[:_MAX_LINES]:
        yield f'{title}{levels}: {each.words(one.device)}', each.is_symbolic
    if len(found) > _MAX_LINES:
        yield f'... and {len(found) - _MAX_LINES} more', False


def _by_level(function: _Function, one: Document, other: Document
              ) -> Iterator[tuple[str, difference.Difference]]:
    live = function(one, other, 'live')
    cold = function(one, other, 'cold')
    for entry in live:
        yield '' if entry in cold else ', live', entry
    for entry in cold:
        if entry not in live:
            yield ', cold', entry
