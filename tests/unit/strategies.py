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

"""Hypothesis strategies: valid documents, and sources near to them and far.

A document is valid because of how it is drawn.  The pools are small on
purpose: what differs in one digit, sign or type finds more than what differs
in everything.
"""

import re
from typing import Any

import hypothesis.strategies as st

from tests.unit import oracle

Json = dict[str, Any]
Draw = st.DrawFn

APIS = ('vfio-pci', 'vfio-pci', 'vfio-pci', 'vfio-ccw', 'vfio-ap',
        'vfio-platform', 'vfio-amba')
FACTS = {
    'vfio-pci': ('vendor', 'device', 'subsystem_vendor', 'subsystem_device'),
    'vfio-ccw': ('subchannel_type', 'chpid_type'),
    'vfio-ap': ('hwtype', 'a/b'),
    'vfio-platform': ('name', 'n'),
    'vfio-amba': ('periphid', '~'),
}
HEX = ('10de', '2235', '0012', '1234', '9999', '12ab', 'ab12', '0000', 'ffff')
TYPES = ('acme-t', 'acme-x1', 'acme-x2', 'acme-x4', 'acme-x-1', 'acme-x01',
         'acme-1', 'acme-12', 'acme-2x4', 'acme-${a}', 'acme-$', 'acme-$$',
         'a1-t', 'a2-t', 'a--', 'nvidia-558')
VERSIONS = ('0.0', '0.9', '1.0', '1.1', '1.01', '1.2', '1.2.3', '1.2.9',
            '1.10', '2.0', '2.1.1', '10.0', '1.18446744073709551616')
NAMES = ('n', 'm', 'ecc', 'features', 'label', 'driver', 'a/b~c')
TEXTS = ('', 'x', 'x0', 'x1', 'x2', 'x-1', 'x--1', 'x01', 'x12', '0', '1',
         '2', '4', '-1', '-2', '01', '-0', '00', '1-1', '1--2', '1x1', '1x2',
         '2x1', '1.2', '12', '$', '$$', '$1', '${a}', 'true', '\u0661', 'é',
         '9223372036854775807', '9223372036854775808',
         '-9223372036854775808')
MEMBERS = ('a', 'b', 'c', '${a}', '$$', '1')
EDGES = (-2 ** 63, 2 ** 63 - 1, -2 ** 31, 2 ** 31 - 1, 2 ** 31, 2 ** 62)
BEFORE = ('', '', 'x', 'x', 'x-', '-', '1', 'x0', '$$', 'é')
BETWEEN = ('x', '-', '--', '.', '$$', 'x1', ' ')
AFTER = ('', '', '', 'x', '-', '$$', 'x2')
OPERANDS = (1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 6, 10, 12, 1000, 2 ** 31, 2 ** 62,
            2 ** 63, 10 ** 20)
MAX_TEXT = 255
MDEV_TYPE = re.compile('[^-/\x00-\x1f]+-[^/\x00-\x1f]+')
PCI_FACT = re.compile('[0-9a-f]{4}')

integers = st.one_of(st.integers(-6, 13), st.sampled_from(EDGES))
booleans = st.booleans()
texts = st.sampled_from(TEXTS)
scalars = st.one_of(integers, integers, texts, texts, booleans)
sets = st.lists(st.sampled_from(MEMBERS), unique=True, max_size=4)
values = st.one_of(scalars, scalars, scalars, sets)
versions = st.sampled_from(VERSIONS)
types = st.sampled_from(TYPES)


def facts(api: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(HEX) if api == 'vfio-pci' else scalars


@st.composite
def devices(draw: Draw) -> Json:
    """A ``self``: an mdev or a physical device of one of the five APIs."""
    api = draw(st.sampled_from(APIS))
    device: Json = {'device_api': api}
    if draw(st.integers(0, 3)):
        device['mdev_type'] = draw(types)
    if draw(booleans):
        device['software_version'] = draw(versions)
    if draw(booleans):
        device[api] = draw(st.dictionaries(
            st.sampled_from(FACTS[api]), facts(api), max_size=2))
    if draw(st.integers(0, 3)):
        device['attributes'] = draw(st.dictionaries(
            st.sampled_from(NAMES), values, max_size=3))
    return device


small_ranges = st.tuples(st.integers(-6, 4), st.integers(0, 12)).map(
    lambda pair: {'minimum': pair[0], 'maximum': pair[0] + pair[1]})
wide_ranges = st.sampled_from([
    {'minimum': -2 ** 31, 'maximum': 2 ** 31 - 1},
    {'minimum': 0, 'maximum': 99999}, {'minimum': -1000, 'maximum': 1000}])
enumerations = st.lists(
    st.one_of(st.integers(-6, 13), st.sampled_from([2 ** 31 - 1, -2 ** 31])),
    min_size=1, max_size=4, unique=True).map(lambda numbers: {'enum': numbers})
ranges = st.one_of(small_ranges, wide_ranges, enumerations)


@st.composite
def expressions(draw: Draw, names: tuple[str, ...]) -> str:
    name = draw(st.sampled_from(names))
    operation = draw(st.sampled_from(['', '', '*', '/', '+', '-']))
    if not operation:
        return f'${{{name}}}'
    operand = draw(st.sampled_from(OPERANDS))
    if operation in '+-' and draw(st.integers(0, 9)) == 0:
        operand = 0
    return f'${{{name}{operation}{operand}}}'


@st.composite
def templates(draw: Draw, names: tuple[str, ...]) -> str:
    """A template; of one expression alone in half of the cases."""
    if not names:
        return draw(texts).replace('$', '$$')
    first = draw(expressions(names))
    if draw(booleans):
        return first
    if draw(st.integers(0, 15)) == 0:
        return first.rjust(MAX_TEXT, 'x')
    template = draw(st.sampled_from(BEFORE)) + first
    for _ in range(draw(st.integers(0, 2))):
        template += draw(st.sampled_from(BETWEEN)) + draw(expressions(names))
    return template + draw(st.sampled_from(AFTER))


@st.composite
def type_templates(draw: Draw, names: tuple[str, ...]) -> str:
    if not names:
        return draw(types).replace('$', '$$')
    template = draw(templates(names).filter(
        lambda template: len(template) < MAX_TEXT - len('acme-x')))
    return draw(st.sampled_from(
        [f'acme-{template}', f'acme-x{template}', f'a{template}-t']))


@st.composite
def number_ranges(draw: Draw) -> Json:
    low = draw(st.one_of(st.none(), integers))
    high = draw(integers if low is None else st.one_of(
        st.none(), st.integers(low, min(low + 12, 2 ** 63 - 1))))
    return {name: bound for name, bound in
            (('minimum', low), ('maximum', high)) if bound is not None}


@st.composite
def version_ranges(draw: Draw) -> Json:
    def number(text: str) -> list[int]:
        return [int(part) for part in text.split('.')]
    bounds = sorted(draw(st.lists(versions, min_size=2, max_size=2)),
                    key=number)
    chosen = draw(st.sampled_from(['minimum', 'maximum', 'both']))
    patch = {'minimum': bounds[0], 'maximum': bounds[1]}
    return patch if chosen == 'both' else {chosen: patch[chosen]}


def any_of(candidates: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    distinct = st.lists(candidates, min_size=1, max_size=4,
                        unique_by=lambda value: (type(value), value))
    return distinct.map(lambda chosen: {'any_of': chosen})


wildcards = st.sampled_from([{'any': True}, {'absent': True}, {'any': True}])
version_patches = st.one_of(versions, version_ranges(), wildcards)


def attribute_patches(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    others = st.one_of(templates(()), integers, booleans, sets,
                       any_of(scalars), number_ranges(), wildcards)
    return st.one_of(templates(names), others) if names else others


def type_patches(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(type_templates(names), type_templates(()),
                     any_of(types), wildcards)


def fact_patches(api: str, names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if api != 'vfio-pci':
        return st.one_of(templates(names), integers, booleans,
                         any_of(scalars), number_ranges(), wildcards)
    literals = st.one_of(st.sampled_from(HEX), any_of(st.sampled_from(HEX)),
                         wildcards)
    if 'p' not in names:
        return literals
    # The range of p makes each of these match some four digits.
    return st.one_of(literals, st.sampled_from(
        ['${p}', '${p+1}', '0${p}', '1${p}', '00${p}', '${p}ab', 'ab${p}']))


@st.composite
def entries(draw: Draw, own: Json) -> Json:
    """An entry of ``compatible`` for a document with this ``self``."""
    variables: Json = draw(st.dictionaries(
        st.sampled_from(['a', 'b', 'c_1']), ranges,
        min_size=draw(st.sampled_from([0, 0, 1])), max_size=2))
    api = own['device_api']
    if api == 'vfio-pci' and draw(st.integers(0, 3)) == 0:
        variables['p'] = {'minimum': 0, 'maximum': 9999}
    names: tuple[str, ...] = tuple(variables)
    entry: Json = {}
    if draw(st.integers(0, 2)) == 0:
        entry['mdev_type'] = draw(type_patches(names))
    if draw(st.integers(0, 2)) == 0:
        entry[api] = draw(st.dictionaries(
            st.sampled_from(FACTS[api]), fact_patches(api, names),
            max_size=2))
    if draw(booleans):
        entry['attributes'] = draw(st.dictionaries(
            st.sampled_from(NAMES), attribute_patches(names), max_size=3))
    if names:
        entry.setdefault('attributes', {})[draw(st.sampled_from(NAMES))] = (
            draw(templates(names)))
    if draw(st.integers(0, 3)) == 0 or _must_name_version(own, entry):
        entry['software_version'] = draw(version_patches)
    _keep_used(entry, variables)
    if draw(booleans):
        entry['create'] = draw(recipes(own, tuple(entry.get('variables', ()))))
    if draw(booleans):
        entry['level'] = draw(st.sampled_from(['live', 'cold']))
    return entry


def _must_name_version(own: Json, entry: Json) -> bool:
    if 'software_version' not in own:
        return False
    if 'mdev_type' in entry:
        return not _is_literal(entry['mdev_type'], own.get('mdev_type'))
    return 'mdev_type' not in own and bool(entry.get(own['device_api']))


def _is_literal(patch: Any, text: str | None) -> bool:
    if not isinstance(patch, str):
        return False
    matches = list(oracle.EXPRESSION.finditer(patch))
    return (not any(match[1] for match in matches)
            and patch.replace('$$', '$') == text)


def _keep_used(entry: Json, variables: Json) -> None:
    patches = [entry.get('mdev_type')]
    for name in entry:
        if name not in ('mdev_type', 'software_version'):
            patches += entry[name].values()
    used = {match[1] for patch in patches if isinstance(patch, str)
            for match in oracle.EXPRESSION.finditer(patch)}
    kept = {name: variables[name] for name in variables if name in used}
    if kept:
        entry['variables'] = kept


@st.composite
def recipes(draw: Draw, own: Json, names: tuple[str, ...]) -> Json:
    """A ``create``, one that asks for ``self`` more often than by chance."""
    attributes = own.get('attributes', {})
    recipe: Json = {}
    if draw(booleans):
        recipe['mdev_type'] = draw(type_templates(names))
        if 'mdev_type' in own and draw(booleans):
            recipe['mdev_type'] = own['mdev_type'].replace('$', '$$')
    wanted: Json = draw(st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(templates(names), integers, booleans, sets), max_size=3))
    for name in wanted:
        if name in attributes and draw(st.integers(0, 2)):
            value = attributes[name]
            wanted[name] = (value.replace('$', '$$')
                            if isinstance(value, str) else value)
    if wanted:
        recipe['attributes'] = wanted
    return recipe


@st.composite
def documents(draw: Draw) -> Json:
    own = draw(devices())
    return {'format': 1, 'self': own,
            'compatible': draw(st.lists(entries(own), max_size=4))}
