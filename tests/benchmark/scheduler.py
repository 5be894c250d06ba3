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

"""The filter as a scheduler's worker has it, with a real placement behind.

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
from placement import db_api

from nova_mdev_compat.scheduler import source as source_module
from tests.benchmark import moves
from tests.benchmark import population
from tests.functional import endpoint
from tests.functional import placement_cloud

CONF = nova.conf.CONF
#: So long is a warm cache warm: the longest that the option allows.
_TTL = 86400


class Scheduler(fixtures.Fixture):
    """The filter for a fleet that is in placement."""

    def __init__(self, fleet: moves.ParityFleet) -> None:
        self.fleet = fleet
        self.spec = moves.request_spec()
        self._handler = filters.HostFilterHandler()

    def _setUp(self) -> None:
        # What SQLAlchemy and placement say of themselves is not measured.
        logging.getLogger().setLevel(logging.INFO)
        self.placement = self.useFixture(placement_cloud.Placement())
        population.fill(
            db_api.placement_context_manager.writer.get_engine(), self.fleet)
        endpoint.configure(self.placement.url)
        (self.filter_class,) = importlib.import_module(
            'nova_mdev_compat.filters').all_filters()
        for name, value in (('cache_ttl', _TTL), ('refresh_timeout', 300)):
            CONF.set_override(name, value, group='mdev_compat')
            self.addCleanup(CONF.clear_override, name, group='mdev_compat')
        self.filter = self.filter_class()
        self._found = self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.scheduler.source.find',
            mock.Mock(return_value=None))).new_value
        self._sources = {outcome: moves.source(outcome)
                         for outcome in moves.OUTCOMES}

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
