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

"""Writing documents into the placement of a test, as an operator might.

The only place in these tests that knows how the project encodes a document.
"""

from collections.abc import Mapping
import json
from typing import Any

from nova.tests.functional import fixtures as nova_fixtures

from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits

_VERSION = '1.6'


def trait_names(document: Mapping[str, Any]) -> traits.TraitNames:
    """The marker and the chunks of a document."""
    return traits.encode(loading.load(json.dumps(document)))


class Publication:
    """Puts documents on resource providers, through the HTTP API."""

    def __init__(self, api: nova_fixtures.PlacementApiClient) -> None:
        self._api = api

    def publish(self, uuid: str, document: Mapping[str, Any]) -> str:
        """Write the chunks, then the marker; return the marker."""
        names = trait_names(document)
        self.write_traits(*names.chunks)
        self.mark(uuid, names.marker)
        return names.marker

    def write_traits(self, *names: str) -> None:
        for name in names:
            response = self._api.put('/traits/' + name, {}, version=_VERSION)
            assert response.status in (201, 204), response.body

    def mark(self, uuid: str, *markers: str) -> None:
        """Put markers on a provider; its other traits stay."""
        self.write_traits(*markers)
        url = '/resource_providers/%s/traits' % uuid
        body = self._api.get(url, version=_VERSION).body
        body['traits'] = sorted({*body['traits'], *markers})
        response = self._api.put(url, body, version=_VERSION)
        assert response.status == 200, response.body
