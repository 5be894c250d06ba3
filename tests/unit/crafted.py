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

"""Trait names that are crafted by hand, as another encoder might."""

from collections.abc import Sequence
import hashlib
import json
import random
import string
from typing import Any
import zlib

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document

#: The example of the document format's description.
EXAMPLE: dict[str, Any] = {
    'format': 1,
    'self': {
        'device_api': 'vfio-pci',
        'mdev_type': 'acme-type_x1',
        'software_version': '1.3.0',
        'vfio-pci': {'vendor': '10de', 'device': '2235'},
        'attributes': {'aggregation': 1, 'ecc': True,
                       'features': ['codec', 'compute']},
    },
    'compatible': [
        {},
        {
            'variables': {'aggr': {'minimum': 2, 'maximum': 8}},
            'attributes': {'aggregation': '${aggr}'},
            'create': {'attributes': {'aggregation': '${aggr}'}},
        },
        {
            'variables': {'aggr': {'enum': [2, 4, 8]}},
            'mdev_type': 'acme-type_x${aggr}',
            'software_version': {'minimum': '1.1', 'maximum': '1.3'},
            'create': {'mdev_type': 'acme-type_x1',
                       'attributes': {'aggregation': '${aggr}'}},
        },
    ],
}

#: Characters of a chunk in crafted names: any that fit.
CHUNK = 190


def load(value: Any) -> Document:
    return loading.load(json.dumps(value))


def device(**attributes: Any) -> dict[str, Any]:
    """A document of a device with attributes."""
    return {'format': 1, 'compatible': [{}], 'self': {
        'device_api': 'vfio-pci', 'mdev_type': 'acme-t',
        'attributes': attributes}}


def incompressible(size: int) -> dict[str, Any]:
    """A document whose canonical form has so many bytes, all of them hard to
    compress.
    """
    chance = random.Random(7)
    letters = string.printable[:94].replace('"', '').replace('\\', '')
    attributes: dict[str, Any] = {}
    while True:
        missing = size - len(canonical.canonical(device(**attributes)))
        if not missing:
            return device(**attributes)
        name = ''.join(chance.choices(letters, k=5))
        # ,"name":"value", and an attribute more is 11 bytes at least.
        length = min(255, missing - 11)
        if 0 < missing - 11 - length < 12:
            length -= 12
        attributes[name] = ''.join(chance.choices(letters, k=length))


def deflate(form: bytes, level: int = 9) -> bytes:
    compressor = zlib.compressobj(
        level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY,
        dictionary.FORMAT_1)
    return compressor.compress(form) + compressor.flush()


def body(data: bytes) -> str:
    """The mark of compressed bytes in the names of their chunks."""
    return canonical.base32(hashlib.sha256(data).digest())[:4]


def name(digest: str, mark: str, index: int | str, count: int | str,
         chunk: str) -> str:
    return f'CUSTOM_MDEV_COMPAT1_DOC_{digest}_{mark}_{index}_{count}_{chunk}'


def names(data: bytes, digest: str, text: str | None = None,
          size: int = CHUNK) -> list[str]:
    """The chunks of a body.

    :param text: the base32 text, where it is not that of the data.
    """
    text = canonical.base32(data) if text is None else text
    chunks = [text[start:start + size]
              for start in range(0, len(text), size)]
    return [name(digest, body(data), index, len(chunks), chunk)
            for index, chunk in enumerate(chunks)]


def names_of(form: bytes, level: int = 9) -> tuple[Sequence[str], str]:
    """Chunks of any bytes, with the digest that is right for them."""
    digest = canonical.digest(form)
    return names(deflate(form, level), digest), digest


def published(value: Any) -> traits.TraitNames:
    return traits.encode(load(value))
