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

"""What the machines' own publishers say: run in the guests, on their /sys.

Each guest is a compute host that has its providers in a real placement, on
this host; from there the documents are taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import json
import pathlib
from typing import Any
import uuid

import requests

from demo import loopback
from nova_mdev_compat.codec import traits
from nova_mdev_compat.publisher.facts import Facts
from tests.kernel import build
from tests.kernel import guest
from tests.kernel import machines

_PUBLISHER = 'nova_mdev_compat.cmd.publisher'
_VERSION = 'placement 1.39'
_CONFIGURATION = """\
[DEFAULT]
state_path = {folder}
[placement]
auth_type = admin_token
token = {token}
endpoint = {endpoint}
[mdev_compat_publisher]
rules_dirs = {rules}
health_file =
[devices]
enabled_mdev_types = {types}
"""
_GROUP = """\
[mdev_{machine.mdev_type}]
device_addresses = {machine.address}
"""


class NotPublished(guest.GuestFailed):
    """A machine's provider carries no document."""


Documents = dict[machines.Machine, pathlib.Path]


def publish(kernel: machines.Kernel, rules: Sequence[pathlib.Path],
            ) -> Documents:
    """A file for each machine, with the document that its publisher made.

    :param rules: folders that are read after the shipped rules.
    :raises NotPublished: it made none.
    :raises guest.GuestFailed: the publisher ended with an error.
    """
    found: Documents = {}
    with loopback.Placement() as placement:
        for release in build.RELEASES:
            hosts = [_Host(placement, kernel.guest_of(release), one)
                     for one in machines.hosts(release)]
            kernel.guest_of(release).run(
                [host.prepare(rules) for host in hosts])
            for host in hosts:
                found.update(host.documents())
    return found


def facts(kernel: machines.Kernel) -> dict[machines.Machine, Facts]:
    """What the probes find of each machine's device."""
    found = {}
    for release in build.RELEASES:
        said = json.loads(kernel.guest_of(release).run(
            [guest.python('tests.kernel.facts')]))
        found.update({machine: said[machine.mdev_type]
                      for machine in machines.MACHINES
                      if machine.release == release})
    return found


class _Host:
    """A compute host in placement, as nova-compute would make it."""

    def __init__(self, placement: loopback.Placement, where: guest.Guest,
                 devices: Iterable[machines.Machine]) -> None:
        self._placement = placement
        self._devices = list(devices)
        self._uuid = str(uuid.uuid4())
        self._folder = where.folder / self._uuid
        self._providers: dict[machines.Machine, str] = {}

    def prepare(self, rules: Sequence[pathlib.Path]) -> str:
        """Its providers and configuration; returns what runs there."""
        self._add_provider(self._uuid, 'host-' + self._uuid, None)
        for machine in self._devices:
            self._providers[machine] = str(uuid.uuid4())
            self._add_provider(
                self._providers[machine],
                f'host-{self._uuid}_{machine.address}', self._uuid)
        self._folder.mkdir(parents=True)
        (self._folder / 'compute_id').write_text(self._uuid)
        configuration = self._folder / 'nova.conf'
        configuration.write_text(self._configuration(rules))
        return guest.python(_PUBLISHER, '--once', '--config-file',
                            str(configuration))

    def documents(self) -> Iterator[tuple[machines.Machine, pathlib.Path]]:
        """What placement has now."""
        names = self._call('GET', '/traits?name=startswith:'
                           + traits.PREFIX)['traits']
        for machine, provider in self._providers.items():
            carried = self._call(
                'GET', f'/resource_providers/{provider}/traits')['traits']
            digests, _ = traits.digests(carried)
            if len(digests) != 1:
                raise NotPublished(f'{machine}: {len(digests)} documents are '
                                   'published for it, and not one')
            path = self._folder / f'{machine.file}.json'
            path.write_bytes(traits.decode(names, digests.pop()).canonical)
            yield machine, path

    def _configuration(self, rules: Sequence[pathlib.Path]) -> str:
        head = _CONFIGURATION.format(
            folder=self._folder, token=loopback.TOKEN,
            endpoint=guest.through_gateway(self._placement.url),
            rules=','.join(str(folder.resolve()) for folder in rules),
            types=','.join(one.mdev_type for one in self._devices))
        return head + ''.join(
            _GROUP.format(machine=machine) for machine in self._devices)

    def _add_provider(self, provider: str, name: str, parent: str | None,
                      ) -> None:
        self._call('POST', '/resource_providers', {
            'uuid': provider, 'name': name, 'parent_provider_uuid': parent})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method, self._placement.url + path, json=body, headers={
                'X-Auth-Token': loopback.TOKEN,
                'OpenStack-API-Version': _VERSION})
        answer.raise_for_status()
        return answer.json() if answer.content else None
