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

"""The publisher is killed at every boundary of a request."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import uuid

import fixtures
import testtools

from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.documents import DocumentStore
from tests.functional import test_publisher_command as command
from tests.mariadb import base
from tests.mariadb import crossing
from tests.unit import sysfs_trees


class TestKilled(base.ServedTestCase):
    """The real process, on the captured host."""

    def setUp(self) -> None:
        super().setUp()
        self.crossing = self.useFixture(
            crossing.Crossing(self.placement.endpoint))
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        sysfs = sysfs_trees.unpack_captured(self.folder) / 'sys'
        self.rules = self.folder / 'rules.d'
        self.rules.mkdir()
        self.root = str(uuid.uuid4())
        (self.folder / 'compute_id').write_text(self.root)
        self.nova_conf = self.folder / 'nova.conf'
        self.nova_conf.write_text(
            pathlib.Path(self.config).read_text().replace(
                self.placement.endpoint, self.crossing.url)
            + command.DEVICES.format(name='gpu1', rules=self.rules,
                                     sysfs=sysfs))
        self.placement.call('POST', '/resource_providers', {
            'name': 'gpu1', 'uuid': self.root})
        self.provider = ''
        self.kills = 0

    def test_first_publication(self) -> None:
        self.state('1.0')
        self.every_boundary(before=None)

    def test_another_document(self) -> None:
        self.state('1.1')
        self.begin(None)
        self.assertEqual(0, self.run_publisher())
        (older,) = self.markers()
        self.state('1.2')
        self.every_boundary(before=older)

    def state(self, stream: str) -> None:
        """What the host's driver is."""
        (self.rules / 'stream.yaml').write_text(
            command.STREAM.format(stream))

    def begin(self, before: str | None) -> None:
        """A new provider that carries what was there before; no new traits.
        """
        if self.provider:
            self.placement.call(
                'DELETE', f'/resource_providers/{self.provider}')
        self.provider = str(uuid.uuid4())
        self.placement.call('POST', '/resource_providers', {
            'name': 'gpu1_mtty_mtty', 'uuid': self.provider,
            'parent_provider_uuid': self.root})
        for name in self.custom_traits():
            chunk = traits.read_chunk(name)
            if before is None or before not in (
                    name, chunk and traits.marker(chunk.digest)):
                self.placement.call('DELETE', f'/traits/{name}')
        if before is not None:
            self.placement.call(
                'PUT', f'/resource_providers/{self.provider}/traits', {
                    'resource_provider_generation': 0, 'traits': [before]})
        self.crossing.requests.clear()

    def every_boundary(self, before: str | None) -> None:
        self.begin(before)
        self.assertEqual(0, self.run_publisher())
        (after,) = self.markers()
        self.assertNotEqual(before, after)
        requests = list(self.crossing.requests)
        for number in range(len(requests)):
            for answered in (False, True):
                self.begin(before)
                self.assertEqual(-signal.SIGKILL,
                                 self.run_publisher((number, answered)))
                self.assert_readable({before, after})
                self.assertEqual(0, self.run_publisher())
                self.assertEqual({after}, self.markers())
                self.assert_readable({after})
        self.say(f'killed {self.kills} times, before and after each of '
                 f'{len(requests)} requests: '
                 + ', '.join(request[:40] for request in requests))

    def run_publisher(self, kill: tuple[int, bool] | None = None) -> int:
        """Exit status of the process; negative when a signal ended it."""
        started = threading.Event()

        def at(number: int, answered: bool) -> bool:
            if (number, answered) != kill:
                return True
            started.wait(base.TIMEOUT)
            os.kill(process.pid, signal.SIGKILL)
            self.kills += 1
            return False

        self.crossing.requests.clear()
        self.crossing.at = at
        process = subprocess.Popen(
            [sys.executable, '-m', 'nova_mdev_compat.cmd.publisher',
             '--config-file', str(self.nova_conf), '--once'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        started.set()
        _, said = process.communicate(timeout=base.TIMEOUT)
        self.addDetail('stderr', testtools.content.text_content(
            said.decode(errors='replace')))
        return process.returncode

    def markers(self) -> set[str]:
        return {name for name in self.traits_of(self.provider)
                if traits.read_marker(name) is not None}

    def assert_readable(self, allowed: set[str | None]) -> None:
        """A reader sees one of these documents as a whole, or none."""
        markers = self.markers()
        self.assertLessEqual(len(markers), 1)
        self.assertLessEqual(markers or {None}, allowed)
        in_use = DocumentStore(configuration.connect([self.config])).in_use(
            Deadline(base.TIMEOUT))
        self.assertEqual({}, dict(in_use.unusable))
        self.assertEqual(markers, set(map(traits.marker, in_use.documents)))
