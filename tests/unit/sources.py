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

"""Hypothesis strategies: sources near to a document, and far from it.

A source is near when it is what an entry describes, or the document's own
``self``, changed in at most two fields.
"""

import copy
from typing import Any

import hypothesis.strategies as st

from tests.unit import oracle
from tests.unit import strategies

Json = dict[str, Any]
Draw = st.DrawFn

ABSENT = object()


@st.composite
def sources(draw: Draw, document: Json) -> Json:
    """A source's ``self`` for a document: far in one of eight cases."""
    if draw(st.integers(0, 7)) == 0:
        return draw(strategies.devices())
    source: Json = copy.deepcopy(document['self'])
    if document['compatible'] and draw(st.integers(0, 4)):
        fill_in(draw, source, draw(st.sampled_from(document['compatible'])))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        mutate(draw, source)
    return source


@st.composite
def pairs(draw: Draw, count: int) -> tuple[Json, list[Json]]:
    """A document, and so many sources for it."""
    document = draw(strategies.documents())
    return document, [draw(sources(document)) for _ in range(count)]


def fill_in(draw: Draw, source: Json, entry: Json) -> None:
    """Make a source what an entry describes, as far as that is possible."""
    variables = {name: draw(_numbers(variable))
                 for name, variable in entry.get('variables', {}).items()}
    api = source['device_api']
    for name in ('mdev_type', 'software_version'):
        if name in entry:
            _put(source, name, api, _fit(draw, name, entry[name], variables))
    for member in (api, 'attributes'):
        for name, patch in entry.get(member, {}).items():
            _put(source.setdefault(member, {}), name, api,
                 _fit(draw, name, patch, variables), member)


def _numbers(variable: Json) -> st.SearchStrategy[int]:
    if 'enum' in variable:
        return st.sampled_from(variable['enum'])
    low, high = variable['minimum'], variable['maximum']
    # Multiples of 12 are divided exactly by most operands.
    even = [number for number in (0, 12, -12, 24, 1236, 2 ** 30)
            if low <= number <= high]
    some = st.integers(max(low, -30), min(high, 120))
    return st.one_of(some, st.sampled_from([low, high, *even]))


def _fit(draw: Draw, name: str, patch: Any, variables: dict[str, int]) -> Any:
    """A value that a patch accepts, or nearly."""
    if isinstance(patch, list):
        return draw(st.permutations(patch))[:draw(st.integers(0, 4))]
    if isinstance(patch, dict):
        return draw(_fit_operator(name, patch))
    if not isinstance(patch, str) or name == 'software_version':
        return patch
    try:
        value = oracle.fill(patch, variables, name == 'mdev_type')
    except oracle.NoValue:
        return draw(strategies.scalars)
    return str(value) if draw(st.booleans()) else value


def _fit_operator(name: str, patch: Json) -> st.SearchStrategy[Any]:
    if 'any_of' in patch:
        return st.sampled_from(patch['any_of'])
    if 'absent' in patch:
        return st.just(ABSENT)
    if 'any' in patch:
        return st.one_of(st.just(ABSENT), strategies.values,
                         strategies.versions, strategies.types,
                         st.sampled_from(strategies.HEX))
    bounds = list(patch.values())
    if name == 'software_version':
        return st.sampled_from(bounds + ['1.1', '1.2.3'])
    low = patch.get('minimum', -2 ** 63)
    return st.one_of(st.sampled_from(bounds),
                     st.integers(low, patch.get('maximum', 2 ** 63 - 1)))


def _put(part: Json, name: str, api: str, value: Any,
         member: str = '') -> None:
    """Set a field to a value, unless no valid device could have it."""
    if value is ABSENT:
        part.pop(name, None)
    elif _may_have(name, api, value, member):
        part[name] = value


def _may_have(name: str, api: str, value: Any, member: str) -> bool:
    if isinstance(value, str) and len(value) > strategies.MAX_TEXT:
        return False
    if member == 'attributes':
        return _in_64_bits(value)
    if member == 'vfio-pci':
        return isinstance(value, str) and bool(
            strategies.PCI_FACT.fullmatch(value))
    if member == api:
        return not isinstance(value, list) and _in_64_bits(value)
    if name == 'mdev_type':
        return isinstance(value, str) and bool(
            strategies.MDEV_TYPE.fullmatch(value))
    return value in strategies.VERSIONS


def _in_64_bits(value: Any) -> bool:
    return not isinstance(value, int) or -2 ** 63 <= value < 2 ** 63


def mutate(draw: Draw, source: Json) -> None:
    """Change a source in one field."""
    api = source['device_api']
    member = draw(st.sampled_from(
        ['mdev_type', 'software_version', api, 'attributes', 'attributes',
         'attributes', 'attributes', 'device_api']))
    if member == 'device_api':
        if draw(st.integers(0, 3)) == 0:
            source.pop(api, None)
            source['device_api'] = draw(st.sampled_from(strategies.APIS))
        return
    if member in ('mdev_type', 'software_version'):
        pool = (strategies.types if member == 'mdev_type'
                else strategies.versions)
        _put(source, member, api, draw(st.one_of(st.just(ABSENT), pool, pool)))
        return
    part = source.setdefault(member, {})
    names = strategies.NAMES if member == 'attributes' else (
        strategies.FACTS[api])
    name = draw(st.sampled_from([*part, *part, *names]))
    _put(part, name, api, draw(_changed(part.get(name, ABSENT), member)),
         member)


def _changed(value: Any, member: str) -> st.SearchStrategy[Any]:
    """Something else, by preference something that looks the same."""
    near: list[Any] = [ABSENT]
    if isinstance(value, bool):
        near += [int(value), not value]
    elif isinstance(value, int):
        near += [str(value), f'0{value}', value + 1, value - 1, value == 1]
    elif isinstance(value, str):
        near += [value + '0', '0' + value, value + 'x', '-' + value, [value],
                 *([int(value)] if value.isascii() and value.isdigit()
                   else [])]
    elif isinstance(value, list):
        near += [value[1:], value[::-1], *value[:1],
                 [*value, f'z{len(value)}']]
    other = (st.sampled_from(strategies.HEX) if member == 'vfio-pci'
             else strategies.values)
    return st.one_of(st.sampled_from(near), other)
