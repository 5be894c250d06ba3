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

"""A placement in the test's own process, without a Nova.

The real WSGI application on SQLite. Two ways lead there: the project's client
comes with real requests over a URL that is intercepted, which are counted and
can be disturbed; the test itself goes straight in.
"""

from collections.abc import Callable
from collections.abc import Iterable
import json
import pathlib
import threading
from typing import Any
import uuid

import fixtures
from placement import deploy
from placement.tests.functional.fixtures import placement as upstream
import testtools
import webob
from wsgi_intercept import interceptor

from nova_mdev_compat.cmd import configuration
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline

TOKEN = 'admin'
VERSION = 'placement 1.39'
TIMEOUT = 30.0

#: Called before a request with method and path; what it returns is answered
#: in place of placement's answer.
Hook = Callable[[str, str], webob.Response | None]
#: Everything that is JSON.
Json = Any


class Placement(fixtures.Fixture):

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.hook: Hook | None = None
        # SQLite in memory has one connection.
        self._lock = threading.RLock()

    def _setUp(self) -> None:
        placement = self.useFixture(
            upstream.PlacementFixture(use_intercept=False))
        self._app = deploy.loadapp(placement.conf_fixture.conf)
        self.url = f'http://{uuid.uuid4()}/placement'
        intercept = interceptor.RequestsInterceptor(
            lambda: self._answer, url=self.url)
        intercept.install_intercept()
        self.addCleanup(intercept.uninstall_intercept)
        self.configuration = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'nova.conf')
        self.configuration.write_text(
            f'[placement]\nauth_type = admin_token\ntoken = {TOKEN}\n'
            f'endpoint = {self.url}\n')

    def client(self) -> Client:
        return configuration.connect([str(self.configuration)])

    def _answer(self, environ: dict[str, Any],
                start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = webob.Request(environ)
        path = request.path_qs.removeprefix('/placement')
        with self._lock:
            self.requests.append(f'{request.method} {path}')
            answer = self.hook(request.method, path) if self.hook else None
            chosen: Any = self._app if answer is None else answer
            found: Iterable[bytes] = chosen(environ, start_response)
            return list(found)

    # What the test does by itself; nothing of it is counted.

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """A request, which must succeed; returns the JSON of the answer."""
        status, answer = self.send(method, path, body)
        assert status < 300, answer
        return answer

    def send(self, method: str, path: str,
             body: Json = None) -> tuple[int, Json]:
        """Any request; returns the status and the JSON of the answer."""
        request = webob.Request.blank(path, method=method, headers={
            'X-Auth-Token': TOKEN, 'OpenStack-API-Version': VERSION})
        if body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = 'application/json'
        response = self.answer_directly(request)
        return response.status_int, response.json if response.body else None

    def answer_directly(self, request: webob.Request) -> webob.Response:
        with self._lock:
            return request.get_response(self._app)

    def make_provider(self, parent: str | None = None) -> str:
        """A new provider's UUID."""
        found = str(uuid.uuid4())
        self.call('POST', '/resource_providers', {
            'name': f'provider-{found}', 'uuid': found,
            'parent_provider_uuid': parent})
        return found

    def traits_of(self, provider: str) -> set[str]:
        return set(self.call(
            'GET', f'/resource_providers/{provider}/traits')['traits'])

    def custom_traits(self) -> set[str]:
        """All that anybody has made."""
        return set(self.call(
            'GET', '/traits?name=startswith:CUSTOM_')['traits'])

    def make_traits(self, *names: str) -> None:
        for name in names:
            self.call('PUT', f'/traits/{name}')

    def delete_traits(self, *names: str) -> None:
        for name in names:
            self.call('DELETE', f'/traits/{name}')

    def set_traits(self, provider: str, *names: str) -> None:
        """The provider's traits are these; they are made where missing."""
        self.make_traits(*(name for name in names
                           if name.startswith('CUSTOM_')))
        path = f'/resource_providers/{provider}/traits'
        self.call('PUT', path, {
            **self.call('GET', path), 'traits': sorted(names)})

    def add_traits(self, provider: str, *names: str) -> None:
        self.set_traits(provider, *self.traits_of(provider), *names)

    def publish(self, document: Document, *providers: str
                ) -> traits.TraitNames:
        """Body and marker, written by hand; no provider: the body alone."""
        names = traits.encode(document)
        self.make_traits(*names.chunks)
        for provider in providers:
            self.set_traits(provider, names.marker)
        return names


class PlacementTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger('nova_mdev_compat'))
        self.placement = self.useFixture(Placement())
        self.client = self.placement.client()
        self.addCleanup(self.settle)

    def settle(self) -> None:
        """Wait for what is asked for in the background."""
        for thread in threading.enumerate():
            if thread.name.startswith('mdev-compat '):
                thread.join(TIMEOUT)

    @property
    def deadline(self) -> Deadline:
        return Deadline(TIMEOUT)

    def restart(self) -> None:
        """Requests are counted from now on."""
        self.settle()
        self.placement.requests.clear()

    def assert_requests(
            self, *beginnings: str,
            passed_over: Callable[[str], bool] = lambda request: False
    ) -> None:
        """These, in this order, and no others since the last time."""
        self.settle()
        requests = [request for request in self.placement.requests
                    if not passed_over(request)]
        self.assertEqual(
            list(beginnings),
            [request[:len(beginning)] for request, beginning
             in zip(requests, beginnings)] + requests[len(beginnings):])
        self.restart()

    def asked(self, method: str, words: str = '') -> list[str]:
        return [request for request in self.placement.requests
                if request.startswith(f'{method} ') and words in request]

    def said(self, words: str) -> int:
        return sum(words in line for line in self.log.output.splitlines())


def once(hook: Callable[[], Any], method: str, words: str) -> Hook:
    """Before the first such request, or instead of it."""
    left = [hook]

    def before(asked: str, path: str) -> webob.Response | None:
        if left and asked == method and words in path:
            found = left.pop()()
            if isinstance(found, webob.Response):
                return found
        return None
    return before


def answer(status: int, detail: str) -> webob.Response:
    return webob.Response(json.dumps(
        {'errors': [{'status': status, 'detail': detail}]}), status,
        content_type='application/json', charset='utf-8')


def crowded(placement: Placement, documents: int) -> Hook:
    """Placement has the bodies of so many more documents than were made.

    Making them takes a request each.
    """
    letters = str.maketrans('0123456789', 'BCDEFGHIJK')
    more = [f'{traits.BODY_PREFIX}{str(number).translate(letters):A>26}_AAAA_'
            f'{index}_3_{"A" * 195}'
            for number in range(documents) for index in range(3)]
    questions = [f'/traits?name=startswith:{prefix}'
                 for prefix in (traits.PREFIX, traits.BODY_PREFIX)]

    def hook(method: str, path: str) -> webob.Response | None:
        if method != 'GET' or path not in questions:
            return None
        found = placement.call('GET', path)
        return webob.Response(json.dumps(
            {'traits': [*found['traits'], *more]}), 200,
            content_type='application/json', charset='utf-8')

    return hook


def document(number: int = 0, *compatible: Json, **more: Json) -> Document:
    """One of many documents; accepts its own kind by default."""
    device = {'device_api': 'vfio-pci', 'mdev_type': 'acme-t',
              'attributes': {'n': number, **more}}
    return loading.load(json.dumps({
        'format': 1, 'self': device, 'compatible': compatible or [{}]}))
