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

"""What one provider carries: its markers and labels."""

from __future__ import annotations

from collections.abc import Callable
import dataclasses

from oslo_log import log as logging

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.errors import TooLong

LOG = logging.getLogger(__name__)

# Providers that were warned of are remembered, so many.
_MAX_WARNED = 1024
_NAMES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Tags:
    """What a provider carries.

    :param markers: digests of its markers that count.
    :param labels: its labels. What they stand for changes.
    :param too_many: it has so many traits that they were not read.
    """

    markers: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    too_many: bool = False

    @property
    def several(self) -> bool:
        return len(self.markers) + len(self.labels) > 1


class TagReader:
    """Reads providers one by one, and tells of those that are unusable.

    :param of_label: what a label stands for, or None.
    """

    def __init__(self, client: Client, store: DocumentStore,
                 of_label: Callable[[str], str | None]) -> None:
        self._client = client
        self._store = store
        self._of_label = of_label
        self._warned: set[str] = set()

    def read(self, provider: str, deadline: Deadline) -> Tags:
        """What a provider carries."""
        found = self._read_once(provider, deadline)
        # Perhaps read between two writes of somebody else's.
        return self._read_once(provider, deadline) if found.several else found

    def digest(self, provider: str, tags: Tags) -> str | None:
        """The one document that tags name; None: none, or several.

        A marker and a label that name the same document name one.
        """
        digests = self._digests(tags)
        if tags.too_many or len(digests) > 1:
            self._warn(provider, tags, digests)
            return None
        self._warned.discard(provider)
        return digests.pop() if digests else None

    def is_double(self, provider: str, deadline: Deadline) -> bool:
        """Whether a provider carries several documents, or cannot be read."""
        tags = self._read_once(provider, deadline)
        digests = self._digests(tags)
        if not tags.too_many and len(digests) < 2:
            return False
        self._warn(provider, tags, digests)
        return True

    def _read_once(self, provider: str, deadline: Deadline) -> Tags:
        try:
            names = self._client.provider_traits(provider, deadline).traits
        except TooLong:
            return Tags(too_many=True)
        return Tags(
            frozenset(digest for digest in map(traits.read_marker, names)
                      if digest is not None and self._store.counts(digest)),
            frozenset(label for label in map(labels.read, names)
                      if label is not None))

    def _digests(self, tags: Tags) -> set[str]:
        if not tags.labels:
            return set(tags.markers)
        named = map(self._of_label, tags.labels)
        return {*tags.markers, *(
            digest for digest in named
            if digest is not None and self._store.counts(digest))}

    def _warn(self, provider: str, tags: Tags, digests: set[str]) -> None:
        if provider not in self._warned:
            LOG.warning('Provider %s carries %s, and counts as unpublished: '
                        '%s. Publish its document again.', provider,
                        *_words(tags, digests))
        if len(self._warned) >= _MAX_WARNED:
            self._warned.clear()
        self._warned.add(provider)


def _words(tags: Tags, digests: set[str]) -> tuple[str, str]:
    if tags.too_many:
        return 'too many traits', 'they are not read'
    names = [*sorted(map(traits.marker, tags.markers)),
             *sorted(map(labels.trait, tags.labels))]
    what = f'{len(digests)} markers' if not tags.labels \
        else f'markers and labels of {len(digests)} documents'
    return what, ', '.join(names[:_NAMES])
