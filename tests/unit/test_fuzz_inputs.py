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

"""A short pass over the fuzzers' targets: the corpus, and what was kept."""

import testtools

from tests.fuzz import seeds
from tests.fuzz import targets


class TestInputs(testtools.TestCase):

    def test_corpus(self) -> None:
        begun = list(seeds.from_corpus())
        self.assertGreater(len(begun), 500)
        for target, data in begun[::7]:
            targets.TARGETS[target](data)

    def test_kept(self) -> None:
        for target in targets.TARGETS:
            kept = seeds.kept(target)
            self.assertTrue(20 < len(kept) <= seeds.MAX_KEPT)
            for data in kept:
                targets.TARGETS[target](data)

    def test_a_slow_call_is_a_fault(self) -> None:
        self.assertRaises(targets.TooSlow, targets._bounded, 0.0,
                          lambda: sum(range(1000)))
