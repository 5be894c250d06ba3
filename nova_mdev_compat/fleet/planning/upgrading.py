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

"""From a fleet and new documents to a problem."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import fnmatch

from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet.planning.problem import Load
from nova_mdev_compat.fleet.planning.problem import Problem
from nova_mdev_compat.fleet.planning.problem import Site
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts


class Ambiguous(ValueError):
    """Several new documents could take the place of one."""


def replacements(fleet: Fleet, new: Mapping[str, Document],
                 given: Mapping[str, str]) -> dict[str, str]:
    """Which new document takes the place of which one in use, by digest.

    A new one that differs in its version alone is the one; else the only
    one of the same mdev type, if it is not such a one for another document.

    :param given: what was said, and is not to be guessed.
    :raises Ambiguous: several would do.
    """
    strict = {old: [digest for digest, document in new.items()
                    if _same(fleet.documents[old].device, document.device,
                             with_fields=True)] for old in fleet.documents}
    taken = {digest for found in strict.values() for digest in found}
    chosen = {}
    for old, found in strict.items():
        if old in given:
            chosen[old] = given[old]
            continue
        if not found:
            found = [digest for digest, document in new.items()
                     if digest not in taken and _same(
                         fleet.documents[old].device, document.device)]
        if len(found) > 1:
            raise Ambiguous(
                f'document {old} could be replaced by {" or ".join(found)}')
        if found:
            chosen[old] = found[0]
    return chosen


def build(fleet: Fleet, allocations: Mapping[str, Mapping[str, int]],
          new: Mapping[str, Document], replaced: Mapping[str, str],
          patterns: Sequence[str], question: Question,
          verdicts: Verdicts) -> Problem:
    """The problem of upgrading some hosts.

    :param allocations: amounts by consumer, by provider.
    :param new: the new documents by digest.
    :param replaced: new digests by old ones.
    :param patterns: of the names of the hosts that are upgraded.
    """
    sites = {}
    for one in fleet.providers:
        digest = one.digest if one.document is not None else None
        upgraded = digest
        if digest is not None and any(
                fnmatch.fnmatchcase(one.host, name) for name in patterns):
            upgraded = replaced.get(digest, digest)
        sites[one.uuid] = Site(one.uuid, one.host, one.resource_class,
                               one.capacity.total, digest, upgraded)
    documents = {**fleet.documents, **new}

    def accepts(source: str, destination: str) -> bool:
        return verdicts.of(question, source, documents[source], destination,
                           documents[destination]).accepted

    def could_accept(source: str, destination: str) -> bool:
        one, other = (documents[digest].device
                      for digest in (source, destination))
        return one.device_api == other.device_api and (
            not question.same_type or one.mdev_type == other.mdev_type)
    return Problem(
        sites, tuple(_loads(sites, allocations)),
        frozenset(site.host for site in sites.values()
                  if site.document != site.upgraded), accepts, could_accept)


def _loads(sites: Mapping[str, Site],
           allocations: Mapping[str, Mapping[str, int]]) -> Iterable[Load]:
    by_consumer: dict[tuple[str, str], list[tuple[str, int]]] = {}
    hosts: dict[str, set[str]] = {}
    for provider, held in allocations.items():
        host = sites[provider].host
        for consumer, amount in held.items():
            by_consumer.setdefault((consumer, host), []).append(
                (provider, amount))
            hosts.setdefault(consumer, set()).add(host)
    for (consumer, host), parts in sorted(by_consumer.items()):
        # During a move, and after an evacuation, it holds some on two.
        name = consumer if len(hosts[consumer]) == 1 else f'{consumer}@{host}'
        yield Load(name, tuple(sorted(parts)))


def _same(one: Device, other: Device, with_fields: bool = False) -> bool:
    if one.device_api != other.device_api \
            or kinds.kind_name(one) != kinds.kind_name(other):
        return False
    return not with_fields or _facts(one) == _facts(other)


def _facts(device: Device) -> dict[tuple[str, ...], tuple[type, object]]:
    # With their types: true is not 1.
    return {field: (type(value), value)
            for field, value in device.fields.items()
            if field != SOFTWARE_VERSION}
