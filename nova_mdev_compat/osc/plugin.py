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

"""What OpenStackClient asks of a plug-in.

Source: python-openstackclient's contributor guide, "Plugins".
"""

from __future__ import annotations

import argparse
from typing import Any

from nova_mdev_compat.cmd import cloud
from nova_mdev_compat.placement.client import Client

API_NAME = 'mdev_compat'
API_VERSION_OPTION = 'os_mdev_compat_api_version'
DEFAULT_API_VERSION = '1'
API_VERSIONS = {DEFAULT_API_VERSION: 'nova_mdev_compat.placement.client'}


def make_client(instance: Any) -> Client:
    """The `mdev_compat` of a client manager: placement, as we need it."""
    return cloud.open_client(instance.sdk_connection)


def build_option_parser(
        parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """There is one version of documents, so no option for another."""
    return parser
