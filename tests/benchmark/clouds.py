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

"""Placements with a fleet in them: in this process, and served."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import pathlib
import tempfile
import threading
import time
from typing import Any

from keystoneauth1 import adapter as ksa_adapter
from oslo_config import cfg
from placement import db_api
import sqlalchemy as sa

from nova_mdev_compat.placement import client
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.kept import Lifetime
from nova_mdev_compat.placement.trait_cache import TraitCache
from tests.benchmark.fleet import Fleet
from tests.benchmark import population
from tests.functional import placement_cloud
from tests.services.mariadb import MariaDB
from tests.services.served_placement import ServedPlacement

#: No answer is too late.
LIFETIME = Lifetime(ttl=86400, max_age=86400, timeout=600)


class CountingAdapter:
    """A keystoneauth adapter, and how many requests went through it."""

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter
        self.count = 0

    def request(self, *arguments: Any, **more: Any) -> Any:
        self.count += 1
        return self._adapter.request(*arguments, **more)

    def get(self, url: str, **more: Any) -> Any:
        return self.request(url, 'GET', **more)


@dataclasses.dataclass(frozen=True)
class Cloud:
    """A placement that holds a fleet.

    :param adapter: speaks to it as the filter does.
    :param clock: what its answers are timed with: processor time where it
        runs in this process, else the wall's.
    """

    fleet: Fleet
    url: str
    adapter: CountingAdapter
    engine: sa.Engine
    clock: Callable[[], float]

    def store(self) -> DocumentStore:
        """A store that knows the fleet's documents."""
        store = DocumentStore(client.Client(self.adapter))
        TraitCache(client.Client(self.adapter), store,
                   lambda: LIFETIME).in_use()
        return store

    def cache(self, store: DocumentStore) -> TraitCache:
        """A cold cache."""
        return TraitCache(client.Client(self.adapter), store,
                          lambda: LIFETIME)


def settle() -> None:
    """Waits for what the cache asks for in the background."""
    for thread in threading.enumerate():
        if thread.name.startswith('mdev-compat '):
            thread.join()


@contextlib.contextmanager
def in_process(fleet: Fleet) -> Iterator[Cloud]:
    """Placement on SQLite in memory, behind an intercepted URL."""
    with placement_cloud.Placement() as placement:
        engine = db_api.placement_context_manager.writer.get_engine()
        population.fill(engine, fleet)
        yield Cloud(fleet, placement.url,
                    _adapter(placement.configuration), engine,
                    time.process_time)


@contextlib.contextmanager
def on_mariadb(fleet: Fleet) -> Iterator[Cloud]:
    """Placement on MariaDB, served by processes of its own."""
    with MariaDB() as database, _served(
            fleet, database.url('placement')) as cloud:
        yield cloud


@contextlib.contextmanager
def on_sqlite(fleet: Fleet) -> Iterator[Cloud]:
    """The same on SQLite in a file, which is there sooner."""
    with tempfile.TemporaryDirectory() as folder, _served(
            fleet, f'sqlite:///{folder}/placement.db') as cloud:
        yield cloud


@contextlib.contextmanager
def _served(fleet: Fleet, url: str) -> Iterator[Cloud]:
    engine = sa.create_engine(url)
    with ServedPlacement(url, collects=False) as placement:
        population.fill(engine, fleet)
        yield Cloud(
            fleet, placement.endpoint,
            _adapter(pathlib.Path(placement.nova_conf())), engine,
            time.perf_counter)
    engine.dispose()


def _adapter(configuration: pathlib.Path) -> CountingAdapter:
    conf = cfg.ConfigOpts()
    client.register_opts(conf)
    conf(['--config-file', str(configuration)], project='benchmark')
    return CountingAdapter(client.load_adapter(conf))
