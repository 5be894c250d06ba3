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

"""The plug-in, in the real OpenStackClient on a real placement."""

import contextlib
import io
import json
import subprocess
import sys
import threading
from typing import Any
from wsgiref import simple_server

import fixtures
from openstackclient import shell

from nova_mdev_compat.codec import canonical
from tests.functional import placement_cloud as cloud
from tests.functional import sixty_hosts as sixty
from tests.functional.test_fleet_commands import FleetTestCase
from tests.unit import commands

FREE = sixty.provider_uuid('unpublished-01')


class OpenStackClientTestCase(FleetTestCase):

    def openstack(self, *arguments: str) -> commands.Result:
        """Run `openstack` inside this process, where the placement is."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            client = shell.OpenStackShell()
            status = client.run([
                '--os-auth-type', 'admin_token', '--os-token', cloud.TOKEN,
                '--os-endpoint', self.placement.url, *arguments])
        self.assertNotIn('Traceback', err.getvalue())
        return commands.Result(status, out.getvalue(), err.getvalue())

    def answer(self, *arguments: str, status: int = 0) -> Any:
        result = self.openstack('mdev', 'compat', *arguments, '-f', 'json')
        self.assertEqual(status, result.status, result.err)
        return json.loads(result.out)


class TestDocuments(OpenStackClientTestCase):

    def test_list(self) -> None:
        rows = self.answer('document', 'list')
        self.assertEqual(5, len(rows))
        self.assertEqual([20] * 5, [row['Providers'] for row in rows])
        self.assertEqual(
            ('corrupt', 'its chunks do not belong together'),
            (rows[-1]['State'], rows[-1]['Fault']))
        result = self.openstack('mdev', 'compat', 'document', 'list',
                                '-f', 'value', '-c', 'Version')
        self.assertEqual(['535.161.05', '535.161.05', '550.90.05',
                          '550.90.05'], result.out.split())

    def test_life_of_a_document(self) -> None:
        digest = canonical.digest(sixty.OLD.canonical)
        path = self.file('old.json', sixty.OLD.canonical)
        self.placement.add_traits(FREE, 'CUSTOM_OTHER')
        done = self.answer('document', 'set', FREE, path)
        self.assertEqual((digest, [], True), (
            done['document'], done['replaced'], done['changed']))

        for name in (FREE, digest):
            shown = self.answer('document', 'show', name)
            self.assertEqual(digest, shown['document'])
            self.assertEqual(json.loads(sixty.OLD.canonical),
                             shown['content'])
            self.assertEqual(21, len(shown['providers']))

        result = self.openstack('mdev', 'compat', 'document', 'unset', FREE)
        self.assertEqual(0, result.status)
        self.assertEqual({'CUSTOM_OTHER'}, self.placement.traits_of(FREE))
        result = self.openstack('mdev', 'compat', 'document', 'show', FREE)
        self.assertEqual(2, result.status)
        self.assertIn('has no usable document', result.err)

    def test_unset_beside_other_writers(self) -> None:
        provider = sixty.provider_uuid('old-01')
        self.placement.hook = cloud.once(
            lambda: self.placement.add_traits(provider, 'CUSTOM_OTHER'),
            'PUT', provider)
        self.openstack('mdev', 'compat', 'document', 'unset', provider)
        self.assertEqual({'CUSTOM_OTHER'}, self.placement.traits_of(provider))

    def test_bad_input(self) -> None:
        nobody = 'ffffffff-6f3e-4a44-9d60-0f6a4a1f2c11'
        for arguments, words in (
                (('show', 'A' * 26), 'none of its body traits is there'),
                (('show', 'nonsense'), 'neither a digest nor a UUID'),
                (('unset', 'nonsense'), 'not a UUID'),
                (('unset', nobody), 'no such resource provider'),
                (('show', nobody), 'no such resource provider'),
                (('set', nobody, self.file('x.json', '{}')), '/self')):
            result = self.openstack('mdev', 'compat', 'document', *arguments)
            self.assertEqual(2, result.status)
            self.assertIn(words, result.err)


class TestQuestions(OpenStackClientTestCase):

    def test_explain(self) -> None:
        rows = self.answer('explain', sixty.server_uuid('old-01'))
        self.assertEqual(['accepted', 'accepted', 'refused', 'refused'],
                         [row['Verdict'] for row in rows[:4]])

    def test_options_of_nova_conf(self) -> None:
        self.configure('mdev_compat', unpublished_destination='accept')
        rows = self.answer(
            'explain', sixty.server_uuid('noecc-01'), '--config-file',
            str(self.placement.configuration))
        self.assertEqual(('accepted', 20), (
            rows[0]['Verdict'], rows[0]['Providers']))

    def test_headroom_and_matrix(self) -> None:
        self.assertEqual(80, self.answer('headroom', status=1)[0]['Stranded'])
        self.assertEqual(4, len(self.answer('matrix')))

    def test_completion_knows_the_commands(self) -> None:
        out = '\n'.join(line for line in self.openstack('complete').out.split(
            '\n') if 'mdev' in line)
        for word in ('cmds_mdev_compat=', 'document explain headroom matrix',
                     "cmds_mdev_compat_document='list set show unset'"):
            self.assertIn(word, out)


class TestCloudsYaml(FleetTestCase):
    """`--os-cloud`, for who has no nova.conf."""

    def setUp(self) -> None:
        super().setUp()
        path = self.file('clouds.yaml', {'clouds': {'mine': {
            'auth_type': 'admin_token', 'region_name': 'here',
            # openstacksdk 4.4 would not find it inside "auth".
            'token': cloud.TOKEN, 'auth': {'endpoint': self.placement.url},
            'placement_endpoint_override': self.placement.url}}})
        self.useFixture(fixtures.EnvironmentVariable(
            'OS_CLIENT_CONFIG_FILE', path))

    def test_headroom(self) -> None:
        result = self.run_command('headroom', '--os-cloud', 'mine', '-f',
                                  'value', '-c', 'Stranded')
        self.assertEqual((1, '80\n0\n0\n0\n'), (result.status, result.out),
                         result.err)

    def test_nova_is_not_there(self) -> None:
        """A UUID is explained by placement alone; a name cannot be."""
        server = sixty.server_uuid('old-01')
        result = self.run_command('explain', '--os-cloud', 'mine', server)
        self.assertEqual(0, result.status, result.err)
        self.assertIn('Nova cannot be asked', result.err)
        result = self.run_command('explain', '--os-cloud', 'mine', 'web1')
        self.assertEqual(3, result.status, result.err)


class _Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


class TestProcess(FleetTestCase):
    """As a user runs it: a process of its own, over the loopback."""

    def serve(self) -> str:
        def application(environ: Any, start_response: Any) -> Any:
            with self.placement._lock:
                return list(self.placement._app(environ, start_response))
        server = simple_server.make_server('127.0.0.1', 0, application,
                                           handler_class=_Quiet)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True,
                         kwargs={'poll_interval': 0.05}).start()
        return f'http://127.0.0.1:{server.server_port}'

    def test_headroom(self) -> None:
        done = subprocess.run(
            [sys.executable, '-m', 'openstackclient.shell',
             '--os-auth-type', 'admin_token', '--os-token', cloud.TOKEN,
             '--os-endpoint', self.serve(), 'mdev', 'compat', 'headroom',
             '-f', 'csv', '-c', 'Stranded'],
            capture_output=True, text=True, timeout=120,
            env={'PATH': '', 'no_proxy': '127.0.0.1'})
        self.assertEqual((1, '"Stranded"\n80\n0\n0\n0\n'),
                         (done.returncode, done.stdout), done.stderr)
        # No colour and no progress in a pipe.
        self.assertNotIn('\x1b', done.stdout + done.stderr)
        self.assertNotIn('Reading', done.stderr)
