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

"""A web server closes a connection that was idle while we ask again."""

import contextlib
import pathlib
import socket
import struct
import threading

import fixtures
import testtools

from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Unreachable

_BODY = b'{"traits": []}'
_ANSWER = (b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
           b'Content-Length: %d\r\n\r\n%s' % (len(_BODY), _BODY))
#: Closing it sends a reset.
_RESET = struct.pack('ii', 1, 0)
_LIMIT = 20.0


class Server(fixtures.Fixture):
    """Answers so many requests of a connection, and resets it at the next.

    :param answers: for each connection in turn; after the last, nobody
        listens.
    """

    def __init__(self, *answers: int) -> None:
        self._answers = answers
        self.asked: list[bytes] = []

    def _setUp(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable('no_proxy', '127.0.0.1'))
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self._listener.getsockname()[1]
        self._open: socket.socket = self._listener
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, _LIMIT)
        self.addCleanup(self._end)

    def _end(self) -> None:
        for one in (self._listener, self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with self._listener, contextlib.suppress(OSError):
            for number in self._answers:
                self._open, _ = self._listener.accept()
                with self._open, contextlib.suppress(OSError):
                    self._answer(self._open, number)

    def _answer(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(_LIMIT)
        for place in range(number + 1):
            request = b''
            while b'\r\n\r\n' not in request:
                part = connection.recv(65536)
                if not part:
                    return
                request += part
            self.asked.append(request.partition(b' HTTP')[0])
            if place < number:
                connection.sendall(_ANSWER)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


class TestClosedConnection(testtools.TestCase):

    def serve(self, *answers: int) -> None:
        self.server = self.useFixture(Server(*answers))
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'conf')
        path.write_text('[placement]\nauth_type = none\n'
                        f'endpoint_override = {self.server.url}\n')
        self.client = configuration.connect([str(path)])
        self.deadline = Deadline(_LIMIT)

    def test_a_question_is_put_again(self) -> None:
        self.serve(1, 1)
        for _ in range(2):
            self.assertEqual([], self.client.traits('A', self.deadline))
        self.assertEqual(3, len(self.server.asked))

    def test_once(self) -> None:
        self.serve(1, 0)
        self.client.traits('A', self.deadline)
        self.assertRaises(Unreachable, self.client.traits, 'A', self.deadline)
        self.assertEqual(3, len(self.server.asked))

    def test_what_writes_is_not(self) -> None:
        self.serve(1, 1)
        self.client.traits('A', self.deadline)
        self.assertRaises(
            Unreachable, self.client.put_trait, 'A', self.deadline)
        self.assertEqual([b'GET', b'PUT'], [
            request.partition(b' ')[0] for request in self.server.asked])
