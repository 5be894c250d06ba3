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

"""The shipped rules against what kernels said of their sample drivers.

The verdicts were written down by `tox -e kernel`, which builds and boots the
kernels; here only our answers are made anew.
"""

from __future__ import annotations

import json
import pathlib

import fixtures
import testtools
from testtools import matchers
import yaml

from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from tests.kernel import machines
from tests.kernel import recording
from tests.kernel import table
from tests.unit import rule_cases

_WRONG = recording.FOLDER.parent / 'wrong-rules'
#: Asked of one driver, whose stream was overwritten to be another's.
_OF_ONE_DRIVER = rule_cases.DIRECTORY / 'kernel' / 'verdicts.yaml'
#: What a vendor says who has raised the stream's version.
_STATED = """\
facts:
- when: {mdev_type: {glob: "mtty-*"}, driver.version: "0.2"}
  facts: {mtty.stream: "1.1"}
"""


class TestRecordedVerdicts(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)

    def rules(self, *folders: pathlib.Path) -> RuleSet:
        loaded = loading.load([loading.shipped_folder(), *folders])
        self.assertEqual((), loaded.faults)
        return loaded.rule_set

    def recordings(self) -> list[recording.Recording]:
        found = recording.recordings()
        self.assertNotEqual([], found)
        return found

    def rows(self, recorded: recording.Recording, rules: RuleSet,
             ) -> list[table.Row]:
        documents = {}
        for machine, facts in recorded.facts.items():
            documents[machine] = self.folder / f'{machine.file}.json'
            documents[machine].write_text(
                json.dumps(rules.document(facts).plain))
        return table.rows(recorded.verdicts, documents)

    def test_shipped_rules_agree(self) -> None:
        for recorded in self.recordings():
            rows = self.rows(recorded, self.rules())
            self.assertEqual(len(machines.MACHINES) ** 2, len(rows))
            self.assertEqual([], [row for row in rows if row.disagreement],
                             recorded.version)
            self.assertThat([row for row in rows if row.kernel.done],
                            matchers.HasLength(4))

    def test_streams_that_travelled_and_overwritten_ones(self) -> None:
        """A driver's refusal is the same for both, to the error."""
        known = yaml.safe_load(_OF_ONE_DRIVER.read_text('utf-8'))
        for recorded in self.recordings():
            said = {(source.file, destination.file): answer.as_json()
                    for (source, destination), answer
                    in recorded.verdicts.items()}
            compared = 0
            for verdict in known:
                source, destination, stream = (
                    verdict.pop('source'), verdict.pop('destination'),
                    verdict.pop('stream', {}))
                if stream not in ({}, {'minor': 1}):
                    continue
                release = 'new' if stream else 'old'
                self.assertEqual(verdict, said[
                    f'{source}-{release}', f'{destination}-old'])
                compared += 1
            self.assertEqual(8, compared)

    def test_a_stated_stream_agrees(self) -> None:
        """The vendor's statement changes how it is known, not the answer."""
        stated = self.folder / 'stated'
        stated.mkdir()
        (stated / 'vendor.yaml').write_text(_STATED)
        for recorded in self.recordings():
            rows = self.rows(recorded, self.rules(stated))
            self.assertEqual([], [row for row in rows if row.disagreement])

    def test_wrong_rules_are_found_out(self) -> None:
        for recorded in self.recordings():
            rows = self.rows(recorded, self.rules(_WRONG))
            self.assertEqual(
                {('mtty-1 old', 'mtty-1 new', table.WRONG_YES),
                 ('mtty-1 new', 'mtty-1 old', table.WRONG_YES),
                 ('mtty-2 old', 'mtty-2 old', table.WRONG_NO),
                 ('mtty-2 new', 'mtty-2 new', table.WRONG_NO)},
                {(str(row.source), str(row.destination), row.disagreement)
                 for row in rows if row.disagreement})
