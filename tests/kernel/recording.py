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

from collections.abc import Iterator
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
class Case:
    """A verdict of a kernel, with the facts of both devices."""

    name: str
    source: Facts
    destination: Facts
    loaded: bool


def write(path: pathlib.Path, version: str,
          facts: Mapping[machines.Machine, Facts],
          verdicts: Mapping[machines.Pair, machines.Answer]) -> None:
    content = {
        'linux': version,
        'devices': {machine.file: dict(found)
                    for machine, found in facts.items()},
        'verdicts': [
            {'source': source.file, 'destination': destination.file,
             **answer.as_json()}
            for (source, destination), answer in verdicts.items()]}
    with path.open('w', encoding='utf-8') as file:
        file.write(_HEAD)
        yaml.safe_dump(content, file, sort_keys=False, allow_unicode=True)


def cases() -> Iterator[Case]:
    """Everything that was written down."""
    for path in sorted(FOLDER.glob('linux-*.yaml')):
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        devices = {name: _facts(found)
                   for name, found in content['devices'].items()}
        for verdict in content['verdicts']:
            source, destination = verdict['source'], verdict['destination']
            yield Case(
                f'Linux {content["linux"]}: {source} to {destination}',
                devices[source], devices[destination], verdict['loaded'])


def _facts(found: Mapping[str, Any]) -> Facts:
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in found.items()}
