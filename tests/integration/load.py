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

"""Requests of all kinds from many clients, and what became of them."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import concurrent.futures
import dataclasses
import itertools
import random
import statistics
import threading
import time
from typing import Any

from nova import context as nova_context
from nova import exception
import requests
import tenacity

from tests.integration import cloud as clouds
from tests.integration import documents
from tests.integration.environment import Caller
from tests.integration.environment import Environment
from tests.integration.environment import Publisher
from tests.integration import journal
from tests.integration.journal import Question

CLIENTS = 16
#: What a client has servers for, and how many: operation, whether the flavor
#: asks for a device, and whether the server is in a cell.
KINDS: dict[str, tuple[str | None, bool, bool, int]] = {
    'boot': (None, True, False, 1),
    'boot without a device': (None, False, False, 1),
    'unshelve': (None, True, True, 1),
    'live migration': (clouds.LIVE, True, True, 4),
    'live migration without a device': (clouds.LIVE, False, True, 1),
    'cold migration': (clouds.COLD, True, True, 2),
    'resize': (clouds.RESIZE, True, True, 1),
    'evacuation': (clouds.EVACUATION, True, True, 2),
}
#: Judged by the schedulers here; a resize is not.
OPERATIONS = (clouds.LIVE, clouds.COLD, clouds.EVACUATION)


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request and its answer.

    :param request: its id in the logs.
    :param answer: as `Caller.select` has it; None: no answer.
    :param error: what was raised in place of an answer.
    """

    kind: str
    request: str
    server: clouds.Server
    question: Question
    began: float
    ended: float
    answer: dict[str, str] | None
    error: str = ''

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclasses.dataclass(frozen=True)
class _Client:
    servers: list[tuple[str, clouds.Server]]


class Load:
    """Clients with servers of their own, so that none meets another's.

    :param operations: those that the scheduler judges.
    """

    def __init__(self, environment: Environment, caller: Caller,
                 clients: int = CLIENTS,
                 operations: Sequence[str] = OPERATIONS) -> None:
        self._environment = environment
        self._caller = caller
        self._operations = operations
        self._random = random.Random(clients)
        sources = itertools.cycle(
            (host, place) for host in environment.cloud.hosts
            for place in range(len(host.pgpus)))
        self._clients = [_Client(list(self._servers(sources)))
                         for _ in range(clients)]

    def _servers(self, sources: Iterator[Any]
                 ) -> Iterator[tuple[str, clouds.Server]]:
        for kind, (operation, device, in_cell, number) in KINDS.items():
            for _ in range(number):
                host, place = next(sources)
                yield kind, self._environment.cloud.make_server(
                    operation, host if operation else None, place, device,
                    in_cell)

    def run(self, number: int, tell: Callable[[int], None] = lambda done: None
            ) -> list[Asked]:
        """Asks so often, all clients at once.

        :param tell: called with how many were answered, after each.
        """
        left = itertools.count()
        lock = threading.Lock()
        found: list[Asked] = []

        def client(one: _Client) -> None:
            for kind, server in itertools.cycle(one.servers):
                with lock:
                    if next(left) >= number:
                        return
                asked = self.ask(kind, server)
                with lock:
                    found.append(asked)
                    done = len(found)
                tell(done)

        for one in self._clients:
            self._random.shuffle(one.servers)
        with concurrent.futures.ThreadPoolExecutor(
                len(self._clients)) as pool:
            list(pool.map(client, self._clients))
        return found

    def ask(self, kind: str, server: clouds.Server) -> Asked:
        cloud = self._environment.cloud
        judged = server.operation in self._operations and server.pgpu
        question = Question(server.operation, server.pgpu if judged else None,
                            cloud.offered(server))
        context = nova_context.get_admin_context()
        began, answer, error = time.monotonic(), None, ''
        try:
            answer = self._caller.select(server, context)
        except exception.NoValidHost:
            answer = {}
        except Exception as lost:
            error = type(lost).__name__
        ended = time.monotonic()
        self._give_back(server)
        return Asked(kind, context.request_id, server, question, began,
                     ended, answer, error)

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(requests.RequestException),
        wait=tenacity.wait_fixed(0.5), stop=tenacity.stop_after_delay(120))
    def _give_back(self, server: clouds.Server) -> None:
        # Placement may be away.
        self._environment.cloud.give_back(server)


class Publishing:
    """Publishes all the time, in threads of its own, while it is entered.

    :param pause: seconds between two documents of a thread.
    """

    def __init__(self, environment: Environment, threads: int = 2,
                 pause: float = 0.2) -> None:
        self._environment = environment
        self._threads = threads
        self._pause = pause
        self._over = threading.Event()
        self.failures: list[str] = []

    def __enter__(self) -> 'Publishing':
        providers = [provider for host in self._environment.cloud.hosts
                     for provider in host.pgpus]
        # Made here, one after another: each writes the same nova.conf.
        self._running = [
            threading.Thread(target=self._publish, args=(
                Publisher(self._environment),
                providers[number::self._threads], number))
            for number in range(self._threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._running:
            thread.join()

    def _publish(self, publisher: Publisher, providers: Sequence[str],
                 seed: int) -> None:
        chosen = random.Random(seed)
        while not self._over.wait(self._pause):
            found = chosen.choice(documents.VARIANTS)
            if found is not None and chosen.random() < 0.3:
                found = documents.never_seen(found)
            try:
                publisher.publish(chosen.choice(providers), found)
            except Exception as error:
                self.failures.append(str(error))


def wrong(environment: Environment, asked: Asked, seconds: float
          ) -> list[journal.Fault]:
    """What is wrong with an answer, by what was published since so many
    seconds before it was asked for.
    """
    assert asked.answer is not None
    return journal.faults(environment.journal, asked.question, asked.answer,
                          asked.began - seconds, asked.ended)


def milliseconds(some: Sequence[Asked]) -> str:
    """Median and 95th percentile of the latency."""
    seconds = sorted(one.seconds for one in some)
    return (f'median {statistics.median(seconds) * 1000:.0f} ms, 95 % below '
            f'{seconds[int(len(seconds) * 0.95)] * 1000:.0f} ms')
