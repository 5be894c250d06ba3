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

"""What ``tools/run_tests.py`` runs and counts."""

import configparser
import importlib.util
import re
from types import ModuleType

import ddt
import testtools

from tests.unit import modules

#: Left out though it starts a Nova: it is about placement's faults.
FAULTS = 'tests.functional.test_faults'
_STARTS_NOVA = re.compile(
    r'^from tests\.functional import (base|pci|prepared)$', re.MULTILINE)

SUMMARY = (' - Passed: 7', ' - Skipped: 1', ' - Expected Fail: 1',
           ' - Unexpected Success: 0', ' - Failed: 0')

# Title, lines, exit status, whether the environment has tests, its count.
COUNTS = (
    ('all pass', SUMMARY, 0, True, '8 passed, 0 failed, 1 skipped'),
    ('a summary for each mode', SUMMARY + SUMMARY, 0, True,
     '16 passed, 0 failed, 2 skipped'),
    ('one fails', (' - Passed: 7', ' - Failed: 1'), 1, True,
     '7 passed, 1 failed, 0 skipped'),
    ('one fails once', (
        ' - Passed: 7', ' - Failed: 1', '== again: a', ' - Passed: 1',
        ' - Failed: 0', '== 1 passed at the second attempt: a'), 0, True,
     '8 passed, 0 failed, 0 skipped'),
    ('one of two fails again', (
        ' - Passed: 6', ' - Failed: 2', '== again: a, b', ' - Passed: 1',
        ' - Failed: 1'), 1, True, '7 passed, 3 failed, 0 skipped'),
    ('it fails, its tests do not', SUMMARY, 1, True,
     '8 passed, 1 failed, 1 skipped'),
    ('no test was run', (), 0, True, '0 passed, 1 failed, 0 skipped'),
    ('without tests', (), 0, False, '1 passed, 0 failed, 0 skipped'),
    ('without tests, failing', (), 1, False, '0 passed, 1 failed, 0 skipped'),
    ('no Python for it',
     ('oldest: failed with could not find python interpreter matching any of '
      'the specs python3.10, python3.11',), 1, True,
     '0 passed, 0 failed, 1 skipped'),
)


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        'run_tests', modules.ROOT / 'tools' / 'run_tests.py')
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@ddt.ddt
class TestTally(testtools.TestCase):

    @ddt.data(*COUNTS)
    @ddt.unpack
    def test_counts(self, title: str, lines: tuple[str, ...], status: int,
                    has_tests: bool, count: str) -> None:
        tally = _tool().Tally()
        for line in lines:
            tally.read(line + '\n')
        tally.close(status, has_tests)
        self.assertEqual(count, str(tally), title)


class TestLeftOut(testtools.TestCase):
    """The tests that are not repeated on each release."""

    def setUp(self) -> None:
        super().setUp()
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(modules.ROOT / 'tox.ini', 'utf-8')
        left_out = re.compile(tox['releases']['left_out'])
        self.left_out, self.repeated = {}, {}
        for path in (modules.ROOT / 'tests/functional').glob('test_*.py'):
            name = f'tests.functional.{path.stem}'
            group = self.left_out if left_out.search(name) else self.repeated
            group[name] = path.read_text('utf-8')

    def test_none_of_them_starts_a_nova(self) -> None:
        self.assertEqual({FAULTS}, {
            name for name, text in self.left_out.items()
            if _STARTS_NOVA.search(text)})

    def test_all_others_need_one(self) -> None:
        self.assertEqual({'tests.functional.test_nova_symbols'}, {
            name for name, text in self.repeated.items()
            if not _STARTS_NOVA.search(text)})
