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

"""nova-mdev-compat gc"""

from __future__ import annotations

import argparse
import collections
import sys
import time

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.placement.collection import Collector
from nova_mdev_compat.placement.collection import Seen
from nova_mdev_compat.placement.collection import Unused
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.fate import Fate
from nova_mdev_compat.placement.label_collection import LabelCollector
from nova_mdev_compat.placement.label_collection import SeenLabels
from nova_mdev_compat.placement.label_collection import UnusedLabel

_TIMEOUT = 120.0
_GRACE = 24 * 3600.0

RISK = """\
--markers: placement can lose a race between deleting a trait and putting it
on a provider. On a database that enforces no foreign keys (SQLite) the
provider then carries a trait that is gone, and every request for allocation
candidates fails until somebody removes the row by hand. A database that does,
such as MariaDB or PostgreSQL, refuses it. Best run while no publisher works.
"""


class Gc(base.Command):
    """Delete bodies of documents that no provider's marker or label names.

    A document is seen twice: the first time it gets a tombstone trait that
    says when, and once the grace period is over the next run deletes its
    body. So run it now and then, from cron or a timer. The same goes for what
    labels stand for that no provider carries. Needs the admin or the service
    role in placement.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        configuration.add_config_file(parser)
        parser.add_argument(
            '--grace', type=_seconds, default=_GRACE, metavar='SECONDS',
            help='time between the first sight and collecting '
                 '(default: a day)')
        parser.add_argument(
            '--markers', action='store_true',
            help='delete their marker traits too, which has a risk that is '
                 'said when it is used')
        parser.add_argument(
            '--dry-run', action='store_true',
            help='show what would be done, and write nothing')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        if parsed_args.markers:
            print(RISK, end='', file=sys.stderr)
        client = configuration.connect(parsed_args.config_file)
        collector = Collector(
            client, parsed_args.grace, parsed_args.markers, time.time,
            _deadline)
        by_label = LabelCollector(client, parsed_args.grace, time.time,
                                  _deadline)
        seen = collector.look()
        if parsed_args.dry_run:
            _preview_labels(by_label, seen.labels)
            _preview(collector, seen)
        else:
            # The first: what a label stands for holds the document's body.
            _collect_labels(by_label, seen.labels)
            _collect(collector, seen)
        return base.YES


def _deadline() -> Deadline:
    return Deadline(_TIMEOUT)


def _seconds(text: str) -> float:
    found = float(text)
    if not 0 <= found < float('inf'):
        raise ValueError(text)
    return found


def _preview(collector: Collector, seen: Seen) -> None:
    fates = {unused: collector.fate(unused) for unused in seen.unused}
    for unused, fate in fates.items():
        _say(unused, fate)
        if fate is Fate.COLLECTED:
            for name in unused.names:
                print(f'    {name}')
    print(f'{_counted(fates)}; nothing was written.')


def _collect(collector: Collector, seen: Seen) -> None:
    collector.forget(seen.stale)
    fates = {}
    for unused in seen.unused:
        fates[unused] = collector.collect(unused)
        _say(unused, fates[unused])
    print(f'{_counted(fates)}.')


def _say(unused: Unused, fate: Fate) -> None:
    print(f'document {unused.digest}, {len(unused.names)} traits: '
          f'{fate.value}')


def _preview_labels(collector: LabelCollector, seen: SeenLabels) -> None:
    for label in seen.superseded:
        print(f'label {label}: mappings that do not count would go')
    for unused in seen.unused:
        fate = collector.fate(unused)
        _say_label(unused, fate)
        if fate is Fate.COLLECTED:
            for name in unused.names:
                print(f'    {name}')


def _collect_labels(collector: LabelCollector, seen: SeenLabels) -> None:
    removed = collector.tidy(seen)
    if removed:
        print(f'{removed} mappings of labels that did not count were removed')
    for unused in seen.unused:
        _say_label(unused, collector.collect(unused))


def _say_label(unused: UnusedLabel, fate: Fate) -> None:
    print(f'label {unused.label}, {len(unused.names)} traits: {fate.value}')


def _counted(fates: dict[Unused, Fate]) -> str:
    counts = collections.Counter(fates.values())
    return f'{len(fates)} documents without a marker in use' + ''.join(
        f', {counts[fate]} {fate.value.partition(":")[0]}'
        for fate in Fate if counts[fate])
