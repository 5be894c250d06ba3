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

"""Rules, ready to use: from a device's facts to its document."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.rules.faults import RuleFault


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """A device's document, and how it came about.

    :param document: ready to encode.
    :param plain: the same, as JSON has it.
    :param rules: names of the rules that had a say, in order; none where no
        rule knows the device.
    :param files: paths of the files that had a say, statements of facts and
        stages too.
    :param missing: the driver that no rule knows, or None.  The document
        then accepts an identical device under the identical driver release
        and nothing else.
    :param notes: what is not known and makes the document stricter or
        weaker than it could be, to be logged.
    :param doubts: faults of broken rules, or files, that would have had a
        say here, or may have had: nobody can know.  Who has published
        a document for the device leaves it there while a doubt's `rule` is
        not None, or its `file` is among the `files` of what was published.
    """

    document: Document
    plain: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    missing: str | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[RuleFault, ...] = ()


class RuleSet:
    """All rules of a host.  Immutable, so threads may share it."""

    def document(self, facts: Facts) -> Described:
        """The document of the device that has these facts.

        :raises InvalidRule: what a rule gives for these facts is no valid
            document.
        """
        raise NotImplementedError
