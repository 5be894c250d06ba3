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


"""What is read from the description of an mdev type."""

import ddt
from hypothesis import given
from hypothesis import strategies as st
import testtools

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.probes import description

#: Title, text, its parts.
TEXTS: tuple[tuple[str, str, dict[str, Fact]], ...] = (
    ('NVIDIA', 'num_heads=4, frl_config=60, framebuffer=2048M, '
     'max_resolution=7680x4320, max_instance=8',
     {'num_heads': 4, 'frl_config': 60, 'framebuffer': '2048M',
      'max_resolution': '7680x4320', 'max_instance': 8}),
    ('Intel GVT-g', 'low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\n'
     'resolution: 1920x1200\nweight: 4',
     {'low_gm_size': '128MB', 'high_gm_size': '512MB', 'fence': 4,
      'resolution': '1920x1200', 'weight': 4}),
    ('prose', 'virtual display, 1024x768 framebuffer', {}),
    ('prose with a colon', 'Note: this, and that: ok',
     {'note': 'this', 'and_that': 'ok'}),
    ('empty', '', {}),
    ('no value', 'num_heads=, frl_config', {}),
    ('no key', '=4, : 5, 3=4', {}),
    ('the first counts', 'a=1, a=2', {'a': 1}),
    ('value with separators', 'url=x:y=z', {'url': 'x:y=z'}),
    ('capitals and spaces', 'Frame Buffer: 2 GB', {'frame_buffer': '2 GB'}),
    ('negative', 'weight=-3', {'weight': -3}),
    ('leading zero', 'id=007', {'id': '007'}),
    ('more than 64 bits', 'a=' + '9' * 19, {'a': '9' * 19}),
    ('not an integer', 'a=1.5, b=true', {'a': '1.5', 'b': 'true'}),
    ('value too long', 'a=' + 'x' * 256 + ', b=1', {'b': 1}),
    ('key too long', 'a' * 64 + '=1, b=1', {'b': 1}),
    ('too many', ', '.join(f'a{number}={number}' for number in range(40)),
     {f'a{number}': number for number in range(32)}),
)


@ddt.ddt
class TestParts(testtools.TestCase):

    @ddt.data(*TEXTS)
    @ddt.unpack
    def test_parts(self, title: str, text: str,
                   expected: dict[str, Fact]) -> None:
        self.assertEqual(expected, description.parts(text))

    @given(st.text() | st.text(alphabet='ab=:,\n 19', max_size=2000))
    def test_is_bounded_and_never_raises(self, text: str) -> None:
        found = description.parts(text)
        self.assertLessEqual(len(found), description.MAX_PARTS)
        for key, value in found.items():
            self.assertRegex(key, '^[a-z][a-z0-9_]{0,62}$')
            self.assertLessEqual(len(str(value)), description.MAX_VALUE)
