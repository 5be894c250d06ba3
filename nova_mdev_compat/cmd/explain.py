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

"""nova-mdev-compat explain"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from oslo_log import log as logging
from oslo_utils import uuidutils

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd.cloud import Server
from nova_mdev_compat.compat import description
from nova_mdev_compat.fleet import explanation
from nova_mdev_compat.fleet.explanation import Answer
from nova_mdev_compat.fleet.explanation import Explanation
from nova_mdev_compat.fleet.explanation import Group
from nova_mdev_compat.fleet.explanation import Policies
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet.providers import UNPUBLISHED
from nova_mdev_compat.fleet import source as fleet_source
from nova_mdev_compat.fleet.source import Source
from nova_mdev_compat.placement.errors import Unreachable

LOG = logging.getLogger(__name__)

GROUPED = ('Verdict', 'Device', 'Providers', 'Free', 'Hosts', 'Document',
           'Kind', 'Why', 'Reasons')
ONE_BY_ONE = ('Verdict', 'Device', 'Host', 'Provider', 'Name', 'Free',
              'Total', 'Document', 'Kind', 'Why', 'Reasons')
_FOR_PROGRAMS = ('Provider', 'Total', 'Document', 'Reasons')
_ACCEPT = 'accept'

# A command that is named here runs on the host in question.
_REMEDIES = {
    explanation.NOT_OFFERED:
        'raise [scheduler] max_placement_results at the schedulers.',
    explanation.NO_ROOM:
        'is nova-compute there up and enabled, and has the host processors '
        'and memory left?',
    explanation.FULL:
        'move something away from there; "headroom" says what has room.',
    explanation.REFUSED:
        'by its document it cannot load this state. If its vendor says that '
        'it can, a rule of the publisher has to say so.',
    UNPUBLISHED:
        'nova-mdev-compat-publisher --health says why.',
    CORRUPT:
        'nova-mdev-compat-publisher --once publishes it again.',
}

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


class Explain(access.ByOptions, base.Lister):
    """Say where a server's device could go, and why not elsewhere.

    Asks placement alone, and judges with the matcher and the options of the
    scheduler's filter. Verdicts: "accepted"; "not offered" (accepted, but
    beyond max_placement_results); "host lacks room" (accepted, but
    something else does not fit there, or the host is disabled); "full";
    "refused"; "unpublished"; "corrupt"; "source" (where the server is).
    Exit status 1 when Nova would find no host, of those that are asked about.
    """

    dispensable = ('Free', 'Total', 'Kind')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'server', metavar='SERVER',
            help='UUID of a server, or of its migration; a name too, where '
                 'Nova can be asked for it (a cloud)')
        parser.add_argument(
            '--host', action='append', default=[], metavar='HOST',
            help="only this compute node's providers, one by one; may be "
                 'given several times')
        parser.add_argument(
            '--long', action='store_true',
            help='one row for each provider')
        parser.add_argument(
            '--migration', metavar='UUID',
            help="the migration that holds the server's source devices, "
                 'where Nova cannot be asked for it')
        parser.add_argument(
            '--source-host', metavar='HOST',
            help='the compute node that the server leaves, when it holds '
                 'devices on several')
        access.add_operation(parser)
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        asked = self.access(parsed_args)
        consumer, host = _consumer(asked, parsed_args)
        fleet = asked.fleet()
        source = _source(asked, fleet, consumer, host)
        explained = _explanation(asked, fleet, source, parsed_args.operation)
        answers = explained.answers(_hosts(fleet, parsed_args.host))
        self.status = base.YES if explained.has_somewhere(
            parsed_args.host) else base.NO
        self.say(parsed_args, *_words(source), _bottom_line(
            answers, parsed_args.host, self.status == base.YES))
        if parsed_args.host or self.status == base.NO:
            self.remarks = list(_remedies(answers))
        rows = _Rows(fleet, several=len({
            id(one.source) for one in answers}) > 1)
        columns, data = rows.one_by_one(answers) \
            if parsed_args.long or parsed_args.host else rows.grouped(answers)
        self.human_columns = rows.human(columns)
        return columns, data


def _consumer(asked: Access,
              parsed_args: argparse.Namespace) -> tuple[str, str | None]:
    """Who holds the source's devices, and on which host, if that is known.

    :raises base.BadInput: there is no such server.
    """
    name, host = parsed_args.server, parsed_args.source_host
    if parsed_args.migration is not None:
        return _uuid('--migration', parsed_args.migration), host
    server = _server(asked, name)
    if server is not None:
        return server.migration or server.uuid, host or (
            None if server.migration else server.host)
    # Perhaps it is a migration.
    return _uuid('SERVER', name), host


def _server(asked: Access, name: str) -> Server | None:
    if asked.nova is None:
        return None
    try:
        return asked.nova.find(
            name, lambda uuid: bool(asked.cache.allocations(uuid)))
    except Unreachable as error:
        if not uuidutils.is_uuid_like(name):
            raise
        # Placement alone has most of the answer.
        LOG.warning('Nova cannot be asked whether a move of %s is under way: '
                    '%s', name, error)
        return None


def _uuid(what: str, text: str) -> str:
    if not uuidutils.is_uuid_like(text):
        raise base.BadInput(f'{what} {text}: it is not a UUID, and a name '
                            'needs a cloud that knows it')
    return text


def _source(asked: Access, fleet: Fleet, consumer: str,
            host: str | None) -> Source:
    try:
        return fleet_source.find(
            fleet, consumer, asked.cache.allocations(consumer), host)
    except fleet_source.NotFound as error:
        raise base.BadInput(str(error)) from error


def _hosts(fleet: Fleet, names: list[str]) -> list[str]:
    for name in names:
        if name not in fleet.hosts:
            raise base.BadInput(f'--host {name}: placement has no device '
                                'provider there')
    return names


def _explanation(asked: Access, fleet: Fleet, source: Source,
                 operation: str) -> Explanation:
    settings = asked.settings
    return Explanation(
        fleet, source.devices, asked.question(operation),
        Policies(settings.unpublished_source == _ACCEPT,
                 settings.unpublished_destination == _ACCEPT),
        fleet_source.ask_offers(asked.client, source,
                                asked.max_placement_results, asked.deadline),
        asked.cache.verdicts)


def _words(source: Source) -> Iterable[str]:
    for held in source.devices:
        provider = held.provider
        document = provider.document
        yield (f'{source.consumer} holds {held.amount} '
               f'{provider.resource_class} of {provider.name} '
               f'({provider.uuid}) on {provider.host}:')
        yield '  ' + (provider.publication.fault if document is None else
                      f'{description.describe_device(document.device)} '
                      f'(document {provider.digest})')


def _bottom_line(answers: Iterable[Answer], hosts: Sequence[str],
                 has_somewhere: bool) -> str:
    where = f' to {", ".join(hosts)}' if hosts else ''
    if not has_somewhere:
        return (f'It cannot move{where} now: no allocation candidate passes, '
                'so Nova would find no valid host.')
    taking = [one.provider for one in answers
              if one.outcome == explanation.ACCEPTED]
    count = len({one.host for one in taking})
    return (f'It can move{where} now: {len({one.uuid for one in taking})} '
            f'providers on {count} {"host" if count == 1 else "hosts"} accept '
            'it, have room and are offered to Nova.')


def _remedies(answers: Iterable[Answer]) -> Iterable[str]:
    """What can be done about the outcomes that there are."""
    found = {one.outcome for one in answers}
    for outcome, words in _REMEDIES.items():
        if outcome in found:
            yield f'{outcome}: {words}'


class _Rows:
    """Answers as rows.

    :param several: whether the server's devices are of several kinds.
    """

    def __init__(self, fleet: Fleet, several: bool) -> None:
        self._several = several
        self._labels: Mapping[str | None, str] = {
            kind.digest: kind.label for kind in kinds.kinds(fleet.documents)}

    def human(self, columns: Iterable[str]) -> list[str]:
        """The columns that people read."""
        return [name for name in columns if name not in _FOR_PROGRAMS
                and (self._several or name != 'Device')]

    def grouped(self, answers: Iterable[Answer]) -> Table:
        return GROUPED, [self._group(group)
                         for group in explanation.groups(answers)]

    def one_by_one(self, answers: Iterable[Answer]) -> Table:
        return ONE_BY_ONE, [self._answer(answer) for answer in answers]

    def _group(self, group: Group) -> Sequence[Any]:
        first = group.first
        why = [''] if first.outcome == explanation.FULL else list(first.why)
        return (first.outcome, self._device(first), len(group.answers),
                group.free, base.Names(group.hosts), first.provider.digest,
                self._kind(first), base.Lines(why), _reasons(first))

    def _answer(self, answer: Answer) -> Sequence[Any]:
        provider = answer.provider
        return (answer.outcome, self._device(answer), provider.host,
                provider.uuid, provider.name, provider.capacity.free,
                provider.capacity.total, provider.digest, self._kind(answer),
                base.Lines(list(answer.why)), _reasons(answer))

    def _device(self, answer: Answer) -> str:
        held = answer.source.provider
        return self._labels.get(held.digest) or held.name

    def _kind(self, answer: Answer) -> str:
        return self._labels.get(answer.provider.digest, '')


def _reasons(answer: Answer) -> base.Raw:
    return base.Raw([] if answer.verdict is None else [
        reason.as_json() for reason in answer.verdict.reasons])
