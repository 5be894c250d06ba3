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

"""A compute host in a test's placement: a root, pGPUs, an agent."""

from collections.abc import Mapping
import uuid

from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from tests.functional import placement_cloud as cloud


class Host:
    """What nova-compute makes in placement, and what the agent is to say.

    :param documents: by the suffix of the provider's name.
    """

    def __init__(self, placement: cloud.Placement, client: Client,
                 name: str = 'gpu1', pgpus: int = 3) -> None:
        self._placement = placement
        self.name = name
        self.root = str(uuid.uuid4())
        self.make(name, self.root)
        self.pgpus = {f'pci_0000_{number:02x}_00_0': ''
                      for number in range(pgpus)}
        for suffix in self.pgpus:
            self.make_pgpu(suffix)
        self.wanted: dict[str, Wanted] = {}
        self.unknown: dict[str, str] = {}
        self.reads = 0
        self.by_name = False
        self.agent = Agent(client, self.intent, cloud.TIMEOUT)

    def make(self, name: str, uuid: str, parent: str | None = None) -> None:
        self._placement.call('POST', '/resource_providers', {
            'name': name, 'uuid': uuid, 'parent_provider_uuid': parent})

    def make_pgpu(self, suffix: str) -> str:
        """A new provider for a pGPU, as nova-compute makes it."""
        found = self.pgpus[suffix] = str(uuid.uuid4())
        self.make(f'{self.name}_{suffix}', found, self.root)
        return found

    def delete_pgpu(self, suffix: str) -> None:
        self._placement.call(
            'DELETE', f'/resource_providers/{self.pgpus.pop(suffix)}')

    def want(self, document: Document, *suffixes: str, doubted: bool = False,
             optional: bool = False, device_spec: str | None = None
             ) -> traits.TraitNames:
        """These pGPUs, or all, are to carry a document."""
        names = traits.encode(document)
        self.wanted.update(dict.fromkeys(
            suffixes or self.pgpus,
            Wanted(document, names, doubted, optional, device_spec)))
        return names

    def intent(self) -> Intent:
        self.reads += 1
        return Intent(Root(None if self.by_name else self.root,
                           ('not-this', self.name)),
                      self.wanted, self.unknown)

    def carried(self) -> Mapping[str, set[str]]:
        """The traits of every pGPU, by suffix."""
        return {suffix: self._placement.traits_of(provider)
                for suffix, provider in self.pgpus.items()}
