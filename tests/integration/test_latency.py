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

"""What the filter adds to the time of a `select_destinations`."""

import statistics

from tests.integration import base
from tests.integration import cloud as clouds
from tests.integration import environment
from tests.integration import figures
from tests.integration import load

ROUNDS = figures.number('ROUNDS', 60)
#: The operation, and whether a device is asked for.
KINDS: dict[str, tuple[str | None, bool]] = {
    'boot without a device': (None, False),
    'boot with one': (None, True),
    'live migration without a device': (clouds.LIVE, False),
    'live migration with one': (clouds.LIVE, True),
}


class TestLatency(base.IntegrationTestCase):
    """Two schedulers at once, which differ in the filter alone."""

    def test_side_by_side(self) -> None:
        self.publish_anything()
        loads = {}
        for vhost in (environment.FILTERED, environment.PLAIN):
            self.scheduler(vhost=vhost, workers=1,
                           with_filter=vhost == environment.FILTERED)
            loads[vhost] = load.Load(
                self.environment, self.environment.caller(vhost), clients=0)
        for kind, (operation, device) in KINDS.items():
            self.measure(kind, self.cloud.make_server(
                operation, self.cloud.hosts[0] if operation else None,
                device=device, has_host=operation is not None), loads)

    def measure(self, kind: str, server: clouds.Server,
                loads: dict[str, load.Load]) -> None:
        asked: dict[str, list[load.Asked]] = {vhost: [] for vhost in loads}
        for number in range(ROUNDS + 1):
            # Whoever is asked second finds placement's caches warm.
            order = [*loads][::1 if number % 2 else -1]
            for vhost in order:
                asked[vhost].append(loads[vhost].ask(kind, server))
        # The first fills the caches.
        for some in asked.values():
            del some[0]
        self.assertEqual([], [one.error for some in asked.values()
                              for one in some if one.error])
        for vhost, some in asked.items():
            figures.say(f'{kind}, {vhost}', load.milliseconds(some))
        filtered, plain = (statistics.median(
            one.seconds for one in some) for some in asked.values())
        figures.say(f'{kind}, the filter adds',
                    f'{(filtered - plain) * 1000:.0f} ms')
