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

"""The benchmarks run; what they measure is nobody's test."""

import json
import os
import pathlib
import subprocess
import sys

import fixtures
import testtools

ROOT = pathlib.Path(__file__).parents[2]


class TestBenchmarks(testtools.TestCase):

    def test_quick(self) -> None:
        """In a process of its own: Nova decides there about its threads."""
        figures = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'figures')
        environment = {name: value for name, value in os.environ.items()
                       if name != 'OS_NOVA_DISABLE_EVENTLET_PATCHING'}
        done = subprocess.run(
            [sys.executable, '-m', 'tests.benchmark', '--quick', '--json',
             str(figures)], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(0, done.returncode, done.stdout)
        rows = list(map(json.loads, figures.read_text().splitlines()))
        self.assertEqual(
            ['filter', 'source', 'cold', 'threads', 'memory', 'traits',
             'language', 'plan'], list(dict.fromkeys(
                 row['benchmark'] for row in rows)))
        # What does not depend on the machine.
        counts = {row['case']: row['requests'] for row in rows
                  if row['benchmark'] == 'cold'}
        self.assertEqual(2, counts['a cold move'])
        texts = {row['case']: row['texts'] for row in rows if 'texts' in row}
        self.assertEqual(0, texts['half of the hosts go, at INFO'])
        self.assertEqual(40, texts['half of the hosts go, at DEBUG'])
