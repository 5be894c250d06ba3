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

"""The kernel's answers and ours, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import io
import json
import logging
import pathlib
import textwrap
from typing import Any

import prettytable

from nova_mdev_compat.cmd import main
from tests.kernel import machines

WRONG_YES = 'WRONG YES'
WRONG_NO = 'WRONG NO'
#: Characters of our reasons.
_WIDTH = 48
_HEADINGS = ('source', 'destination', 'kernel', 'ours', '')


@dataclasses.dataclass(frozen=True)
class Row:
    """An ordered pair and both answers.

    :param ours: what `check --format json` printed.
    """

    source: machines.Machine
    destination: machines.Machine
    kernel: machines.Answer
    ours: Mapping[str, Any]

    @property
    def disagreement(self) -> str:
        """Nothing, or which of the two ways of being wrong it is."""
        if self.ours['accepted'] == self.kernel.done:
            return ''
        return WRONG_YES if self.ours['accepted'] else WRONG_NO

    @property
    def our_words(self) -> str:
        if self.ours['accepted']:
            return 'accepted'
        # The first reason belongs to the entry that came closest.
        first, *others = self.ours['reasons']
        fields = [reason['pointer'].rpartition('/')[2] for reason
                  in (first, *others) if reason['entry'] == first['entry']]
        words = ', '.join(filter(None, fields)) or first['message']
        return 'refused: ' + textwrap.shorten(
            words, _WIDTH, placeholder=' ...')


def check(source: pathlib.Path, destination: pathlib.Path) -> dict[str, Any]:
    """What the command says of two documents."""
    # Each command sets up logging anew, and what others have set up stays.
    logging.disable(logging.INFO)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = main.main(
                ['check', '--format', 'json', '--source', str(source),
                 '--destination', str(destination)])
    finally:
        logging.disable(logging.NOTSET)
    if status not in (0, 1):
        raise ValueError(f'check ended with {status} for {source} and '
                         f'{destination}')
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def rows(kernel: Mapping[machines.Pair, machines.Answer],
         documents: Mapping[machines.Machine, pathlib.Path]) -> list[Row]:
    return [Row(source, destination, answer,
                check(documents[source], documents[destination]))
            for (source, destination), answer in kernel.items()]


def show(found: Sequence[Row]) -> None:
    table = prettytable.PrettyTable(_HEADINGS, align='l')
    for row in found:
        table.add_row([str(row.source), str(row.destination), str(row.kernel),
                       row.our_words, row.disagreement])
    print(table)
    for row in found:
        if row.disagreement:
            print(f'{row.disagreement}: {row.source} to {row.destination}: '
                  f'the kernel: {row.kernel}; ours: {row.our_words}')
    print(summary(found), flush=True)


def summary(found: Sequence[Row]) -> str:
    loaded = sum(row.kernel.done for row in found)
    return (f'{len(found)} pairs; the kernel loaded {loaded} and refused '
            f'{len(found) - loaded}; wrong yes: {_count(found, WRONG_YES)}, '
            f'wrong no: {_count(found, WRONG_NO)}')


def _count(found: Iterable[Row], kind: str) -> int:
    return sum(row.disagreement == kind for row in found)
