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

Whoever may write traits can publish any number of documents, each as large
and as slow to read as the format allows. So what is kept has a bound, and so
has what is read in one refresh; where there are more, those come first that
the operator keeps in a directory, then those that a provider was seen with,
then those that are known.
"""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable
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
from nova_mdev_compat.placement.errors import TooLong
from nova_mdev_compat.placement import labels
from nova_mdev_compat.placement.labels import LabelsInUse

LOG = logging.getLogger(__name__)

#: More documents in use than any fleet has: whoever publishes more of them
#: means harm, and must not take the memory or the time of the scheduler.
MAX_DOCUMENTS = 512
#: Bytes of canonical forms from placement that are kept decoded: a thousand
#: documents of the usual size, or 128 of the largest. In memory a document
#: takes about twenty times as much.
MAX_KEPT = 1 << 20
#: Bodies that one refresh reads: one of the largest takes a tenth of a second
#: of the interpreter to decode.
MAX_BODIES = 64
# Digests that providers were seen with; they come before others.
_MAX_SEEN = 128
# A body that could not be decoded may be mended; so many are looked at again
# in one refresh.
_MAX_SECOND_LOOKS = 16
# Bodies may take this part of a refresh's time: who waits for it has other
# questions too.
_PART = 0.25
# Unusable documents that are named in the log, one by one.
_MAX_NAMED = 32
# Refreshes after the first that may follow at once to read what is left.
_MAX_HASTE = MAX_DOCUMENTS // MAX_BODIES
_TOO_MANY = 'there are too many documents'
_LATER = 'its body was not read yet'


@dataclasses.dataclass(frozen=True, slots=True)
class InUse:
    """What the providers' markers say, at one moment.

    :param documents: usable documents by digest.
    :param unusable: why the others are not usable, by digest.
    :param ignored: those of them whose markers count for nothing, so that a
        provider may carry one beside another marker.
    :param partial: whether a usable document may be among the unusable ones.
    :param hasty: whether more can be had soon.
    :param labels: what the labels that providers carry stand for.
    """

    documents: Mapping[str, Document]
    unusable: Mapping[str, str]
    ignored: frozenset[str] = frozenset()
    partial: bool = False
    hasty: bool = False
    labels: LabelsInUse = labels.NONE

    @property
    def digests(self) -> set[str]:
        return {*self.documents, *self.unusable}

    @property
    def counting(self) -> set[str]:
        """Of two of these markers on a provider, one is wrong."""
        return self.digests - self.ignored


class _Budget:
    """What may still be kept and read at once.

    :param deadline: a part of it is for bodies.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.room = MAX_KEPT
        self._bodies = MAX_BODIES
        self._second_looks = _MAX_SECOND_LOOKS
        self._until = deadline.left() * (1 - _PART)

    def may_read(self, again: bool) -> bool:
        """Whether one more body may be asked for."""
        if again:
            self._second_looks -= 1
        self._bodies -= 1
        return self._bodies >= 0 and self._second_looks >= 0 \
            and self.deadline.left() > self._until


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
        self._labels = labels.LabelReader(client)
        self._lock = threading.Lock()
        self._known: dict[str, Document] = {}
        self._unusable: dict[str, str] = {}
        self._seen: collections.OrderedDict[str, None] = \
            collections.OrderedDict()
        self._refreshes = 0
        self._too_many = False
        self._named = 0

    def in_use(self, deadline: Deadline) -> InUse:
        """The documents whose markers or labels providers carry now."""
        names = self._client.traits(traits.PREFIX, deadline, associated=True)
        marked = {digest for digest in map(traits.read_marker, names)
                  if digest is not None}
        labelled = self._labels.in_use(names, marked, deadline)
        digests = marked.union(labelled.digests.values())
        found = self._approved(digests) if self._approved_only \
            else self._found(digests, deadline)
        return dataclasses.replace(
            found, labels=labelled, partial=found.partial or labelled.partial)

    def label(self, label: str, deadline: Deadline) -> str | None:
        """The digest that one label maps to, or None."""
        return self._labels.digest(label, deadline)

    def _found(self, digests: Collection[str], deadline: Deadline) -> InUse:
        approved = self._in_directory()
        ranked = self._ranked(digests, approved)
        self._tell_too_many(len(ranked))
        chosen, others = ranked[:MAX_DOCUMENTS], ranked[MAX_DOCUMENTS:]
        self._forget(chosen)
        found = self._read(chosen, approved, deadline)
        self._refreshes += 1
        unusable = {**found.unusable, **dict.fromkeys(others, _TOO_MANY)}
        unread = frozenset(digest for digest, why in unusable.items()
                           if why in (_TOO_MANY, _LATER))
        return InUse(
            found.documents, types.MappingProxyType(unusable),
            # To exclude the providers of each would take more requests than
            # anybody should be able to cause.
            ignored=unread, partial=bool(unread),
            hasty=_LATER in unusable.values()
            and self._refreshes <= _MAX_HASTE)

    def see(self, digest: str) -> None:
        """Notes that some provider was seen with a document."""
        with self._lock:
            self._seen[digest] = None
            self._seen.move_to_end(digest)
            if len(self._seen) > _MAX_SEEN:
                self._seen.popitem(last=False)

    def get(self, digest: str, deadline: Deadline) -> Document | None:
        """One document, if it is usable; its marker need not be in use."""
        found = self._in_directory().get(digest)
        if found is not None or self._approved_only:
            return found
        placed = self._from_placement(digest, _Budget(deadline))
        return None if isinstance(placed, str) else placed

    def counts(self, digest: str) -> bool:
        """Whether a provider's marker of a document means anything here."""
        return not self._approved_only or digest in self._in_directory()

    def _approved(self, digests: set[str]) -> InUse:
        # A mapping that is not approved does not make an older one count:
        # whoever wrote it says that the device is not the old one any more.
        found = self._in_directory()
        others = frozenset(digests - found.keys())
        return InUse(
            types.MappingProxyType({digest: found[digest]
                                    for digest in sorted(digests - others)}),
            types.MappingProxyType(dict.fromkeys(
                sorted(others), 'documents_dir has no file for it')),
            ignored=others)

    def _ranked(self, digests: Collection[str],
                approved: Mapping[str, Document]) -> list[str]:
        """The digests, those first that should not be lost."""
        return sorted(digests, key=lambda digest: (
            digest not in approved, digest not in self._seen,
            digest not in self._known, digest))

    def _read(self, digests: Iterable[str], approved: Mapping[str, Document],
              deadline: Deadline) -> InUse:
        """Documents, in this order as far as there is room and time."""
        budget = _Budget(deadline)
        usable, unusable = {}, {}
        for digest in digests:
            found = approved.get(digest) \
                or self._from_placement(digest, budget)
            if isinstance(found, str):
                unusable[digest] = found
            else:
                usable[digest] = found
        return InUse(types.MappingProxyType(usable), unusable)

    def _from_placement(self, digest: str, budget: _Budget
                        ) -> Document | str:
        """A document that is known or can be read now, or why it is not."""
        if budget.room <= 0:
            return _TOO_MANY
        found: Document | str | None = self._known.get(digest)
        if found is None:
            before = self._unusable.get(digest)
            if not budget.may_read(again=before is not None):
                return before or _LATER
            found = self._fetch(digest, budget.deadline)
        if isinstance(found, Document):
            budget.room -= len(found.canonical)
        return found

    def _in_directory(self) -> dict[str, Document]:
        return self._directory.documents() if self._directory else {}

    def _fetch(self, digest: str, deadline: Deadline) -> Document | str:
        try:
            document = traits.decode(self._client.traits(
                f'{traits.BODY_PREFIX}{digest}_', deadline), digest)
        except traits.Undecodable as error:
            return self._refuse(digest, error.why)
        except TooLong:
            return self._refuse(digest, 'it has too many body traits')
        with self._lock:
            self._known[digest] = document
            self._unusable.pop(digest, None)
        return document

    def _refuse(self, digest: str, why: str) -> str:
        with self._lock:
            news = self._unusable.get(digest) != why
            self._unusable[digest] = why
            self._named += news
        if news and self._named <= _MAX_NAMED:
            LOG.warning('The document of %s is unusable, and the providers '
                        'that carry it count as unpublished: %s',
                        traits.marker(digest), why)
        elif news and self._named == _MAX_NAMED + 1:
            LOG.warning('More than %d documents are unusable; the others are '
                        'not named until there are fewer.', _MAX_NAMED)
        return why

    def _tell_too_many(self, count: int) -> None:
        too_many = count > MAX_DOCUMENTS
        if too_many and not self._too_many:
            LOG.warning(
                '%d documents are in use, over the limit of %d. Those of '
                'documents_dir and those that providers were seen with come '
                'first; the others count as unpublished.', count,
                MAX_DOCUMENTS)
        self._too_many = too_many

    def _forget(self, chosen: Collection[str]) -> None:
        """Drops what is not in use, when there is too much of it."""
        with self._lock:
            wanted = {*chosen, *self._seen}
            if len(self._known) > MAX_DOCUMENTS + _MAX_SEEN \
                    or _size(self._known) > 2 * MAX_KEPT:
                self._known = {digest: document for digest, document
                               in self._known.items() if digest in wanted}
            if len(self._unusable) > MAX_DOCUMENTS + _MAX_SEEN:
                self._unusable = {digest: why for digest, why
                                  in self._unusable.items()
                                  if digest in wanted}
            self._named = min(self._named, len(self._unusable))


def _size(documents: Mapping[str, Document]) -> int:
    return sum(len(document.canonical) for document in documents.values())
