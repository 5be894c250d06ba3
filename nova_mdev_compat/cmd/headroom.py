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

"""nova-mdev-compat headroom"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import progress
from nova_mdev_compat.fleet import headroom
from nova_mdev_compat.fleet.headroom import Headroom as Measured
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import inventories

COLUMNS = ('Document', 'Kind', 'Carrying', 'Used', 'Accepting', 'With room',
           'Free', 'Stranded')
SERVERS = ('Server', 'Devices', 'Host', 'Provider', 'Name', 'Document',
           'Kind')

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


class Headroom(access.ByOptions, base.Lister):
    """Say which kinds of device have nowhere to go, those first.

    A row is a document in use, that is a kind of device. "Carrying"
    providers have the document, and "Used" devices of theirs are held by
    servers. "Accepting" providers would accept such a device; those "With
    room" have "Free" ones. "Stranded" devices have no such provider on
    another host. Exit status 1 when a kind has none, or strands a device.
    """

    dispensable = ('Name', 'Devices')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            '--servers', action='store_true',
            help='list the servers that hold devices with nowhere to go; one '
                 'request for each of their providers')
        parser.add_argument(
            '--occupied', action='store_true',
            help='leave out documents whose devices nobody holds')
        access.add_operation(parser)
        self.add_access(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        asked = self.access(parsed_args)
        measured = [
            one for one in headroom.measure(
                asked.fleet(), asked.question(parsed_args.operation),
                asked.cache.verdicts)
            if one.used or not parsed_args.occupied]
        none = [one for one in measured if one.is_none]
        self.status = base.NO if none else base.YES
        if parsed_args.servers:
            self.human_columns = ('Server', 'Devices', 'Host', 'Name', 'Kind')
            return SERVERS, list(_servers(asked, none))
        self.human_columns = COLUMNS[1:]
        self.say(parsed_args, _words(measured, none))
        return COLUMNS, [_row(one) for one in measured]


def _words(measured: Sequence[Measured], none: Sequence[Measured]) -> str:
    if not none:
        return (f'All {len(measured)} kinds of device have somewhere to go, '
                'from each of their hosts.')
    stranded = sum(one.stranded for one in none)
    return (f'Kinds of device that lack room: {len(none)} of {len(measured)}. '
            f'Devices that could not move now: {stranded}' + (
                ' (--servers lists their servers).' if stranded else '.'))


def _row(one: Measured) -> Sequence[Any]:
    return (one.kind.digest, one.kind.label, len(one.carrying), one.used,
            len(one.accepting), len(one.with_room), one.free, one.stranded)


def _servers(asked: Access,
             none: Iterable[Measured]) -> Iterator[Sequence[Any]]:
    """A row for each consumer of a device that has nowhere to go."""
    held: list[tuple[Measured, DeviceProvider]] = [
        (one, provider) for one in none for provider in one.stuck]
    for one, provider in progress.show(held, 'allocations'):
        try:
            consumers = inventories.consumers(
                asked.client, provider.uuid, provider.resource_class,
                asked.deadline())
        except NotFound:
            # Deleted since it was listed, and its devices with it.
            continue
        for consumer, amount in sorted(consumers.items()):
            yield (consumer, amount, provider.host, provider.uuid,
                   provider.name, one.kind.digest, one.kind.label)
