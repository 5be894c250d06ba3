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

"""Documents as trait names, and back; and names that are no document."""

import hashlib
import itertools
import json
import random
import re
import string
import tracemalloc
from typing import Any

import ddt
import hypothesis
import hypothesis.strategies as st
import testtools

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import dictionary
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.compat.faults import InvalidDocument
from tests.unit import crafted
from tests.unit import effort
from tests.unit import strategies

TRAIT = re.compile(r'CUSTOM_[A-Z0-9_]+')
SETTINGS = hypothesis.settings(
    deadline=None, max_examples=effort.examples(200),
    suppress_health_check=[hypothesis.HealthCheck.too_slow])

#: Frozen with the first release: what was published stays readable.
FORMAT_1_SHA256 = (
    'c8910660136344706eaa1046cb13c1c8ebea1f18eaa579582553d0a3018e03eb')
GOLDEN_DIGEST = 'SI7AFAXCHI4M6XE3CP75NDOZRQ'
GOLDEN_MARKER = 'CUSTOM_MDEV_COMPAT1_SI7AFAXCHI4M6XE3CP75NDOZRQ'
GOLDEN_CHUNKS = (
    'CUSTOM_MDEV_COMPAT1_DOC_SI7AFAXCHI4M6XE3CP75NDOZRQ_CD5U_0_1_'
    'EMYUBEBDTDCBIAOUIFRJVK5GFTISKJXHU3VIFWHRCWDHRZDAXJ2QQJB3IM6WHFEUM6UAONQV'
    'VOP2BOINTLLWVCMKPKWASD4U3B2PBZ37EJJQYSTIMBGTMQAP5IM6ASR3IZDMNJWY2IHQA',
)

DOCUMENT = crafted.load(crafted.EXAMPLE)
#: Of several chunks, so that parts of it can be missing.
LONG = crafted.load(crafted.incompressible(2000))
NAMES = traits.encode(LONG)
OTHER = traits.encode(crafted.load(crafted.incompressible(1990)))


class TestGolden(testtools.TestCase):

    def test_dictionary_is_frozen(self) -> None:
        self.assertEqual(
            FORMAT_1_SHA256,
            hashlib.sha256(dictionary.FORMAT_1).hexdigest())

    def test_published_document_stays_readable(self) -> None:
        document = traits.decode(GOLDEN_CHUNKS, GOLDEN_DIGEST)
        self.assertEqual(crafted.EXAMPLE, json.loads(document.canonical))

    def test_marker(self) -> None:
        # zlib's output is not frozen, but the digest is.
        self.assertEqual(GOLDEN_MARKER, traits.encode(DOCUMENT).marker)
        self.assertEqual(GOLDEN_DIGEST, traits.read_marker(GOLDEN_MARKER))
        self.assertEqual(GOLDEN_MARKER, traits.marker(GOLDEN_DIGEST))

    def test_typical_document_fits_in_one_or_two(self) -> None:
        self.assertLessEqual(len(traits.encode(DOCUMENT).chunks), 2)


class TestRoundTrip(testtools.TestCase):

    def assert_legal(self, names: traits.TraitNames) -> None:
        for name in (names.marker, *names.chunks):
            self.assertTrue(TRAIT.fullmatch(name), name)
            self.assertLessEqual(len(name), 255)
        self.assertLessEqual(len(names.chunks), 99)
        self.assertEqual(names.digest, traits.read_marker(names.marker))
        parts = [traits.read_chunk(name) for name in names.chunks]
        self.assertEqual(
            [(names.digest, index, len(names.chunks))
             for index in range(len(names.chunks))],
            [part and (part.digest, part.index, part.count)
             for part in parts])

    @SETTINGS
    @hypothesis.given(strategies.documents(), st.randoms())
    def test_any_document(self, value: Any, chance: random.Random) -> None:
        document = crafted.load(value)
        names = traits.encode(document)
        self.assert_legal(names)
        mixed = [*names.chunks, names.marker]
        chance.shuffle(mixed)
        self.assertEqual(document, traits.decode(mixed, names.digest))

    def test_largest_document(self) -> None:
        document = crafted.load(crafted.incompressible(8192))
        self.assertEqual(8192, len(document.canonical))
        names = traits.encode(document)
        self.assert_legal(names)
        # It is hard to compress, or it would show nothing.
        self.assertGreater(len(names.chunks), 50)
        self.assertEqual(document, traits.decode(names.chunks, names.digest))

    def test_larger_document_is_refused(self) -> None:
        error = self.assertRaises(InvalidDocument, crafted.load,
                                  crafted.incompressible(8193))
        self.assertIn('8193 bytes', str(error))

    def test_largest_document_that_was_not_compressed(self) -> None:
        # The most that any encoder can need.
        document = crafted.load(crafted.incompressible(8192))
        names, digest = crafted.names_of(document.canonical, level=0)
        self.assertLessEqual(len(names), 99)
        self.assertEqual(document, traits.decode(names, digest))

    def test_other_encoder(self) -> None:
        for level in range(10):
            names, digest = crafted.names_of(DOCUMENT.canonical, level)
            self.assertEqual(DOCUMENT, traits.decode(names, digest))

    def test_short_chunks(self) -> None:
        data = crafted.deflate(DOCUMENT.canonical)
        names = crafted.names(data, GOLDEN_DIGEST, size=7)
        self.assertGreater(len(names), 10)
        self.assertEqual(DOCUMENT, traits.decode(names, GOLDEN_DIGEST))

    def test_order_and_spelling_of_the_text_do_not_matter(self) -> None:
        texts = [json.dumps(crafted.EXAMPLE, indent=4),
                 json.dumps(crafted.EXAMPLE, sort_keys=True)]
        self.assertEqual({GOLDEN_DIGEST}, {
            traits.encode(loading.load(text)).digest
            for text in texts})


MARK = crafted.body(crafted.deflate(DOCUMENT.canonical))
DATA = 'A' * 16

MARKERS = (
    (GOLDEN_MARKER, GOLDEN_DIGEST),
    (GOLDEN_MARKER.lower(), None),
    (GOLDEN_MARKER + '\n', None),
    ('\n' + GOLDEN_MARKER, None),
    (GOLDEN_MARKER + 'A', None),
    (GOLDEN_MARKER[:-1], None),
    (GOLDEN_MARKER[:-1] + '1', None),
    (GOLDEN_MARKER[:-1] + '8', None),
    (GOLDEN_MARKER[:-1] + 'q', None),
    ('X' + GOLDEN_MARKER, None),
    # LIKE takes any character for an underscore.
    (GOLDEN_MARKER.replace('_', 'X'), None),
    (GOLDEN_MARKER.replace('COMPAT1', 'COMPAT2'), None),
    (GOLDEN_CHUNKS[0], None),
    ('CUSTOM_GOLD', None),
    ('', None),
)

CHUNKS = (
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA), True),
    ((GOLDEN_DIGEST, MARK, 98, 99, DATA), True),
    ((GOLDEN_DIGEST, MARK, 0, 1, 'A'), True),
    ((GOLDEN_DIGEST, MARK, 0, 1, 'A' * 195), True),
    ((GOLDEN_DIGEST, MARK, 10, 11, 'A' * 194), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, 'A' * 196), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, ''), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA.lower()), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA + '\n'), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA + '='), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA + '0'), False),
    ((GOLDEN_DIGEST, MARK, 0, 1, DATA + '_A'), False),
    ((GOLDEN_DIGEST, MARK, '00', 1, DATA), False),
    ((GOLDEN_DIGEST, MARK, '01', 2, DATA), False),
    ((GOLDEN_DIGEST, MARK, 0, '01', DATA), False),
    ((GOLDEN_DIGEST, MARK, 0, 0, DATA), False),
    ((GOLDEN_DIGEST, MARK, 1, 1, DATA), False),
    ((GOLDEN_DIGEST, MARK, 2, 1, DATA), False),
    ((GOLDEN_DIGEST, MARK, 0, 100, DATA), False),
    ((GOLDEN_DIGEST, MARK, '\u0660', 1, DATA), False),
    ((GOLDEN_DIGEST, MARK, '-0', 1, DATA), False),
    ((GOLDEN_DIGEST, MARK, '', 1, DATA), False),
    ((GOLDEN_DIGEST, MARK + 'A', 0, 1, DATA), False),
    ((GOLDEN_DIGEST, MARK.lower(), 0, 1, DATA), False),
    ((GOLDEN_DIGEST[:-1], MARK, 0, 1, DATA), False),
    ((GOLDEN_DIGEST.lower(), MARK, 0, 1, DATA), False),
)


@ddt.ddt
class TestNames(testtools.TestCase):

    @ddt.data(*MARKERS)
    @ddt.unpack
    def test_marker(self, name: str, digest: str | None) -> None:
        self.assertEqual(digest, traits.read_marker(name))

    @ddt.data(*CHUNKS)
    @ddt.unpack
    def test_chunk(self, parts: tuple[Any, ...], good: bool) -> None:
        expected = traits.Chunk(*parts) if good else None
        self.assertEqual(expected, traits.read_chunk(crafted.name(*parts)))

    def test_digests(self) -> None:
        markers, bodies = traits.digests([
            GOLDEN_MARKER, *NAMES.chunks, OTHER.marker.lower(),
            'CUSTOM_GOLD', OTHER.chunks[0] + '\n'])
        self.assertEqual(({GOLDEN_DIGEST}, {NAMES.digest}),
                         (markers, bodies))


#: A chunk that claims to be one of the document's, with other data.
RIVAL = NAMES.chunks[1][:-20] + 'A' * 20
STRAYS = (
    ('another document', OTHER.chunks),
    ('part of another document', OTHER.chunks[:1]),
    ('another body of the document',
     crafted.names(crafted.deflate(LONG.canonical, 0), NAMES.digest)),
    ('part of a body that is the first in order',
     [crafted.name(NAMES.digest, '2222', 0, 2, 'A' * 16)]),
    ('part of another body',
     crafted.names(crafted.deflate(LONG.canonical, 0), NAMES.digest)[:1]),
    ('other data under an index', [RIVAL]),
    ('longer data under an index', [NAMES.chunks[-1] + 'A' * 8]),
    ('another count', [
        name.replace(f'_{len(NAMES.chunks)}_', '_77_')
        for name in NAMES.chunks]),
    ('lower case', [name.lower() for name in NAMES.chunks]),
    ('trailing newline', [name + '\n' for name in NAMES.chunks]),
    ('zero-padded index', [
        name.replace('_1_', '_01_') for name in NAMES.chunks]),
    ('no base32', crafted.names(b'', NAMES.digest, text='A')),
    ('no DEFLATE', crafted.names(b'\xff' * 10, NAMES.digest)),
    ('markers', [NAMES.marker, OTHER.marker]),
    ('anybody\'s traits', ['CUSTOM_GOLD', 'HW_CPU_X86_AVX', '', 'é']),
)


@ddt.ddt
class TestStrays(testtools.TestCase):

    @ddt.data(*STRAYS)
    @ddt.unpack
    def test_harmless(self, title: str, strays: list[str]) -> None:
        for names in ([*NAMES.chunks, *strays], [*strays, *NAMES.chunks]):
            self.assertEqual(LONG, traits.decode(names, NAMES.digest))

    @ddt.data(*(stray for stray in STRAYS if 'another body of' not in
                stray[0]))
    @ddt.unpack
    def test_no_document_of_their_own(self, title: str,
                                      strays: list[str]) -> None:
        error = self.assertRaises(traits.Undecodable, traits.decode, strays,
                                  NAMES.digest)
        self.assertEqual(NAMES.digest, error.digest)
        self.assertTrue(error.why)

    def test_very_many_rivals_do_not_take_forever(self) -> None:
        # Nobody can try every combination; whether the right one is among
        # those that are tried is not promised.
        rivals = [f'{name[:-1]}{letter}' for name in NAMES.chunks
                  for letter in 'ABCDEFGH2345']
        try:
            found = traits.decode([*rivals, *NAMES.chunks], NAMES.digest)
            self.assertEqual(LONG, found)
        except traits.Undecodable as error:
            self.assertIn('belong together', error.why)


INVALID = b'{"compatible":[],"format":1,"self":{"device_api":"vfio-usb"}}'
SPACED = json.dumps(crafted.EXAMPLE, sort_keys=True).encode()
ESCAPED = DOCUMENT.canonical.replace(b'acme', b'\\u0061cme')
BOMB = b' ' * 5_000_000
MISSING = 'chunk {} of {} is missing'
COUNT = len(NAMES.chunks)

UNDECODABLE: tuple[tuple[Any, ...], ...] = (
    ('nothing', [], NAMES.digest, 'none of its body traits is there'),
    ('only its marker', [NAMES.marker], NAMES.digest,
     'none of its body traits is there'),
    ('another document', OTHER.chunks, NAMES.digest,
     'none of its body traits is there'),
    ('another document, the other way', NAMES.chunks, OTHER.digest,
     'none of its body traits is there'),
    ('the first chunk is missing', NAMES.chunks[1:], NAMES.digest,
     MISSING.format(0, COUNT)),
    ('the last chunk is missing', NAMES.chunks[:-1], NAMES.digest,
     MISSING.format(COUNT - 1, COUNT)),
    ('chunks of two bodies',
     [*crafted.names(crafted.deflate(LONG.canonical, 0),
                     NAMES.digest)[1:], *NAMES.chunks[1:]], NAMES.digest,
     'chunk 0 of '),
    ('other data', [NAMES.chunks[0], RIVAL, *NAMES.chunks[2:]],
     NAMES.digest, 'its chunks do not belong together'),
    ('a mark before that of the body',
     [GOLDEN_CHUNKS[0].replace('_CD5U_', '_2222_')], GOLDEN_DIGEST,
     'its chunks do not belong together'),
    ('a mark behind that of the body',
     [GOLDEN_CHUNKS[0].replace('_CD5U_', '_ZZZZ_')], GOLDEN_DIGEST,
     'its chunks do not belong together'),
    ('no base32', crafted.names(b'', GOLDEN_DIGEST, text='A'),
     GOLDEN_DIGEST, 'its body is not base32'),
    ('no DEFLATE', crafted.names(b'\xff' * 10, GOLDEN_DIGEST),
     GOLDEN_DIGEST, 'its body does not inflate'),
    ('half of the DEFLATE', crafted.names(
        crafted.deflate(DOCUMENT.canonical)[:50], GOLDEN_DIGEST),
     GOLDEN_DIGEST, 'the digest does not verify'),
    ('the body of another digest', crafted.names(
        crafted.deflate(LONG.canonical), GOLDEN_DIGEST), GOLDEN_DIGEST,
     'the digest does not verify'),
    ('a bomb', *crafted.names_of(BOMB), 'inflates past the limit of 8192'),
    ('one byte too many', *crafted.names_of(
        canonical.canonical(crafted.incompressible(8193))),
     'inflates past the limit of 8192'),
    ('nothing in it', *crafted.names_of(b''), 'it is invalid: '),
    ('no JSON', *crafted.names_of(b'{'), 'it is invalid: '),
    ('no UTF-8', *crafted.names_of(b'"\xff"'), 'it is invalid: '),
    ('nested too deeply', *crafted.names_of(b'[' * 8000), 'it is invalid: '),
    ('no document', *crafted.names_of(b'[]'), 'it is invalid: '),
    ('invalid document', *crafted.names_of(INVALID),
     'it is invalid: /self/device_api'),
    ('spaces', *crafted.names_of(SPACED), 'not in canonical form'),
    ('a line end', *crafted.names_of(DOCUMENT.canonical + b'\n'),
     'not in canonical form'),
    ('an escape', *crafted.names_of(ESCAPED), 'not in canonical form'),
    ('no order', *crafted.names_of(json.dumps(
        crafted.EXAMPLE, separators=(',', ':')).encode()),
     'not in canonical form'),
    ('minus zero', *crafted.names_of(canonical.canonical(
        crafted.device(n=0)).replace(b'"n":0', b'"n":-0')),
     'not in canonical form'),
)


@ddt.ddt
class TestUndecodable(testtools.TestCase):

    @ddt.data(*UNDECODABLE)
    @ddt.unpack
    def test_reason(self, title: str, names: list[str], digest: str,
                    why: str) -> None:
        error = self.assertRaises(traits.Undecodable, traits.decode, names,
                                  digest)
        self.assertEqual(digest, error.digest)
        self.assertIn(why, error.why, title)
        self.assertIn(digest, str(error))

    def test_bomb_takes_little_memory(self) -> None:
        names, digest = crafted.names_of(BOMB)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertRaises(traits.Undecodable, traits.decode, names, digest)
        self.assertLess(tracemalloc.get_traced_memory()[1], 500_000)

    @SETTINGS
    @hypothesis.given(st.binary(max_size=200))
    def test_any_bytes_for_a_body(self, data: bytes) -> None:
        self.assert_no_surprise(crafted.names(data, GOLDEN_DIGEST),
                                GOLDEN_DIGEST)

    @SETTINGS
    @hypothesis.given(st.one_of(st.binary(max_size=100), st.text(
        alphabet='{}[]":,\\u0dD8eE-+.1truefalsn \ud7ff').map(str.encode)))
    def test_any_bytes_for_a_document(self, form: bytes) -> None:
        self.assert_no_surprise(*crafted.names_of(form))

    @SETTINGS
    @hypothesis.given(st.lists(st.tuples(
        st.sampled_from(NAMES.chunks), st.integers(0, 254),
        st.sampled_from('A2_01z\n')), max_size=2 * COUNT))
    def test_any_garbled_names(self,
                               changes: list[tuple[str, int, str]]) -> None:
        garbled = [name[:place] + letter + name[place + 1:]
                   for name, place, letter in changes]
        self.assert_no_surprise([*garbled, *NAMES.chunks[1:]], NAMES.digest)

    def assert_no_surprise(self, names: Any, digest: str) -> None:
        try:
            document = traits.decode(names, digest)
        except traits.Undecodable as error:
            self.assertTrue(error.why)
        else:
            self.assertIsInstance(document, Document)
            self.assertEqual(digest, canonical.digest(document.canonical))


class TestLengths(testtools.TestCase):

    def test_rivals_that_are_tried(self) -> None:
        names = traits.encode(DOCUMENT)
        head, _, data = names.chunks[0].rpartition('_')
        # Of one length, and before the right one in every order.
        rivals = [f'{head}_{"2" * (len(data) - 2)}{"".join(end)}'
                  for end in itertools.product(string.ascii_uppercase,
                                               repeat=2)]
        self.assertGreater(len(rivals), 256)
        self.assertEqual(DOCUMENT, traits.decode(
            [*rivals[:255], *names.chunks], names.digest))
        self.assertRaises(traits.Undecodable, traits.decode,
                          [*rivals[:256], *names.chunks], names.digest)

    def test_longest_chunks_come_first(self) -> None:
        names = traits.encode(DOCUMENT)
        head, _, data = names.chunks[0].rpartition('_')
        rivals = [f'{head}_{"2" * (len(data) - 8)}{"".join(end)}'
                  for end in itertools.product(string.ascii_uppercase,
                                               repeat=2)]
        self.assertEqual(DOCUMENT, traits.decode(
            [*rivals, *names.chunks], names.digest))

    def test_names_are_filled(self) -> None:
        names = traits.encode(crafted.load(crafted.incompressible(3000)))
        self.assertTrue(10 < len(names.chunks) <= 99)
        # The index and the count of the others may have a digit less.
        self.assertEqual(255, max(map(len, names.chunks)))
        data = [traits.read_chunk(name) for name in names.chunks]
        self.assertEqual({193}, {len(one.data) for one in data[:-1] if one})
