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

"""Requests to placement: one method for each question that we ask.

Source of the paths and their answers: the placement API reference, at the
microversion named here.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
import contextlib
import dataclasses
import json
from typing import Any
from typing import NoReturn
from urllib import parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading
from oslo_config import cfg

from nova_mdev_compat.placement import bodies
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import Misconfigured
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement.errors import UnexpectedAnswer
from nova_mdev_compat.placement.errors import Unreachable
from nova_mdev_compat.placement.members import members

GROUP = 'placement'
#: The first with `required=in:`: Yoga (2022.1).
MICROVERSION = '1.39'
_SERVICE_TYPE = 'placement'
# What the detail of a 500 says when a race was lost inside placement: its own
# words, and those of MariaDB, MySQL and PostgreSQL for a transaction that was
# chosen to lose, or that met a trait's being deleted.
_CONCURRENT = ('concurrently updated', 'Deadlock found', 'deadlock detected',
               'could not serialize access', 'foreign key constraint')
_MAX_DETAIL = 300
# Bytes of an answer that are read. A quarter of a million providers, or the
# traits of a table that placement itself can hardly serve; of what one
# provider or document should have, more than a hundred times as much.
_MAX_ANSWER = 128 << 20
# Some 800 bytes a provider, parsed one by one: 640,000 providers.
_MAX_PROVIDERS = 512 << 20
_MAX_TRAITS = 32 << 20
_MAX_ONE = 256 << 10


@dataclasses.dataclass(frozen=True, slots=True)
class Provider:
    """A resource provider.

    :param root: UUID of the root of its tree, which may be itself.
    """

    uuid: str
    name: str
    root: str


@dataclasses.dataclass(frozen=True, slots=True)
class ProviderTraits:
    """A provider's traits, with the generation of the same answer."""

    traits: tuple[str, ...]
    generation: int


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Registers what nova.conf's [placement] has, where Nova did not."""
    loading.register_session_conf_options(conf, GROUP)
    loading.register_auth_conf_options(conf, GROUP)
    loading.register_adapter_conf_options(conf, GROUP)
    # As Nova does.
    conf.set_default('service_type', _SERVICE_TYPE, group=GROUP)
    conf.set_default('valid_interfaces', ['internal', 'public'],
                     group=GROUP)


def load_adapter(conf: cfg.ConfigOpts) -> ksa_adapter.Adapter:
    """An adapter with the credentials of the [placement] group.

    :raises Misconfigured: the group does not say how to authenticate.
    """
    try:
        auth = loading.load_auth_from_conf_options(conf, GROUP)
        session = loading.load_session_from_conf_options(
            conf, GROUP, auth=auth)
        return loading.load_adapter_from_conf_options(
            conf, GROUP, session=session, auth=auth)
    except (ksa_exceptions.ClientException, cfg.Error) as error:
        raise Misconfigured(
            f'the options of [{GROUP}] give no access: {error}') from error


def make_adapter(session: Any, region_name: str | None = None,
                 interface: str | None = None,
                 endpoint: str | None = None) -> ksa_adapter.Adapter:
    """An adapter for a session that somebody else has opened.

    :param session: keystoneauth's.
    :param endpoint: of placement; None: the service catalogue has it.
    """
    return ksa_adapter.Adapter(
        session, service_type=_SERVICE_TYPE, region_name=region_name,
        interface=interface, endpoint_override=endpoint)


class Client:
    """Placement, as far as we need it. Threads may share it.

    :param adapter: says where placement is and who asks.
    """

    def __init__(self, adapter: ksa_adapter.Adapter) -> None:
        self._adapter = adapter

    def traits(self, prefix: str, deadline: Deadline,
               associated: bool = False, many: bool = False) -> list[str]:
        """Names of the traits that begin with a prefix, checked here.

        :param associated: only those that some provider carries.
        :param many: the prefix is not that of one document or label.
        :raises TooLong: there are too many.
        """
        query = {'name': f'startswith:{prefix}'}
        if associated:
            query['associated'] = 'true'
        answer = self._get('/traits', query.items(), deadline,
                           _MAX_TRAITS if associated or many else _MAX_ONE)
        return [name for name in _strings(answer, 'traits')
                if name.startswith(prefix)]

    def providers(self, required: Sequence[str], deadline: Deadline,
                  in_tree: str | None = None) -> list[str]:
        """UUIDs of the providers that fulfil every `required` term.

        :param in_tree: only those of the tree that this one is in, by UUID.
        """
        path = '/resource_providers'
        query = [('required', term) for term in required]
        if in_tree is not None:
            query.append(('in_tree', in_tree))
        response = self._open('GET', _url(path, query), deadline)
        with contextlib.closing(bodies.parts(
                response, f'GET {path}', _MAX_PROVIDERS)) as parts:
            return [_string(provider, 'uuid') for provider in members(
                parts, f'GET {path}', 'resource_providers')]

    def tree(self, provider: str, deadline: Deadline) -> list[Provider]:
        """The providers of the tree that one is in, by UUID; none where
        placement does not know it.
        """
        return self._providers([('in_tree', provider)], deadline)

    def named(self, name: str, deadline: Deadline) -> list[Provider]:
        """The provider of a name, or none."""
        return self._providers([('name', name)], deadline)

    def root(self, provider: str, deadline: Deadline) -> str:
        """UUID of the root of a provider's tree."""
        return _string(
            self._get(f'/resource_providers/{provider}', (), deadline),
            'root_provider_uuid')

    def provider_traits(self, provider: str,
                        deadline: Deadline) -> ProviderTraits:
        """A provider's traits and generation.

        :raises TooLong: it has too many.
        """
        answer = self._get(f'/resource_providers/{provider}/traits', (),
                           deadline, _MAX_ONE)
        generation = answer.get('resource_provider_generation')
        if not isinstance(generation, int):
            raise Unreachable('placement answered without a generation')
        return ProviderTraits(tuple(_strings(answer, 'traits')), generation)

    def allocations(self, consumer: str,
                    deadline: Deadline) -> dict[str, dict[str, int]]:
        """What a consumer holds: amounts by class, by provider UUID."""
        answer = self._get(f'/allocations/{consumer}', (), deadline)
        return {provider: dict(_object(held, 'resources'))
                for provider, held
                in _object(answer, 'allocations').items()}

    def get(self, path: str, query: Iterable[tuple[str, str]],
            deadline: Deadline) -> dict[str, Any]:
        """The JSON object that placement answers to any other question."""
        return self._get(path, query, deadline)

    def put_trait(self, name: str, deadline: Deadline) -> None:
        """Makes a trait, unless it is there."""
        self._send('PUT', f'/traits/{name}', deadline)

    def delete_trait(self, name: str, deadline: Deadline) -> None:
        """Deletes a trait.

        :raises NotFound: it is not there.
        :raises Conflict: some provider carries it.
        """
        self._send('DELETE', f'/traits/{name}', deadline)

    def put_provider_traits(self, provider: str, traits: Iterable[str],
                            generation: int, deadline: Deadline) -> None:
        """Replaces a provider's traits, all of them.

        :raises Conflict: the provider has another generation by now.
        """
        self._send('PUT', f'/resource_providers/{provider}/traits', deadline,
                   json={'traits': sorted(traits),
                         'resource_provider_generation': generation})

    def _providers(self, query: Iterable[tuple[str, str]],
                   deadline: Deadline) -> list[Provider]:
        answer = self._get('/resource_providers', query, deadline)
        return [Provider(_string(found, 'uuid'), _string(found, 'name'),
                         _string(found, 'root_provider_uuid'))
                for found in _list(answer, 'resource_providers')]

    def _get(self, path: str, query: Iterable[tuple[str, str]],
             deadline: Deadline, limit: int = _MAX_ANSWER) -> dict[str, Any]:
        body = self._send('GET', _url(path, query), deadline, limit)
        return bodies.parse(body, f'GET {path}')

    def _send(self, method: str, url: str, deadline: Deadline,
              limit: int = _MAX_ONE, **kwargs: Any) -> bytes:
        """The answer's body."""
        response = self._open(method, url, deadline, **kwargs)
        return bodies.read(response, f'{method} {_path(url)}', limit)

    def _open(self, method: str, url: str, deadline: Deadline,
              **kwargs: Any) -> Any:
        """The answer, whose body is still to be read."""
        what = f'{method} {_path(url)}'
        try:
            response = self._request(method, url, deadline, **kwargs)
        except ksa_exceptions.ClientException as error:
            raise Unreachable(f'{what}: {error}') from error
        if response.status_code >= 400:
            _refuse(method, _path(url), response.status_code,
                    bodies.read(response, what, _MAX_ONE))
        return response

    def _request(self, method: str, url: str, deadline: Deadline,
                 **kwargs: Any) -> Any:
        def ask() -> Any:
            return self._adapter.request(
                url, method, raise_exc=False, microversion=MICROVERSION,
                timeout=deadline.remaining(), stream=True,
                headers={'Accept': 'application/json'}, **kwargs)
        try:
            return ask()
        except ksa_exceptions.ConnectTimeout:
            raise
        except ksa_exceptions.ConnectFailure:
            # A web server closes what was idle for some seconds, and it may
            # do so while we send: nothing is wrong with placement then.
            if method != 'GET':
                raise
            return ask()


def _refuse(method: str, path: str, status: int, body: bytes) -> NoReturn:
    detail = _detail(body)
    kind = {400: BadRequest, 404: NotFound, 409: Conflict}.get(
        status, UnexpectedAnswer)
    if status == 500 and any(words in detail for words in _CONCURRENT):
        kind = Conflict
    raise kind(method, path, status, detail)


def _detail(body: bytes) -> str:
    try:
        detail = str(json.loads(body)['errors'][0]['detail'])
    except (ValueError, LookupError, TypeError, RecursionError):
        detail = body[:_MAX_DETAIL].decode(errors='replace')
    # One line of a log.
    return ' '.join(detail.split())[:_MAX_DETAIL]


def _url(path: str, query: Iterable[tuple[str, str]]) -> str:
    encoded = parse.urlencode(list(query), safe=':,!')
    return f'{path}?{encoded}' if encoded else path


def _path(url: str) -> str:
    # A query can hold hundreds of traits: too much for a message.
    return url.partition('?')[0]


def _object(answer: Any, name: str) -> dict[str, Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise Unreachable(f'placement answered without an object "{name}"')
    return found


def _list(answer: Any, name: str) -> list[Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise Unreachable(f'placement answered without an array "{name}"')
    return found


def _string(answer: Any, name: str) -> str:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, str):
        raise Unreachable(f'placement answered without a string "{name}"')
    return found


def _strings(answer: Any, name: str) -> list[str]:
    found = _list(answer, name)
    if not all(isinstance(item, str) for item in found):
        raise Unreachable(f'placement answered no strings in "{name}"')
    return found
