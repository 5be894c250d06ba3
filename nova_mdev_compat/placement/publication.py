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

"""Publishing a document: its body first, then the provider's marker.

A reader sees the old document or the new one, never half of one: a marker is
on a provider only when its body is there. The body is read back afterwards,
because whoever collects bodies without a marker may have met the new one
before it had its marker.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
import dataclasses

import tenacity

from nova_mdev_compat.codec import traits
from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement import labels

_ATTEMPTS = 12
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did.

    :param digest: of the document that the provider carries now.
    :param replaced: digests of the markers that were taken off.
    :param written: names of the body's traits that had to be made.
    :param marked: whether the provider's traits were written.
    """

    digest: str
    replaced: tuple[str, ...]
    written: tuple[str, ...]
    marked: bool

    @property
    def changed(self) -> bool:
        return bool(self.written or self.marked)


@dataclasses.dataclass(frozen=True, slots=True)
class Marked:
    """What happened to a provider's markers.

    :param replaced: digests of those that were taken off.
    :param changed: whether the provider's traits were written.
    :param lost: HTTP status of every race that was lost on the way.
    """

    replaced: tuple[str, ...]
    changed: bool
    lost: tuple[int, ...] = ()


def publish(client: Client, provider: str, names: TraitNames,
            deadline: Deadline) -> Publication:
    """Makes a provider carry a document, and no other one of this format.

    Traits of anybody else's are left as they are. Where nothing is to be
    changed nothing is written.

    :raises NotFound: the provider is not there.
    :raises Conflict: others kept writing the provider.
    :raises PlacementError: placement could not be read or written.
    """
    # Before anything is written: a wrong UUID must leave no traits behind.
    client.provider_traits(provider, deadline)
    written = _read_and_write_body(client, names, deadline)
    marked = Markers(client).replace(provider, names, deadline)
    written += _read_and_write_body(client, names, deadline)
    return Publication(names.digest, marked.replaced, tuple(written),
                       marked.changed)


@dataclasses.dataclass(frozen=True, slots=True)
class LabelPublication:
    """What publishing for a label did.

    :param replaced: digest of the document that it stood for, or None.
    :param written: names of the body's traits that had to be made.
    :param current: digest of the document that it stands for now.
    """

    replaced: str | None
    written: tuple[str, ...]
    current: str


def publish_label(client: Client, label: str, names: TraitNames, owner: str,
                  deadline: Deadline) -> LabelPublication:
    """Makes a label stand for a document, whatever anybody else said.

    :param owner: who says it.
    :raises PlacementError: placement could not be read or written.
    """
    written = _read_and_write_body(client, names, deadline)
    before = labels.read(client, label, deadline)
    done = labels.map_label(client, label, names.digest, owner, True,
                            deadline)
    written += _read_and_write_body(client, names, deadline)
    labels.remove_superseded(client, label, deadline)
    return LabelPublication(before[0].digest if before else None,
                            tuple(written), done.current.digest)


def _read_and_write_body(client: Client, names: TraitNames,
                         deadline: Deadline) -> list[str]:
    there = client.traits(f'{traits.BODY_PREFIX}{names.digest}_', deadline)
    return write_body(client, names, there, deadline)


def missing_chunks(names: TraitNames, there: Collection[str]) -> list[str]:
    """Names of the body's traits that are to be made.

    :param there: names of traits, those of the body at least.
    """
    try:
        # Any complete body serves, though another encoder wrote it.
        traits.decode(there, names.digest)
        return []
    except traits.Undecodable:
        known = set(there)
        return [name for name in names.chunks if name not in known]


def write_body(client: Client, names: TraitNames, there: Collection[str],
               deadline: Deadline) -> list[str]:
    """Makes what is missing of the body, and says what that was."""
    missing = missing_chunks(names, there)
    for name in missing:
        _retrying(Conflict)(client.put_trait, name, deadline)
    return missing


def _retrying(*races: type[Exception]) -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(races),
        wait=tenacity.wait_random_exponential(_FIRST_WAIT, _LONGEST_WAIT),
        stop=tenacity.stop_after_attempt(_ATTEMPTS), reraise=True)


class Markers:
    """Puts markers on providers and takes them off.

    :param there: traits that are known to be there.
    """

    def __init__(self, client: Client, there: Iterable[str] = ()) -> None:
        self._client = client
        self._there = set(there)

    def replace(self, provider: str, names: TraitNames | None,
                deadline: Deadline) -> Marked:
        """Makes a document's marker the only one that a provider carries.

        :param names: of the document; None takes every marker off.
        :raises NotFound: the provider is not there.
        :raises Conflict: others kept writing the provider.
        """
        lost: list[int] = []
        # A marker that nobody carries can be collected before it is put on.
        for attempt in _retrying(Conflict, BadRequest):
            with attempt:
                try:
                    replaced, changed = self._replace_once(
                        provider, None if names is None else names.marker,
                        deadline)
                except (Conflict, BadRequest) as error:
                    lost.append(error.status)
                    raise
        return Marked(replaced, changed, tuple(lost))

    def _replace_once(self, provider: str, marker: str | None,
                      deadline: Deadline) -> tuple[tuple[str, ...], bool]:
        # Traits and generation of one answer: what is written with this
        # generation is refused if anything changed in between.
        current = self._client.provider_traits(provider, deadline)
        wanted = set() if marker is None else {marker}
        markers = {name for name in current.traits
                   if traits.read_marker(name) is not None}
        if markers == wanted:
            return (), False
        self._make(wanted - markers, deadline)
        try:
            self._client.put_provider_traits(
                provider, {*current.traits} - markers | wanted,
                current.generation, deadline)
        except BadRequest:
            self._there -= wanted
            raise
        gone = filter(None, map(traits.read_marker, markers - wanted))
        return tuple(sorted(gone)), True

    def _make(self, markers: set[str], deadline: Deadline) -> None:
        for marker in markers - self._there:
            self._client.put_trait(marker, deadline)
            self._there.add(marker)
