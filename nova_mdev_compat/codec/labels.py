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

"""Labels: a name that a provider carries for good, for a document that
changes.

Nova replaces the traits of a PCI device's provider with those that its own
configuration names. A marker there would be another one with every release of
a driver. So the configuration names a label, once, and a trait that no
provider carries maps the label to a digest. Of several such mappings the
highest counts, so whoever replaces one writes the new one first, and a reader
always finds one.
"""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses
import hashlib
import re

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import traits

LABEL_PREFIX = traits.PREFIX + 'LABEL_'
MAPPING_PREFIX = traits.PREFIX + 'LABELED_'
#: Of a label. Its trait is then no longer than a marker, so that as many fit
#: into a request.
MAX_LENGTH = 20
MAX_SEQUENCE = 999_999_999

#: Who maps a label by hand, in place of a host's tag.
OPERATOR = 'OPERATOR'

_DERIVED_LENGTH = 12
_OWNER_LENGTH = 8

_TEXT = '[A-Z0-9]{1,%d}' % MAX_LENGTH
_LABEL = re.compile(_TEXT)
_LABEL_TRAIT = re.compile(f'{LABEL_PREFIX}({_TEXT})')
_MAPPING = re.compile(
    f'{MAPPING_PREFIX}({_TEXT})_(0|[1-9][0-9]{{0,8}})_([A-Z2-7]{{8}})_'
    '([A-Z2-7]{26})')


@dataclasses.dataclass(frozen=True, slots=True)
class Mapping:
    """What a label stands for, by the word of one writer.

    :param sequence: the highest of a label counts.
    :param owner: who wrote it: the tag of a host, or OPERATOR.
    """

    label: str
    sequence: int
    owner: str
    digest: str

    @property
    def name(self) -> str:
        return (f'{MAPPING_PREFIX}{self.label}_{self.sequence}_{self.owner}_'
                f'{self.digest}')

    @property
    def rank(self) -> tuple[int, str, str]:
        """What decides among those of a label: the greatest counts.

        Two writers can take the same sequence at once; then all readers must
        agree which of the two it is.
        """
        return self.sequence, self.digest, self.owner


def is_label(text: str) -> bool:
    """Whether a text can be a label."""
    return _LABEL.fullmatch(text) is not None


def trait(label: str) -> str:
    """The name of the trait that a provider carries for a label."""
    return LABEL_PREFIX + label


def read(name: str) -> str | None:
    """The label that a provider's trait names, or None for any other trait.
    """
    found = _LABEL_TRAIT.fullmatch(name)
    return found and found[1]


def read_mapping(name: str) -> Mapping | None:
    """A mapping, taken apart, or None for any other trait."""
    found = _MAPPING.fullmatch(name)
    return found and Mapping(found[1], int(found[2]), found[3], found[4])


def by_label(names: Iterable[str]) -> dict[str, list[Mapping]]:
    """The mappings among trait names, those of a label together, the one
    that counts first.
    """
    found: dict[str, list[Mapping]] = {}
    for one in map(read_mapping, names):
        if one is not None:
            found.setdefault(one.label, []).append(one)
    return {label: sorted(some, key=lambda one: one.rank, reverse=True)
            for label, some in found.items()}


def derive(*parts: str) -> str:
    """A label that stands for some texts, the same ones always."""
    return _hashed(parts)[:_DERIVED_LENGTH]


def owner(host: str) -> str:
    """The tag that stands for a host in the mappings that it writes.

    :param host: UUID of its root provider.
    """
    return _hashed(['owner', host])[:_OWNER_LENGTH]


def _hashed(parts: Iterable[str]) -> str:
    form = '\0'.join(parts).encode()
    return canonical.base32(hashlib.sha256(form).digest())
