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

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.rules.describing import Describer
from nova_mdev_compat.publisher.rules import fallback
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules.rule import Broken
from nova_mdev_compat.publisher.rules.rule import Rule
from nova_mdev_compat.publisher.rules.rule import RuleFile
from nova_mdev_compat.publisher.rules.rule import Stage
from nova_mdev_compat.publisher.rules.rule import Statement
from nova_mdev_compat.publisher.rules.values import Filler
from nova_mdev_compat.publisher.rules.values import Unusable


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """A device's document, and how it came about.

    :param document: ready to encode.
    :param plain: the same, as JSON has it.
    :param rules: names of the rules that had a say, in order; none where no
        rule knows the device.
    :param files: paths of the files that had a say, be it with statements of
        facts, with stages, or with a rule that they disable.
    :param missing: the driver that no rule knows, or None.  The document
        then accepts an identical device under the identical driver release
        and nothing else.
    :param notes: what is not known and makes the document stricter or
        weaker than it could be, to be logged.
    :param doubts: faults of broken rules, or files, that would have had a
        say here, or may have had: nobody can know.  Who has published a
        document for the device leaves it there while a doubt's `file` is
        among the `files` of what was published, or these are not known.
    """

    document: Document
    plain: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    missing: str | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[RuleFault, ...] = ()


class RuleSet:
    """All rules of a host.  Immutable, so threads may share it.

    What is read later stands before what was read earlier: a rule, or the
    stage of an attribute, of the same name; a statement of the same fact; and
    of several rules that know a device, the last describes it.

    :param files: in the order in which they were read.
    """

    def __init__(self, files: Iterable[RuleFile] = ()) -> None:
        files = tuple(files)
        self._order = {file.name: index for index, file in enumerate(files)}
        self._statements = tuple(
            statement for file in files for statement in file.statements)
        self._rules = _last_of_each_name(files)
        self._stages: dict[tuple[str, str], Stage] = {}
        self._stage_files: dict[tuple[str, str], str] = {}
        self._switches: dict[str, tuple[bool, str]] = {}
        for file in files:
            self._stages.update(file.stages)
            self._stage_files.update(
                dict.fromkeys(file.stages, file.name))
            self._switches.update({
                name: (enabled, file.name)
                for name, enabled in file.switches.items()})
        broken = [broken for file in files for broken in file.broken]
        broken += _cross_checks(files, self._rules, broken)
        self._broken = tuple(broken)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, disabled ones too, in the order of reading."""
        return tuple(self._rules.values())

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every statement of facts, in the order of reading."""
        return self._statements

    @property
    def faults(self) -> tuple[RuleFault, ...]:
        """Everything that is wrong, in the order of files and lines."""
        return tuple(sorted(
            {fault for broken in self._broken for fault in broken.faults},
            key=lambda fault: (self._order[fault.file], fault.line,
                               fault.message)))

    def is_enabled(self, rule: Rule) -> bool:
        """Whether the rule is used where its condition holds."""
        return self._switches.get(rule.name, (rule.enabled, ''))[0]

    def document(self, facts: Facts) -> Described:
        """The document of the device that has these facts.

        :raises InvalidRule: what a rule gives for these facts is no valid
            document.
        """
        files: dict[str, None] = {}
        known = self._state(facts, files)
        rules = self._matching(known, files)
        missing = None if rules else fallback.driver(known)
        description = Describer(known, rules, self._stages).describe() \
            if rules else fallback.describe(known)
        self._add_files(rules, files)
        return Described(
            description.document, description.plain,
            tuple(rule.name for rule in rules), tuple(files), missing,
            description.notes, tuple(self._doubts(known, rules)))

    def _state(self, facts: Facts, files: dict[str, None]) -> Facts:
        """The facts, and what statements add; a later one sees them."""
        known: dict[str, Fact] = dict(facts)
        for statement in self._statements:
            if statement.when.holds(known):
                known.update(_stated(statement, known))
                files[statement.origin.file] = None
        return known

    def _matching(self, known: Facts,
                  files: dict[str, None]) -> tuple[Rule, ...]:
        """The rule that describes the device, then those that add to it."""
        holding = []
        for rule in self._rules.values():
            if not rule.when.holds(known):
                continue
            if self.is_enabled(rule):
                holding.append(rule)
            elif rule.name in self._switches:
                files[self._switches[rule.name][1]] = None
        bases = [rule for rule in holding if rule.adds_to is None]
        if not bases:
            return ()
        return (bases[-1], *(rule for rule in holding
                             if rule.adds_to == bases[-1].name))

    def _add_files(self, rules: tuple[Rule, ...],
                   files: dict[str, None]) -> None:
        for rule in rules:
            files[rule.origin.file] = None
            if rule.name in self._switches:
                files[self._switches[rule.name][1]] = None
            for name in rule.attributes:
                if (rule.name, name) in self._stage_files:
                    files[self._stage_files[rule.name, name]] = None

    def _doubts(self, known: Facts,
                rules: tuple[Rule, ...]) -> Iterator[RuleFault]:
        names = {rule.name for rule in rules}
        for broken in self._broken:
            if broken.when.holds(known) and (
                    broken.about is None or broken.about in names):
                yield from broken.faults


def _stated(statement: Statement, known: Facts) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for name, value in statement.facts.items():
        try:
            filled = Filler(known).value(value)
        except Unusable as error:
            raise InvalidRule([statement.fault(('facts', name), str(error))]
                              ) from error
        if filled is not None:
            found[name] = tuple(filled) if isinstance(filled, list) \
                else filled
    return found


def _last_of_each_name(files: tuple[RuleFile, ...]) -> dict[str, Rule]:
    """Rules by name, where the last one read stands.

    A broken rule replaces what it names, too: what it was to replace would
    come back otherwise.
    """
    found: dict[str, Rule] = {}
    for file in files:
        for broken in file.broken:
            if broken.name is not None:
                found.pop(broken.name, None)
        for rule in file.rules:
            found.pop(rule.name, None)
            found[rule.name] = rule
    return found


def _cross_checks(files: tuple[RuleFile, ...], rules: Mapping[str, Rule],
                  broken: list[Broken]) -> Iterator[Broken]:
    """What names a rule that is not there, or one of another kind."""
    lost = {item.name for item in broken}
    for rule in rules.values():
        if rule.adds_to is None or rule.adds_to in lost:
            continue
        other = rules.get(rule.adds_to)
        if other is None or other.adds_to is not None:
            why = 'no rule has that name' if other is None else \
                f'that one adds to {other.adds_to} itself'
            yield Broken((rule.fault(
                ('adds_to',), f'it adds to {rule.adds_to}, but {why}'),),
                rule.when, rule.name)
    for file in files:
        for name in file.switches.keys() - rules.keys() - lost:
            yield Broken((RuleFault(
                file.name, file.lines[name,], None,
                f'no rule is called {name}'),))
        for key in file.stages:
            if key[0] not in lost and (
                    key[0] not in rules
                    or key[1] not in rules[key[0]].attributes):
                why = f'the rule {key[0]} has no attribute {key[1]}' \
                    if key[0] in rules else f'no rule is called {key[0]}'
                yield Broken((RuleFault(file.name, file.lines[key], None,
                                        why),), about=key[0])
