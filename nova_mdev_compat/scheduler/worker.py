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

"""What a scheduler worker holds: made at its first move, never before.

nova-scheduler makes the filter object in the parent and forks its workers
afterwards. A thread, a socket or a lock that is held at that moment would be
of no use in a worker; so all of it is made at first use, once a process.
"""

from __future__ import annotations

import os
import threading

from oslo_config import cfg

from nova_mdev_compat.conf import settings as conf_settings
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.client import load_adapter
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement.trait_cache import TraitCache

# Held by nobody when nova-scheduler forks: only a move takes it.
_lock = threading.Lock()


class Worker:
    """The cache of a filter object, in each process that uses it."""

    def __init__(self) -> None:
        self._made: tuple[int, TraitCache] | None = None

    def trait_cache(self, conf: cfg.ConfigOpts) -> TraitCache:
        """This process's cache.

        :raises PlacementError: nova.conf gives no access to placement.
        """
        process = os.getpid()
        made = self._made
        if made is None or made[0] != process:
            with _lock:
                made = self._made
                if made is None or made[0] != process:
                    made = self._made = process, _make(conf)
        return made[1]


def _make(conf: cfg.ConfigOpts) -> TraitCache:
    settings = conf_settings.read(conf)
    client = Client(load_adapter(conf))
    directory = Directory(settings.documents_dir) \
        if settings.documents_dir else None
    return TraitCache(
        client, DocumentStore(client, directory, settings.approved_only),
        lambda: _lifetime(conf))


def _lifetime(conf: cfg.ConfigOpts) -> Lifetime:
    group = conf.mdev_compat
    return Lifetime(ttl=group.cache_ttl, max_age=group.cache_max_age,
                    timeout=group.refresh_timeout)
