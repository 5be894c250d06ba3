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

"""The canonical form of a document, and the digest that names it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

MAX_CANONICAL = 8 * 1024
DIGEST_LENGTH = 26


def canonical(value: Any) -> bytes:
    """The canonical form of a JSON value without floats: as RFC 8785, but
    with members sorted by code point.

    :raises UnicodeEncodeError: a string holds half of a surrogate pair.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True,
                      separators=(',', ':')).encode('utf-8')


def digest(form: bytes) -> str:
    """The content address of a canonical form: 26 base32 characters."""
    return base32(hashlib.sha256(form).digest())[:DIGEST_LENGTH]


def base32(data: bytes) -> str:
    """RFC 4648 base32 without padding."""
    return base64.b32encode(data).decode('ascii').rstrip('=')
