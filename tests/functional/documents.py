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

"""Compatibility documents for the tests."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from tests.functional import hosts

#: Accepts its own kind.
OWN_KIND: Sequence[Mapping[str, Any]] = ({},)


def document(
    mdev_type: str = hosts.TYPE_A,
    version: str | None = '1.2.0',
    compatible: Sequence[Mapping[str, Any]] = OWN_KIND,
    **attributes: Any,
) -> dict[str, Any]:
    """A document of format 1, of an nvidia-like pGPU."""
    device: dict[str, Any] = {
        'device_api': 'vfio-pci', 'mdev_type': mdev_type}
    if version is not None:
        device['software_version'] = version
    if attributes:
        device['attributes'] = attributes
    return {'format': 1, 'self': device,
            'compatible': [dict(entry) for entry in compatible]}


def published(mdev_type: str = hosts.TYPE_A, *arguments: Any, **more: Any,
              ) -> hosts.PGpu:
    """A pGPU that makes a type and has a document of it."""
    return hosts.PGpu(mdev_type, document(mdev_type, *arguments, **more))
