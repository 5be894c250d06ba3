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

"""Making placement say what a host's devices are."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import contextlib
import dataclasses

from nova_mdev_compat.codec import traits
from nova_mdev_compat.codec.traits import TraitNames
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement import labels
from nova_mdev_compat.placement import publication
from nova_mdev_compat.publisher.difference import Difference
from nova_mdev_compat.publisher.difference import State


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A provider whose marker was replaced.

    :param provider: its name.
    :param replaced: digests of the markers that were taken off.
    """

    provider: str
    digest: str
    replaced: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class LabelChange:
    """A label that stands for another document than before.

    :param replaced: the digest that it stood for, if any.
    """

    label: str
    digest: str
    replaced: str | None


@dataclasses.dataclass(slots=True)
class Outcome:
    """What reconciling did.

    :param changes: providers that were written.
    :param written: names of body traits that were made.
    :param vanished: names of providers that went meanwhile.
    :param failed: why a provider could not be written, by its name.
    :param lost: HTTP status of every race that was lost and run again.
    :param mapped: labels that were mapped to other documents.
    :param said: digests of what labels stand for now, as far as was asked.
    """

    changes: list[Change] = dataclasses.field(default_factory=list)
    written: list[str] = dataclasses.field(default_factory=list)
    vanished: list[str] = dataclasses.field(default_factory=list)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    lost: list[int] = dataclasses.field(default_factory=list)
    mapped: list[LabelChange] = dataclasses.field(default_factory=list)
    said: dict[str, str] = dataclasses.field(default_factory=dict)


def settle(client: Client, difference: Difference,
           deadline: Callable[[], Deadline]) -> Outcome:
    """Writes what is to be written, and nothing where nothing is.

    Chunks come first, then the markers and what labels stand for, and then
    the chunks are read back. What labels stood for goes last. Stopped
    anywhere, it leaves every provider with its old document or its new one,
    and the next time completes it.

    :param deadline: begins anew for every provider, so that a host of many
        devices is not cut off in the middle.
    :raises PlacementError: placement could not be read or written.
    """
    outcome = Outcome()
    if not difference.to_write:
        return outcome
    _lift(client, difference.tombstones, deadline())
    _write(client, difference.bodies, difference.there, outcome, deadline)
    markers = publication.Markers(client, difference.there)
    for state in difference.to_mark:
        _mark(markers, state, outcome, deadline())
    labelled = difference.labels
    for state in _by_label((*labelled.to_map, *labelled.held)):
        _map(client, state, outcome, deadline())
    used = {state.wanted.names.digest: state.wanted.names
            for state in (*difference.to_mark, *labelled.to_map)}
    used.update((names.digest, names) for names in difference.bodies)
    there = client.traits(traits.BODY_PREFIX, deadline(), many=True)
    _write(client, used.values(), frozenset(there), outcome, deadline)
    for label in sorted({*labelled.to_tidy,
                         *(one.label for one in outcome.mapped)}):
        labels.remove_superseded(client, label, deadline())
    return outcome


def _lift(client: Client, tombstones: Iterable[str],
          deadline: Deadline) -> None:
    # The grace period begins anew when somebody comes to carry a document.
    for name in tombstones:
        with contextlib.suppress(NotFound):
            client.delete_trait(name, deadline)


def _write(client: Client, bodies: Iterable[TraitNames],
           there: frozenset[str], outcome: Outcome,
           deadline: Callable[[], Deadline]) -> None:
    for names in bodies:
        outcome.written += publication.write_body(
            client, names, there, deadline())


def _mark(markers: publication.Markers, state: State, outcome: Outcome,
          deadline: Deadline) -> None:
    provider, names = state.provider, state.wanted.names
    try:
        done = markers.replace(provider.uuid, names, deadline)
    except NotFound:
        # nova-compute makes it anew with another UUID.
        outcome.vanished.append(provider.name)
        return
    except (BadRequest, Conflict) as error:
        outcome.failed[provider.name] = str(error)
        return
    outcome.lost += done.lost
    if done.changed:
        outcome.changes.append(Change(
            provider.name, names.digest, done.replaced))


def _by_label(states: Iterable[State]) -> Iterable[State]:
    """One of the states for each label."""
    return {state.labels[0].name: state for state in states}.values()


def _map(client: Client, state: State, outcome: Outcome,
         deadline: Deadline) -> None:
    label, digest = state.labels[0], state.wanted.names.digest
    done = labels.map_label(client, label.name, digest, label.owner,
                            label.mine, deadline)
    outcome.said[label.name] = done.current.digest
    if done.current.digest != digest:
        # Another host was first; the next round says so.
        outcome.failed[state.provider.name] = (
            f'somebody else maps label {label.name}, to document '
            f'{done.current.digest}')
    elif done.written:
        outcome.mapped.append(LabelChange(
            label.name, digest,
            None if label.current is None else label.current.digest))
