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

"""The entry by which a document would accept one more device."""

from __future__ import annotations

from collections.abc import Iterable
import json
from typing import Any

from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.device import Device
from nova_mdev_compat.compat.device import MDEV_TYPE
from nova_mdev_compat.compat.device import plain
from nova_mdev_compat.compat.device import SOFTWARE_VERSION
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat import faults
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat.matching import Matcher

_ABSENT = {'absent': True}

#: An entry of `compatible`, as JSON has it.
Entry = dict[str, Any]


def suggest(device: Device, document: Document) -> Entry | None:
    """The smallest entry that names what differs, with the device's values.

    Whether such devices really load each other's state, their vendor knows.

    :returns: None: no entry could make the document accept the device.
    """
    own = json.loads(document.canonical)
    plainly = loading.load(json.dumps({**own, 'compatible': [{}]}))
    entry = _naming(device, [
        reason.pointer for reason in Matcher(plainly).match(device).reasons])
    if document.device.software_version is not None \
            and entry.keys() & {*MDEV_TYPE, device.device_api}:
        # It is relative to these, so the language asks for it.
        entry.setdefault(SOFTWARE_VERSION[0], plain(
            device.software_version) or _ABSENT)
    try:
        more = loading.load(json.dumps({**own, 'compatible': [entry]}))
    except InvalidDocument:
        return None
    return entry if Matcher(more).match(device) else None


def _naming(device: Device, pointers: Iterable[str]) -> Entry:
    values = {faults.pointer(field): plain(value)
              for field, value in device.fields.items()}
    entry: Entry = {}
    for pointer in pointers:
        *members, name = [
            part.replace('~1', '/').replace('~0', '~')
            for part in pointer.split('/')[1:]] or ['']
        place = entry
        for member in members:
            place = place.setdefault(member, {})
        place[name] = values.get(pointer, _ABSENT)
    return entry
