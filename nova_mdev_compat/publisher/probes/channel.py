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


"""What sysfs says of s390's subchannels and of its crypto adapters.

See Documentation/ABI/testing/sysfs-bus-css,
Documentation/arch/s390/driver-model.rst and vfio-ap.rst of Linux.
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.probes.tree import Tree


def subchannel(tree: Tree, path: str, name: str) -> dict[str, Fact]:
    """Its type, and the type of its channel paths where they agree.

    :param name: the subchannel's, `0.0.0313`.
    """
    facts: dict[str, Fact] = {}
    kind = tree.number(path, 'type', base=16)
    if kind is not None:
        facts['ccw.subchannel_type'] = kind
    types = {tree.number(chpid, 'type', base=16)
             for chpid in _channel_paths(tree, path, name)}
    known = types.pop() if len(types) == 1 else None
    if known is not None:
        facts['ccw.chpid_type'] = known
    return facts


def _channel_paths(tree: Tree, path: str, name: str) -> Iterator[str]:
    """Paths in the tree of the channel paths that are installed."""
    css = name.partition('.')[0]
    ids = (tree.text(path, 'chpids') or '').split()
    masks = (tree.text(path, 'pimpampom') or '').split()
    installed = int(masks[0], 16) if masks else 0
    for index, chpid in enumerate(ids[:8]):
        if installed & (0x80 >> index):
            yield f'devices/css{css}/chp{css}.{chpid}'


def matrix(tree: Tree, path: str) -> dict[str, Fact]:
    """What the vfio_ap driver can do."""
    features = tuple(sorted(set((tree.text(path, 'features') or '').split())))
    return {'ap.features': features} if features else {}
