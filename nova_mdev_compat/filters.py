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

"""What nova.conf names: the filters of this package and of its plug-ins.

.. code-block:: ini

   [filter_scheduler]
   available_filters = nova.scheduler.filters.all_filters
   available_filters = nova_mdev_compat.filters.all_filters
"""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
import stevedore
from stevedore import exception

from nova_mdev_compat.conf import opts
from nova_mdev_compat.conf import settings

NAMESPACE = 'nova_mdev_compat.filters'


def all_filters() -> list[type]:
    """The host filter classes of the stevedore namespace.

    Registers the options, and reads each once, so that a wrong value stops
    nova-scheduler at its start and not at the first move.

    :raises InvalidOption: an option's value is wrong.
    """
    opts.register_opts(cfg.CONF)
    settings.check(cfg.CONF)
    found = stevedore.ExtensionManager(
        NAMESPACE, on_load_failure_callback=_refuse)
    return [extension.plugin for extension in found]


def _refuse(manager: Any, entry_point: Any, error: BaseException) -> None:
    raise exception.NoMatches(
        f'The filter {entry_point.name} ({entry_point.value}) cannot be '
        f'loaded: {error}') from error
