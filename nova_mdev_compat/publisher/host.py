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

"""From a host's configuration, devices and rules to what it publishes."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import pathlib

from oslo_log import log as logging

from nova_mdev_compat.codec import traits
from nova_mdev_compat.publisher import devices
from nova_mdev_compat.publisher import findings
from nova_mdev_compat.publisher.findings import Findings
from nova_mdev_compat.publisher.host_device import HostDevice
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from nova_mdev_compat.publisher import nova_conf
from nova_mdev_compat.publisher.nova_conf import HostConfiguration
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules.rule_set import Described
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from nova_mdev_compat.publisher import wording

LOG = logging.getLogger(__name__)

#: Stands for the host where no single provider can be named.
EVERYTHING = 'this host'


class Host:
    """Finds out, again and again, what a host's providers are to carry.

    What nova-compute reads once, at its start, is read once here too.

    :param config_files: those of nova-compute.
    :param sysfs_root: the directory that stands for /sys.
    :param probes: names of those that are wanted; empty is all.
    :param used: remembers what an earlier reading of the rules gave.
    :raises nova_conf.InvalidNovaConfiguration: nova-compute would not start
        with these files.
    """

    def __init__(self, config_files: Sequence[str], rule_set: RuleSet,
                 sysfs_root: pathlib.Path, probes: Collection[str] = (),
                 used: FilesUsed | None = None,
                 find: Callable[..., Findings] = findings.find) -> None:
        self._files = list(config_files)
        self._rule_set = rule_set
        self._sysfs_root = str(sysfs_root)
        self._probes = probes
        self._find = find
        self._configuration = self._read_configuration()
        self._used = used or FilesUsed()
        self._told: set[str] = set()

    def intent(self) -> Intent:
        """What the providers are to carry now."""
        found = self._find(self._sysfs_root, only=self._probes or None)
        parents = list(found.parents.values())
        unknown = {EVERYTHING: str(failure) for failure in found.failures
                   if failure.parents is None}
        wanted: dict[str, Wanted] = {}
        if not unknown:
            unseen = _unseen(found)
            if not unseen:
                self._tell(devices.problems(parents, self._configuration))
            described: dict[str, Described] = {}
            for device in devices.devices(parents, self._configuration):
                self._add(device, found, wanted, unknown, described)
            self._tell_of(described)
            unknown.update(unseen)
        return Intent(self._root(), {
            suffix: one for suffix, one in wanted.items()
            if suffix not in unknown}, unknown)

    def _add(self, device: HostDevice, found: Findings,
             wanted: dict[str, Wanted], unknown: dict[str, str],
             known: dict[str, Described]) -> None:
        suffix = device.provider_suffix
        failure = found.failure(device.parent)
        if failure is not None:
            unknown[suffix] = str(failure)
            return
        try:
            described = self._rule_set.document(device.facts)
        except InvalidRule as error:
            unknown[suffix] = str(error)
            return
        known[suffix] = described
        one = self._wanted(device, described)
        other = wanted.setdefault(suffix, one)
        if one.names != other.names:
            unknown[suffix] = ('devices with different documents share it: '
                               'give them device_spec entries with different '
                               'resource classes')

    def _tell_of(self, described: Mapping[str, Described]) -> None:
        """What the rules have to say, the same in one line for all."""
        for note, names in wording.by_reason(
                (suffix, note) for suffix, one in described.items()
                for note in one.notes):
            self._tell([f'{wording.named(names)}: {note}'], logging.INFO)
        for driver, names in wording.by_reason(
                (suffix, one.missing) for suffix, one in described.items()
                if one.missing is not None):
            self._tell([f'{wording.named(names)}: no rule is for this device '
                        f'of the driver {driver}: the document accepts an '
                        'identical device under the identical release alone'])

    def _wanted(self, device: HostDevice, described: Described) -> Wanted:
        names = traits.encode(described.document)
        maxima = self._configuration.mdev.maxima
        return Wanted(
            described.document, names,
            doubted=self._used.doubted(device.provider_suffix, described),
            # Nova makes providers for so many devices of the type only.
            optional=device.mdev_type in maxima,
            device_spec=device.device_spec if device.pci_in_placement
            else None)

    def _root(self) -> Root:
        # nova-compute writes its compute_id file when it first starts, which
        # may be later than now.
        try:
            now = self._read_configuration()
        except nova_conf.InvalidNovaConfiguration:
            # An edit that is not finished: what was read at first serves.
            now = self._configuration
        return Root(now.root_uuid, now.root_names)

    def _read_configuration(self) -> HostConfiguration:
        return nova_conf.read(self._files, root=self._sysfs_root)

    def _tell(self, lines: Iterable[str],
              level: int = logging.WARNING) -> None:
        # Once, and not in every round.
        for line in lines:
            if line not in self._told:
                LOG.log(level, '%s', line)
                self._told.add(line)


def _unseen(found: Findings) -> dict[str, str]:
    """Why parents are not known at all, by the kernel's name of them: which
    provider would be theirs is not known either.
    """
    return {parent: str(failure) for failure in found.failures
            for parent in failure.parents or () if parent not in found.parents}


class FilesUsed:
    """Which rule files had a say in the documents, when all was well."""

    def __init__(self) -> None:
        self._files: dict[str, frozenset[str]] = {}

    def doubted(self, suffix: str, described: Described) -> bool:
        """Whether what is published already is the better document.

        A broken file of which nothing can be read may hold anything; only
        one that is known to have had no say does not count.
        """
        if not described.doubts:
            self._files[suffix] = frozenset(described.files)
            return False
        files = self._files.get(suffix)
        return any(doubt.rule is not None or files is None
                   or doubt.file in files for doubt in described.doubts)
