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

"""nova-mdev-compat decode"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
import sys

from nova_mdev_compat.cmd import base
from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document

# Every trait of a very large cloud, and more.
_MAX_NAMES = 64 * 1024 * 1024
_MAX_TOLD = 20


class Decode(base.Command):
    """Print the document that trait names hold, in canonical form.

    The names come from standard input, one a line and in any order; names of
    other traits are passed over. A marker among them says which document is
    meant; without one there must be a single whole document, and chunks of
    others do no harm.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        text = base.read_bytes(base.STANDARD_INPUT, _MAX_NAMES)
        if len(text) > _MAX_NAMES:
            raise base.BadInput('standard input: it has more than '
                                f'{_MAX_NAMES} bytes')
        # What is no ASCII is no trait's name, and so passed over.
        names = text.decode('ascii', 'replace').split()
        sys.stdout.buffer.write(_decode(names).canonical + b'\n')
        sys.stdout.buffer.flush()
        return base.YES


def _decode(names: list[str]) -> Document:
    markers = {digest for digest in map(traits.read_marker, names) if digest}
    if len(markers) > 1:
        raise _several(markers)
    found: list[Document] = []
    refused: list[str] = []
    for digest, chunks in sorted(_chunks(names, markers).items()):
        try:
            found.append(traits.decode(chunks, digest))
        except traits.Undecodable as error:
            refused.append(f'standard input: {error}')
    if len(found) > 1:
        raise _several(canonical.digest(one.canonical) for one in found)
    if not found:
        raise base.BadInput('\n'.join(refused[:_MAX_TOLD]) or (
            f'standard input: no trait name begins with {traits.PREFIX} and '
            'is whole'))
    return found[0]


def _chunks(names: list[str], markers: set[str]) -> dict[str, list[str]]:
    """The chunks by digest: of what the marker names, or of all."""
    found: dict[str, list[str]] = {digest: [] for digest in markers}
    for name in names:
        chunk = traits.read_chunk(name)
        if chunk is not None and (not markers or chunk.digest in markers):
            found.setdefault(chunk.digest, []).append(name)
    return found


def _several(digests: Iterable[str]) -> base.BadInput:
    return base.BadInput(
        'standard input: the names are of several documents; give the '
        'marker of one: ' + ', '.join(map(traits.marker, sorted(digests))))
