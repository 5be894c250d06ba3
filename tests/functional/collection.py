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

"""A publisher and a collector that meet, for every order of their requests."""

from collections.abc import Callable
from collections.abc import Hashable
from typing import Any
import uuid

from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.collection import Collector
from nova_mdev_compat.placement.collection import Fate
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from tests.functional import interleaving

NOW = 1_000_000
GRACE = 100
TIMEOUT = 60.0

#: A request of the test's own, which must succeed.
Call = Callable[..., Any]


def collect(client: Client, markers: bool = False, grace: float = GRACE,
            now: float = NOW) -> list[Fate]:
    """One run of the collector."""
    collector = Collector(client, grace, markers, lambda: now,
                          lambda: Deadline(TIMEOUT))
    seen = collector.look()
    collector.forget(seen.stale)
    return [collector.collect(unused) for unused in seen.unused]


class Meeting:
    """A document that is due to be collected, and a publisher of it.

    :param there: how many of its chunks are there.
    :param marker: whether its marker trait is there.
    """

    def __init__(self, call: Call, send: interleaving.Send,
                 document: Document, there: int, marker: bool,
                 collect_markers: bool) -> None:
        self._call = call
        self._send_on = send
        self.names = traits.encode(document)
        self._wanted = Wanted(document, self.names)
        self._before = {
            tombstones.Tombstone(self.names.digest, NOW - GRACE).name,
            *self.names.chunks[:there],
            *([self.names.marker] if marker else [])}
        self._collect_markers = collect_markers
        self.root, self.provider = str(uuid.uuid4()), str(uuid.uuid4())
        name = f'host-{self.root}'
        self._root = Root(self.root, (name,))
        call('POST', '/resource_providers', {'name': name,
                                             'uuid': self.root})
        call('POST', '/resource_providers', {
            'name': f'{name}_gpu', 'uuid': self.provider,
            'parent_provider_uuid': self.root})
        self.fates: dict[Fate, int] = {}

    def orders(self) -> interleaving.Orders:
        return interleaving.Orders(
            [self._publish, self._collect], self._send, self._begin,
            self._state, self._check)

    def _publish(self, client: Client) -> None:
        intent = Intent(self._root, {'gpu': self._wanted})
        Agent(client, lambda: intent, TIMEOUT).round()

    def _collect(self, client: Client) -> list[Fate]:
        return collect(client, self._collect_markers)

    def custom_traits(self) -> set[str]:
        return set(self._call(
            'GET', f'/traits?name=startswith:{traits.PREFIX}')['traits'])

    def carried(self) -> set[str]:
        return set(self._call(
            'GET', f'/resource_providers/{self.provider}/traits')['traits'])

    def _begin(self) -> None:
        path = f'/resource_providers/{self.provider}/traits'
        self._call('PUT', path, {**self._call('GET', path), 'traits': []})
        there = self.custom_traits()
        for name in there - self._before:
            self._call('DELETE', f'/traits/{name}')
        for name in self._before - there:
            self._call('PUT', f'/traits/{name}')
        self._there = set(self._before)
        self._marked = False

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """A request of an actor's, with what it comes to noted."""
        status, answer = self._send_on(method, path, body)
        name = path.removeprefix('/traits/')
        if status < 300 and method == 'DELETE':
            self._there.remove(name)
        elif status < 300 and method == 'PUT':
            if name == path:
                self._marked = True
            else:
                self._there.add(name)
        return status, answer

    def _state(self) -> Hashable:
        return frozenset(self._there), self._marked

    def _check(self, results: list[Any]) -> None:
        assert self.custom_traits() == self._there
        carried = self.carried()
        assert carried == {self.names.marker}, carried
        # Raises where the body is not whole.
        traits.decode(self.custom_traits(), self.names.digest)
        for fate in results[1]:
            self.fates[fate] = self.fates.get(fate, 0) + 1
