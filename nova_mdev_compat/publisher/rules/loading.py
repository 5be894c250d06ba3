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

"""Rule files in folders: from there to a rule set."""

from __future__ import annotations

from collections.abc import Sequence
import dataclasses
from pathlib import Path

from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules.rule_set import RuleSet


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """What could be read of the rules.

    :param rule_set: without the broken rules.
    :param faults: everything that is wrong, to be told once.
    """

    rule_set: RuleSet
    faults: tuple[RuleFault, ...]


def shipped_folder() -> Path:
    """Where the rules are that come with the package."""
    raise NotImplementedError


def load(folders: Sequence[Path]) -> Loaded:
    """The rules of the `*.yaml` files of folders.

    :param folders: the shipped one first; what is read later replaces what
        was read before.  A folder that cannot be read is a fault.
    """
    raise NotImplementedError
