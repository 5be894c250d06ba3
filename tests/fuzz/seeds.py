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

"""Where fuzzing begins: the documents of the corpus."""

from collections.abc import Iterator
import json
import zlib

from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from tests.fuzz import targets
from tests.unit import corpus


def from_corpus() -> Iterator[tuple[str, bytes]]:
    """Targets, and what to begin with."""
    for case in corpus.verdict_cases():
        source = {'format': 1, 'self': case.source, 'compatible': []}
        texts = [json.dumps(one, separators=(',', ':')).encode()
                 for one in (case.destination, source)]
        yield 'load', targets.SEPARATOR.join(texts)
        document = loading.load(texts[0])
        names = traits.encode(document)
        yield 'decode', '\n'.join((names.marker, *names.chunks)).encode()
        yield 'body', _deflated(document.canonical)


def _deflated(form: bytes) -> bytes:
    compressor = zlib.compressobj(
        9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_DEFAULT_STRATEGY,
        dictionary.FORMAT_1)
    return compressor.compress(form) + compressor.flush()
