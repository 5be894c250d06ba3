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

"""What becomes of a thing that nobody uses, by what its tombstones say."""

from __future__ import annotations

from collections.abc import Iterable
import enum


class Fate(enum.Enum):
    """What happened to a document or a label that was not in use."""

    SEEN = 'seen for the first time'
    WAITING = 'in its grace period'
    COLLECTED = 'collected'
    USED_AGAIN = 'in use again'
    RESTORED = 'collected and put back: a provider got its marker meanwhile'


def due(seen: Iterable[int], now: float, grace: float) -> Fate:
    """What is due.

    :param seen: when it was seen unused; seconds since 1970, as all here.
    """
    # One of the future was left by a wrong clock and would wait for ever.
    since = min((one for one in seen if one <= now + 1), default=None)
    if since is None:
        return Fate.SEEN
    return Fate.COLLECTED if now - since >= grace else Fate.WAITING
