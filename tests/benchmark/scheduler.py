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

"""The filter as a scheduler's worker has it, in front of a placement.

Which device moves is the one thing that is told, and not looked up: that
costs queries and requests, which `look_up` measures.
"""

from __future__ import annotations

from collections.abc import Sequence
import importlib
import logging
from typing import Any
from unittest import mock

import fixtures
import nova.conf
from nova.scheduler import filters

from nova_mdev_compat.scheduler import source as source_module
from tests.benchmark import moves
from tests.functional import endpoint

CONF = nova.conf.CONF
#: So long is a warm cache warm: the longest that the option allows.
TTL = 86400
#: Nothing stays warm.
SHORT = 0.001


class Scheduler(fixtures.Fixture):
    """The filter for a fleet that is in placement.

    :param url: where that placement is.
    """

    def __init__(self, fleet: moves.ParityFleet, url: str) -> None:
        self.fleet = fleet
        self._url = url
        self.spec = moves.request_spec()
        self._handler = filters.HostFilterHandler()

    def _setUp(self) -> None:
        # What SQLAlchemy and placement say of themselves is not measured.
        for name in ('placement', 'sqlalchemy', 'oslo_db'):
            logging.getLogger(name).setLevel(logging.WARNING)
        endpoint.configure(self._url)
        (self.filter_class,) = importlib.import_module(
            'nova_mdev_compat.filters').all_filters()
        self.keep_for(TTL)
        CONF.set_override('refresh_timeout', 300, group='mdev_compat')
        for name in ('cache_ttl', 'refresh_timeout'):
            self.addCleanup(CONF.clear_override, name, group='mdev_compat')
        self.filter = self.filter_class()
        self._found = self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.scheduler.source.find',
            mock.Mock(return_value=None))).new_value
        self._sources = {outcome: moves.source(outcome)
                         for outcome in moves.OUTCOMES}

    def keep_for(self, seconds: float) -> None:
        """How long the cache uses an answer."""
        CONF.set_override('cache_ttl', seconds, group='mdev_compat')

    def move(self, outcome: str) -> None:
        """From now on, a move with this outcome is asked about."""
        source_module.find.return_value = self._sources[outcome]

    def ask(self, one: Any, states: Sequence[Any]) -> list[Any]:
        found: list[Any] = self._handler.get_filtered_objects(
            [one], states, self.spec)
        return found

    def accepted(self, outcome: str) -> frozenset[str]:
        """The devices that an outcome leaves."""
        return frozenset(
            device for host in self.fleet.hosts
            for place, device in enumerate(host.devices)
            if self.fleet.accepts(outcome, host, place))
