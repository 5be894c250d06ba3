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

"""Every order in which the requests of several clients can reach placement.

Each actor runs in a thread and stops before every request. Whoever may go on
is chosen by a search in depth; each order begins anew from the same state.
Two orders that lead to the same state, with everybody having been told the
same, have the same future, and only one of them is followed.
"""

from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Sequence
import hashlib
import io
import json
import queue
import re
import threading
from typing import Any

import requests

from nova_mdev_compat.placement.client import Client

_TIMEOUT = 30.0
_GENERATION = re.compile(r"generation': [0-9]+")

#: What an actor does with a client of its own.
Actor = Callable[[Client], Any]
#: Sends a request: method, path and JSON body; status and JSON body.
Send = Callable[[str, str, Any], tuple[int, Any]]


class _Abandoned(BaseException):
    """Ends the thread of an actor that need not go on."""


def _answer(status: int, body: Any) -> requests.Response:
    found = requests.Response()
    found.status_code = status
    found.raw = io.BytesIO(b'' if body is None else json.dumps(body).encode())
    return found


class _Stepped:
    """An actor's thread, and its client's adapter."""

    def __init__(self, actor: Actor, send: Send) -> None:
        self._actor = actor
        self._send = send
        self._go = threading.Semaphore(0)
        self._stopped: queue.Queue[bool] = queue.Queue()
        self.answers: tuple[str, ...] = ()
        self.result: Any = None
        self.alive = True
        self._abandoned = False
        threading.Thread(target=self._run, daemon=True).start()
        self._wait()

    def step(self) -> None:
        """One request, and on to the next one or to the end."""
        self._go.release()
        self._wait()

    def abandon(self) -> None:
        """Sends nothing any more."""
        self._abandoned = True
        self._go.release()

    def _wait(self) -> None:
        self.alive = self._stopped.get(timeout=_TIMEOUT)
        if isinstance(self.result, BaseException):
            raise self.result

    def _run(self) -> None:
        try:
            self.result = self._actor(Client(self))
        except BaseException as error:
            # Raised again in the test's own thread.
            self.result = error
        self._stopped.put(False)

    def request(self, url: str, method: str,
                **kwargs: Any) -> requests.Response:
        """In place of keystoneauth's."""
        self._stopped.put(True)
        if not self._go.acquire(timeout=_TIMEOUT) or self._abandoned:
            raise _Abandoned()
        sent = kwargs.get('json')
        status, body = self._send(method, url, sent)
        # Generations go on rising from one order to the next.
        told = _GENERATION.sub('', f'{method} {url} {sent} {status} {body}')
        self.answers += (hashlib.sha256(told.encode()).hexdigest(),)
        return _answer(status, body)


class Orders:
    """Runs actors in every order.

    :param actors: makes them anew for each order.
    :param begin: brings placement into the state before.
    :param state: what placement has now.
    :param check: called with the actors' results after each order.
    """

    def __init__(self, actors: Sequence[Actor], send: Send,
                 begin: Callable[[], None], state: Callable[[], Hashable],
                 check: Callable[[list[Any]], None]) -> None:
        self._actors = actors
        self._send = send
        self._begin = begin
        self._state = state
        self._check = check
        self._known: set[Hashable] = set()
        #: Orders that were followed to their ends, and states that were met.
        self.ends = 0

    @property
    def states(self) -> int:
        return len(self._known)

    def follow_all(self) -> None:
        """Every order."""
        # The choices that lead to the states from which to go on.
        left: list[tuple[int, ...]] = [()]
        while left:
            left += self._follow(left.pop())

    def _follow(self, choices: tuple[int, ...]) -> list[tuple[int, ...]]:
        """One order that begins with these choices; returns the beginnings
        of others.
        """
        self._begin()
        actors = [_Stepped(actor, self._send) for actor in self._actors]
        for choice in choices:
            actors[choice].step()
        others: list[tuple[int, ...]] = []
        while self._is_new(actors):
            alive = [number for number, actor in enumerate(actors)
                     if actor.alive]
            if not alive:
                self.ends += 1
                self._check([actor.result for actor in actors])
                break
            others += [(*choices, number) for number in alive[1:]]
            actors[alive[0]].step()
            choices = (*choices, alive[0])
        for actor in actors:
            actor.abandon()
        return others

    def _is_new(self, actors: list[_Stepped]) -> bool:
        key = (self._state(), *(actor.answers for actor in actors))
        known = key in self._known
        self._known.add(key)
        return not known
