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

"""The bodies of placement's answers, read as far as a bound."""

from __future__ import annotations

from collections.abc import Generator
import json
from typing import Any

import requests

from nova_mdev_compat.placement.errors import TooLong
from nova_mdev_compat.placement.errors import Unreachable

_PART = 65536


def read(response: requests.Response, what: str, limit: int) -> bytes:
    """The body of an answer that is streamed; its connection is free then.

    Parameters and errors are those of `parts`.
    """
    return b''.join(parts(response, what, limit))


def parts(response: requests.Response, what: str,
          limit: int) -> Generator[bytes, None, None]:
    """The same, part by part.

    :param what: what was asked, for the error.
    :param limit: in bytes.
    :raises TooLong: there is more. It is not read.
    :raises Unreachable: the answer broke off.
    """
    try:
        for part in response.iter_content(_PART):
            limit -= len(part)
            if limit < 0:
                raise TooLong(f'{what} answered too much to be read')
            yield part
    except requests.RequestException as error:
        raise Unreachable(f'{what} broke off: {error}') from error
    finally:
        response.close()


def parse(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object of a body.

    :raises Unreachable: it is none.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreachable(
            f'{what} answered what is not JSON: {error}') from error
    if not isinstance(answer, dict):
        raise Unreachable(f'{what} answered no JSON object')
    return answer
