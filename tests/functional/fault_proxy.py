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

"""Placement on the loopback, and a proxy before it that fails on demand.

No packaged proxy does what is needed: toxiproxy, which is the known one, is
no Debian package; mitmproxy and proxy.py cannot stop in the middle of a body.
So this one is of the tests' own, on the standard library's HTTP server.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import http.client
from http import server
import socket
import threading
from typing import Any
from wsgiref import simple_server

import fixtures

#: Seconds after which nothing hangs any more, whatever a test forgot.
LIMIT = 60.0
_HOP = frozenset({'connection', 'transfer-encoding', 'content-length',
                  'keep-alive', 'date', 'server'})


@dataclasses.dataclass(frozen=True)
class Request:
    """One request that came, and over which connection."""

    path: str
    connection: tuple[str, int]
    process: str


#: Answers a request in placement's place.
Fault = Callable[['_Handler'], None]


@dataclasses.dataclass(frozen=True)
class Outage:
    """A fault, for a while.

    A request keeps the outage that it met, so that it does not hang for good
    where that one ends before it begins to wait.

    :param concerns: the paths that the fault is about.
    """

    fault: Fault | None
    concerns: Callable[[str], bool]
    over: threading.Event = dataclasses.field(
        default_factory=threading.Event)


class Served(fixtures.Fixture):
    """A WSGI application on the loopback, one request at a time."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def _setUp(self) -> None:
        # SQLite in memory has one connection, so one thread does.
        self._server = simple_server.make_server(
            '127.0.0.1', 0, self._application, _Listening, _Quiet)
        self.port = self._server.server_port
        _serve(self, self._server)


class FaultProxy(fixtures.Fixture):
    """Passes requests on to a port, unless a fault is set.

    :param port: of the real placement.
    """

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.requests: list[Request] = []
        self.outage: Outage | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def _setUp(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable('no_proxy', '127.0.0.1'))
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        self.serve()
        self.addCleanup(self.refuse)

    def serve(self) -> None:
        proxy = self
        handler = type('Handler', (_Handler,), {'proxy': proxy})
        self._server = _Server(('127.0.0.1', self.port), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True,
                         kwargs={'poll_interval': 0.02}).start()

    def refuse(self) -> None:
        """Nobody listens from now on, and who is connected is cut off."""
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def failing(self, fault: Fault | None,
                concerns: Callable[[str], bool] = lambda path: True
                ) -> Iterator[None]:
        """A fault, for a while; None: nobody listens."""
        outage = Outage(fault, concerns)
        if fault is None:
            self.refuse()
        else:
            self.outage = outage
        try:
            yield
        finally:
            self.outage = None
            outage.over.set()
            if fault is None:
                self.serve()

    @contextlib.contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)


class _Server(server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, *arguments: Any) -> None:
        """Whoever has waited long enough hangs up; that is the test's."""

    def server_bind(self) -> None:
        # Without the look-up of this machine's name, which can take long.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


class _Listening(simple_server.WSGIServer):
    # A crowd comes at once, and is not to be sent away.
    request_queue_size = 512


class _Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


class _Handler(server.BaseHTTPRequestHandler):
    """One connection, which is kept open."""

    protocol_version = 'HTTP/1.1'
    # Head and body of an answer must not wait for each other.
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy: FaultProxy
    outage: Outage | None = None

    def handle(self) -> None:
        with self.proxy.connected(self.connection):
            super().handle()

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.proxy.requests.append(Request(
            self.path, self.client_address,
            self.headers.get('X-Process', '')))
        self.outage = self.proxy.outage
        if self.outage is not None and self.outage.fault is not None \
                and self.outage.concerns(self.path):
            self.outage.fault(self)
        else:
            self.answer(*self.ask())

    def ask(self, **headers: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """What placement says."""
        upstream = http.client.HTTPConnection(
            '127.0.0.1', self.proxy.upstream, timeout=LIMIT)
        with contextlib.closing(upstream):
            upstream.request('GET', self.path, headers={
                **{name: value for name, value in self.headers.items()
                   if name.lower() not in _HOP}, **headers})
            found = upstream.getresponse()
            return found.status, found.getheaders(), found.read()

    def answer(self, status: int, headers: list[tuple[str, str]],
               body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header('Content-Length',
                         str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def wait(self, seconds: float = LIMIT) -> bool:
        """Whether nothing hangs any more."""
        return self.outage is None or self.outage.over.wait(seconds)


def _serve(fixture: fixtures.Fixture, listening: Any) -> None:
    thread = threading.Thread(
        target=listening.serve_forever, daemon=True,
        kwargs={'poll_interval': 0.02})
    thread.start()
    fixture.addCleanup(listening.server_close)
    fixture.addCleanup(listening.shutdown)


def _status(status: int) -> Fault:
    body = (b'{"errors": [{"status": %d, "detail": "it is out of order"}]}'
            % status)
    return lambda handler: handler.answer(
        status, [('Content-Type', 'application/json')], body)


def _text(body: bytes) -> Fault:
    return lambda handler: handler.answer(
        200, [('Content-Type', 'application/json')], body)


def _silent(handler: _Handler) -> None:
    released = handler.wait()
    handler.close_connection = released


def _stuck(handler: _Handler) -> None:
    """Half of the answer, and then nothing."""
    status, headers, body = handler.ask()
    handler.answer(status, headers, body[:len(body) // 2], len(body))
    handler.wait()
    handler.close_connection = True


def _drop_by_drop(handler: _Handler) -> None:
    """A byte now and then: no socket's time-out ever runs out."""
    handler.answer(200, [], b'{', 1 << 20)
    while not handler.wait(0.02):
        handler.wfile.write(b' ')
        handler.wfile.flush()
    handler.close_connection = True


def _broken_off(handler: _Handler) -> None:
    """Half of the answer, and the connection ends."""
    status, headers, body = handler.ask()
    handler.answer(status, headers, body[:len(body) // 2], len(body))
    handler.close_connection = True


def _truncated(handler: _Handler) -> None:
    """Half of the answer, which says that it is the whole."""
    status, headers, body = handler.ask()
    handler.answer(status, headers, body[:len(body) // 2])


def endless(handler: _Handler) -> None:
    handler.answer(200, [], b'{"traits": ["', 1 << 40)
    with contextlib.suppress(OSError):
        while not handler.wait(0):
            handler.wfile.write(b'A' * 65536)
    handler.close_connection = True


def _microversion(version: str) -> Fault:
    """Placement's own answer to another microversion."""
    return lambda handler: handler.answer(*handler.ask(
        **{'OpenStack-API-Version': f'placement {version}'}))


#: What the proxy does in each; `refused` is a matter of nobody listening.
FAULTS: dict[str, Fault | None] = {
    'refused': None,
    'silent': _silent,
    'stuck': _stuck,
    'drop by drop': _drop_by_drop,
    'broken off': _broken_off,
    '401': _status(401),
    '403': _status(403),
    '404': _status(404),
    '500': _status(500),
    '503': _status(503),
    'truncated': _truncated,
    'not JSON': _text(b'<html>welcome</html>'),
    'deep JSON': _text(b'[' * 200000),
    'other JSON': _text(b'[]'),
    'wrong types': _text(b'{"traits": 1, "allocations": [], '
                         b'"resource_providers": [1]}'),
    'microversion too new': _microversion('1.999'),
    'microversion too old': _microversion('1.0'),
}
