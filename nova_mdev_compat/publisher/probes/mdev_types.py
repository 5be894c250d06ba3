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


"""The types of mediated devices that a parent can make.

Read from `mdev_supported_types`, see
Documentation/driver-api/vfio-mediated-device.rst and
Documentation/ABI/testing/sysfs-bus-vfio-mdev of Linux.
"""

from __future__ import annotations

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.facts import ProbeFailed
from nova_mdev_compat.publisher.probes import description
from nova_mdev_compat.publisher.probes.tree import Tree

_DIRECTORY = 'mdev_supported_types'


def read(tree: Tree, parent: str) -> dict[str, Facts] | None:
    """Facts of each type by its name; None if the parent has gone away.

    :param parent: path of the parent in the tree.
    :raises ProbeFailed: the types of a parent that is there are not known.
    """
    names = tree.names(parent, _DIRECTORY)
    if names is None:
        if not tree.exists(parent):
            return None
        raise ProbeFailed(f'{tree.path(parent)}: it has no {_DIRECTORY}, '
                          'which every mdev parent has')
    types = {name: _type(tree, f'{parent}/{_DIRECTORY}/{name}')
             for name in names}
    return {name: facts for name, facts in types.items() if facts}


def _type(tree: Tree, path: str) -> Facts | None:
    """Facts of a type; None if it has gone away."""
    device_api = tree.text(path, 'device_api')
    if not device_api:
        if not tree.exists(path):
            return None
        raise ProbeFailed(f'{tree.path(path)}: it does not say its '
                          'device_api, which every type does')
    facts: dict[str, Fact] = {'device_api': device_api}
    name = tree.text(path, 'name')
    if name:
        facts['type.name'] = name
    facts.update(_description(tree.text(path, 'description')))
    facts.update(_instances(tree, path))
    return facts


def _description(text: str | None) -> dict[str, Fact]:
    if not text:
        return {}
    facts: dict[str, Fact] = {'type.description': text}
    for key, value in description.parts(text).items():
        facts[f'type.description.{key}'] = value
    return facts


def _instances(tree: Tree, path: str) -> dict[str, Fact]:
    """How many can be made and how many are, which change with use."""
    facts: dict[str, Fact] = {}
    available = tree.number(path, 'available_instances')
    if available is not None:
        facts['type.available_instances'] = available
    facts['type.instances'] = len(tree.names(path, 'devices') or ())
    return facts
