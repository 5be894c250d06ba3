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

"""What was seen, written down for tests that have no kernel."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import pathlib
from typing import Any

import yaml

from nova_mdev_compat.publisher.facts import Facts
from tests.kernel import machines

FOLDER = pathlib.Path(__file__).parent / 'recorded'
_HEAD = """\
# What kernels said, and the facts that the publisher found under them.
# Written by `tox -e kernel -- --record FILE`.
"""


@dataclasses.dataclass(frozen=True)
class Recording:
    """The verdicts of one kernel, and the facts of the machines.

    :param version: of the kernel source's package.
    """

    version: str
    facts: Mapping[machines.Machine, Facts]
    verdicts: Mapping[machines.Pair, machines.Answer]


def write(path: pathlib.Path, recording: Recording) -> None:
    content = {
        'linux': recording.version,
        'devices': {machine.file: dict(facts)
                    for machine, facts in recording.facts.items()},
        'verdicts': [
            {'source': source.file, 'destination': destination.file,
             **answer.as_json()}
            for (source, destination), answer in recording.verdicts.items()]}
    with path.open('w', encoding='utf-8') as file:
        file.write(_HEAD)
        yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)


def read(path: pathlib.Path) -> Recording:
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    by_file = {machine.file: machine for machine in machines.MACHINES}
    return Recording(
        content['linux'],
        {by_file[name]: _facts(found)
         for name, found in content['devices'].items()},
        {(by_file[one['source']], by_file[one['destination']]): _answer(one)
         for one in content['verdicts']})


def recordings() -> list[Recording]:
    """Everything that was written down."""
    return [read(path) for path in sorted(FOLDER.glob('linux-*.yaml'))]


def _facts(found: Mapping[str, Any]) -> Facts:
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in found.items()}


def _answer(said: Mapping[str, Any]) -> machines.Answer:
    return machines.Answer(said['loaded'], said.get('bytes', 0),
                           said.get('at', ''), said.get('error', ''))
