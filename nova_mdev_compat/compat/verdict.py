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

"""The answer to: does this destination accept that source?"""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_mdev_compat.compat.document import Created
from nova_mdev_compat.compat.variables import Bindings


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """Why a destination says no, in one field.

    :param code: for a program: `device-api`, `mdev-type`, `version`,
        `bus-fact`, `attribute`, `create`, `level` or `accepts-nothing`.
    :param pointer: JSON pointer of the field inside the source's `self`, or
        empty where the reason is no field's.
    :param entry: index of the entry that came closest, None for no entry.
    :param source: the source's value, as JSON has it; None: it has none.
    :param wanted: what the entry accepts, in words.
    :param message: the whole reason, in words.
    """

    code: str
    pointer: str
    entry: int | None
    source: Any
    wanted: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a device is accepted, by which entry, and why not.

    :param entry: index of the entry that matched, None when refused.
    :param variables: what the entry's variables stand for.
    :param create: the filled-in recipe; empty when refused.
    :param reasons: empty when accepted; else those of the closest entry.
    """

    accepted: bool
    entry: int | None = None
    variables: Bindings = dataclasses.field(default_factory=dict)
    create: Created = dataclasses.field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return self.accepted

    def as_json(self) -> Mapping[str, Any]:
        """The form that `check --format json` prints."""
        return {
            'accepted': self.accepted,
            'entry': self.entry,
            'variables': dict(self.variables),
            'create': self.create,
            'reasons': [reason.as_json() for reason in self.reasons],
        }
