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


"""The probe that reads /sys: it needs no library and knows every parent."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

from nova_mdev_compat.publisher.facts import Fact
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import ProbeFailed
from nova_mdev_compat.publisher.probes import channel
from nova_mdev_compat.publisher.probes import device
from nova_mdev_compat.publisher.probes import mdev_types
from nova_mdev_compat.publisher.probes import pci
from nova_mdev_compat.publisher.probes.tree import Tree
from nova_mdev_compat.publisher.probes import vendors

_MDEV_PARENTS = 'class/mdev_bus'


class SysfsProbe:
    """Every mdev parent and every PCI device of the host.

    :param root: a directory that stands for /sys, or holds one called `sys`.
    """

    def __init__(self, root: str = '/sys') -> None:
        self._tree = Tree(root)

    def parents(self, known: Mapping[str, Parent]) -> list[Parent]:
        """All of them, read at once.

        :param known: not looked at.
        :raises ProbeFailed: a directory or a file that must be known cannot
            be read. One parent's does not count against the others.
        """
        if not self._tree.exists('class'):
            raise ProbeFailed(f'{self._tree.root}: it is not a sysfs, as it '
                              'has no directory class')
        scan = _Scan(self._tree)
        found = {parent.name: parent for parent in scan.pci_devices()}
        found.update((parent.name, parent) for parent in scan.mdev_parents())
        if scan.failures:
            raise ProbeFailed(_words(scan.failures), scan.failures, [
                parent for name, parent in found.items()
                if name not in scan.failures])
        return list(found.values())


def _words(failures: Mapping[str, str]) -> str:
    reasons = list(dict.fromkeys(failures.values()))
    more = len(reasons) - 1
    return reasons[0] + (f'; and {more} more like this' if more else '')


class _Scan:
    """One reading of the tree, which asks no physical function twice."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._host = _host_facts(tree)
        self._physical: dict[str, dict[str, Fact]] = {}
        #: Why a parent's facts are not known, by its name.
        self.failures: dict[str, str] = {}

    def pci_devices(self) -> Iterator[Parent]:
        return self._each(pci.DEVICES, self._pci_device)

    def mdev_parents(self) -> Iterator[Parent]:
        return self._each(_MDEV_PARENTS, self._mdev_parent)

    def _each(self, folder: str, read: Callable[[str, str], Parent | None]
              ) -> Iterator[Parent]:
        for name in self._tree.names(folder) or ():
            try:
                found = read(f'{folder}/{name}', name)
            except ProbeFailed as error:
                self.failures.setdefault(name, str(error))
                continue
            if found is not None:
                yield found

    def _pci_device(self, path: str, name: str) -> Parent | None:
        facts = self._facts(path, name)
        return Parent(name, facts) if 'pci.vendor' in facts else None

    def _mdev_parent(self, path: str, name: str) -> Parent | None:
        types = mdev_types.read(self._tree, path)
        return None if types is None else Parent(
            name, self._facts(path, name), types)

    def _facts(self, path: str, name: str) -> dict[str, Fact]:
        facts = {**self._host, **device.read(self._tree, path)}
        if facts['bus'] == 'pci':
            facts.update(self._pci(path, name))
        elif facts['bus'] == 'css':
            facts.update(channel.subchannel(self._tree, path, name))
        elif facts['bus'] == 'ap':
            facts.update(channel.matrix(self._tree, path))
        return facts

    def _pci(self, path: str, name: str) -> dict[str, Fact]:
        facts = pci.read(self._tree, path)
        facts.update(vendors.nvidia(self._tree, path))
        physical = facts.get('pci.physical_function')
        if isinstance(physical, str):
            facts.update(self._of_physical_function(physical))
        else:
            facts.update(vendors.firmware(self._tree, name))
        return facts

    def _of_physical_function(self, address: str) -> dict[str, Fact]:
        if address not in self._physical:
            self._physical[address] = {
                **vendors.physical_function(self._tree, address),
                **vendors.firmware(self._tree, address)}
        return self._physical[address]


def _host_facts(tree: Tree) -> dict[str, Fact]:
    """The kernel's release, from the /proc beside that /sys, if any."""
    release = tree.optional('..', 'proc', 'sys', 'kernel', 'osrelease')
    return {'kernel.release': release} if release else {}
