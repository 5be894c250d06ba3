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
from collections.abc import Iterator

from nova_mdev_compat.cmd import base
from nova_mdev_compat.compat import description
from nova_mdev_compat.compat import difference
from nova_mdev_compat.compat.document import Document

_MAX_LINES = 20


class Diff(base.Command):
    """Say what one document accepts and another one does not.

    The thing to run before a driver upgrade. Exit status 0 when the two say
    the same of their device and accept the same devices, 1 when not.
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
    """
    if old.device != new.device:
        yield f'{names[0]} is {description.describe_device(old.device)}'
        yield f'{names[1]} is {description.describe_device(new.device)}'
    for name, one, other in ((names[1], new, old), (names[0], old, new)):
        lines = [f'only {name} accepts{levels}: {entry.words(one.device)}'
                 for levels, entry in _by_level(one, other)]
        yield from lines[:_MAX_LINES]
        if len(lines) > _MAX_LINES:
            yield f'... and {len(lines) - _MAX_LINES} more'
    recipes = [[entry.recipe for entry in document.entries]
               for document in (old, new)]
    if recipes[0] != recipes[1]:
        yield 'the recipes ("create") of their entries differ'


def _by_level(one: Document, other: Document
              ) -> Iterator[tuple[str, difference.Difference]]:
    live = difference.differences(one, other, 'live')
    cold = difference.differences(one, other, 'cold')
    for entry in live:
        yield '' if entry in cold else ', live', entry
    for entry in cold:
        if entry not in live:
            yield ', cold', entry
