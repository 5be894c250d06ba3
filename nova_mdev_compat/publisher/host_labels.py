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

"""The labels of a host's providers, and how they stand.

A label is put into `[pci] device_spec`, by hand and once. What it stands for
is this host's to say when it was derived for this host, or when this host said
it the last time; otherwise several hosts share it, and one of them says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import json

from nova_mdev_compat.codec import labels
from nova_mdev_compat.placement import labels as placed
from nova_mdev_compat.publisher import device_spec


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """A label that nova-compute's configuration gives to a provider.

    :param owner: this host's tag in mappings.
    :param mine: whether it was derived for this host.
    :param current: what it stands for, in placement.
    :param superseded: whether there are mappings that do not count.
    :param carried: whether the provider carries it.
    """

    name: str
    owner: str
    mine: bool
    current: labels.Mapping | None
    superseded: bool
    carried: bool

    def says(self, digest: str) -> bool:
        """Whether it stands for a document."""
        return self.current is not None and self.current.digest == digest

    @property
    def may_map(self) -> bool:
        """Whether this host may change what it stands for."""
        return placed.may_map(self.current, self.owner, self.mine) and (
            self.current is None
            or self.current.sequence < labels.MAX_SEQUENCE)

    @property
    def to_tidy(self) -> bool:
        """Whether this host should remove mappings that do not count."""
        return self.superseded and self.current is not None \
            and self.current.owner == self.owner


def configured(entry: str) -> tuple[str, ...]:
    """The labels among the traits of an entry of device_spec.

    :param entry: as JSON.
    """
    return tuple(sorted(label for label in map(labels.read, _traits(entry))
                        if label is not None))


def malformed(entry: str) -> tuple[str, ...]:
    """Traits of an entry that should be labels and are not."""
    return tuple(sorted(name for name in _traits(entry)
                        if name.startswith(labels.LABEL_PREFIX)
                        and labels.read(name) is None))


def proposed(entry: str, root: str) -> str:
    """The label for the devices of an entry on one host.

    The same as long as the entry is the same, but for its traits.

    :param root: UUID of the host's root provider.
    """
    found = json.loads(entry)
    found.pop('traits', None)
    return labels.derive(root, json.dumps(found, sort_keys=True))


def of_provider(entry: str, root: str, carried: Iterable[str],
                mappings: Mapping[str, list[labels.Mapping]]
                ) -> tuple[Label, ...]:
    """The labels that the configuration gives to a provider.

    :param root: UUID of the host's root provider.
    :param carried: labels that the provider carries.
    :param mappings: by label, the one that counts first.
    """
    mine, owner = proposed(entry, root), labels.owner(root)
    return tuple(Label(
        name, owner, name == mine, next(iter(mappings.get(name, ())), None),
        len(mappings.get(name, ())) > 1, name in carried)
        for name in configured(entry))


def _traits(entry: str) -> frozenset[str]:
    return frozenset(trait for spec in device_spec.read([entry])
                     for trait in spec.traits)
