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

"""The members of a long answer's array, however its bytes are cut."""

import json
from typing import Any

import ddt
import hypothesis
import hypothesis.strategies as st
import testtools

from nova_mdev_compat.placement import errors
from nova_mdev_compat.placement import members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)
INDENTS = st.sampled_from([None, 0, 1])


def read(body: bytes, size: int = 1) -> list[Any]:
    """The members of `a`, from parts of a size."""
    parts = [body[place:place + size] for place in range(0, len(body), size)]
    return list(members.members(parts, 'GET /x', 'a'))


@ddt.ddt
class TestMembers(testtools.TestCase):

    @ddt.data(
        (b'{"a": []}', []),
        (b'{"a":[]}', []),
        (b' {\n"a" :\t[ ] } \r\n', []),
        (b'{"a": [1]}', [1]),
        # A number ends where something else begins.
        (b'{"a": [12, 345 ,6]}', [12, 345, 6]),
        (b'{"a": [{"uuid": "x"}, {"uuid": "y"}]}',
         [{'uuid': 'x'}, {'uuid': 'y'}]),
        (b'{"b": {"a": [1]}, "a": [2], "c": null}', [2]),
        (b'{"b": 7, "a": [2]}', [2]),
        ('{"a": ["é", "\\"a\\": [", "]}"]}'.encode(), ['é', '"a": [', ']}']),
        (b'{"a": [true, null, [], {}]}', [True, None, [], {}]),
    )
    @ddt.unpack
    def test_valid(self, body: bytes, expected: list[Any]) -> None:
        for size in (1, 2, 3, 5, 1000):
            self.assertEqual(expected, read(body, size))

    @ddt.data(
        b'', b'   ', b'[]', b'null', b'<html>', b'{"a": [1, 2]', b'{"a": [1',
        b'{"a": [1,]}', b'{"a": [,1]}', b'{"a": [1 2]}', b'{"a": 1}',
        b'{"a": {}}', b'{"a" [1]}', b'{"a": [1]} x', b'{"a": [1]}{"a": [1]}',
        b'{"a": [1]', b'{"a": [tru]}', b'{"a": ["\xff"]}', b'{"a": [1],}',
        b'{a: [1]}', b'{"a": ["x]}', b'{}', b'{"b": []}',
        b'{"a": [' + b'[' * 100000)
    def test_invalid(self, body: bytes) -> None:
        for size in (1, 7, 1000) if len(body) < 100 else (65536,):
            error = self.assertRaises(errors.Unreachable, read, body, size)
            self.assertTrue('GET /x answered what is not JSON' in str(error)
                            or 'without an array "a"' in str(error), error)

    def test_long_member(self) -> None:
        """Nobody's member decides how much is kept of an answer."""
        taken = 0

        def parts() -> Any:
            nonlocal taken
            yield b'{"a": ["'
            while True:
                taken += 1
                yield b'x' * 65536
        self.assertRaises(errors.Unreachable, list,
                          members.members(parts(), 'GET /x', 'a'))
        self.assertGreater(32, taken)

    def test_one_at_a_time(self) -> None:
        """A member is there before the next part is asked for."""
        asked = []

        def parts() -> Any:
            for part in (b'{"a": [{"n": 1}, {"n"', b': 2}, ', b'{"n": 3}]}'):
                asked.append(part)
                yield part
        found = members.members(parts(), 'GET /x', 'a')
        self.assertEqual(({'n': 1}, 1), (next(found), len(asked)))
        self.assertEqual(({'n': 2}, 2), (next(found), len(asked)))
        self.assertEqual(([{'n': 3}], 3), (list(found), len(asked)))

    @hypothesis.given(st.lists(VALUES), INDENTS, st.booleans(),
                      st.integers(1, 40))
    def test_as_the_standard_library(self, values: list[Any],
                                     indent: int | None, escaped: bool,
                                     size: int) -> None:
        body = json.dumps({'before': values, 'a': values, 'z': 1},
                          indent=indent, ensure_ascii=escaped)
        self.assertEqual(json.loads(body)['a'],
                         read(body.encode('utf-8', 'surrogatepass'), size))
