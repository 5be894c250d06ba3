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

"""The whole corpus through the loader and the matcher."""

import testtools

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat import faults
from nova_mdev_compat.compat import verdict
from tests.unit import corpus
from tests.unit import oracle
from tests.unit import test_oracle_agreement as agreement


class TestCorpus(testtools.TestCase):

    def expect(self, case: object, expected: object, found: object) -> None:
        self.expectThat(found, testtools.matchers.Equals(expected), str(case))

    def test_verdicts(self) -> None:
        for case in corpus.verdict_cases():
            expected = oracle.Answer(case.accepted, case.entry,
                                     case.variables, case.create)
            found = agreement.answer_of(
                agreement.matcher_of(case.destination),
                agreement.device_of(case.source), case.level, case.plain_only)
            self.expect(case, expected.as_json(), found.as_json())

    def test_reasons(self) -> None:
        for case in corpus.verdict_cases():
            found = _match(case)
            self.expect(case, case.accepted, not found.reasons)
            if case.fields is not None:
                # Reasons about the whole document may stand beside them.
                pointers = {reason.pointer for reason in found.reasons}
                self.expect(case, set(case.fields), pointers - {''})

    def test_validity(self) -> None:
        for case in corpus.validity_cases():
            found = _faults(case.text)
            self.expect(case, case.valid, not found)
            missing = set(case.pointers) - {fault.pointer for fault in found}
            self.expect((case, found), set(), missing)


def _match(case: corpus.VerdictCase) -> verdict.Verdict:
    found: verdict.Verdict = agreement.matcher_of(case.destination).match(
        agreement.device_of(case.source), level=case.level,
        plain_only=case.plain_only)
    return found


def _faults(text: str) -> tuple[faults.Fault, ...]:
    try:
        loading.load(text)
    except faults.InvalidDocument as error:
        return error.faults
    return ()
