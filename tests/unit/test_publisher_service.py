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

"""The service as a process: signals, health, placement that does not answer.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import fixtures
import testtools

from nova_mdev_compat.publisher import service
from tests.unit import sysfs_trees

_PATIENCE = 60.0

CONFIG = """
[DEFAULT]
host = gpu1
[devices]
enabled_mdev_types = mtty-2
[mdev_mtty-2]
device_addresses = mtty_mtty
[placement]
auth_type = none
endpoint = http://127.0.0.1:{port}
[mdev_compat_publisher]
rules_dirs = {folder}/rules.d
sysfs_root = {folder}/sys
health_file = {folder}/health.json
interval = 5
"""


class ServiceTestCase(testtools.TestCase):
    """Placement takes connections, and never answers."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        sysfs_trees.unpack_captured(self.folder)
        (self.folder / 'rules.d').mkdir()
        self.listener = socket.socket()
        self.addCleanup(self.listener.close)
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(10)
        self.listener.settimeout(_PATIENCE)
        self.config = self.folder / 'nova.conf'
        self.config.write_text(CONFIG.format(
            port=self.listener.getsockname()[1], folder=self.folder))
        self.log = self.folder / 'log'

    def command(self, *options: str) -> list[str]:
        return [sys.executable, '-m', 'nova_mdev_compat.cmd.publisher',
                '--config-file', str(self.config), *options]

    def start(self) -> 'subprocess.Popen[bytes]':
        with open(self.log, 'wb') as log:
            process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, 'no_proxy': '127.0.0.1'})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def end(self, process: 'subprocess.Popen[bytes]', number: int) -> float:
        """Seconds until it has ended."""
        began = time.monotonic()
        process.send_signal(number)
        self.assertEqual(0, process.wait(_PATIENCE))
        self.assertNotIn('Traceback', self.log.read_text())
        return time.monotonic() - began

    def wait_for(self, words: str) -> None:
        end = time.monotonic() + _PATIENCE
        while words not in self.log.read_text():
            self.assertLess(time.monotonic(), end, self.log.read_text())
            time.sleep(0.05)

    def health(self) -> tuple[int, str]:
        done = subprocess.run(
            self.command('--health'), stdin=subprocess.DEVNULL,
            capture_output=True, text=True)
        self.assertNotIn('Traceback', done.stderr)
        return done.returncode, done.stdout


class TestService(ServiceTestCase):

    def test_ends_amid_a_request(self) -> None:
        """Within two seconds; a machine that is busy is given some more, and
        the request would take the minute of `timeout`.
        """
        self.assertLess(service._GRACE, 1)
        process = self.start()
        connection, _ = self.listener.accept()
        self.addCleanup(connection.close)
        self.assertLess(self.end(process, signal.SIGTERM), 30)
        self.assertIn('amid a round', self.log.read_text())

    def test_reload_and_health(self) -> None:
        self.listener.close()
        process = self.start()
        self.wait_for('what is published stays')
        # Once, and in one line.
        (line,) = [line for line in self.log.read_text().splitlines()
                   if 'what is published' in line]
        self.assertEqual(1, line.count('Unable to establish connection'))
        # Since its start it had no chance to succeed.
        status, said = self.health()
        self.assertEqual(0, status)
        self.assertIn('last error: placement: ', said)
        rule = self.folder / 'rules.d' / 'broken.yaml'
        rule.write_text('rules: [')
        process.send_signal(signal.SIGHUP)
        self.wait_for('Reloaded.')
        self.assertIn(f'{rule}:1: ', self.log.read_text())
        self.config.write_text(
            self.config.read_text().replace('interval = 5', 'interval = x'))
        process.send_signal(signal.SIGHUP)
        self.wait_for('Nothing was reloaded')
        self.assertEqual(
            1, self.log.read_text().count('[mdev_compat_publisher] interval'))
        self.end(process, signal.SIGINT)

    def test_health_without_a_service(self) -> None:
        status, said = self.health()
        self.assertEqual(1, status)
        self.assertIn('health.json: FileNotFoundError', said)
        path = self.folder / 'health.json'
        path.write_text(json.dumps({
            'time': time.time() - 99, 'good_until': time.time() - 9,
            'published': {'a': 'b'}, 'error': 'no route'}))
        status, said = self.health()
        self.assertEqual(1, status)
        self.assertIn('not healthy', said)
        self.assertIn('published: 1; ', said)
        self.assertIn('last error: no route', said)

    def test_configuration_that_cannot_be_used(self) -> None:
        self.config.write_text('[placement]\n')
        done = subprocess.run(self.command(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        self.assertEqual(2, done.returncode)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        self.assertIn('has no auth_type', done.stderr)
