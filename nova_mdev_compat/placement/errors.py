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

"""What can go wrong between us and placement."""

from __future__ import annotations


class PlacementError(Exception):
    """Placement could not be read or written."""


class Unreachable(PlacementError):
    """No answer: no endpoint, no connection, no token, out of time."""


class TooLong(Unreachable):
    """An answer that is longer than any that is meant well."""


class Misconfigured(PlacementError):
    """The options of the [placement] group give no access."""


class UnexpectedAnswer(PlacementError):
    """An answer that is not the one that was asked for.

    :param status: the HTTP status.
    :param detail: what placement says of it.
    """

    def __init__(self, method: str, url: str, status: int,
                 detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(f'{method} {url} answered {status}: {detail}')


class NotFound(UnexpectedAnswer):
    """The resource provider or trait is not there."""


class Conflict(UnexpectedAnswer):
    """Somebody else wrote first: read again, and write again.

    Placement answers 409 to a stale generation. A race that is lost inside
    placement comes out as a 500 that says "concurrently updated", or what the
    database says of a deadlock.
    """


class BadRequest(UnexpectedAnswer):
    """Placement refuses the request, such as one with an unknown trait."""
