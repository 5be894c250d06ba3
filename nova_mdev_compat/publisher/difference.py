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
the host publishes and for each label that it has, and one for all other
markers together. A provider is asked
about by itself only when it is to be written.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec import traits
from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.client import Provider
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement import publication
from nova_mdev_compat.publisher import host_labels
from nova_mdev_compat.publisher.host_labels import Label
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
    :param labels: those that Nova's configuration gives it; more than one is
        a fault.
    """

    provider: Provider
    wanted: Wanted
    carried: frozenset[str]
    others: bool
    labels: tuple[Label, ...] = ()

    @property
    def right(self) -> bool:
        if not self.labels:
            return not self.others \
                and self.carried == {self.wanted.names.digest}
        return not self.mixed and len(self.labels) == 1 \
            and self.labels[0].carried and self.says

    @property
    def says(self) -> bool:
        """Whether its label stands for the wanted document."""
        return self.labels[0].says(self.wanted.names.digest)

    @property
    def mixed(self) -> bool:
        """Whether it has a marker beside its label that says otherwise."""
        return self.others or bool(
            self.carried - {self.wanted.names.digest})

    @property
    def marked(self) -> bool:
        return self.others or bool(self.carried)


@dataclasses.dataclass(frozen=True, slots=True)
class LabelDifference:
    """Providers that have a label; one can be in several of these.

    :param to_map: the label is to stand for the document from now on.
    :param kept: it stands for another document than the doubted one.
    :param contested: another host says that it stands for something else.
    :param clashing: the configuration gives the provider several labels, or
        the label to another provider with another document too.
    :param missing: the provider does not carry it (yet).
    :param mixed: the provider carries a marker of another document too.
    :param to_tidy: labels with mappings that do not count.
    :param held: labels whose tombstones go; they may be collected now.
    """

    to_map: tuple[State, ...] = ()
    kept: tuple[State, ...] = ()
    contested: tuple[State, ...] = ()
    clashing: tuple[State, ...] = ()
    missing: tuple[State, ...] = ()
    mixed: tuple[State, ...] = ()
    to_tidy: tuple[str, ...] = ()
    held: tuple[State, ...] = ()

    @property
    def unsaid(self) -> tuple[State, ...]:
        """Those whose documents are not published by this host."""
        return self.kept + self.contested + self.clashing


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done, and what is not.

    :param right: these carry what they should.
    :param to_mark: these are to be written.
    :param kept: these carry another document than their doubted one.
    :param nova_marks: these wait for a label, or a marker, of Nova's own
        configuration.
    :param absent: names of providers that are not in placement; the root's
        alone when it is not there either.
    :param bodies: documents that are not there as a whole.
    :param tombstones: traits that say of a wanted document that nobody
        carries it.
    :param there: names of all our traits.
    :param labels: what is to be done about labels.
    """

    right: tuple[State, ...]
    to_mark: tuple[State, ...]
    kept: tuple[State, ...]
    nova_marks: tuple[State, ...]
    absent: tuple[str, ...]
    bodies: tuple[TraitNames, ...]
    tombstones: tuple[str, ...]
    there: frozenset[str]
    labels: LabelDifference = LabelDifference()

    @property
    def to_write(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.to_mark or self.bodies or self.tombstones
                    or self.labels.to_map or self.labels.to_tidy)


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
    labelled = _Labels(client, root.uuid, found.values(), there, deadline)
    states = [State(by_name[name], wanted,
                    frozenset(digest for digest, some in carried.items()
                              if digest and by_name[name].uuid in some),
                    by_name[name].uuid in carried[''],
                    labelled.of(by_name[name].uuid, wanted))
              for name, wanted in sorted(found.items())]
    return _sorted_out(
        states, sorted(name for name, wanted in names.items()
                       if name not in by_name and not wanted.optional), there)


class _Labels:
    """The labels of a tree's providers: a request for each that is used."""

    def __init__(self, client: Client, root: str, wanted: Iterable[Wanted],
                 there: Collection[str], deadline: Deadline) -> None:
        self._root = root
        self._mappings = labels.by_label(there)
        configured = {name for one in wanted if one.device_spec is not None
                      for name in host_labels.configured(one.device_spec)}
        # One that is not there as a trait is on no provider, and asking for
        # it is an error.
        self._carried = {
            name: _carriers(client, root, [labels.trait(name)], deadline)
            for name in sorted(configured) if labels.trait(name) in there}

    def of(self, provider: str, wanted: Wanted) -> tuple[Label, ...]:
        if wanted.device_spec is None:
            return ()
        return host_labels.of_provider(
            wanted.device_spec, self._root,
            [name for name, some in self._carried.items()
             if provider in some], self._mappings)


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
    labelled = _labelled([state for state in states if state.labels], there)
    wrong = [state for state in states
             if not state.right and not state.labels]
    nova_marks = [state for state in wrong
                  if state.wanted.device_spec is not None]
    kept = [state for state in wrong if state not in nova_marks
            and state.wanted.doubted and state.marked]
    to_mark = [state for state in wrong
               if state not in nova_marks and state not in kept]
    used = {state.wanted.names.digest: state.wanted.names
            for state in states
            if state not in kept and state not in labelled.unsaid}
    return Difference(
        tuple(state for state in states if state.right), tuple(to_mark),
        (*kept, *labelled.kept), tuple(nova_marks), tuple(absent),
        tuple(names for names in used.values()
              if publication.missing_chunks(names, there)),
        tuple(one.name for digest, some
              in sorted(tombstones.by_digest(there).items())
              if digest in used for one in some)
        + _label_tombstones(labelled.held, there),
        there, labelled)


def _labelled(states: list[State], there: Collection[str]) -> LabelDifference:
    digests: dict[str, set[str]] = {}
    for state in states:
        for label in state.labels:
            digests.setdefault(label.name, set()).add(
                state.wanted.names.digest)
    clashing = [state for state in states if len(state.labels) > 1
                or len(digests[state.labels[0].name]) > 1]
    single = [state for state in states if state not in clashing]
    wrong = [state for state in single if not state.says]
    kept = [state for state in wrong if state.wanted.doubted
            and state.labels[0].current is not None]
    left = [state for state in wrong if state not in kept]
    stones = tombstones.by_label(there)
    return LabelDifference(
        tuple(state for state in left if state.labels[0].may_map),
        tuple(kept),
        tuple(state for state in left if not state.labels[0].may_map),
        tuple(clashing),
        tuple(state for state in single if not state.labels[0].carried),
        tuple(state for state in single if state.mixed),
        tuple(sorted({state.labels[0].name for state in single
                      if state.labels[0].to_tidy})),
        tuple(state for state in single if state.says
              and state.labels[0].name in stones))


def _label_tombstones(held: Iterable[State],
                      there: Collection[str]) -> tuple[str, ...]:
    names = {state.labels[0].name for state in held}
    return tuple(one.name for label, some
                 in sorted(tombstones.by_label(there).items())
                 if label in names for one in some)


def _carried(client: Client, root: str, digests: Collection[str],
             there: Collection[str], deadline: Deadline
             ) -> dict[str, frozenset[str]]:
    """UUIDs of the tree's providers by the digest of a marker on them; under
    the empty text those with a marker of any other document.
    """
    markers = {digest for digest in map(traits.read_marker, there)
               if digest is not None}
    found = {digest: _carriers(client, root, [traits.marker(digest)], deadline)
             for digest in sorted(markers.intersection(digests))}
    others = sorted(markers.difference(digests))
    if len(others) > _MARKERS_A_REQUEST:
        # Years of old markers that nobody carries any more.
        used = client.traits(traits.PREFIX, deadline, associated=True)
        others = sorted({*others}.intersection(
            filter(None, map(traits.read_marker, used))))
    found[''] = frozenset().union(
        *(_carriers(client, root, list(map(traits.marker, some)), deadline)
          for some in _parts(others)))
    return found


def _carriers(client: Client, root: str, names: list[str],
              deadline: Deadline) -> frozenset[str]:
    try:
        return frozenset(client.providers(['in:' + ','.join(names)], deadline,
                                          in_tree=root))
    except BadRequest:
        # One of them was collected meanwhile.
        left = [name for name in names if _exists(client, name, deadline)]
        if len(left) == len(names):
            raise
    return _carriers(client, root, left, deadline) if left else frozenset()


def _exists(client: Client, name: str, deadline: Deadline) -> bool:
    return name in client.traits(name, deadline)


def _parts(digests: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(digests), _MARKERS_A_REQUEST):
        yield digests[start:start + _MARKERS_A_REQUEST]
