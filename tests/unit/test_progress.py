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

"""Progress is shown to people who wait, and to nobody else."""

import io

import fixtures
import testtools

from nova_mdev_compat.cmd import progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.cmd.progress._PATIENCE', 0))

    def shown(self, stream: io.StringIO) -> str:
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', stream))
        self.assertEqual([1, 2, 3],
                         list(progress.show([1, 2, 3], 'documents')))
        with progress.count('Hosts planned') as step:
            step('host-1')
        return stream.getvalue()

    def test_on_a_terminal(self) -> None:
        shown = self.shown(_Terminal())
        self.assertIn('Reading documents', shown)
        self.assertIn('Hosts planned', shown)

    def test_in_a_pipe(self) -> None:
        self.assertEqual('', self.shown(io.StringIO()))

    def test_a_short_job(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.cmd.progress._PATIENCE', 60))
        self.assertNotIn('Reading', self.shown(_Terminal()))
