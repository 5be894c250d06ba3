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

"""The cases of the shipped rules, read from tests/rule_cases.

The format is described in tests/rule_cases/README.rst.
"""

from collections.abc import Iterator
import dataclasses
import functools
import pathlib
from typing import Any

import yaml

from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.rules import loading
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule_set import RuleSet

DIRECTORY = pathlib.Path(__file__).parents[1] / 'rule_cases'


@dataclasses.dataclass(frozen=True)
class Case:
    """A case with the facts of the devices that it names.

    :param content: as the file has it.
    """

    theme: str
    content: dict[str, Any]
    devices: dict[str, Facts]

    def __str__(self) -> str:
        names = ' to '.join(self.content[name] for name in (
            'device', 'source', 'destination') if name in self.content)
        extra = ' '.join(self.content.get('enable', ()))
        return f'{self.theme}: {names} {extra}'.strip()

    def facts(self, role: str) -> Facts:
        return self.devices[self.content[role]]

    @property
    def rule_set(self) -> RuleSet:
        """The shipped rules, and what the case adds to them."""
        texts = []
        if 'enable' in self.content:
            texts.append(yaml.safe_dump({'enable': self.content['enable']}))
        texts.append(self.content.get('operator', ''))
        return rule_set(*filter(None, texts))


@functools.cache
def shipped() -> tuple[Any, ...]:
    return tuple(loading.read_file(path) for path in sorted(
        loading.shipped_folder().glob('*.yaml')))


@functools.cache
def rule_set(*texts: str) -> RuleSet:
    """The shipped rules, and rule files of an operator."""
    found = RuleSet((*shipped(), *(
        reading.read(f'operator-{index}.yaml', text.encode())
        for index, text in enumerate(texts))))
    if found.faults:
        raise AssertionError('; '.join(map(str, found.faults)))
    return found


@functools.cache
def themes() -> dict[str, dict[str, Any]]:
    return {path.stem: yaml.safe_load(path.read_text(encoding='utf-8'))
            for path in sorted(DIRECTORY.glob('*.yaml'))}


def cases(member: str) -> Iterator[Case]:
    for name, theme in themes().items():
        devices = {device: facts_of(theme['devices'], device)
                   for device in theme['devices']}
        for content in theme[member]:
            yield Case(name, content, devices)


def facts_of(devices: dict[str, Any], name: str) -> Facts:
    own = dict(devices[name])
    base = facts_of(devices, own.pop('of')) if 'of' in own else {}
    found = {**base, **own}
    return {fact: tuple(value) if isinstance(value, list) else value
            for fact, value in found.items() if value is not None}
