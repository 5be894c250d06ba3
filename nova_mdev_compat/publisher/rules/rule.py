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

"""A rule, a statement of facts, and a rule file: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import Any
from typing import get_args
from typing import Literal
from typing import TypeAlias

from nova_mdev_compat.compat.places import Path
from nova_mdev_compat.publisher.rules.conditions import AllOf
from nova_mdev_compat.publisher.rules.conditions import Condition
from nova_mdev_compat.publisher.rules.faults import RuleFault

#: How far a new attribute has come in a fleet.  `accept`: the device does
#: not have it, but sources that have it are accepted.  `publish`: the device
#: has it, and sources without it are accepted.  `require`: sources without
#: it are refused.
Stage: TypeAlias = Literal['accept', 'publish', 'require']

STAGES: tuple[Stage, ...] = get_args(Stage)

ALWAYS: Condition = AllOf(())


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Where in which file something stands.

    :param file: the file's path.
    :param path: the place inside the file.
    :param lines: lines of the file, from 1, by place.
    """

    file: str
    path: Path
    lines: Mapping[Path, int]

    def at(self, *inside: str | int) -> int:
        """The line of something inside, or of what would hold it."""
        path = (*self.path, *inside)
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the device.

    :param value: as the rule has it, facts not filled in.
    """

    value: Any
    stage: Stage


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """What devices are that fulfil a condition, and what they accept.

    :param adds_to: name of the rule that it adds to; None: it describes a
        device by itself.
    :param device: members of `self`, facts not filled in.
    :param compatible: entries, facts not filled in.
    :param origin: its file and place.
    """

    name: str
    origin: Origin
    description: str | None = None
    source: str | None = None
    date: str | None = None
    enabled: bool = True
    adds_to: str | None = None
    when: Condition = ALWAYS
    device: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    attributes: Mapping[str, Attribute] = dataclasses.field(
        default_factory=dict)
    compatible: tuple[Mapping[str, Any], ...] = ()

    def fault(self, path: Path, message: str) -> RuleFault:
        """A fault of a place inside the rule."""
        return RuleFault(self.origin.file, self.origin.at(*path), self.name,
                         message)


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """Facts that hold where a condition does: what no probe can see."""

    origin: Origin
    when: Condition
    facts: Mapping[str, Any]

    def fault(self, path: Path, message: str) -> RuleFault:
        """A fault of a place inside the statement."""
        return RuleFault(self.origin.file, self.origin.at(*path), None,
                         message)


@dataclasses.dataclass(frozen=True, slots=True)
class Broken:
    """A rule, or more, that could not be read.

    :param when: for which devices it would have had a say, as far as that
        can be read.
    :param name: of the rule, where that can be read.
    :param about: the rule that it adds to or changes: it has a say where
        that rule has.  None: it may have one anywhere.
    """

    faults: tuple[RuleFault, ...]
    when: Condition = ALWAYS
    name: str | None = None
    about: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class RuleFile:
    """What could be read of one rule file.

    :param stages: stage by rule and attribute.
    :param switches: whether a rule is enabled, by its name.
    :param lines: the line of each stage and each switch, by its key.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    statements: tuple[Statement, ...] = ()
    stages: Mapping[tuple[str, str], Stage] = dataclasses.field(
        default_factory=dict)
    switches: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    lines: Mapping[tuple[str, ...], int] = dataclasses.field(
        default_factory=dict)
    broken: tuple[Broken, ...] = ()
