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

"""The nova-mdev-compat-publisher command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import glob
from importlib import metadata
import os
import pathlib
import sys
import time

from oslo_config import cfg
from oslo_log import log as logging

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.cmd import publisher_report
from nova_mdev_compat.conf import publisher as options
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher import health
from nova_mdev_compat.publisher.health import HealthFile
from nova_mdev_compat.publisher import host
from nova_mdev_compat.publisher import nova_conf
from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from nova_mdev_compat.publisher.service import Backoff
from nova_mdev_compat.publisher.service import Running
from nova_mdev_compat.publisher.service import Service

LOG = logging.getLogger(__name__)

_PROJECT = 'nova-mdev-compat-publisher'
#: Read after those of nova-compute when no other file is named.
OWN_FILE = '/etc/nova-mdev-compat/publisher.conf'
# To be named where there is none at all.
_NOVA_CONF = '/etc/nova/nova.conf'


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the service, or what an option asks for instead of it.

    Exit status: 0 done, 1 not healthy, 2 bad input or usage, 3 placement, a
    provider or a probe did not answer.
    """
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except base.BadInput as error:
        print(error, file=sys.stderr)
        return base.BAD_INPUT
    except PlacementError as error:
        print(f'Placement: {error}', file=sys.stderr)
        return base.UNREACHABLE
    except Exception as error:
        # Python would end with 1, which says "not healthy".
        if arguments.debug:
            raise
        print(f'{type(error).__name__}: {error} (--debug shows where)',
              file=sys.stderr)
        return base.BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROJECT, description='Tell placement what the devices of this '
        'compute host are, and which devices they accept.')
    parser.add_argument(
        '--config-file', action='append', metavar='FILE',
        help='configuration of nova-compute, with a [placement] group; may '
             'be given several times (default: what nova-compute finds by '
             f'itself, such as {_NOVA_CONF} and {_NOVA_CONF}.d/*.conf, and '
             f'{OWN_FILE})')
    parser.add_argument(
        '--config-dir', action='append', metavar='DIRECTORY', default=[],
        help='directory whose *.conf files are read after the files; may be '
             'given several times')
    parser.add_argument(
        '--sysfs-root', metavar='DIRECTORY',
        help="directory that stands for the host's /sys")
    parser.add_argument(
        '--debug', action='store_true', help='log more')
    parser.add_argument(
        '--version', action='version',
        version=metadata.version('nova-mdev-compat'))
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        '--once', action='store_true', help='publish once and end')
    instead.add_argument(
        '--dry-run', action='store_true',
        help='show what would be published in place of what, and write '
             'nothing')
    instead.add_argument(
        '--health', action='store_true',
        help='say how the running service is; exit status 1 when not well')
    parser.add_argument(
        '--wait', type=float, default=0, metavar='SECONDS',
        help='with --once: go on trying so long (default: do not)')
    return parser


def _run(arguments: argparse.Namespace) -> int:
    loader = Loader(arguments.config_file or [], arguments.config_dir,
                    arguments.sysfs_root)
    if arguments.health:
        return _say_health(loader.settings())
    _set_up_logging(arguments.debug)
    if arguments.dry_run:
        return _preview(loader)
    if arguments.once:
        return _once(loader, arguments.wait)
    Service(loader.load).run()
    return base.YES


def config_files(files: Sequence[str], folders: Sequence[str]) -> list[str]:
    """The files that are read, in order.

    :param files: these, then those of the folders; where none are named
        what oslo.config finds for nova-compute, and then our own.
    :raises base.BadInput: a folder is not there.
    """
    found = list(files)
    named = bool(files or folders)
    if not named:
        found = cfg.find_config_files('nova', 'nova-compute')
        folders = cfg.find_config_dirs('nova', 'nova-compute')
    for folder in folders:
        if not os.path.isdir(folder):
            raise base.BadInput(f'--config-dir {folder}: no such directory')
        found += sorted(glob.glob(os.path.join(
            glob.escape(folder), '*.conf')))
    if not named and os.path.exists(OWN_FILE):
        found.append(OWN_FILE)
    return found or [_NOVA_CONF]


class Loader:
    """Reads the configuration and the rules, as often as it is asked to.

    :param files: these, and those of the folders; see `config_files`.
    :param sysfs_root: in place of the configured one, or None.
    """

    def __init__(self, files: Sequence[str], folders: Sequence[str],
                 sysfs_root: str | None) -> None:
        self._named = files, folders
        self._files: list[str] = []
        self._sysfs_root = sysfs_root
        self._used = host.FilesUsed()
        #: Whether some rules could not be read.
        self.faulty = False

    def settings(self) -> options.Settings:
        """The options of [mdev_compat_publisher].

        :raises base.BadInput: one of them cannot be used.
        """
        return self._settings(self._read())

    def load(self) -> Running:
        """Everything that is needed for rounds.

        :raises base.BadInput: the configuration cannot be used.
        """
        conf = self._read()
        settings = self._settings(conf)
        try:
            client = configuration.open_client(conf, self._files)
            one = host.Host(
                self._files, self._rules(settings),
                pathlib.Path(self._sysfs_root or settings.sysfs_root),
                settings.probes, self._used)
        except nova_conf.InvalidNovaConfiguration as error:
            raise base.BadInput(
                f'{", ".join(self._files)}: {error}') from error
        return Running(Agent(client, one.intent, settings.timeout),
                       settings.interval, HealthFile(settings.health_file))

    def _read(self) -> cfg.ConfigOpts:
        self._files = config_files(*self._named)
        return configuration.read_config(self._files, options.register_opts)

    def _settings(self, conf: cfg.ConfigOpts) -> options.Settings:
        try:
            return options.read(conf)
        except options.InvalidOption as error:
            raise base.BadInput(
                f'{", ".join(self._files)}: {error}') from error

    def _rules(self, settings: options.Settings) -> RuleSet:
        # A distribution may ship its rules where sites put theirs.
        loaded = loading.load(list(dict.fromkeys(
            [loading.shipped_folder(), *settings.rules_dirs])))
        for fault in loaded.faults:
            LOG.error('%s', fault)
        self.faulty = bool(loaded.faults)
        return loaded.rule_set


def _preview(loader: Loader) -> int:
    agent = loader.load().agent
    seen = agent.look()
    for line in publisher_report.preview(seen, agent.carried):
        print(line)
    return base.BAD_INPUT if loader.faulty else publisher_report.status(seen)


def _once(loader: Loader, wait: float) -> int:
    running = loader.load()
    backoff = Backoff(running.interval)
    end = time.monotonic() + wait
    while True:
        why = None
        try:
            done = running.agent.round()
            print(publisher_report.summary(done))
            status = publisher_report.status(done)
        except PlacementError as error:
            if time.monotonic() >= end:
                raise
            why, status = str(error), base.UNREACHABLE
        if why is not None:
            LOG.warning('Placement: %s', why)
        left = end - time.monotonic()
        if status == base.YES or left <= 0:
            return base.BAD_INPUT if loader.faulty else status
        time.sleep(min(backoff.after(False), left))


def _say_health(settings: options.Settings) -> int:
    if settings.health_file is None:
        raise base.BadInput(f'[{options.GROUP.name}] health_file is empty')
    found = health.read(settings.health_file, time.time())
    print(found.words)
    return base.YES if found.healthy else base.NO


def _set_up_logging(debug: bool) -> None:
    # To standard error alone: the files that nova.conf names are nova's.
    conf = cfg.ConfigOpts()
    logging.register_options(conf)
    conf([], project=_PROJECT, default_config_files=[],
         default_config_dirs=[])
    conf.set_override('debug', debug)
    if not debug:
        # What they warn of is in our own line too.
        conf.set_override('default_log_levels', [
            *logging.get_default_log_levels(), 'keystoneauth=ERROR',
            'stevedore=ERROR'])
    logging.setup(conf, _PROJECT)


if __name__ == '__main__':
    sys.exit(main())
