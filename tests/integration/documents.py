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

"""The documents that are published, as JSON objects."""

from collections.abc import Sequence
import itertools
import json
from typing import Any

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits

Json = dict[str, Any]

TYPE = 'acme-t1'
OTHER_TYPE = 'acme-t2'


def document(version: str = '1.2.0', mdev_type: str = TYPE,
             compatible: Sequence[Json] = ({},), **attributes: Any) -> Json:
    return {'format': 1, 'compatible': list(compatible),
            'self': {'device_api': 'vfio-pci', 'mdev_type': mdev_type,
                     'software_version': version, 'attributes': attributes}}


#: Any release, without the device's state.
COLD: Json = {'software_version': {'any': True}, 'level': 'cold'}
#: An aggregate of so many, of which Nova would make a plain device.
AGGREGATED: Json = {
    'variables': {'aggr': {'minimum': 2, 'maximum': 8}},
    'attributes': {'aggregation': '${aggr}'},
    'create': {'attributes': {'aggregation': '${aggr}'}}}

#: What a provider can come to carry; None: nothing.
VARIANTS: tuple[Json | None, ...] = (
    document(),
    document('1.1.5'),
    document('1.3.0', features=['codec']),
    document('1.2.0', features=['codec', 'compute']),
    document('2.0.1', compatible=[{}, COLD]),
    document('2.0.1', compatible=[
        {'software_version': {'minimum': '1.2', 'maximum': '2.0'}}]),
    document('1.2.0', ecc=True),
    document('1.2.0', ecc=False, compatible=[
        {}, {'attributes': {'ecc': {'any': True}}}]),
    document('1.2.0', OTHER_TYPE),
    document('1.2.0', OTHER_TYPE, [
        {}, {'mdev_type': TYPE, 'software_version': '1.9'}]),
    document('1.2.0', aggregation=2),
    document('1.2.0', compatible=[AGGREGATED, {}], aggregation=1),
    document('1.2.0', compatible=[
        {'attributes': {'aggregation': {'any_of': [2, 4]}}}], aggregation=1),
    document('1.2.0', compatible=[]),
    document('1.0.0', 'acme-x1', [
        {'variables': {'n': {'minimum': 1, 'maximum': 9}},
         'mdev_type': 'acme-t${n}', 'software_version': {'any': True},
         'level': 'cold'}]),
    None,
)

_numbers = itertools.count()


def never_seen(like: Json) -> Json:
    """A document that says the same as another one, under a digest that
    nobody has met.

    An entry of an impossible release stands at the end.
    """
    entry = {'software_version': f'4294967295.{next(_numbers)}'}
    return {**like, 'compatible': [*like['compatible'], {
        **entry, 'attributes': {'never': 'this'}}]}


def names(found: Json) -> traits.TraitNames:
    return traits.encode(loading.load(json.dumps(found)))
