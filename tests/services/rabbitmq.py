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

"""A RabbitMQ of one's own, in a folder that is gone afterwards.

Needs Debian's `rabbitmq-server`.
"""

import base64
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import time

import fixtures

from tests.services import process

_START = 120.0
_PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'
_USER = 'nova'
_PASSWORD = 'secret'
_HOST = '127.0.0.1'

_CONFIGURATION = """
listeners.tcp.1 = {host}:{port}
load_definitions = {folder}/definitions.json
"""


class RabbitMQ(fixtures.Fixture):
    """`rabbitmq-server` on the loopback, with an Erlang name server of its
    own.

    :param vhosts: names of the virtual hosts to make.
    """

    def __init__(self, vhosts: Iterable[str]) -> None:
        self._vhosts = tuple(vhosts)

    def _setUp(self) -> None:
        self._folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        names, between, self._port = _free_ports(3)
        self._environment = self._make_environment(names, between)
        self._write()
        self._log = self._folder / 'log'
        with open(self._log, 'wb') as log:
            # Not as a daemon, so that it ends with us.
            name_server = process.start(
                [_program('epmd'), '-port', str(names), '-address', _HOST],
                stdout=log, stderr=log)
            self.addCleanup(process.stop, name_server)
            self._process = process.start(
                [_program(_PROGRAM)], env=self._environment,
                cwd=self._folder, stdout=log, stderr=log)
        self.addCleanup(process.stop, self._process)
        self._wait()

    def url(self, vhost: str) -> str:
        """oslo.messaging's `transport_url` of a virtual host."""
        return (f'rabbit://{_USER}:{_PASSWORD}@{_HOST}:{self._port}/{vhost}')

    def log(self) -> str:
        return self._log.read_text(errors='replace')

    def _make_environment(self, names: int, between: int) -> dict[str, str]:
        folder = str(self._folder)
        return {
            'PATH': os.environ.get('PATH', os.defpath), 'HOME': folder,
            'LANG': 'C.UTF-8', 'ERL_EPMD_PORT': str(names),
            'ERL_EPMD_ADDRESS': _HOST,
            'RABBITMQ_NODENAME': f'mdev-compat-{self._port}@localhost',
            'RABBITMQ_DIST_PORT': str(between),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
                '-kernel inet_dist_use_interface {127,0,0,1}',
            'RABBITMQ_CONF_ENV_FILE': f'{folder}/rabbitmq-env.conf',
            'RABBITMQ_CONFIG_FILE': f'{folder}/rabbitmq.conf',
            'RABBITMQ_ENABLED_PLUGINS_FILE': f'{folder}/enabled_plugins',
            'RABBITMQ_MNESIA_BASE': f'{folder}/mnesia',
            'RABBITMQ_LOG_BASE': f'{folder}/logs', 'RABBITMQ_LOGS': '-',
            'RABBITMQ_PID_FILE': f'{folder}/pid'}

    def _write(self) -> None:
        for name, text in (
                ('rabbitmq-env.conf', ''), ('enabled_plugins', '[].\n'),
                ('rabbitmq.conf', _CONFIGURATION.format(
                    host=_HOST, port=self._port, folder=self._folder)),
                ('definitions.json', json.dumps(self._definitions()))):
            (self._folder / name).write_text(text)

    def _definitions(self) -> dict[str, object]:
        everything = {'configure': '.*', 'write': '.*', 'read': '.*'}
        return {
            'users': [{
                'name': _USER, 'password_hash': _hashed(_PASSWORD), 'tags': '',
                'hashing_algorithm': 'rabbit_password_hashing_sha256'}],
            'vhosts': [{'name': name} for name in self._vhosts],
            'permissions': [{'user': _USER, 'vhost': name, **everything}
                            for name in self._vhosts]}

    def _wait(self) -> None:
        """Until it takes connections, which it does last of all."""
        end = time.monotonic() + _START
        while True:
            try:
                socket.create_connection((_HOST, self._port), 5).close()
                return
            except OSError as error:
                if self._process.poll() is not None \
                        or time.monotonic() > end:
                    raise RuntimeError('rabbitmq-server does not answer:\n'
                                       + self.log()) from error
            time.sleep(0.2)


def _hashed(password: str) -> str:
    """As `rabbitmqctl hash_password` prints it: four bytes of salt, and
    SHA-256 over them and the password.
    """
    salt = b'salt'
    return base64.b64encode(salt + hashlib.sha256(
        salt + password.encode()).digest()).decode()


def _free_ports(number: int) -> Iterator[int]:
    # All of them at once, so that they differ.
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            found = stack.enter_context(socket.socket())
            found.bind((_HOST, 0))
            yield found.getsockname()[1]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f'{name} is not here: install rabbitmq-server')
    return found
