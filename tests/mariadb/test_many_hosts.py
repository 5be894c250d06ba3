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

"""Hundreds of hosts that publish at once."""

import collections
import time
from typing import Any

from tests.functional import placement_cloud as cloud
from tests.mariadb import base

HOSTS = base.number('HOSTS', 500)
PGPUS = 8
# Makes the providers; the hosts themselves come all at once.
MAKERS = 8


class TestManyHosts(base.ServedTestCase):
    """Each host is a thread with the agent's own code, in one process."""

    def test_at_once(self) -> None:
        hosts = [base.Host(self.placement, self.client(), PGPUS)
                 for _ in range(HOSTS)]
        self.in_parts(hosts)
        for host in hosts:
            names = host.want(cloud.document())
        self.publish(hosts, 'a document that nobody has published', HOSTS)
        self.publish(hosts, 'nothing changed', 0)
        newer = {host.want(cloud.document(1)).digest for host in hosts}
        self.publish(hosts, 'another document for all', HOSTS)
        self.assertNotEqual({names.digest}, newer)
        self.assert_carried(hosts)

    def in_parts(self, hosts: list[base.Host]) -> None:
        def make(place: int) -> None:
            for host in hosts[place::MAKERS]:
                host.make()
        base.at_once([lambda place=place: make(place)  # type: ignore[misc]
                      for place in range(MAKERS)])

    def publish(self, hosts: list[base.Host], title: str,
                writing: int) -> None:
        before = len(self.placement.answered())
        failures: list[str] = []
        began = time.monotonic()
        rounds = base.at_once([
            lambda host=host: host.round(failures)  # type: ignore[misc]
            for host in hosts])
        seconds = time.monotonic() - began
        requests = self.placement.answered()[before:]
        self.say(
            f'{title}: {HOSTS} hosts of {PGPUS} pGPUs, {seconds:.1f} s, '
            f'{len(requests) / HOSTS:.1f} requests a host, '
            f'{len(requests) / seconds:.0f} requests a second; '
            f'races lost {dict(base.lost(rounds))}, rounds run again '
            f'{dict(collections.Counter(failures))}; placement answered '
            f'{self.statuses(before)}')
        self.assertEqual(
            {PGPUS}, {len(done.published) for done in rounds})
        writes = [request for request, _ in requests
                  if not request.startswith('GET ')]
        if not writing:
            self.assertEqual([], writes)
        self.assertLessEqual(writing, len(writes))

    def assert_carried(self, hosts: list[base.Host]) -> None:
        wanted: Any = {tuple(one.names.marker for one in host.wanted.values())
                       for host in hosts}
        self.assertEqual(1, len(wanted))
        ((marker, *_),) = wanted
        found = self.placement.call(
            'GET', f'/resource_providers?required={marker}')
        self.assertEqual(
            {provider for host in hosts for provider in host.pgpus.values()},
            {one['uuid'] for one in found['resource_providers']})
