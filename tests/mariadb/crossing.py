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

"""A way to placement on which somebody can be killed."""

from collections.abc import Callable
from http import server
import threading
from typing import Any

import fixtures
import requests

_PASSED_ON = ('X-Auth-Token', 'OpenStack-API-Version', 'Content-Type',
              'Accept')

#: Called with the number of a request, from 0, and whether placement has
#: answered it by now; returns whether it goes on.
At = Callable[[int, bool], bool]


class Crossing(fixtures.Fixture):
    """Passes requests on to placement, one at a time.

    :param endpoint: placement's.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.at: At = lambda number, answered: True
        #: What was asked, as 'GET /path?query'.
        self.requests: list[str] = []

    def _setUp(self) -> None:
        crossing = self

        class Handler(server.BaseHTTPRequestHandler):

            protocol_version = 'HTTP/1.1'

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    # The other end was killed.
                    self.close_connection = True

            def parse_request(self) -> bool:
                if not super().parse_request():
                    return False
                crossing.pass_on(self)
                # It has been answered.
                return False

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self.addCleanup(self._server.server_close)
        self.addCleanup(self._server.shutdown)
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()
        self.url = f'http://127.0.0.1:{self._server.server_port}'

    def pass_on(self, asked: server.BaseHTTPRequestHandler) -> None:
        number = len(self.requests)
        self.requests.append(f'{asked.command} {asked.path}')
        length = int(asked.headers.get('Content-Length') or 0)
        body = asked.rfile.read(length)
        if not self.at(number, False):
            raise ConnectionAbortedError('nobody waits for it')
        answer = requests.request(
            asked.command, self._endpoint + asked.path, data=body,
            headers={name: asked.headers[name] for name in _PASSED_ON
                     if name in asked.headers})
        if not self.at(number, True):
            raise ConnectionAbortedError('nobody waits for the answer')
        asked.send_response(answer.status_code)
        asked.send_header('Content-Length', str(len(answer.content)))
        asked.send_header('Content-Type',
                          answer.headers.get('Content-Type', ''))
        asked.end_headers()
        asked.wfile.write(answer.content)
