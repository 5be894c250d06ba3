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

"""The options of the [mdev_compat_publisher] group."""

from __future__ import annotations

import dataclasses
import math
import pathlib

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'mdev_compat_publisher',
    title='Publishing the documents of a compute host',
    help='Options of nova-mdev-compat-publisher, which runs on a compute '
         'host and tells placement what its devices are.')

RULES_DIR = '/etc/nova-mdev-compat/rules.d'
HEALTH_FILE = '/run/nova-mdev-compat-publisher/health.json'

OPTIONS = [
    cfg.FloatOpt(
        'interval', default=300, min=1, max=86400,
        help="""
Seconds between two looks at the devices and at placement, more or less.

Each time a fifth at most is added or taken off, so that hosts which were
started together do not ask together. While something is missing, such as
placement or a provider that nova-compute has yet to make, it looks again
sooner.
"""),
    cfg.ListOpt(
        'rules_dirs', default=[RULES_DIR],
        help="""
Directories of rules, which are files whose names end in ``.yaml``.

They are read after the rules that come with the package, in this order, and
what is read later replaces what was read before. The default may be missing;
any other one must be there.
"""),
    cfg.StrOpt(
        'sysfs_root', default='/sys',
        help="""
Directory that stands for the host's ``/sys``.

For a container that has it somewhere else.
"""),
    cfg.ListOpt(
        'probes', default=[],
        help="""
Names of the probes that find devices and their facts; empty for all that are
installed.

When a probe fails, the documents that it has a part in are left as they are.
So name the wanted ones where an installed one cannot work.
"""),
    cfg.FloatOpt(
        'timeout', default=60, min=1, max=3600,
        help="""
Seconds, on the clock, for reading placement once, and for writing one
provider.
"""),
    cfg.StrOpt(
        'health_file', default=HEALTH_FILE,
        help="""
File into which the service writes how it is, as JSON; empty for none.

``nova-mdev-compat-publisher --health`` reads it.
"""),
]


class InvalidOption(ValueError):
    """An option's value cannot be used."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f'[{GROUP.name}] {name}: {why}')


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """One reading of the group; the names are those of the options."""

    interval: float
    rules_dirs: tuple[pathlib.Path, ...]
    sysfs_root: pathlib.Path
    probes: tuple[str, ...]
    timeout: float
    health_file: pathlib.Path | None


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Registers the group; doing it twice does no harm."""
    conf.register_group(GROUP)
    conf.register_opts(OPTIONS, group=GROUP)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    return [(GROUP, OPTIONS)]


def read(conf: cfg.ConfigOpts) -> Settings:
    """The values now.

    :raises InvalidOption: one of them cannot be used.
    """
    values = {}
    for option in OPTIONS:
        try:
            values[option.name] = conf[GROUP.name][option.name]
        except (cfg.Error, ValueError) as error:
            raise InvalidOption(option.name, str(error)) from error
    for name in ('interval', 'timeout', 'sysfs_root'):
        # oslo.config takes no text at all for no value.
        if not values[name]:
            raise InvalidOption(name, 'it has no value')
    for name in ('interval', 'timeout'):
        # oslo.config lets nan through: it is neither under nor over a bound.
        if math.isnan(values[name]):
            raise InvalidOption(name, 'nan is not a number of seconds')
    return Settings(
        values['interval'], tuple(_rules_dirs(values['rules_dirs'])),
        pathlib.Path(values['sysfs_root']), tuple(values['probes']),
        values['timeout'],
        pathlib.Path(values['health_file'])
        if values['health_file'] else None)


def _rules_dirs(names: list[str]) -> list[pathlib.Path]:
    found = [pathlib.Path(name) for name in names]
    if names == [RULES_DIR] and not found[0].is_dir():
        return []
    return found
