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

import dataclasses

import tenacity

from nova_mdev_compat.codec import traits
from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import Conflict

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
    written = list(_write_body(client, names, deadline))
    replaced, marked = _mark(client, provider, names, deadline)
    written += _write_body(client, names, deadline)
    return Publication(names.digest, replaced, tuple(written), marked)


def _write_body(client: Client, names: TraitNames,
                deadline: Deadline) -> list[str]:
    """Makes what is missing of the body, and says what that was."""
    there = client.traits(f'{traits.BODY_PREFIX}{names.digest}_', deadline)
    try:
        # Any complete body serves, though another encoder wrote it.
        traits.decode(there, names.digest)
        return []
    except traits.Undecodable:
        missing = [name for name in names.chunks if name not in set(there)]
    for name in missing:
        client.put_trait(name, deadline)
    return missing


def _mark(client: Client, provider: str, names: TraitNames,
          deadline: Deadline) -> tuple[tuple[str, ...], bool]:
    # A marker that nobody carries can be collected before it is put on.
    for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Conflict, BadRequest)),
            wait=tenacity.wait_random_exponential(_FIRST_WAIT,
                                                  _LONGEST_WAIT),
            stop=tenacity.stop_after_attempt(_ATTEMPTS), reraise=True):
        with attempt:
            return _mark_once(client, provider, names, deadline)
    raise AssertionError('tenacity returned without an answer')


def _mark_once(client: Client, provider: str, names: TraitNames,
               deadline: Deadline) -> tuple[tuple[str, ...], bool]:
    # Traits and generation of one answer: what is written with this
    # generation is refused if anything changed in between.
    current = client.provider_traits(provider, deadline)
    markers = {name: digest for name in current.traits
               for digest in [traits.read_marker(name)] if digest is not None}
    if set(markers) == {names.marker}:
        return (), False
    client.put_trait(names.marker, deadline)
    client.put_provider_traits(
        provider, {*current.traits} - markers.keys() | {names.marker},
        current.generation, deadline)
    return tuple(sorted(set(markers.values()) - {names.digest})), True
