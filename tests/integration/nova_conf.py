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

"""A nova.conf of a controller, such as an operator would write."""

from collections.abc import Mapping
import dataclasses
import pathlib
from typing import Any

from tests.services import served_placement

FILTER = 'MdevCompatFilter'
_OTHER_FILTERS = ('ComputeCapabilitiesFilter', 'ImagePropertiesFilter',
                  'ServerGroupAntiAffinityFilter',
                  'ServerGroupAffinityFilter')

# Of a connection that placement's web server closes while Nova sends, Nova
# makes "No valid host" unless connect_retries is set. There is no keystone:
# placement's `noauth2` takes the token for the name. Nova's default of
# max_attempts names two alternates in an answer; here it names every host that
# is left, so that all of them can be judged. And a host is chosen at random,
# for in a cloud of so few, where all are alike, the best one would be claimed
# by everybody at once.
_TEXT = """
[DEFAULT]
host = controller
my_ip = 127.0.0.1
transport_url = {transport}
state_path = {folder}
log_file = {log}
rpc_response_timeout = 30
[oslo_concurrency]
lock_path = {folder}
[api_database]
connection = {api_database}
[database]
connection = {database}
[placement]
auth_type = admin_token
token = {token}
endpoint = {placement}
connect_retries = 3
[scheduler]
workers = {workers}
max_attempts = 64
[filter_scheduler]
host_subset_size = 64
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_mdev_compat.filters.all_filters
enabled_filters = {filters}
"""


@dataclasses.dataclass(frozen=True)
class NovaConf:
    """What the configurations of one cloud share.

    :param database: that of cell0, as on every controller.
    """

    folder: pathlib.Path
    api_database: str
    database: str
    placement: str
    transport: str

    def write(self, name: str, workers: int = 3, with_filter: bool = True,
              mdev_compat: Mapping[str, Any] | None = None,
              **changed: str) -> pathlib.Path:
        """Writes a file, and returns its path.

        :param mdev_compat: options of that group.
        """
        values = {**dataclasses.asdict(self), **changed}
        filters = ['ComputeFilter', *[FILTER] * with_filter, *_OTHER_FILTERS]
        text = _TEXT.format(
            **values, workers=workers, filters=','.join(filters),
            token=served_placement.TOKEN, log=self.log(name))
        if with_filter:
            text += '[mdev_compat]\n' + ''.join(
                f'{option} = {value}\n'
                for option, value in (mdev_compat or {}).items())
        path = self.folder / f'{name}.conf'
        path.write_text(text)
        return path

    def log(self, name: str) -> pathlib.Path:
        return self.folder / f'{name}.log'
