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

"""The one version scheme that every vendor's release is written in."""

from __future__ import annotations

import dataclasses
import re

# ASCII digits only: \d would take every digit that Unicode knows.
_VERSION = re.compile(r'([0-9]+)\.([0-9]+)(?:\.([0-9]+))?')


class InvalidVersion(ValueError):
    """A text is not major.minor or major.minor.bugfix."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f'{text!r} is not a version: write major.minor or '
            f'major.minor.bugfix, decimal integers, such as "1.3.0"')


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A driver's release, relative to its mdev type or device API member.

    Leading zeros are read as the same number; NVIDIA writes 525.85.07.

    :raises InvalidVersion: the text has another form.
    """

    text: str
    major: int = dataclasses.field(init=False, compare=False)
    minor: int = dataclasses.field(init=False, compare=False)

    def __post_init__(self) -> None:
        found = _VERSION.fullmatch(self.text)
        if found is None:
            raise InvalidVersion(self.text)
        object.__setattr__(self, 'major', int(found[1]))
        object.__setattr__(self, 'minor', int(found[2]))

    @property
    def release(self) -> tuple[int, int]:
        """What decides: a bugfix release never changes the stream."""
        return self.major, self.minor

    def loads(self, source: Version) -> bool:
        """Whether a driver of this release loads what `source` saved."""
        return self.major == source.major and self.minor >= source.minor

    def __str__(self) -> str:
        return self.text
