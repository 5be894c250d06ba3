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

"""The oracle answers the corpus as it is written: each checks the other."""

import testtools

from tests.unit import corpus
from tests.unit import oracle


class TestOracleCorpus(testtools.TestCase):

    def test_verdicts(self) -> None:
        for case in corpus.verdict_cases():
            answer = oracle.evaluate(case.destination, case.source,
                                     case.level, case.plain_only)
            expected = oracle.Answer(case.accepted, case.entry,
                                     case.variables, case.create)
            self.expectThat(answer.as_json(),
                            testtools.matchers.Equals(expected.as_json()),
                            str(case))

    def test_candidates_lose_nothing(self) -> None:
        """Wide ranges are narrowed; narrowing small ones changes nothing."""
        for case in corpus.verdict_cases():
            answers = []
            for bound in (0, 100_000):
                self.patch(oracle, 'EXHAUSTIVE', bound)
                answers.append(oracle.evaluate(
                    case.destination, case.source, case.level,
                    case.plain_only).as_json())
            self.expectThat(answers[0], testtools.matchers.Equals(answers[1]),
                            str(case))

    def test_closest_fields(self) -> None:
        for case in corpus.verdict_cases():
            if case.fields is not None:
                closest = oracle.closest(case.destination, case.source,
                                         case.level)
                self.expectThat(set(closest or ()),
                                testtools.matchers.Equals(set(case.fields)),
                                str(case))

    def test_size(self) -> None:
        """Files that were lost would fail nothing else."""
        self.assertGreaterEqual(len(corpus.verdict_cases()), 480)
        self.assertGreaterEqual(len(corpus.validity_cases()), 330)
