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

"""A fixed order of allocation candidates and of hosts."""

from collections.abc import Callable
from typing import Any

import fixtures
from nova.scheduler.client import report
from nova.scheduler import host_manager

from tests.functional import hosts


class DeclaredOrder(fixtures.Fixture):
    """Candidates and weighed hosts come in the order of declaration.

    Otherwise placement chooses which of a host's candidates is its first
    (the only one that nova-scheduler ever claims), and a test of what
    happens when the wrong one is first passes in some runs by luck.
    """

    def __init__(self, ranks: hosts.Ranks) -> None:
        self._ranks = ranks

    def _setUp(self) -> None:
        self._patch(report.SchedulerReportClient, 'get_allocation_candidates',
                    self._candidates)
        self._patch(host_manager.HostManager, 'get_weighed_hosts',
                    self._weighed)

    def _patch(
        self, cls: type, name: str, ordered: Callable[..., Any],
    ) -> None:
        original = getattr(cls, name)

        def replacement(owner: Any, /, *args: Any, **kwargs: Any) -> Any:
            return ordered(original(owner, *args, **kwargs))

        self.useFixture(fixtures.MockPatchObject(cls, name, replacement))

    def _candidates(self, answer: tuple[Any, ...]) -> tuple[Any, ...]:
        candidates, *others = answer
        if candidates:
            candidates = sorted(candidates, key=self._ranks.of_candidate)
        return (candidates, *others)

    def _weighed(self, weighed: list[Any]) -> list[Any]:
        return sorted(
            weighed, key=lambda host: self._ranks.of_host(host.obj.host))
