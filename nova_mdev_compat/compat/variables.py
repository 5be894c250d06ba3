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

"""The variables of an entry: names for a bounded set of integers."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import TypeAlias

INT64_MIN, INT64_MAX = -2**63, 2**63 - 1

#: What the variables stand for, by name.
Bindings: TypeAlias = Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """An integer in a range or in a list; both bounds are inclusive.

    :param values: the list, or None for every integer of the range.
    """

    minimum: int
    maximum: int
    values: frozenset[int] | None = None

    @classmethod
    def of(cls, values: frozenset[int]) -> Variable:
        return cls(min(values), max(values), values)

    def __contains__(self, number: int) -> bool:
        if self.values is not None:
            return number in self.values
        return self.minimum <= number <= self.maximum

    def meets(self, low: int, high: int, step: int = 1) -> bool:
        """Whether it can be a multiple of `step` between low and high."""
        if self.values is not None:
            return any(low <= value <= high and value % step == 0
                       for value in self.values)
        first = -(-max(low, self.minimum) // step) * step
        return first <= min(high, self.maximum)
