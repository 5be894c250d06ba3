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

"""The documents that the documentation shows are the corpus's."""

import json
import pathlib

import testtools

from nova_mdev_compat.codec import loading
from tests.unit import corpus

SHOWN = pathlib.Path(__file__).parents[2] / 'doc' / 'source'


class TestExamples(testtools.TestCase):

    def test_every_example_has_verdicts(self) -> None:
        known = [loading.load(json.dumps(case.destination))
                 for case in corpus.verdict_cases()]
        examples = sorted(SHOWN.glob('*.json'))
        self.assertNotEqual([], examples)
        for path in examples:
            self.assertIn(loading.load(path.read_bytes()), known, str(path))
