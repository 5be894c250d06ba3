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

"""Taking a provider's marker off: the provider is unpublished again."""

from __future__ import annotations

import tenacity

from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.deadline import Deadline
from nova_mdev_compat.placement.errors import Conflict

_ATTEMPTS = 12
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 3.0


def withdraw(client: Client, provider: str,
             deadline: Deadline) -> tuple[str, ...]:
    """Takes every marker of this format off a provider.

    The document's body stays: other providers may carry it, and whoever
    collects bodies knows. Other traits are left as they are.

    :returns: the digests of the markers that were there.
    :raises NotFound: the provider is not there.
    :raises Conflict: others kept writing the provider.
    :raises PlacementError: placement could not be read or written.
    """
    for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Conflict),
            wait=tenacity.wait_random_exponential(_FIRST_WAIT,
                                                  _LONGEST_WAIT),
            stop=tenacity.stop_after_attempt(_ATTEMPTS), reraise=True):
        with attempt:
            return _withdraw_once(client, provider, deadline)
    raise AssertionError('tenacity returned without an answer')


def _withdraw_once(client: Client, provider: str,
                   deadline: Deadline) -> tuple[str, ...]:
    current = client.provider_traits(provider, deadline)
    markers = {name: digest for name in current.traits
               for digest in [traits.read_marker(name)] if digest is not None}
    if markers:
        client.put_provider_traits(provider, {*current.traits} - {*markers},
                                   current.generation, deadline)
    return tuple(sorted(markers.values()))
