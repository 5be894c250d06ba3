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

"""One live migration from end to end, with a real kernel at both ends.

Run by `python -m tests.kernel`, which has prepared a run. Each compute host
is one of the machines; what libvirt would do on both hosts is done by the
kernels in their guests.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
import os
import pathlib
import sys
import threading
from typing import Any

import nova.conf

from tests.functional import base
from tests.kernel import guest
from tests.kernel import machines
from tests.kernel import run
from tests.kernel import virtual_parents

_SOURCE = 'src'


class ChainTestCase(base.FunctionalTestCase):
    """A fleet of the machines; the ones that fit come last."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(virtual_parents.VirtualAddresses())
        prepared = run.Run.read(pathlib.Path(os.environ[run.VARIABLE]))
        self.documents = prepared.documents
        self.kernel = prepared.kernel('chain')
        self.machine: dict[str, machines.Machine] = {}
        #: What the kernels said of the guest's move.
        self.moved: list[tuple[str, machines.Answer]] = []
        self._asked = threading.Event()

    def start_fleet(self, source: machines.Machine) -> None:
        self.start_machine(_SOURCE, source)
        for machine in sorted(machines.MACHINES, key=source.__eq__):
            self.start_machine(machine.file, machine)

    def start_machine(self, name: str, machine: machines.Machine) -> None:
        self.machine[name] = machine
        self.flags(enabled_mdev_types=[machine.mdev_type], group='devices')
        nova.conf.devices.register_dynamic_opts(base.CONF)
        self.flags(device_addresses=[machine.address],
                   group=f'mdev_{machine.mdev_type}')
        self.start_compute(
            name, pci_info=virtual_parents.VirtualParents(machine),
            libvirt_version=self.FAKE_LIBVIRT_VERSION,
            qemu_version=self.FAKE_QEMU_VERSION)
        provider = self.pgpu_uuid(name)
        self.ranks.declare(name, [provider])
        self.publication.publish(
            provider, json.loads(self.documents[machine].read_text()))

    def pgpu_uuid(self, host: str, position: int = 0) -> str:
        return self._get_provider_uuid_by_name(
            f'{host}_{self.machine[host].address}')

    def _ask_for_live_migration(
        self, server: base.Server, host: str | None,
    ) -> None:
        super()._ask_for_live_migration(server, host)
        # Nova's tests wait for seconds; two machines have to boot first.
        self.assertTrue(self._asked.wait(2 * guest.TIMEOUT))

    def _migrate_stub(
        self, domain: Any, destination: str, params: Mapping[str, Any],
        flags: int,
    ) -> None:
        try:
            self._move_state(destination)
        finally:
            self._asked.set()
        super()._migrate_stub(domain, destination, params, flags)

    def _move_state(self, destination: str) -> None:
        """What QEMU does at both ends, for the device."""
        host = destination.removeprefix('qemu+tcp://').removesuffix('/system')
        pair = (self.machine[self.host_of(self.server)], self.machine[host])
        answer = self.kernel.verdicts([pair])[pair]
        self.moved.append((host, answer))
        if not answer.done:
            raise virtual_parents.operation_failed(
                f'cannot load the state: {answer}')


class ChainTests(ChainTestCase):

    def test_live_migration(self) -> None:
        source = machines.MACHINES[0]
        self.start_fleet(source)
        server = self.boot(_SOURCE)
        self.live_migrate(server)
        self.assert_device_on(server, source.file, 0)
        self.assert_moves(rounds=1, destination_checks=1, source_checks=1)
        self._assert_loaded(source)
        self._assert_removed_refuse(source)

    def _assert_loaded(self, source: machines.Machine) -> None:
        (host, answer), = self.moved
        say(f'with the filter, the server of {source} went to {host}: '
            f'{answer}')
        self.assertTrue(answer.done, answer)

    def _assert_removed_refuse(self, source: machines.Machine) -> None:
        removed = sorted(set(self.probe.last.offered) - set(self.kept()))
        self.assertEqual(len(machines.MACHINES) - 1, len(removed))
        # The stream is still there from the move.
        answers = self.kernel.load(
            [(source, self.machine[host]) for host in removed])
        for (_, destination), answer in answers.items():
            say(f'removed by the filter: {destination}, whose kernel says '
                f'{answer}')
            self.assertFalse(answer.done, destination)


class PlainNovaTests(ChainTestCase):
    """The same fleet without the filter."""

    WITH_FILTER = False

    def test_live_migration(self) -> None:
        source = machines.MACHINES[0]
        self.start_fleet(source)
        server = self.boot(_SOURCE)
        self._ask_for_live_migration(server, None)
        self._wait_for_assert(lambda: self.assertIn(
            self._status(server), ('error', 'failed')))
        (host, answer), = self.moved
        say(f'without it, Nova copied the guest to {host}: {answer}; '
            f'the server stays on {self.host_of(server)}')
        self.assertFalse(answer.done, answer)
        self.assertEqual(source.mdev_type, self.machine[host].mdev_type)
        self.assertEqual(_SOURCE, self.host_of(server))


def say(line: str) -> None:
    # Not what Nova's tests put in the place of standard output.
    print(line, file=sys.__stdout__, flush=True)
