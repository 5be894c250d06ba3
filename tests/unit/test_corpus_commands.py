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

"""The commands answer the corpus: what a user sees is what it says."""

import argparse
import json
from typing import Any

import testtools

from nova_mdev_compat.cmd import check
from nova_mdev_compat.cmd import decode
from nova_mdev_compat.cmd import main
from nova_mdev_compat.cmd import validate
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from tests.unit import commands
from tests.unit import corpus


class TestCommands(commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        # Making the application is what takes long, and has its own tests.
        self.application = main.App()

    def answer(self, kind: Any, *arguments: str) -> tuple[int, Any]:
        """A command's exit status, and its answer as JSON."""
        command = kind(self.application, argparse.Namespace(debug=True))
        parsed = command.get_parser('test').parse_args(
            [*arguments, '--format', 'json'])
        with commands.Output() as out:
            status = command.run(parsed)
        return status, json.loads(out.text())

    def expect(self, case: object, expected: object, found: object) -> None:
        self.expectThat(found, testtools.matchers.Equals(expected), str(case))

    def test_check(self) -> None:
        cases = [case for case in corpus.verdict_cases()
                 if not case.plain_only]
        self.assertGreater(len(cases), 400)
        for case in cases:
            status, found = self.answer(
                check.Check, '--level', case.level,
                '--source', self.file('source.json', {
                    'format': 1, 'self': case.source, 'compatible': []}),
                '--destination', self.file('destination.json',
                                           case.destination))
            self.expect(case, 0 if case.accepted else 1, status)
            reasons = found.pop('reasons')
            self.expect(case, case.accepted, not reasons)
            self.expect(case, {
                'accepted': case.accepted, 'entry': case.entry,
                'variables': case.variables, 'create': case.create}, found)

    def test_validate(self) -> None:
        for case in corpus.validity_cases():
            content = case.text.encode('utf-8', 'surrogatepass')
            status, found = self.answer(
                validate.Validate, self.file('document.json', content))
            self.expect(case, 0 if case.valid else 1, status)
            told = {fault['pointer'] for fault in found[0]['faults']}
            self.expect(case, set(), set(case.pointers) - told)

    def test_decode(self) -> None:
        for case in corpus.verdict_cases()[::5]:
            document = loading.load(json.dumps(case.destination))
            names = traits.encode(document)
            self.expect(case, document, decode._decode(
                [*names.chunks[::-1], names.marker]))
