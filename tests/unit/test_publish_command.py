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

"""The publish command, as far as it goes without a placement."""

import socket
from typing import Any

import ddt
import fixtures
from requests_mock.contrib import fixture as requests_fixture

from tests.unit import commands
from tests.unit import crafted

PROVIDER = '6a4ecbc1-0a0b-4e0a-a2bb-7ebda6e6b1f5'
URL = 'http://placement.test/placement'
ANSWERS = f'[placement]\nauth_type = none\nendpoint = {URL}\n'
TRAITS = f'{URL}/resource_providers/{PROVIDER}/traits'
NOT_THERE = {'errors': [{'detail': 'No resource provider'}]}

#: Title, content of the configuration, words of the message; exit status 2.
CONFIGURATIONS = (
    ('empty', '', 'has no auth_type'),
    ('no such group', '[DEFAULT]\ndebug = true\n', 'has no auth_type'),
    ('no auth_type', f'[placement]\nendpoint = {URL}\n', 'has no auth_type'),
    ('unknown plugin', '[placement]\nauth_type = nonsense\n', 'nonsense'),
    ('plugin with too little', '[placement]\nauth_type = password\n',
     'auth_url'),
    ('wrong value', ANSWERS + 'timeout = soon\n', 'timeout'),
    ('wrong reference', ANSWERS + 'cafile = $nothing\n', '[placement]'),
    ('section that is not there', '[placement]\nauth_section = other\n',
     '[placement]'),
    ('section without a plugin',
     '[placement]\nauth_section = other\n[other]\n', '[placement]'),
    ('not parseable', '[placement\n', 'nova.conf:1'),
    ('not UTF-8', b'[placement]\nauth_type = \xff\n', 'nova.conf'),
)


class PublishTestCase(commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        for name in ('http_proxy', 'HTTP_PROXY'):
            self.useFixture(fixtures.EnvironmentVariable(name))
        self.document = self.file('document.json', crafted.EXAMPLE)
        self.configuration = self.file('nova.conf', ANSWERS)

    def publish(self, *files: str, provider: str = PROVIDER,
                document: str = '') -> commands.Result:
        configurations = [word for name in files or [self.configuration]
                          for word in ('--config-file', name)]
        return self.run_command(
            'publish', *configurations, '--provider', provider,
            document or self.document)

    def assert_bad(self, result: commands.Result, words: str) -> None:
        self.assertEqual((2, ''), (result.status, result.out))
        self.assertIn(words, result.err)


@ddt.ddt
class TestBadInput(PublishTestCase):
    """Nothing is asked of placement: any request would fail the test."""

    def setUp(self) -> None:
        super().setUp()
        self.requests = self.useFixture(
            requests_fixture.Fixture())  # type: ignore[no-untyped-call]

    @ddt.data(*CONFIGURATIONS)
    @ddt.unpack
    def test_configuration(self, title: str, content: str,
                           words: str) -> None:
        result = self.publish(self.file('nova.conf', content))
        self.assert_bad(result, words)

    def test_configuration_is_not_there(self) -> None:
        name = str(self.directory / 'missing.conf')
        self.assert_bad(self.publish(name), name)
        self.assert_bad(self.publish(self.configuration, name), name)

    def test_configuration_is_a_directory(self) -> None:
        name = str(self.directory)
        self.assert_bad(self.publish(name), name)

    @ddt.data('nonsense', '', '6a4ecbc1-0a0b-4e0a-a2bb', '-',
              PROVIDER + '0', PROVIDER + '/traits')
    def test_provider(self, provider: str) -> None:
        result = self.run_command(
            'publish', '--config-file', self.configuration,
            f'--provider={provider}', self.document)
        self.assert_bad(result, 'it is not a UUID')

    def test_invalid_document(self) -> None:
        self.assert_bad(self.publish(
            document=self.file('invalid.json', {'format': 1})), '/self: ')

    def test_no_json(self) -> None:
        self.assert_bad(self.publish(
            document=self.file('text.json', 'hello')), 'it is not JSON')

    def test_document_is_not_there(self) -> None:
        self.assert_bad(self.publish(document='/nowhere/document.json'),
                        'it cannot be read')


class TestAnswers(PublishTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.requests = self.useFixture(
            requests_fixture.Fixture())  # type: ignore[no-untyped-call]

    def test_no_such_provider(self) -> None:
        self.requests.get(TRAITS, status_code=404, json=NOT_THERE)
        self.assert_bad(self.publish(), 'placement has no such resource')
        # And nothing was left behind.
        self.assertEqual(1, self.requests.call_count)

    def assert_unreachable(self, words: str) -> None:
        result = self.publish()
        self.assertEqual((3, ''), (result.status, result.out))
        self.assertIn(words, result.err)

    def test_error_of_placement(self) -> None:
        self.requests.get(TRAITS, status_code=500, text='out of order')
        self.assert_unreachable('500: out of order')

    def test_no_permission(self) -> None:
        self.requests.get(TRAITS, status_code=403, json={
            'errors': [{'detail': 'Only for admins'}]})
        self.assert_unreachable('403: Only for admins')

    def test_somebody_else_answers(self) -> None:
        self.requests.get(TRAITS, text='<html>')
        self.assert_unreachable('what is not JSON')

    def test_answer_of_another_shape(self) -> None:
        answers: list[Any] = [
            {}, [], {'traits': None}, {'traits': [1]}, {'traits': []},
            {'traits': [], 'resource_provider_generation': '1'}]
        for answer in answers:
            self.requests.get(TRAITS, json=answer)
            self.assert_unreachable('answered')

    def test_configurations_together(self) -> None:
        self.requests.get(TRAITS, status_code=404, json=NOT_THERE)
        secret = self.file('secret.conf', ANSWERS)
        result = self.publish(self.file('plain.conf', '[DEFAULT]\n'), secret)
        self.assert_bad(result, 'placement has no such resource')


class TestNobodyListens(PublishTestCase):

    def test_exit_status(self) -> None:
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(('127.0.0.1', 0))
        port = taken.getsockname()[1]
        result = self.publish(self.file(
            'nova.conf', '[placement]\nauth_type = none\n'
            f'endpoint = http://127.0.0.1:{port}/placement\n'))
        self.assertEqual((3, ''), (result.status, result.out))
        self.assertIn('Unable to establish connection', result.err)

    def test_no_endpoint(self) -> None:
        result = self.publish(self.file(
            'nova.conf', '[placement]\nauth_type = none\n'))
        self.assertEqual((3, ''), (result.status, result.out))
        self.assertIn('endpoint', result.err)
