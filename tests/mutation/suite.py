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

"""The tests that a mutant has to get past."""

import collections
from collections.abc import Sequence
import json
import os
import pathlib

from tests.mutation import trial

#: The tests of the language.
MODULES = (
    'tests.unit.test_corpus',
    'tests.unit.test_canonical',
    'tests.unit.test_faults',
    'tests.unit.test_description',
    'tests.unit.test_frozen',
    'tests.unit.test_boxes',
    'tests.unit.test_patterns',
    'tests.unit.test_regions',
    'tests.unit.test_templates',
    'tests.unit.test_labels',
    'tests.unit.test_tombstones',
    'tests.unit.test_fuzz_inputs',
    'tests.unit.test_shapes',
    'tests.unit.test_difference',
    'tests.unit.test_traits',
    'tests.unit.test_oracle_agreement',
)

#: Where the ids of tests begin that take long, and the only modules that
#: they are asked about.
LONG = {
    'tests.unit.test_shapes.TestShapes.': {
        'device', 'shapes', 'templates', 'variables'},
    'tests.unit.test_difference.TestAgainstTheMatcher.': {
        'boxes', 'difference', 'regions'},
    'tests.unit.test_traits.': {
        'canonical', 'loading', 'schema', 'strict_json', 'traits'},
}

#: Fewer examples; what is left to find for the slow tests is little.
ENVIRONMENT = {'MDEV_COMPAT_HYPOTHESIS': 'short'}


class Suite:
    """The tests in the order in which they are most likely to notice soon.

    What is quick comes first; before it, what noticed other mutants of the
    same module.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        os.environ.update(ENVIRONMENT)
        trial.prepare()
        self._tests = _measured(folder / 'slow.json')
        self._kills: dict[str, collections.Counter[str]] = \
            collections.defaultdict(collections.Counter)

    def check(self, slow: bool) -> None:
        """Makes sure that no test notices a mutant which is none."""
        found = trial.killer(trial.untouched(), [
            test for test in self._tests if test.is_slow == slow])
        if found is not None:
            raise RuntimeError(f'{found} notices a mutant that is none')

    def notice(self, mutant: trial.Mutant, slow: bool) -> str | None:
        """The test that fails, or what else ended it; None: nothing.

        :param slow: ask the slow tests, or else the quick ones.
        """
        name = mutant.module.rpartition('.')[2]
        found = trial.killer(mutant, self._chosen(name, slow))
        if found is not None:
            self._kills[name][found] += 1
        return found

    def _chosen(self, name: str, slow: bool) -> Sequence[trial.Test]:
        kills = self._kills[name]
        chosen = [test for test in self._tests
                  if test.is_slow == slow and all(
                      name in modules for start, modules in LONG.items()
                      if test.id.startswith(start))]
        return sorted(chosen, key=lambda test: (
            test.seconds / (1 + kills[test.id]) ** 2))


def _measured(slow: pathlib.Path) -> list[trial.Test]:
    """The tests with their times; those of the slow ones are kept."""
    known = json.loads(slow.read_text()) if slow.exists() else {}
    tests = trial.measure(MODULES, known)
    slow.write_text(json.dumps(
        {test.id: test.seconds for test in tests if test.is_slow}, indent=2))
    return tests
