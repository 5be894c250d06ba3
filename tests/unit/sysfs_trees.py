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


"""Trees that stand for /sys: the captured one, and documented ones."""

import dataclasses
import pathlib
import tarfile
from typing import Any

import yaml

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Parent

DATA = pathlib.Path(__file__).parent / 'data'
CAPTURED = DATA / 'sysfs-linux-6.12-mtty-mdpy-mbochs.tar'


@dataclasses.dataclass(frozen=True)
class Documented:
    """A tree that is written from documentation, and what is in it."""

    name: str
    source: str
    tree: dict[str, dict[str, str]]
    parents: list[Parent]

    def build(self, root: pathlib.Path) -> pathlib.Path:
        build(self.tree, root)
        return root


def documented() -> dict[str, Documented]:
    with open(DATA / 'sysfs-documented.yaml', encoding='utf-8') as file:
        rows = yaml.safe_load(file)
    return {name: Documented(name, row['source'], row['tree'],
                             [_parent(*item)
                              for item in row['parents'].items()])
            for name, row in rows.items()}


def unpack_captured(root: pathlib.Path) -> pathlib.Path:
    with tarfile.open(CAPTURED) as archive:
        archive.extractall(root, filter='tar')
    return root


def build(tree: dict[str, dict[str, str]], root: pathlib.Path) -> None:
    """Make the directories, files and links of a description."""
    for directory, files in tree.items():
        path = root / directory
        path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if content.startswith('-> '):
                (path / name).symlink_to(content[3:])
            else:
                (path / name).write_text(content + '\n', encoding='utf-8')


def _parent(name: str, row: dict[str, Any]) -> Parent:
    types = {mdev_type: _facts(facts)
             for mdev_type, facts in row.pop('types', {}).items()}
    return Parent(name, _facts(row), types)


def _facts(row: dict[str, Any]) -> dict[str, Fact]:
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in row.items()}
