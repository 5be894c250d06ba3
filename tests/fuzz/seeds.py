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

"""Where fuzzing begins: the documents of the corpus, and what was kept.

An input is kept as a line of `kept/TARGET.jsonl`: an object with the `input`,
a character for each byte, and with `why` where it once broke the target. The
other lines are the fewest inputs that reach all that fuzzing has reached.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import json
import pathlib
import zlib

from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from tests.fuzz import targets
from tests.unit import corpus


_KEPT = pathlib.Path(__file__).parent / 'kept'
#: Inputs kept for a target; each is replayed in the ordinary test run.
MAX_KEPT = 200


def kept(target: str) -> list[bytes]:
    """The inputs that were kept for a target."""
    return [line['input'].encode('latin-1') for line in _lines(target)]


def keep(target: str, inputs: Iterable[bytes]) -> int:
    """Keeps these inputs, and those that once broke the target.

    :returns: how many there are.
    """
    lines = {line['input']: line for line in _lines(target) if 'why' in line}
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        if len(lines) < MAX_KEPT:
            text = data.decode('latin-1')
            lines.setdefault(text, {'input': text})
    (_KEPT / f'{target}.jsonl').write_text(
        ''.join(json.dumps(line) + '\n' for line in lines.values()))
    return len(lines)


def _lines(target: str) -> list[dict[str, str]]:
    text = (_KEPT / f'{target}.jsonl').read_text('ascii')
    return [json.loads(line) for line in text.splitlines()]


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
