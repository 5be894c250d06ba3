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

"""What is fuzzed: bytes in, and only documented exceptions out.

These functions need no fuzzer, so the ordinary test run puts the kept inputs
through them too.
"""

from collections.abc import Callable
import hashlib
import time
import zlib

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.document import LEVELS
from nova_mdev_compat.compat.faults import InvalidDocument
from nova_mdev_compat.compat.matching import Matcher

#: Between the destination's text and the source's. No UTF-8 text holds it.
SEPARATOR = b'\xff'

MAX_LOAD = 0.5
MAX_MATCH = 0.005
# Another process can make one measurement long, but not each of several.
_MEASUREMENTS = 5


class TooSlow(AssertionError):
    """Something took more CPU time than it may."""


def load_and_match(data: bytes) -> None:
    """Document text -> load -> compile -> match."""
    texts = data.split(SEPARATOR, 1)
    documents = [found for found in map(_load, texts) if found is not None]
    for destination in documents:
        matcher = Matcher(destination)
        for source in documents:
            for level in LEVELS:
                for plain_only in (False, True):
                    _bounded(MAX_MATCH, lambda: _match(
                        matcher, source, level, plain_only))


def decode_names(data: bytes) -> None:
    """Trait names -> decode."""
    names = data.decode('utf-8', 'replace').split('\n')
    markers, bodies = traits.digests(names)
    for digest in sorted(markers | bodies)[:4]:
        try:
            document = traits.decode(names, digest)
        except traits.Undecodable:
            continue
        assert canonical.digest(document.canonical) == digest
        assert traits.encode(document).digest == digest


def decode_body(data: bytes) -> None:
    """A body that somebody made up, under a digest that verifies -> decode.

    No fuzzer guesses a SHA-256, so the names are made to fit: what is left
    to guess is what a hostile writer has in hand.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, dictionary.FORMAT_1)
    try:
        form = inflater.decompress(data, 2 * canonical.MAX_CANONICAL)
    except zlib.error:
        form = data
    digest = canonical.digest(form)
    names = crafted_names(data, digest)
    try:
        document = traits.decode(names, digest)
    except traits.Undecodable:
        return
    assert document.canonical == form


def crafted_names(body: bytes, digest: str) -> list[str]:
    """The body's trait names, though no document was encoded."""
    text = canonical.base32(body) or 'A'
    tag = canonical.base32(hashlib.sha256(body).digest())[:4]
    chunks = [text[start:start + 190] for start in range(0, len(text), 190)]
    return [f'{traits.BODY_PREFIX}{digest}_{tag}_{index}_{len(chunks)}_'
            f'{chunk}' for index, chunk in enumerate(chunks)]


def _load(text: bytes) -> Document | None:
    try:
        document = _bounded(MAX_LOAD, lambda: loading.load(text))
    except InvalidDocument as error:
        assert error.faults
        return None
    assert loading.load(document.canonical) == document
    return document


def _match(matcher: Matcher, source: Document, level: str,
           plain_only: bool) -> None:
    verdict = matcher.match(source.device, level, plain_only)
    assert verdict.accepted == (not verdict.reasons)
    assert verdict.accepted == (verdict.entry is not None)


def _bounded(seconds: float, call: Callable[[], object]) -> object:
    for _ in range(_MEASUREMENTS):
        began = time.process_time()
        result = call()
        took = time.process_time() - began
        if took <= seconds:
            return result
    raise TooSlow(f'{took:.3f} s of CPU time, over {seconds} s')


TARGETS = {'load': load_and_match, 'decode': decode_names,
           'body': decode_body}
