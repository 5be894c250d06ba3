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

"""The questions about the fleet, in OpenStackClient."""

from __future__ import annotations

import argparse

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd.access import Access
from nova_mdev_compat.cmd import explain
from nova_mdev_compat.cmd import headroom
from nova_mdev_compat.cmd import matrix
from nova_mdev_compat.cmd import plan


class ByClient(access.ByOptions):
    """A command that asks the cloud that OpenStackClient is told of."""

    def add_access(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--config-file', action='append', default=[], metavar='NOVA_CONF',
            help="the schedulers' nova.conf, for its options in "
                 '[mdev_compat] and [scheduler]; without it the defaults '
                 'count; may be given several times')

    def access(self, parsed_args: argparse.Namespace) -> Access:
        manager = self.app.client_manager  # type: ignore[attr-defined]
        return access.make(parsed_args.config_file, manager.sdk_connection)


class Explain(ByClient, explain.Explain):
    __doc__ = explain.Explain.__doc__


class Headroom(ByClient, headroom.Headroom):
    __doc__ = headroom.Headroom.__doc__


class Matrix(ByClient, matrix.Matrix):
    __doc__ = matrix.Matrix.__doc__


class Plan(ByClient, plan.Plan):
    __doc__ = plan.Plan.__doc__
