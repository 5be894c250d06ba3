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

"""nova-mdev-compat plan"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import json
from typing import Any

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import progress
from nova_mdev_compat.codec import canonical
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet import new_entry
from nova_mdev_compat.fleet.planning import advice
from nova_mdev_compat.fleet.planning import network
from nova_mdev_compat.fleet.planning import planner
from nova_mdev_compat.fleet.planning.problem import Move
from nova_mdev_compat.fleet.planning.problem import Plan as Found
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning import upgrading
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import inventories

COLUMNS = ('No', 'Action', 'Host', 'Moves', 'Stranded', 'Why')
MOVES = ('No', 'Action', 'Server', 'Devices', 'From', 'From provider', 'To',
         'To provider')

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


class Plan(access.ByOptions, base.Lister):
    """Say in which order hosts can be upgraded, and what has to move.

    Each host is emptied by live migrations to providers that accept its
    devices and have room at that time, gets its new documents, and takes
    devices again. Only devices are looked at, not processors or memory. Exit
    status 1 when no order for all of the hosts was found: then some are kept
    back, and the answer says which servers would be stranded, and what would
    help.
    """

    dispensable = ('Devices',)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'files', nargs='+', metavar='FILE',
            help='the documents after the upgrade; each takes the place of '
                 'those in use that differ in the version only, or else of '
                 'the same mdev type')
        parser.add_argument(
            '--host', action='append', default=[], metavar='PATTERN',
            help='the compute nodes that are upgraded, by name or by a '
                 "shell's pattern (default: all that have such a document); "
                 'may be given several times')
        parser.add_argument(
            '--replace', action='append', default=[], metavar='DIGEST=FILE',
            help='the new document of those that carry this one now, where '
                 'it cannot be told; may be given several times')
        parser.add_argument(
            '--moves', action='store_true', help='list every move')
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        _require()
        new, given = _documents(parsed_args)
        asked = self.access(parsed_args)
        fleet = asked.fleet()
        problem = _problem(asked, fleet, new, given,
                           parsed_args.host or ['*'])
        with progress.count('Hosts planned') as step:
            found = planner.plan(problem, step)
        self.status = base.NO if found.left else base.YES
        with progress.count('Looking for what would help') as step:
            useful = advice.advise(problem, found, step)
        helpful = list(_advice(problem, useful, {**fleet.documents, **new}))
        self.say(parsed_args, *_words(problem, found), *helpful)
        if parsed_args.moves:
            self.human_columns = ('No', 'Action', 'Server', 'Devices',
                                  'From', 'To')
            return MOVES, _moves(fleet, found)
        rows = list(_hosts(found))
        if base.is_for_people(parsed_args):
            self.human_columns = COLUMNS[:5 if found.left else 4]
        else:
            rows += [(base.Number(None), 'advice', '', 0, base.Names([]),
                      words) for words in helpful]
        return COLUMNS, rows


def _require() -> None:
    try:
        network.require()
    except network.NoNetworkx as error:
        raise base.BadInput('plan needs networkx: install '
                            'nova-mdev-compat[plan]') from error


def _documents(parsed_args: argparse.Namespace
               ) -> tuple[dict[str, Document], dict[str, str]]:
    """The new documents by digest, and what they replace as was said."""
    given = {}
    new = {}
    for name in parsed_args.files:
        document = base.read_document(name)
        new[canonical.digest(document.canonical)] = document
    for text in parsed_args.replace:
        old, _, name = text.partition('=')
        if not name:
            raise base.BadInput(f'--replace {text}: write DIGEST=FILE')
        document = base.read_document(name)
        given[old] = canonical.digest(document.canonical)
        new[given[old]] = document
    return new, given


def _problem(asked: Access, fleet: Fleet, new: Mapping[str, Document],
             given: Mapping[str, str], patterns: Sequence[str]) -> Problem:
    unknown = given.keys() - fleet.documents.keys()
    if unknown:
        raise base.BadInput(f'--replace {", ".join(sorted(unknown))}: no '
                            'provider carries this document')
    try:
        replaced = upgrading.replacements(fleet, new, given)
    except upgrading.Ambiguous as error:
        raise base.BadInput(f'{error}: say which with --replace') from error
    problem = upgrading.build(
        fleet, _allocations(asked, fleet), new, replaced, patterns,
        asked.question(), asked.cache.verdicts)
    if not problem.hosts:
        raise base.BadInput(
            'none of these hosts carries a document that one of the new ones '
            'would replace by another')
    return problem


def _allocations(asked: Access,
                 fleet: Fleet) -> dict[str, dict[str, int]]:
    """Amounts by consumer, by provider."""
    found = {}
    used = [one for one in fleet.providers if one.capacity.used]
    for one in progress.show(used, 'allocations'):
        try:
            found[one.uuid] = inventories.consumers(
                asked.client, one.uuid, one.resource_class, asked.deadline())
        except NotFound:
            # Deleted since it was listed, and its devices with it.
            continue
    return found


def _words(problem: Problem, found: Found) -> Iterator[str]:
    yield (f'Hosts that can be upgraded one after another: '
           f'{len(found.order)} of {len(problem.hosts)}. Live migrations: '
           f'{len(found.moves)}.')
    if found.left:
        yield 'No order has more hosts: all were looked through.' \
            if found.exact else 'There may be an order that has more hosts: ' \
            'not all of them were looked through.'


def _hosts(found: Found) -> Iterator[Sequence[Any]]:
    """A row for each host."""
    number, moves = 0, 0
    for step in found.steps:
        if isinstance(step, Move):
            moves += 1
            continue
        number += 1
        yield (base.Number(number), 'upgrade', step.host, moves,
               base.Names([]), '')
        moves = 0
    for host in found.left:
        stranded = [consumer for one, consumer in found.stranded
                    if one == host]
        yield (base.Number(None), 'keep back', host, 0, base.Names(stranded),
               f'{len(stranded)} servers cannot leave it')


def _moves(fleet: Fleet, found: Found) -> Iterator[Sequence[Any]]:
    names = {one.uuid: one.name for one in fleet.providers}
    for number, step in enumerate(found.steps, 1):
        if not isinstance(step, Move):
            yield (number, 'upgrade', '', base.Number(None), step.host, '', '',
                   '')
            continue
        for before, after, amount in step.parts:
            yield (number, 'move', step.consumer, base.Number(amount),
                   step.source,
                   names[before], step.destination, names[after])


def _advice(problem: Problem, useful: Iterable[advice.Advice],
            documents: Mapping[str, Document]) -> Iterator[str]:
    """What would help, in words."""
    labels = {kind.digest: kind.label for kind in kinds.kinds(documents)}
    for one in useful:
        if isinstance(one, advice.KeepBack):
            if len(one.hosts) < len(problem.hosts):
                yield (f'Without {", ".join(one.hosts[:3])}'
                       f'{" and others" if len(one.hosts) > 3 else ""} all '
                       'others can be upgraded.')
        elif isinstance(one, advice.AddEntry):
            yield (f'All can be upgraded if document {one.destination} '
                   f'({labels[one.destination]}) accepts '
                   f'{labels[one.source]}{_entry(one, documents)}')
        else:
            yield (f'{one.amount} devices of {labels[one.source]} find the '
                   'providers that accept them full.')


def _entry(wanted: advice.AddEntry, documents: Mapping[str, Document]) -> str:
    entry = new_entry.suggest(documents[wanted.source].device,
                              documents[wanted.destination])
    return '.' if entry is None else (
        f', by the entry {json.dumps(entry)}: if its vendor says that it can '
        'load that state.')
