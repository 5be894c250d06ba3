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
import dataclasses
from typing import Any
from typing import NoReturn
from urllib import parse

from keystoneauth1 import adapter as ksa_adapter
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1 import loading
from oslo_config import cfg

from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import BadRequest
from nova_mdev_compat.placement.errors import Conflict
from nova_mdev_compat.placement.errors import Misconfigured
from nova_mdev_compat.placement.errors import NotFound
from nova_mdev_compat.placement.errors import UnexpectedAnswer
from nova_mdev_compat.placement.errors import Unreachable

GROUP = 'placement'
#: The first with `required=in:`: Yoga (2022.1).
MICROVERSION = '1.39'
_SERVICE_TYPE = 'placement'
_CONCURRENT = 'concurrently updated'
_MAX_DETAIL = 300


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
               associated: bool = False) -> list[str]:
        """Names of the traits that begin with a prefix, checked here.

        :param associated: only those that some provider carries.
        """
        query = {'name': f'startswith:{prefix}'}
        if associated:
            query['associated'] = 'true'
        answer = self._get('/traits', query.items(), deadline)
        return [name for name in _strings(answer, 'traits')
                if name.startswith(prefix)]

    def providers(self, required: Sequence[str],
                  deadline: Deadline) -> list[str]:
        """UUIDs of the providers that fulfil every `required` term."""
        answer = self._get('/resource_providers',
                           [('required', term) for term in required],
                           deadline)
        return [_string(provider, 'uuid')
                for provider in _list(answer, 'resource_providers')]

    def root(self, provider: str, deadline: Deadline) -> str:
        """UUID of the root of a provider's tree."""
        return _string(
            self._get(f'/resource_providers/{provider}', (), deadline),
            'root_provider_uuid')

    def provider_traits(self, provider: str,
                        deadline: Deadline) -> ProviderTraits:
        """A provider's traits and generation."""
        answer = self._get(
            f'/resource_providers/{provider}/traits', (), deadline)
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

    def put_provider_traits(self, provider: str, traits: Iterable[str],
                            generation: int, deadline: Deadline) -> None:
        """Replaces a provider's traits, all of them.

        :raises Conflict: the provider has another generation by now.
        """
        self._send('PUT', f'/resource_providers/{provider}/traits', deadline,
                   json={'traits': sorted(traits),
                         'resource_provider_generation': generation})

    def _get(self, path: str, query: Iterable[tuple[str, str]],
             deadline: Deadline) -> dict[str, Any]:
        encoded = parse.urlencode(list(query), safe=':,!')
        url = f'{path}?{encoded}' if encoded else path
        response = self._send('GET', url, deadline)
        try:
            answer = response.json()
        except ValueError as error:
            raise Unreachable(
                f'GET {path} answered what is not JSON: {error}') from error
        if not isinstance(answer, dict):
            raise Unreachable(f'GET {path} answered no JSON object')
        return answer

    def _send(self, method: str, url: str, deadline: Deadline,
              **kwargs: Any) -> Any:
        try:
            response = self._adapter.request(
                url, method, raise_exc=False, microversion=MICROVERSION,
                timeout=deadline.remaining(),
                headers={'Accept': 'application/json'}, **kwargs)
        except ksa_exceptions.ClientException as error:
            raise Unreachable(f'{method} {_path(url)}: {error}') from error
        if response.status_code >= 400:
            _refuse(method, _path(url), response)
        return response


def _refuse(method: str, path: str, response: Any) -> NoReturn:
    status = response.status_code
    detail = _detail(response)
    kind = {400: BadRequest, 404: NotFound, 409: Conflict}.get(
        status, UnexpectedAnswer)
    if status == 500 and _CONCURRENT in detail:
        kind = Conflict
    raise kind(method, path, status, detail)


def _detail(response: Any) -> str:
    try:
        return str(response.json()['errors'][0]['detail']).strip()
    except (ValueError, LookupError, TypeError):
        return str(response.text)[:_MAX_DETAIL].strip()


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
