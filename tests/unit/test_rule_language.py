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

"""Conditions and values, one by one."""

from typing import Any

import ddt
import testtools

from nova_mdev_compat.publisher.rules import conditions
from nova_mdev_compat.publisher.rules.values import Filler
from nova_mdev_compat.publisher.rules.values import Unusable

FACTS: dict[str, Any] = {
    'driver': 'nvidia', 'ports': 2, 'none': 0, 'ecc': True, 'off': False,
    'kernel.release': '6.12.57+deb13-amd64', 'type.name': 'NVIDIA A40-2Q',
    'modes': ('sym', 'asym'), 'empty': (), 'text': '', 'price': '$5 ${x}',
    'long': 'a' * 300, 'number': '17', 'words': 'v1.2'}

#: A condition, and whether it holds.
CONDITIONS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({'driver': 'nvidia'}, True),
    ({'driver': 'Nvidia'}, False),
    ({'driver': 'nvidia', 'ports': 2}, True),
    ({'driver': 'nvidia', 'ports': 3}, False),
    ({'ports': '2'}, False),
    ({'ecc': True}, True),
    ({'ecc': 1}, False),
    ({'none': False}, False),
    ({'off': False}, True),
    ({'nothing': ''}, False),
    ({'text': ''}, True),
    ({'modes': 'sym'}, False),

    ({'driver': {'any_of': ['mtty', 'nvidia']}}, True),
    ({'driver': {'any_of': ['mtty']}}, False),
    ({'ecc': {'any_of': [1, 'true']}}, False),

    ({'type.name': {'glob': 'NVIDIA A40-*'}}, True),
    ({'type.name': {'glob': 'nvidia a40-*'}}, False),
    ({'type.name': {'glob': 'A40-*'}}, False),
    ({'type.name': {'glob': '*-[1-4]Q'}}, True),
    ({'type.name': {'glob': '*-[!1-4]Q'}}, False),
    ({'type.name': {'glob': 'NVIDIA A40-?Q'}}, True),
    ({'text': {'glob': '*'}}, True),
    ({'nothing': {'glob': '*'}}, False),
    ({'ports': {'glob': '*'}}, False),
    ({'long': {'glob': '*'}}, False),

    ({'ports': {'minimum': 2}}, True),
    ({'ports': {'minimum': 3}}, False),
    ({'ports': {'maximum': 2}}, True),
    ({'ports': {'maximum': 1}}, False),
    ({'ports': {'minimum': 1, 'maximum': 3}}, True),
    ({'ecc': {'minimum': 0}}, False),
    ({'number': {'minimum': 0}}, False),
    ({'nothing': {'minimum': 0}}, False),

    ({'kernel.release': {'minimum': '6.7'}}, True),
    ({'kernel.release': {'minimum': '6.12'}}, True),
    ({'kernel.release': {'minimum': '6.12.57'}}, True),
    ({'kernel.release': {'minimum': '6.12.58'}}, False),
    ({'kernel.release': {'minimum': '6.12.57.1'}}, False),
    ({'kernel.release': {'maximum': '6.12'}}, True),
    ({'kernel.release': {'maximum': '6'}}, True),
    ({'kernel.release': {'maximum': '6.9'}}, False),
    ({'kernel.release': {'maximum': '6.12.56'}}, False),
    ({'kernel.release': {'maximum': '6.12.57.0'}}, True),
    ({'kernel.release': {'minimum': '6.7', 'maximum': '6.18'}}, True),
    ({'number': {'minimum': '17.0', 'maximum': '17'}}, True),
    ({'words': {'minimum': '0'}}, False),
    ({'ports': {'minimum': '1'}}, False),
    ({'long': {'minimum': '0'}}, False),
    ({'nothing': {'maximum': '9'}}, False),

    ({'modes': {'contains': 'sym'}}, True),
    ({'modes': {'contains': 'dc'}}, False),
    ({'driver': {'contains': 'nvidia'}}, False),

    ({'driver': {'present': True}}, True),
    ({'nothing': {'present': True}}, False),
    ({'empty': {'present': True}}, True),
    ({'text': {'present': True}}, True),
    ({'off': {'present': True}}, True),
    ({'none': {'absent': True}}, False),
    ({'nothing': {'absent': True}}, True),

    ({'any_of': [{'driver': 'mtty'}, {'ports': 2}]}, True),
    ({'any_of': [{'driver': 'mtty'}, {'ports': 3}]}, False),
    ({'all_of': [{'driver': 'nvidia'}, {'ports': 2}]}, True),
    ({'all_of': [{'driver': 'nvidia'}, {'ports': 3}]}, False),
    ({'not': {'driver': 'mtty'}}, True),
    ({'not': {'driver': 'nvidia', 'ports': 3}}, True),
    ({'not': {'driver': 'nvidia', 'ports': 2}}, False),
    ({'not': {'nothing': 1}}, True),
    ({'driver': 'nvidia', 'not': {'ports': 2}}, False),
    ({'driver': 'nvidia', 'any_of': [{'ports': 3}, {
        'not': {'all_of': [{'ecc': True}, {'off': True}]}}]}, True),
)

#: A value, what it is in `self`, and what it is in an entry.
VALUES: tuple[tuple[Any, Any, Any], ...] = (
    ('a', 'a', 'a'),
    (4, 4, 4),
    (True, True, True),
    (['b', 'a'], ['b', 'a'], ['b', 'a']),
    ('${x}', '${x}', '${x}'),
    ({'fact': 'ports'}, 2, 2),
    ({'fact': 'off'}, False, False),
    ({'fact': 'modes'}, ['sym', 'asym'], ['sym', 'asym']),
    ({'fact': 'price'}, '$5 ${x}', '$$5 $${x}'),
    ({'fact': 'nothing', 'otherwise': 'x'}, 'x', 'x'),
    ({'fact': 'nothing', 'otherwise': '%{driver}'}, 'nvidia', 'nvidia'),
    ({'fact': 'nothing', 'otherwise': ['%{driver}']}, ['nvidia'],
     ['nvidia']),
    ({'fact': 'nothing', 'otherwise': {'absent': True}}, None,
     {'absent': True}),
    ({'fact': 'ports', 'otherwise': {'absent': True}}, 2, 2),
    ('%{driver}-%{ports}', 'nvidia-2', 'nvidia-2'),
    ('%{ecc} %{off}', 'true false', 'true false'),
    ('100%% %{driver}', '100% nvidia', '100% nvidia'),
    ('%%{driver}', '%{driver}', '%{driver}'),
    ('%{price}/${x}', '$5 ${x}/${x}', '$$5 $${x}/${x}'),
    (['%{price}'], ['$5 ${x}'], ['$5 ${x}']),
)

#: What an entry can have besides, and what it is.
PATCHES: tuple[tuple[Any, Any], ...] = (
    ({'any': True}, {'any': True}),
    ({'any_of': ['%{price}', 4]}, {'any_of': ['$5 ${x}', 4]}),
    ({'any_of': {'fact': 'modes'}}, {'any_of': ['sym', 'asym']}),
    ({'minimum': {'fact': 'ports'}, 'maximum': 4},
     {'minimum': 2, 'maximum': 4}),
    ({'minimum': '%{ports}.0'}, {'minimum': '2.0'}),
)

UNUSABLE: tuple[tuple[Any, str], ...] = (
    ({'fact': 'nothing'}, 'the fact nothing is not known'),
    ('%{nothing}', 'the fact nothing is not known'),
    ('%{modes}', 'the fact modes is a set'),
    (['a', '%{nothing}'], 'the fact nothing is not known'),
    ({'fact': 'nothing', 'otherwise': '%{nowhere}'},
     'the fact nowhere is not known'),
)


@ddt.ddt
class TestConditions(testtools.TestCase):

    @ddt.data(*CONDITIONS)
    @ddt.unpack
    def test_holds(self, condition: Any, expected: bool) -> None:
        self.assertEqual([], list(conditions.find_faults(condition, ())))
        self.assertIs(expected, conditions.read(condition).holds(FACTS))

    def test_a_glob_does_not_backtrack(self) -> None:
        """Each star once: nothing is tried again that cannot help."""
        test = conditions.Glob('*a' * 60 + '*b')
        self.assertFalse(test.passes('a' * 255))


@ddt.ddt
class TestValues(testtools.TestCase):

    @ddt.data(*VALUES)
    @ddt.unpack
    def test_value(self, value: Any, in_self: Any, in_entry: Any) -> None:
        self.assertEqual(in_self, Filler(FACTS).value(value))
        self.assertEqual(in_entry, Filler(FACTS).patch(value))
        self.assertIs(type(in_self), type(Filler(FACTS).value(value)))

    @ddt.data(*PATCHES)
    @ddt.unpack
    def test_patch(self, patch: Any, expected: Any) -> None:
        self.assertEqual(expected, Filler(FACTS).patch(patch))

    @ddt.data(*UNUSABLE)
    @ddt.unpack
    def test_unusable(self, value: Any, message: str) -> None:
        for fill in (Filler(FACTS).value, Filler(FACTS).patch):
            error = self.assertRaises(Unusable, fill, value)
            self.assertIn(message, str(error))
