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

"""Documents by digest, from placement's traits and from a directory.

A digest never stands for another document, so what was decoded once is kept
though its body vanishes.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping
import dataclasses
import threading
import types

from oslo_log import log as logging

from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.approved import Directory
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline

LOG = logging.getLogger(__name__)

#: More documents in use than any fleet has: whoever publishes more of them
#: means harm, and must not take the memory or the time of the scheduler.
MAX_DOCUMENTS = 1024
# A body that could not be decoded may be mended; so many are looked at again
# in one refresh.
_MAX_SECOND_LOOKS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class InUse:
    """What the providers' markers say, at one moment.

    :param documents: usable documents by digest.
    :param unusable: why the others are not usable, by digest.
    """

    documents: Mapping[str, Document]
    unusable: Mapping[str, str]

    @property
    def digests(self) -> set[str]:
        return {*self.documents, *self.unusable}


class DocumentStore:
    """Gets documents and remembers them.

    :param directory: an equal source of documents, or None.
    :param approved_only: the directory is the only source.
    """

    def __init__(self, client: Client, directory: Directory | None = None,
                 approved_only: bool = False) -> None:
        self._client = client
        self._directory = directory
        self._approved_only = approved_only
        self._lock = threading.Lock()
        self._known: dict[str, Document] = {}
        self._unusable: dict[str, str] = {}

    def in_use(self, deadline: Deadline) -> InUse:
        """The documents whose markers providers carry now."""
        names = self._client.traits(traits.PREFIX, deadline, associated=True)
        digests = sorted({digest for digest in map(traits.read_marker, names)
                          if digest is not None})
        if len(digests) > MAX_DOCUMENTS:
            LOG.warning('%d documents are in use, over the limit of %d: the '
                        'others count as unpublished.', len(digests),
                        MAX_DOCUMENTS)
        chosen, others = digests[:MAX_DOCUMENTS], digests[MAX_DOCUMENTS:]
        found = self.get(chosen, deadline)
        return InUse(found.documents, types.MappingProxyType({
            **found.unusable,
            **dict.fromkeys(others, 'there are too many documents')}))

    def get(self, digests: Collection[str], deadline: Deadline) -> InUse:
        """These documents, as far as they are usable."""
        known = self._current(digests)
        new = [digest for digest in digests if digest not in known
               and digest not in self._unusable]
        again = [digest for digest in digests if digest not in known
                 and digest in self._unusable][:_MAX_SECOND_LOOKS]
        for digest in () if self._approved_only else [*new, *again]:
            document = self._fetch(digest, deadline)
            if document is not None:
                known[digest] = document
        return InUse(
            types.MappingProxyType(known),
            types.MappingProxyType({
                digest: self._why(digest) for digest in digests
                if digest not in known}))

    def _current(self, digests: Collection[str]) -> dict[str, Document]:
        approved = self._directory.documents() if self._directory else {}
        sources = (approved,) if self._approved_only \
            else (self._known, approved)
        return {digest: source[digest] for source in sources
                for digest in digests if digest in source}

    def _fetch(self, digest: str, deadline: Deadline) -> Document | None:
        names = self._client.traits(
            f'{traits.BODY_PREFIX}{digest}_', deadline)
        try:
            document = traits.decode(names, digest)
        except traits.Undecodable as error:
            self._refuse(digest, error.why)
            return None
        with self._lock:
            self._known[digest] = document
            self._unusable.pop(digest, None)
        return document

    def _refuse(self, digest: str, why: str) -> None:
        with self._lock:
            news = self._unusable.get(digest) != why
            self._unusable[digest] = why
        if news:
            LOG.warning('The document of %s is unusable, and the providers '
                        'that carry it count as unpublished: %s',
                        traits.marker(digest), why)

    def _why(self, digest: str) -> str:
        if self._approved_only:
            return 'documents_dir has no file for it'
        return self._unusable.get(digest, 'it was not looked at')
