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

"""What placement says of a host's providers, against what they should carry.

The state of a whole tree takes few requests, however many devices it has: one
for the tree, one for the names of all our traits, one for each document that
the host publishes, and one for all other markers together. A provider is asked
about by itself only when it is to be written.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses

from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec import traits
from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.client import Provider
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement import publication
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import provider_name
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted

# A marker has 46 characters; web servers commonly take a request line of
# 8,190 bytes.
_MARKERS_A_REQUEST = 140


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One provider, and what it should carry.

    :param carried: digests of its markers that this host publishes
        somewhere.
    :param others: whether it carries a marker of another document.
    """

    provider: Provider
    wanted: Wanted
    carried: frozenset[str]
    others: bool

    @property
    def right(self) -> bool:
        return not self.others \
            and self.carried == {self.wanted.names.digest}

    @property
    def marked(self) -> bool:
        return self.others or bool(self.carried)


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done, and what is not.

    :param right: these carry what they should.
    :param to_mark: these are to be written.
    :param kept: these carry another document than their doubted one.
    :param nova_marks: these wait for a marker of Nova's own configuration.
    :param absent: names of providers that are not in placement; the root's
        alone when it is not there either.
    :param bodies: documents that are not there as a whole.
    :param tombstones: traits that say of a wanted document that nobody
        carries it.
    :param there: names of all our traits.
    """

    right: tuple[State, ...]
    to_mark: tuple[State, ...]
    kept: tuple[State, ...]
    nova_marks: tuple[State, ...]
    absent: tuple[str, ...]
    bodies: tuple[TraitNames, ...]
    tombstones: tuple[str, ...]
    there: frozenset[str]

    @property
    def to_write(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.to_mark or self.bodies or self.tombstones)


def compare(client: Client, intent: Intent,
            deadline: Deadline) -> Difference:
    """Reads what placement says; writes nothing.

    :raises PlacementError: placement could not be read.
    """
    tree = find_tree(client, intent.root, deadline)
    root = next((one for one in tree if one.uuid == one.root), None)
    if root is None:
        return Difference((), (), (), (), (str(intent.root),), (), (),
                          frozenset())
    # Only what a provider waits for is written: a host whose providers are
    # not there yet must leave no traits behind.
    by_name = {one.name: one for one in tree}
    names = {provider_name(root.name, suffix): wanted
             for suffix, wanted in intent.wanted.items()}
    there = frozenset(client.traits(traits.PREFIX, deadline, many=True))
    found = {name: wanted for name, wanted in names.items()
             if name in by_name}
    digests = {wanted.names.digest for wanted in found.values()}
    carried = _carried(client, root.uuid, digests, there, deadline)
    states = [State(by_name[name], wanted,
                    frozenset(digest for digest, some in carried.items()
                              if digest and by_name[name].uuid in some),
                    by_name[name].uuid in carried[''])
              for name, wanted in sorted(found.items())]
    return _sorted_out(
        states, sorted(name for name, wanted in names.items()
                       if name not in by_name and not wanted.optional), there)


def find_tree(client: Client, root: Root,
              deadline: Deadline) -> list[Provider]:
    """The providers of a host, or none where placement does not know it."""
    if root.uuid is not None:
        return client.tree(root.uuid, deadline)
    for name in root.names:
        for named in client.named(name, deadline):
            return client.tree(named.root, deadline)
    return []


def _sorted_out(states: list[State], absent: Iterable[str],
                there: frozenset[str]) -> Difference:
    wrong = [state for state in states if not state.right]
    nova_marks = [state for state in wrong
                  if state.wanted.device_spec is not None]
    kept = [state for state in wrong if state not in nova_marks
            and state.wanted.doubted and state.marked]
    to_mark = [state for state in wrong
               if state not in nova_marks and state not in kept]
    used = {state.wanted.names.digest: state.wanted.names
            for state in states if state not in kept}
    return Difference(
        tuple(state for state in states if state.right), tuple(to_mark),
        tuple(kept), tuple(nova_marks), tuple(absent),
        tuple(names for names in used.values()
              if publication.missing_chunks(names, there)),
        tuple(one.name for digest, some
              in sorted(tombstones.by_digest(there).items())
              if digest in used for one in some),
        there)


def _carried(client: Client, root: str, digests: Collection[str],
             there: Collection[str], deadline: Deadline
             ) -> dict[str, frozenset[str]]:
    """UUIDs of the tree's providers by the digest of a marker on them; under
    the empty text those with a marker of any other document.
    """
    markers = {digest for digest in map(traits.read_marker, there)
               if digest is not None}
    found = {digest: _carriers(client, root, [digest], deadline)
             for digest in sorted(markers.intersection(digests))}
    others = sorted(markers.difference(digests))
    if len(others) > _MARKERS_A_REQUEST:
        # Years of old markers that nobody carries any more.
        used = client.traits(traits.PREFIX, deadline, associated=True)
        others = sorted({*others}.intersection(
            filter(None, map(traits.read_marker, used))))
    found[''] = frozenset().union(
        *(_carriers(client, root, some, deadline)
          for some in _parts(others)))
    return found


def _carriers(client: Client, root: str, digests: list[str],
              deadline: Deadline) -> frozenset[str]:
    term = 'in:' + ','.join(map(traits.marker, digests))
    try:
        return frozenset(client.providers([term], deadline, in_tree=root))
    except BadRequest:
        # One of them was collected meanwhile.
        left = [digest for digest in digests if _exists(
            client, traits.marker(digest), deadline)]
        if len(left) == len(digests):
            raise
    return _carriers(client, root, left, deadline) if left else frozenset()


def _exists(client: Client, name: str, deadline: Deadline) -> bool:
    return name in client.traits(name, deadline)


def _parts(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), _MARKERS_A_REQUEST):
        yield digests[start:start + _MARKERS_A_REQUEST]
