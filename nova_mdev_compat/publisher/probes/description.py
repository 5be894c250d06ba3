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


"""The text that a driver gives to describe an mdev type.

NVIDIA writes `num_heads=4, frl_config=60, framebuffer=2048M, ...` on one
line, Intel GVT-g `low_gm_size: 128MB` and so on, a line each; others write
prose.  Documentation/driver-api/vfio-mediated-device.rst leaves it open.
"""

from __future__ import annotations

import re

from nova_mdev_compat.publisher.facts import Fact

#: As many parts are read, and parts of as many characters.
MAX_PARTS = 32
MAX_VALUE = 255

_KEY = re.compile(r'[A-Za-z][A-Za-z0-9_ -]{0,62}')
_INTEGER = re.compile('-?(0|[1-9][0-9]{0,17})')


def parts(text: str) -> dict[str, Fact]:
    """The `key=value` and `key: value` parts of a description.

    Keys are in lower case with `_` for spaces and dashes, integers are
    integers.  The first of equal keys counts; what is no part is left out.
    """
    found: dict[str, Fact] = {}
    for part in re.split(r'[,\n]', text[:MAX_PARTS * 512], maxsplit=512):
        key, value = _part(part)
        if key and value and len(found) < MAX_PARTS:
            found.setdefault(key, _value(value))
    return found


def _part(text: str) -> tuple[str, str]:
    place = re.search('[=:]', text)
    if place is None:
        return '', ''
    key = text[:place.start()].strip()
    value = text[place.end():].strip()
    if not _KEY.fullmatch(key) or len(value) > MAX_VALUE:
        return '', ''
    return re.sub('[ -]+', '_', key.lower()), value


def _value(text: str) -> Fact:
    return int(text) if _INTEGER.fullmatch(text) else text
