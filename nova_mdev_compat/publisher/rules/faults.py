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

"""What is wrong with a rule, and where."""

from __future__ import annotations

from collections.abc import Iterable
import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class RuleFault:
    """One fault of a rule file.

    :param file: path of the file, or of a folder that cannot be read.
    :param line: counted from 1; 0 where the fault is the whole file's.
    :param rule: name of the rule; None where there is none, or it cannot be
        read.
    :param message: what was found there and what would be right.
    """

    file: str
    line: int
    rule: str | None
    message: str

    def __str__(self) -> str:
        place = f'{self.file}:{self.line}' if self.line else self.file
        rule = '' if self.rule is None else f'rule {self.rule}: '
        return f'{place}: {rule}{self.message}'


class InvalidRule(ValueError):
    """A rule gives no valid document; `faults` holds all that was found."""

    def __init__(self, faults: Iterable[RuleFault]) -> None:
        self.faults: tuple[RuleFault, ...] = tuple(faults)
        super().__init__('; '.join(str(fault) for fault in self.faults))
