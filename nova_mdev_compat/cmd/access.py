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

"""Who is asked, and with which options: nova.conf, or a cloud."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
from typing import Any

from oslo_config import cfg

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import cloud
from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.cmd import progress
from nova_mdev_compat.conf import mdev_compat
from nova_mdev_compat.conf import nova_options
from nova_mdev_compat.conf import settings as conf_settings
from nova_mdev_compat.conf.settings import Settings
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet import reading
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement.trait_cache import TraitCache
from nova_mdev_compat.placement.verdicts import LIVE_MIGRATION
from nova_mdev_compat.placement.verdicts import Question

# Seconds for one question; some answers hold a whole cloud.
_TIMEOUT = 300.0


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """Placement, and what else an answer depends on.

    :param nova: where names and moves under way can be looked up, if
        anywhere.
    """

    client: Client
    cache: TraitCache
    settings: Settings
    max_placement_results: int
    nova: cloud.Nova | None

    def deadline(self) -> Deadline:
        return Deadline(_TIMEOUT)

    def fleet(self) -> Fleet:
        """The device providers, now; progress is shown on a terminal."""
        return reading.read(self.client, self.cache,
                            self.settings.resource_classes, self.deadline,
                            progress.show)

    def question(self, operation: str = LIVE_MIGRATION) -> Question:
        """What an operation asks of a destination."""
        return Question.of_operation(operation, self.settings.honour_create,
                                     self.settings.live_migration_same_type)


def make(files: list[str], connection: Any = None) -> Access:
    """Access through nova.conf, or through an openstacksdk connection.

    :raises base.BadInput: the configuration cannot be used.
    """
    return of_conf(configuration.read_config(files), files, connection)


def of_conf(conf: cfg.ConfigOpts, files: list[str],
            connection: Any = None) -> Access:
    """Access with a configuration that was read.

    :param files: where it came from, for messages.
    :raises base.BadInput: it cannot be used.
    """
    try:
        settings = conf_settings.check(conf)
        limit = conf[nova_options.SCHEDULER].max_placement_results
    except (conf_settings.InvalidOption, ValueError) as error:
        raise base.BadInput(f'{", ".join(files)}: {error}') from error
    client = configuration.open_client(conf, files) if connection is None \
        else cloud.open_client(connection)
    directory = Directory(settings.documents_dir) \
        if settings.documents_dir else None
    store = DocumentStore(client, directory, settings.approved_only)
    # An answer is one moment's: nothing is asked twice.
    lifetime = Lifetime(math.inf, math.inf, _TIMEOUT)
    return Access(client, TraitCache(client, store, lambda: lifetime),
                  settings, limit,
                  None if connection is None else cloud.Nova(connection))


class ByOptions:
    """A command with the options that say who is asked."""

    def add_access(self, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group(
            'access', 'Where placement is; one of the first two is needed.')
        group.add_argument(
            '--config-file', action='append', default=[],
            metavar='NOVA_CONF',
            help='configuration with a [placement] group, such as '
                 '/etc/nova/nova.conf; its [mdev_compat] and [scheduler] '
                 'options count too; may be given several times')
        group.add_argument(
            '--os-cloud', metavar='NAME', default=os.environ.get('OS_CLOUD'),
            help='a cloud of clouds.yaml (Env: OS_CLOUD); needs the extra '
                 '"osc". Options are those of --config-file, if it is given '
                 'too, or else the defaults')

    def access(self, parsed_args: argparse.Namespace) -> Access:
        files = parsed_args.config_file
        if files and parsed_args.os_cloud == os.environ.get('OS_CLOUD'):
            return make(files)
        if parsed_args.os_cloud:
            return make(files, cloud.connect(parsed_args.os_cloud))
        raise base.BadInput('where is placement? Give --config-file with the '
                            'nova.conf of a nova service, or --os-cloud')


def add_operation(parser: argparse.ArgumentParser) -> None:
    """The option that says which move is meant."""
    parser.add_argument(
        '--operation', choices=mdev_compat.OPERATIONS,
        default=LIVE_MIGRATION,
        help=f'the move that is meant (default: {LIVE_MIGRATION})')
