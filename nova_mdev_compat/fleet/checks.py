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

"""Whether what is published and configured goes together: pure answers."""

from __future__ import annotations

import collections
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import re

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.device import ATTRIBUTES
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet.kinds import kind_name
from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet.providers import UNPUBLISHED

FILTER = 'MdevCompatFilter'
#: What `available_filters` must name, beside a class path of the filter.
ALL_FILTERS = 'nova_mdev_compat.filters.all_filters'
#: Filters that cost hundreds of times more for each host than this one.
COSTLY = ('NUMATopologyFilter', 'PciPassthroughFilter')

#: The begin of every marker of every format, and its form and a label's.
ANY_FORMAT = 'CUSTOM_MDEV_COMPAT'
_MARKER = re.compile(
    ANY_FORMAT + r'([0-9]+)_(?:[A-Z2-7]{26}|LABEL_[A-Z0-9]+)')

# Each trait in the table costs every request of placement some 8 us; less
# garbage than this nobody notices.
_MUCH_GARBAGE = 100
_NAMES = 3

SUCCESS, WARNING, FAILURE = 'success', 'warning', 'failure'


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found.

    :param level: SUCCESS, WARNING or FAILURE.
    :param details: in words, and what to do about it.
    """

    level: str
    details: str


def enabled(available: Collection[str],
            names: Sequence[str]) -> Finding:
    """Whether nova-scheduler loads the filter.

    :param available: the option `available_filters`.
    :param names: the option `enabled_filters`.
    """
    if FILTER not in names:
        return Finding(FAILURE, f'[filter_scheduler] enabled_filters does '
                       f'not have {FILTER}, so nothing is judged.')
    if ALL_FILTERS not in available and not any(
            name.endswith(f'.{FILTER}') for name in available):
        return Finding(FAILURE, '[filter_scheduler] available_filters needs '
                       f'a line with {ALL_FILTERS}.')
    return Finding(SUCCESS, f'{FILTER} is enabled.')


def order(names: Sequence[str]) -> Finding:
    """Whether the filter is before those that cost much for each host."""
    if FILTER not in names:
        return Finding(SUCCESS, f'{FILTER} is not enabled.')
    early = [name for name in names[:list(names).index(FILTER)]
             if name in COSTLY]
    if early:
        return Finding(WARNING, f'In enabled_filters {", ".join(early)} '
                       f'stands before {FILTER}: it looks at every host, at '
                       f'a far higher cost. Put {FILTER} first.')
    return Finding(SUCCESS, 'No costly filter stands before it.')


def unpublished(fleet: Fleet) -> Finding:
    """Whether all device providers have a document."""
    found = [one for one in fleet.providers
             if one.publication.state == UNPUBLISHED]
    if not fleet.providers:
        return Finding(WARNING, 'Placement has no provider of a device '
                       'class: see [mdev_compat] resource_classes.')
    if found:
        return Finding(WARNING, f'{len(found)} of {len(fleet.providers)} '
                       f'device providers are unpublished: {_some(found)}. '
                       'On their hosts nova-mdev-compat-publisher --health '
                       'says why.')
    return Finding(SUCCESS, f'{len(fleet.providers)} device providers are '
                   'published.')


def corrupt(fleet: Fleet) -> Finding:
    """Whether every published document can be used."""
    found = [one for one in fleet.providers
             if one.publication.state == CORRUPT]
    if not found and not fleet.unusable:
        return Finding(SUCCESS, f'{len(fleet.documents)} documents in use '
                       'are usable.')
    reasons = collections.Counter(one.publication.fault for one in found)
    words = [f'{digest}: {why}' for digest, why in fleet.unusable.items()] \
        or [f'{why} ({count})' for why, count in reasons.items()]
    if not found:
        return Finding(WARNING, 'Documents that providers without devices '
                       f'carry cannot be used: {"; ".join(words[:_NAMES])}.')
    return Finding(
        FAILURE, f'{len(found)} device providers count as unpublished, '
        f'because what is published for them cannot be used: {_some(found)}. '
        f'{"; ".join(words[:_NAMES])}. Publish their documents again.')


def formats(names: Iterable[str]) -> Finding:
    """Whether providers carry markers of formats that are not known here.

    :param names: of the traits that providers carry.
    """
    known = traits.PREFIX.removeprefix(ANY_FORMAT).rstrip('_')
    found = collections.Counter(
        match[1] for name in names for match in [_MARKER.fullmatch(name)]
        if match and match[1] != known)
    if found:
        words = [f'format {number} ({count})'
                 for number, count in sorted(found.items())]
        return Finding(WARNING, 'Markers of formats that this release does '
                       f'not read are in use: {", ".join(words)}. Upgrade '
                       'nova-mdev-compat at the schedulers first.')
    return Finding(SUCCESS, f'All markers are of format {known}.')


def garbage(all_names: Iterable[str], carried: Iterable[str],
            total: int) -> Finding:
    """How many traits are ours, and how many of them serve nobody.

    :param all_names: of all traits with our prefix.
    :param carried: of those that providers carry.
    :param total: how many custom traits there are in all.
    """
    ours, used = set(all_names), set(carried)
    mappings = {one[0].name: one[0].digest
                for label, one in labels.by_label(ours).items()
                if labels.trait(label) in used}
    documents = traits.digests(used)[0].union(mappings.values())
    waste = [name for name in ours - used - mappings.keys()
             for chunk in [traits.read_chunk(name)]
             if chunk is None or chunk.digest not in documents]
    details = (f'{len(ours)} of {total} custom traits are ours; '
               f'{len(waste)} of ours belong to no document in use.')
    if len(waste) < _MUCH_GARBAGE:
        return Finding(SUCCESS, details)
    return Finding(WARNING, f'{details} Each slows every request to '
                   'placement a little: collect them.')


def rules(fleet: Fleet) -> Finding:
    """Whether the publisher has a rule for every driver.

    Where it has none, it publishes a document that accepts the identical
    release alone, and names that release.
    """
    found = collections.Counter(
        _driver(document) for digest, document in fleet.documents.items()
        if _is_fallback(document) for _ in fleet.carrying(digest))
    if found:
        words = [f'{driver} ({count} providers)'
                 for driver, count in sorted(found.items())]
        return Finding(WARNING, 'Documents were published without a rule for '
                       f'the driver: {", ".join(words)}. They accept devices '
                       'of the identical driver release alone.')
    return Finding(SUCCESS, 'No document was published without a rule.')


def limit(fleet: Fleet, max_placement_results: int) -> Finding:
    """Whether one answer of placement holds all device providers."""
    count = len(fleet.providers)
    details = (f'[scheduler] max_placement_results is '
               f'{max_placement_results}, and there are {count} device '
               'providers')
    if count > max_placement_results:
        return Finding(WARNING, f'{details}: hosts beyond the limit are not '
                       'considered. Raise it.')
    return Finding(SUCCESS, f'{details}.')


def classes(fleet: Fleet, patterns: Sequence[str]) -> Finding:
    """Whether every published provider has devices for the filter."""
    found = collections.Counter(
        name for names in fleet.others.values() for name in names)
    if found:
        words = [f'{name} ({count})' for name, count in found.most_common()]
        return Finding(
            WARNING, f'{len(fleet.others)} published providers have no '
            f'resource class of [mdev_compat] resource_classes '
            f'({", ".join(patterns)}), so the filter does not look at them. '
            f'They have {", ".join(words)}.')
    if fleet.others:
        return Finding(SUCCESS, f'{len(fleet.others)} published providers '
                       'have no inventory at all now.')
    return Finding(SUCCESS, 'Every published provider has a resource class '
                   'of resource_classes.')


def _is_fallback(document: Document) -> bool:
    fields = {field[1] for field in document.device.fields
              if field[0] == ATTRIBUTES}
    return bool(fields & {'driver_release', 'kernel_release'}) \
        and fields <= {'driver_release', 'kernel_release', 'driver'} \
        and not any(entry.named for entry in document.entries)


def _driver(document: Document) -> str:
    named = document.device.fields.get((ATTRIBUTES, 'driver'))
    return named if isinstance(named, str) \
        else kind_name(document.device).partition('-')[0]


def _some(providers: Sequence[DeviceProvider]) -> str:
    names = ', '.join(one.name for one in providers[:_NAMES])
    more = len(providers) - _NAMES
    return f'{names} and {more} more' if more > 0 else names
