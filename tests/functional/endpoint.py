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

"""The placement endpoint that nova.conf names, and who asks what there."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import socket
import threading
from typing import Any

import fixtures
from keystoneauth1 import loading as ks_loading
import nova.conf
from nova.tests.functional import fixtures as nova_fixtures
from oslo_utils import uuidutils
from placement import deploy
from wsgi_intercept import interceptor

#: Answers for placement: from a path, status and body; or None to pass on.
Fault = Callable[[str], tuple[str, bytes] | None]

Environ = dict[str, Any]


class FilterEndpoint(fixtures.Fixture):
    """A second URL of the test's placement, for the filter alone.

    Nova's PlacementFixture takes over the methods of Nova's own report client
    and talks to the placement application through wsgi-intercept.  So does
    this one, at a URL of its own which it writes into ``[placement]`` as
    ``auth_type = admin_token``: whoever loads a keystoneauth session from
    nova.conf reaches the same application with real requests, and nobody but
    the filter comes this way, which makes its requests countable.
    """

    def __init__(self, placement: nova_fixtures.PlacementFixture) -> None:
        self._placement = placement
        self._thread = threading.local()
        self.requests: list[str] = []
        self.fault: Fault | None = None

    def _setUp(self) -> None:
        # The very configuration and database of Nova's fixture.
        self._app = deploy.loadapp(self._placement.conf_fixture.conf)
        self.url = 'http://%s/placement' % uuidutils.generate_uuid()
        intercept = interceptor.RequestsInterceptor(
            lambda: self._answer, url=self.url)
        intercept.install_intercept()
        self.addCleanup(intercept.uninstall_intercept)
        configure(self.url, self._placement.token)

    @property
    def answering(self) -> bool:
        """Whether this thread is now inside placement."""
        return getattr(self._thread, 'inside', False)

    def _answer(
        self, environ: Environ, start_response: Callable[..., Any],
    ) -> Iterable[bytes]:
        url = environ['PATH_INFO']
        if environ.get('QUERY_STRING'):
            url += '?' + environ['QUERY_STRING']
        self.requests.append('%s %s' % (environ['REQUEST_METHOD'], url))
        fault = self.fault(url) if self.fault else None
        if fault is not None:
            status, body = fault
            start_response(status, [('Content-Type', 'application/json')])
            return [body]
        with self._inside():
            return list(self._app(environ, start_response))

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        self._thread.inside = True
        try:
            yield
        finally:
            self._thread.inside = False


def configure(url: str, token: str = 'admin') -> None:
    """Write a placement endpoint into the [placement] group."""
    conf = nova.conf.CONF
    conf.register_opts(ks_loading.get_auth_plugin_conf_options('admin_token'),
                       group='placement')
    for name, value in (('auth_type', 'admin_token'), ('token', token),
                        ('endpoint', url), ('endpoint_override', url)):
        conf.set_override(name, value, group='placement')


class Deaf(fixtures.Fixture):
    """An endpoint where nobody listens: the port is taken, not served."""

    def _setUp(self) -> None:
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d/placement' % taken.getsockname()[1]
