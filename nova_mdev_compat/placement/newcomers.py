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

"""Providers that came, or were published, since what is kept was read.

What is kept says who carries which marker at one moment. A provider that a
request is offered and that nobody was offered before that moment may be newer
than the answer; so it is looked up by itself before it counts as unpublished.
In a cloud at rest there is none. How many are looked up is bounded, for a
scheduler that has just started has seen few of a large cloud's providers, and
one in a cloud where most are unpublished must not ask for each.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import itertools
import sys
import threading
import time
from typing import TypeAlias

from oslo_log import log as logging

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.deadline import within
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.placement.kept import Lifetime

LOG = logging.getLogger(__name__)

#: Providers looked up for one request, and in one `ttl` for all of them.
MAX_A_REQUEST = 16
MAX_A_TTL = 64
#: Providers whose first sight is remembered, a quarter of them going at once
#: when there are more; and those that were looked up.
MAX_SEEN = 65536
_MAX_FOUND = 1024
# Looking up may take this part of what a request waits for.
_PART = 0.25
# Seconds for which nobody looks up, after it failed.
_HOLD_OFF = 5.0

Published: TypeAlias = tuple[str, Document]


class Newcomers:
    """Looks up providers, and remembers what was found. Threads share it.

    :param look_up: digest and document of a provider, or None.
    :param lifetime: read at each use.
    :param clock: that of what is kept.
    """

    def __init__(self, look_up: Callable[[str], Published | None],
                 lifetime: Callable[[], Lifetime],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._look_up = look_up
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        self._first_seen: dict[str, float] = {}
        self._latest = float('-inf')
        self._looked: dict[str, tuple[float, Published | None]] = {}
        self._count, self._since = 0, float('-inf')
        self._not_before = float('-inf')
        self._warned = False

    def doubts(self, offered: Sequence[str], began: float, as_of: float,
               every: bool = False) -> bool:
        """Whether `look` could have something to look up.

        In a cloud at rest this is all that it costs, so it looks at what is
        offered as a whole.

        :param offered: providers, and perhaps others that hold no device.
        """
        now, lifetime = self._clock(), self._lifetime()
        with self._lock:
            self._see(offered, began)
            if not self._left(now, lifetime) or now < self._not_before:
                return False
            if not every and self._latest <= as_of:
                return False
            return any((every or self._first_seen.get(one, began) > as_of)
                       and not self._is_fresh(one, now, lifetime)
                       for one in offered)

    def _see(self, offered: Iterable[str], began: float) -> None:
        new = list(itertools.filterfalse(
            self._first_seen.__contains__, offered))
        if new:
            self._first_seen.update(dict.fromkeys(
                map(sys.intern, new), began))
            self._latest = max(self._latest, began)
        self._make_room()

    def _left(self, now: float, lifetime: Lifetime) -> int:
        """How many may be looked up now."""
        if now - self._since >= lifetime.ttl:
            self._count, self._since = 0, now
        return min(MAX_A_REQUEST, MAX_A_TTL - self._count)

    def look(self, providers: Sequence[str], began: float, as_of: float,
             every: bool = False) -> bool:
        """Looks up those of some providers that may be newer than a moment.

        :param providers: in the order of looking.
        :param began: when the request began that was offered them.
        :param as_of: when what is kept was asked for.
        :param every: what is kept leaves providers out, so all of these are
            in doubt.
        :returns: whether one of them has a usable document.
        """
        chosen = self._choose(providers, began, as_of, every)
        if not chosen:
            return False
        found = [self._remember(provider, published)
                 for provider, published in self._ask(chosen)]
        return any(found)

    def since(self, moment: float) -> Mapping[str, Published]:
        """What was found later than a moment, by provider."""
        if not self._looked:
            return {}
        with self._lock:
            return {provider: published for provider, (asked, published)
                    in self._looked.items()
                    if published is not None and asked > moment}

    def _choose(self, providers: Sequence[str], began: float, as_of: float,
                every: bool) -> list[str]:
        now, lifetime = self._clock(), self._lifetime()
        with self._lock:
            self._see(providers, began)
            seen = self._first_seen
            doubtful = [
                provider for provider in providers
                if (seen.get(provider, began) > as_of or every)
                and not self._is_fresh(provider, now, lifetime)]
            chosen = doubtful[:self._left(now, lifetime)]
            if now < self._not_before:
                return []
            self._count += len(chosen)
            return chosen

    def _make_room(self) -> None:
        seen = self._first_seen
        if len(seen) > MAX_SEEN:
            self._first_seen = dict(itertools.islice(
                seen.items(), len(seen) - MAX_SEEN * 3 // 4, None))

    def _is_fresh(self, provider: str, now: float,
                  lifetime: Lifetime) -> bool:
        looked = self._looked.get(provider)
        return looked is not None and now - looked[0] < lifetime.ttl

    def _ask(self, providers: Sequence[str]
             ) -> list[tuple[str, Published | None]]:
        answers: list[tuple[str, Published | None]] = []
        with within(self._lifetime().timeout * _PART):
            for provider in providers:
                try:
                    answers.append((provider, self._look_up(provider)))
                except NotFound:
                    # It is gone again.
                    answers.append((provider, None))
                except PlacementError as error:
                    self._fail(error)
                    return answers
        self._warned = False
        return answers

    def _fail(self, error: PlacementError) -> None:
        self._not_before = self._clock() + _HOLD_OFF
        if not self._warned:
            LOG.warning('New providers cannot be looked up, and count as '
                        'unpublished: %s', error)
        self._warned = True

    def _remember(self, provider: str, published: Published | None) -> bool:
        with self._lock:
            self._looked.pop(provider, None)
            self._looked[provider] = self._clock(), published
            if len(self._looked) > _MAX_FOUND:
                del self._looked[next(iter(self._looked))]
        return published is not None
