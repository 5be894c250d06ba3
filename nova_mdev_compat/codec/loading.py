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

"""From text to document: strict JSON, the JSON Schema, the meaning."""

from __future__ import annotations

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import schema
from nova_mdev_compat.codec import strict_json
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import Fault
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat import reading


def load(text: str | bytes) -> Document:
    """The document that a text holds.

    What is cheap is checked first: the size before the JSON Schema, whose
    validation costs by far the most.

    :param text: JSON; bytes are read as UTF-8.
    :raises InvalidDocument: with every fault that was found.
    """
    parsed = strict_json.parse(text)
    form = canonical.canonical(parsed.value)
    if len(form) > canonical.MAX_CANONICAL:
        raise InvalidDocument([
            *(fault for _, fault in parsed.faults),
            Fault('', f'its canonical form has {len(form)} bytes, over the '
                  f'limit of {canonical.MAX_CANONICAL}; what it says was not '
                  'looked at')])
    found = schema.find_faults(parsed.value)
    refused = {path for path, _ in parsed.faults}
    return reading.read(
        parsed.value, form,
        broken=[*refused, *(path for path, _ in found)],
        # Where null stands for what was refused, the schema's word of it
        # would only confuse.
        known=[*(fault for _, fault in parsed.faults),
               *(fault for path, fault in found if path not in refused)])
