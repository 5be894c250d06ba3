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

"""Documents as the names of placement traits, and back.

A document is published as a marker trait, which a resource provider carries,
and as body traits, which exist but are on no provider: its canonical form,
compressed, cut into chunks that fit into trait names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import hashlib
import itertools
import re
import zlib

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument

PREFIX = 'CUSTOM_MDEV_COMPAT1_'
BODY_PREFIX = PREFIX + 'DOC_'
MAX_CHUNKS = 99
MAX_NAME = 255

_BODY_LENGTH = 4
# What a name holds beside the chunk, with two digits for index and count.
_CHUNK = MAX_NAME - len(BODY_PREFIX) - canonical.DIGEST_LENGTH \
    - _BODY_LENGTH - 2 * 2 - 4
# A hostile writer can add other chunks under the same index, and every
# combination of them might be the one; this many are tried.
_MAX_COMBINATIONS = 256

_MARKER = re.compile(PREFIX + r'([A-Z2-7]{26})')
_NUMBER = r'(0|[1-9][0-9]?)'
_BODY = re.compile(
    BODY_PREFIX + r'([A-Z2-7]{26})_([A-Z2-7]{4})_' + _NUMBER + '_' + _NUMBER
    + r'_([A-Z2-7]{1,195})')


class Undecodable(ValueError):
    """A set of trait names holds no usable document.

    :param digest: that of the wanted document, or None.
    """

    def __init__(self, digest: str | None, why: str) -> None:
        self.digest = digest
        self.why = why
        name = 'no document' if digest is None else f'document {digest}'
        super().__init__(f'{name}: {why}')


@dataclasses.dataclass(frozen=True, slots=True)
class TraitNames:
    """What publishes one document.

    :param marker: the trait for the provider.
    :param chunks: the body's traits, by index.
    """

    digest: str
    marker: str
    chunks: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """One body trait, taken apart."""

    digest: str
    body: str
    index: int
    count: int
    data: str


def marker(digest: str) -> str:
    """The marker trait's name for a digest."""
    return PREFIX + digest


def read_marker(name: str) -> str | None:
    """The digest that a marker trait names, or None for any other trait."""
    found = _MARKER.fullmatch(name)
    return found and found[1]


def read_chunk(name: str) -> Chunk | None:
    """A body trait's parts, or None for any other trait.

    Placement's own look-ups are SQL LIKE, where `_` is a wildcard and case
    may be ignored; so every name that comes back is checked here.
    """
    found = _BODY.fullmatch(name)
    if found is None or len(name) > MAX_NAME:
        return None
    chunk = Chunk(found[1], found[2], int(found[3]), int(found[4]), found[5])
    return chunk if chunk.index < chunk.count <= MAX_CHUNKS else None


def encode(document: Document) -> TraitNames:
    """The trait names that publish a document."""
    digest = canonical.digest(document.canonical)
    compressor = zlib.compressobj(
        9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY,
        dictionary.FORMAT_1)
    data = compressor.compress(document.canonical) + compressor.flush()
    text = canonical.base32(data)
    chunks = [text[start:start + _CHUNK]
              for start in range(0, len(text), _CHUNK)]
    stem = f'{BODY_PREFIX}{digest}_{_body(data)}'
    return TraitNames(digest, marker(digest), tuple(
        f'{stem}_{index}_{len(chunks)}_{chunk}'
        for index, chunk in enumerate(chunks)))


def decode(names: Iterable[str], digest: str) -> Document:
    """The document of a digest, out of any trait names in any order.

    :raises Undecodable: no complete set of chunks verifies, or what
        verifies is not a valid document.
    """
    why = 'none of its body traits is there'
    for chunks in _sets(names, digest):
        if isinstance(chunks, str):
            why = chunks
            continue
        try:
            return _document(chunks, digest)
        except Undecodable as error:
            why = error.why
    raise Undecodable(digest, why)


def digests(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """The digests that trait names speak of: of markers, and of chunks."""
    markers, bodies = set(), set()
    for name in names:
        found = read_marker(name)
        if found is not None:
            markers.add(found)
        chunk = read_chunk(name)
        if chunk is not None:
            bodies.add(chunk.digest)
    return markers, bodies


def _sets(names: Iterable[str],
          digest: str) -> Iterator[tuple[Chunk, ...] | str]:
    """Complete sets of chunks, or why there is none."""
    bodies: dict[tuple[str, int], dict[int, set[Chunk]]] = {}
    for name in names:
        chunk = read_chunk(name)
        if chunk is not None and chunk.digest == digest:
            body = bodies.setdefault((chunk.body, chunk.count), {})
            body.setdefault(chunk.index, set()).add(chunk)
    for (_, count), body in sorted(bodies.items()):
        missing = [str(index) for index in range(count) if index not in body]
        if missing:
            yield f'chunk {", ".join(missing)} of {count} is missing'
            continue
        # The longest first: a set is complete only with full chunks.
        rivals = [sorted(body[index], key=lambda one: (-len(one.data),
                                                       one.data))
                  for index in range(count)]
        yield from itertools.islice(
            itertools.product(*rivals), _MAX_COMBINATIONS)


def _document(chunks: tuple[Chunk, ...], digest: str) -> Document:
    form = _inflated(chunks, digest)
    if canonical.digest(form) != digest:
        raise Undecodable(digest, 'the digest does not verify')
    try:
        document = loading.load(form)
    except InvalidDocument as error:
        raise Undecodable(digest, f'it is invalid: {error}') from error
    if document.canonical != form:
        raise Undecodable(digest, 'its body is not in canonical form')
    return document


def _inflated(chunks: tuple[Chunk, ...], digest: str) -> bytes:
    text = ''.join(chunk.data for chunk in chunks)
    try:
        data = base64.b32decode(text + '=' * (-len(text) % 8))
    except binascii.Error as error:
        raise Undecodable(digest, f'its body is not base32: {error}') \
            from error
    if _body(data) != chunks[0].body:
        raise Undecodable(digest, 'its chunks do not belong together')
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, dictionary.FORMAT_1)
    try:
        form = inflater.decompress(data, canonical.MAX_CANONICAL + 1)
    except zlib.error as error:
        raise Undecodable(digest, f'its body does not inflate: {error}') \
            from error
    if len(form) > canonical.MAX_CANONICAL:
        raise Undecodable(digest, 'its body inflates past the limit of '
                          f'{canonical.MAX_CANONICAL} bytes')
    return form


def _body(data: bytes) -> str:
    return canonical.base32(hashlib.sha256(data).digest())[:_BODY_LENGTH]
