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

"""A placement on MariaDB, hosts that publish there, and what it cost."""

import collections
from collections.abc import Callable
from collections.abc import Iterable
import concurrent.futures
import logging
import os
import sys
import threading
from typing import Any
import uuid

import tenacity
import testtools

from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.agent import Round
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from tests.services.mariadb import MariaDB
from tests.services.served_placement import ServedPlacement

TIMEOUT = 600.0


def number(name: str, default: int) -> int:
    """A size of a test, which the environment may change."""
    return int(os.environ.get(f'MDEV_COMPAT_{name}', default))


class ServedTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        # Thousands of lines of clients and publishers.
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.database = self.useFixture(MariaDB())
        self.placement = self.useFixture(
            ServedPlacement(self.database.url('placement')))
        self.config = self.placement.nova_conf()

    def client(self) -> Client:
        """With a session of its own, as every host has."""
        return configuration.connect([self.config])

    def say(self, text: str) -> None:
        """A figure, for whoever runs the test."""
        self.addDetail(f'figure {uuid.uuid4()}',
                       testtools.content.text_content(text))
        print(text, file=sys.__stdout__, flush=True)

    def traits_of(self, provider: str) -> set[str]:
        return set(self.placement.call(
            'GET', f'/resource_providers/{provider}/traits')['traits'])

    def custom_traits(self) -> set[str]:
        return set(self.placement.call(
            'GET', '/traits?name=startswith:CUSTOM_')['traits'])

    def assert_candidates(self) -> None:
        """Requests for allocation candidates are answered: no association
        dangles.
        """
        self.placement.call('GET', '/allocation_candidates?resources=VGPU:1')

    def statuses(self, since: int = 0) -> dict[str, int]:
        """How often placement answered what, by method and status."""
        return dict(collections.Counter(
            f'{request.partition(" ")[0]} {status}' for request, status
            in self.placement.answered()[since:]))


class Host:
    """A compute host: a root provider and pGPUs, and its agent.

    :param serving: makes the providers.
    """

    def __init__(self, serving: ServedPlacement, client: Client,
                 pgpus: int = 8) -> None:
        self._placement = serving
        self.root = str(uuid.uuid4())
        self.name = f'host-{self.root}'
        self.pgpus = {f'pci_0000_{number:02x}_00_0': str(uuid.uuid4())
                      for number in range(pgpus)}
        self.wanted: dict[str, Wanted] = {}
        self.agent = self.agent_of(client)

    def make(self) -> 'Host':
        self._make(self.name, self.root, None)
        for suffix, found in self.pgpus.items():
            self._make(f'{self.name}_{suffix}', found, self.root)
        return self

    def _make(self, name: str, found: str, parent: str | None) -> None:
        self._placement.call('POST', '/resource_providers', {
            'name': name, 'uuid': found, 'parent_provider_uuid': parent})

    def agent_of(self, client: Client) -> Agent:
        """Another agent of the same host."""
        return Agent(client, lambda: Intent(
            Root(self.root, (self.name,)), self.wanted), TIMEOUT)

    def round(self, failures: list[str] | None = None) -> Round:
        """As the service does it: a round that failed is run again.

        :param failures: takes why.
        """
        for attempt in tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(PlacementError),
                wait=tenacity.wait_random(0.1, 2),
                stop=tenacity.stop_after_attempt(20), reraise=True):
            with attempt:
                try:
                    return self.agent.round()
                except PlacementError as error:
                    if failures is not None:
                        failures.append(str(error))
                    raise
        raise AssertionError('tenacity returned without an answer')

    def want(self, document: Document) -> traits.TraitNames:
        names = traits.encode(document)
        self.wanted = dict.fromkeys(self.pgpus, Wanted(document, names))
        return names


def at_once(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Runs each in a thread of its own, all of them begun together."""
    some = list(tasks)
    barrier = threading.Barrier(len(some))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait(TIMEOUT)
        return task()

    with concurrent.futures.ThreadPoolExecutor(len(some)) as pool:
        return list(pool.map(run, some))


def lost(rounds: Iterable[Round]) -> collections.Counter[int]:
    """How many races were lost, by HTTP status."""
    return collections.Counter(
        status for done in rounds for status in done.outcome.lost)
