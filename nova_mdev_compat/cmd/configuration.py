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

"""nova.conf, for the commands that ask placement."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from oslo_config import cfg

from nova_mdev_compat.cmd import base
from nova_mdev_compat.conf import mdev_compat
from nova_mdev_compat.conf import nova_options
from nova_mdev_compat.placement import client as placement_client
from nova_mdev_compat.placement.errors import Misconfigured


def connect(files: list[str]) -> placement_client.Client:
    """Placement, as the configuration says.

    :raises base.BadInput: the configuration cannot be used.
    """
    return open_client(read_config(files), files)


def open_client(conf: cfg.ConfigOpts,
                files: list[str]) -> placement_client.Client:
    """Placement, as a configuration that was read says.

    :param files: where it came from, for the message.
    :raises base.BadInput: the configuration cannot be used.
    """
    group = conf[placement_client.GROUP]
    if not group.auth_type and not group.auth_section:
        raise base.BadInput(
            f'{", ".join(files)}: [{placement_client.GROUP}] has no '
            'auth_type: give the nova.conf of a nova service')
    try:
        return placement_client.Client(placement_client.load_adapter(conf))
    except Misconfigured as error:
        raise base.BadInput(f'{", ".join(files)}: {error}') from error


def add_config_file(parser: argparse.ArgumentParser) -> None:
    """The option of a command that writes to placement."""
    parser.add_argument(
        '--config-file', required=True, action='append',
        metavar='NOVA_CONF',
        help='configuration with a [placement] group, such as '
             '/etc/nova/nova.conf; may be given several times')


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Registers the options that the commands know."""
    placement_client.register_opts(conf)
    mdev_compat.register_opts(conf)
    nova_options.register_opts(conf)


def read_config(files: list[str],
                *register: Callable[[cfg.ConfigOpts], None]
                ) -> cfg.ConfigOpts:
    """The options that the commands know; defaults where no file is given.

    :param register: registers options of other groups.
    :raises base.BadInput: a file cannot be read.
    """
    conf = cfg.ConfigOpts()
    for register_options in (register_opts, *register):
        register_options(conf)
    try:
        conf([], project='nova-mdev-compat', default_config_files=files,
             default_config_dirs=[])
    except (cfg.Error, OSError, ValueError) as error:
        raise base.BadInput(f'--config-file {", ".join(files)}: '
                            f'{error}') from error
    return conf
