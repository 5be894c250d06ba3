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

"""Requests as nova-scheduler hands them to its filters: hosts and specs.

`HostState` and `RequestSpec` are Nova's. A fleet here has four kinds of
device, by whether the numbers of the host and of the device are even, and
three sources, so that one warm cache serves moves with three outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
import copy
import functools
import json
from typing import Any
import uuid

from nova import objects
from nova.scheduler import host_manager

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.scheduler.pairing import HeldDevice
from nova_mdev_compat.scheduler.source import Source
from tests.benchmark import fleet
from tests.benchmark.fleet import Fleet
from tests.benchmark.fleet import Host

#: What a source is accepted by.
ALL, HALF_OF_HOSTS, HALF_OF_EACH = OUTCOMES = (
    'all stay', 'half of the hosts go', 'each host loses half')


class ParityFleet(Fleet):
    """Document `4 * n + 2 * (host is odd) + (device is odd)`."""

    def release(self, host: Host, place: int) -> int:
        parity = 2 * (host.number % 2) + place % 2
        return host.number // 2 % (self.releases // 4) * 4 + parity

    @functools.cached_property
    def documents(self) -> list[Document]:
        return [_document(number, _accepted(number % 4))
                for number in range(self.releases)]

    def accepts(self, outcome: str, host: Host, place: int) -> bool:
        return outcome in _accepted(self.release(host, place) % 4)


def _accepted(parity: int) -> list[str]:
    return [ALL, *([HALF_OF_HOSTS] if parity < 2 else []),
            *([HALF_OF_EACH] if parity % 2 == 0 else [])]


def _document(number: int, accepted: Sequence[str]) -> Document:
    return loading.load(json.dumps({
        'format': 1,
        'self': {'device_api': 'vfio-pci', 'mdev_type': fleet.MDEV_TYPE,
                 'attributes': {'number': number}},
        'compatible': [{'attributes': {
            'number': {'absent': True}, 'moves': {'any_of': list(accepted)},
        }}]}))


def source(outcome: str) -> Source:
    """A server with one vGPU whose move has an outcome."""
    document = loading.load(json.dumps({
        'format': 1, 'compatible': [],
        'self': {'device_api': 'vfio-pci', 'mdev_type': fleet.MDEV_TYPE,
                 'attributes': {'moves': outcome}}}))
    return Source('live-migration', (HeldDevice(
        str(uuid.uuid4()), 'VGPU', 1, canonical.digest(document.canonical),
        document),))


def request_spec() -> objects.RequestSpec:
    return objects.RequestSpec(
        instance_uuid=str(uuid.uuid4()), num_instances=1,
        scheduler_hints={}, ignore_hosts=['src'])


def host_states(hosts: Sequence[Host], candidates: int,
                with_device: bool = True) -> list[Any]:
    """Hosts, with a candidate for each of so many of their devices.

    Without a device, a host has as many candidates, all of its own. As in
    Nova they are all of one answer, in which the decoder makes a string once
    that is a key more than once, and each host has a copy of its own.
    """
    objects.register_all()
    answer = json.loads(json.dumps([
        [candidate(host.root, device if with_device else None)
         for device in host.devices[:candidates]] for host in hosts]))
    return [_host_state(host, copy.deepcopy(found))
            for host, found in zip(hosts, answer)]


def _host_state(host: Host, found: list[dict[str, Any]]) -> Any:
    state = host_manager.HostState(host.name, host.name, str(uuid.uuid4()))
    state.uuid = host.root
    state.allocation_candidates = found
    return state


def candidate(root: str, device: str | None) -> dict[str, Any]:
    """What placement's answer has for one."""
    allocations = {root: {'resources': dict(fleet.AMOUNTS)}}
    if device is not None:
        allocations[device] = {'resources': {'VGPU': 1}}
    return {'allocations': allocations, 'mappings': {'': list(allocations)}}
