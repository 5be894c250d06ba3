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

"""A real placement on SQLite, served on this machine's loopback."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
import threading
from typing import Any
from wsgiref import simple_server

import fixtures
from placement import deploy
from placement.tests.functional.fixtures import placement as placement_fixtures

#: Placement's own test configuration takes a token for a user's name.
TOKEN = 'admin'


class _Server(simple_server.WSGIServer):
    def server_bind(self) -> None:
        super(simple_server.WSGIServer, self).server_bind()
        # Without the look-up of this machine's name, which can take long.
        self.server_name = '127.0.0.1'
        self.server_port = int(self.server_address[1])
        self.setup_environ()


class _Quiet(simple_server.WSGIRequestHandler):
    # Head and body of an answer must not wait for each other.
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        pass

    def address_string(self) -> str:
        return str(self.client_address[0])


class Placement(fixtures.Fixture):
    """Placement's application, one thread, one request at a time."""

    def _setUp(self) -> None:
        # A proxy that the environment names does not know of us.
        self.useFixture(fixtures.EnvironmentVariable('no_proxy', '127.0.0.1'))
        #: What was asked, as 'GET /path?query'.
        self.requests: list[str] = []
        placement = self.useFixture(
            placement_fixtures.PlacementFixture(use_intercept=False))
        self._app = deploy.loadapp(placement.conf_fixture.conf)
        server = simple_server.make_server(
            '127.0.0.1', 0, self._answer, _Server, _Quiet)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self._thread = threading.Thread(
            target=server.serve_forever, name='placement', daemon=True,
            kwargs={'poll_interval': 0.05})
        self._thread.start()
        self.url = f'http://127.0.0.1:{server.server_port}'

    @property
    def answering(self) -> bool:
        """Whether whoever asks this is placement itself."""
        return threading.current_thread() is self._thread

    def _answer(self, environ: dict[str, Any],
                start_response: Callable[..., Any]) -> Iterable[bytes]:
        url = environ['PATH_INFO']
        if environ.get('QUERY_STRING'):
            url += '?' + environ['QUERY_STRING']
        self.requests.append(f"{environ['REQUEST_METHOD']} {url}")
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer
