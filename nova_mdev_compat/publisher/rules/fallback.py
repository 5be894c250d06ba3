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

"""What is said of a device that no rule knows."""

from __future__ import annotations

from typing import Any

from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.rules import describing
from nova_mdev_compat.publisher.rules.describing import Description
from nova_mdev_compat.publisher.rules.faults import InvalidRule
from nova_mdev_compat.publisher.rules.faults import RuleFault

#: In place of a file: this rule is in none.
NO_FILE = '(no rule)'

# A driver of the kernel's own tree has the kernel's release, whatever its
# module's version says (mtty's is 0.1 since 2016); one from outside has its
# own.  Which of the two it is cannot be told, so both have to be equal.
_RELEASES = {'driver_release': 'driver.version',
             'kernel_release': 'kernel.release'}


def driver(facts: Facts) -> str:
    """The driver of a device, as a log can name it."""
    found = facts.get('driver')
    if not isinstance(found, str):
        found = str(facts.get('mdev_type', '')).partition('-')[0]
    return found or 'unknown'


def describe(facts: Facts) -> Description:
    """A document that accepts an identical device and driver release.

    Where no release is known it accepts nothing, not even its own kind.

    :raises InvalidRule: the facts are not enough for any document.
    """
    device = describing.device(facts)
    releases = {name: facts[fact] for name, fact in _RELEASES.items()
                if fact in facts}
    compatible: list[dict[str, Any]] = [{}] if releases else []
    if 'mdev_type' not in device:
        # The mdev type says it already.
        releases['driver'] = driver(facts)
    if releases:
        device['attributes'] = releases
    plain = {'format': 1, 'self': device, 'compatible': compatible}
    try:
        document = describing.load(plain)
    except InvalidDocument as error:
        raise InvalidRule(
            RuleFault(NO_FILE, 0, None, 'no rule knows the device '
                      f'{facts.get("parent", "")}, and what is known of it '
                      f'makes no document: {fault}')
            for fault in error.faults) from error
    notes = () if compatible else (
        f'neither the release of the driver {driver(facts)} nor that of the '
        'kernel is known, so the device accepts nothing',)
    return Description(document, plain, notes)
