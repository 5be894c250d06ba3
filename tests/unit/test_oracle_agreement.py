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

"""Matcher and oracle agree about documents and sources drawn by hypothesis.

MDEV_COMPAT_HYPOTHESIS=long checks 200,000 pairs instead of 2,000, in 20
chunks: one test and one seed each, to be selected by name, such as
``test_chunk_07``. It prints how many that were in all. ``short`` checks 400,
for mutation testing.
"""

import collections
import collections.abc
import functools
import json
import sys
from typing import Any

import hypothesis
import testtools

from tests.unit import effort
from tests.unit import oracle
from tests.unit import sources

#: Chunks, and pairs of each.
CHUNKS, PAIRS = {'long': (20, 10_000), 'short': (1, 400)}.get(
    effort.EFFORT, (1, 2_000))
SOURCES = 5

Json = dict[str, Any]
QUESTIONS = [(level, plain_only) for level in ('live', 'cold')
             for plain_only in (False, True)]


def load(document: Json) -> Any:
    return _loaded(json.dumps(document, ensure_ascii=False))


@functools.lru_cache(maxsize=1000)
def _loaded(text: str) -> Any:
    # What is loaded is frozen, and the corpus asks for the same ones again.
    from nova_mdev_compat.codec import loading
    return loading.load(text)


def matcher_of(document: Json) -> Any:
    from nova_mdev_compat.compat import matching
    return matching.Matcher(load(document))


def device_of(source: Json) -> Any:
    return load({'format': 1, 'self': source, 'compatible': []}).device


def answer_of(matcher: Any, device: Any, level: str, plain_only: bool
              ) -> oracle.Answer:
    """The matcher's verdict in the oracle's form."""
    verdict = matcher.match(device, level=level, plain_only=plain_only)
    return oracle.Answer(verdict.accepted, verdict.entry,
                         dict(verdict.variables), plain(verdict.create))


def plain(value: Any) -> Any:
    """A recipe in lists and dicts, whatever the matcher makes it of."""
    if isinstance(value, collections.abc.Mapping):
        return {name: plain(value[name]) for name in value}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


class TestOracleAgreement(testtools.TestCase):

    totals: collections.Counter[str] = collections.Counter()

    @classmethod
    def tearDownClass(cls) -> None:
        _say('in all', cls.totals)
        super().tearDownClass()

    def check(self, chunk: int) -> None:
        counts: collections.Counter[str] = collections.Counter()

        @hypothesis.seed(chunk)
        @hypothesis.settings(
            max_examples=PAIRS // SOURCES, deadline=None, database=None,
            suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(sources.pairs(SOURCES))
        def agree(drawn: tuple[Json, list[Json]]) -> None:
            document, several = drawn
            matcher = matcher_of(document)
            for source in several:
                self.compare(matcher, document, source, counts)

        agree()
        _say(f'chunk {chunk}', counts)
        self.totals.update(counts)
        self.assertGreaterEqual(counts['pairs'], PAIRS)
        self.assertGreater(counts['bound'], counts['pairs'] // 50)

    def compare(self, matcher: Any, document: Json, source: Json,
                counts: collections.Counter[str]) -> None:
        device = device_of(source)
        counts['pairs'] += 1
        for level, plain_only in QUESTIONS:
            expected = oracle.evaluate(document, source, level, plain_only)
            found = answer_of(matcher, device, level, plain_only)
            self.assertEqual(
                expected.as_json(), found.as_json(),
                f'{level}, {plain_only=}: {document} accepts {source}?')
            counts['verdicts'] += 1
            counts['accepted'] += expected.accepted
            counts['bound'] += bool(expected.variables)
            counts['created'] += bool(expected.create)


def _say(title: str, counts: collections.Counter[str]) -> None:
    sys.stderr.write(
        f'{title}: {counts["pairs"]} pairs, {counts["verdicts"]} verdicts, '
        f'{counts["accepted"]} accepted, {counts["bound"]} with variables, '
        f'{counts["created"]} with a recipe\n')


def _chunk(chunk: int) -> collections.abc.Callable[[TestOracleAgreement],
                                                   None]:
    def test(self: TestOracleAgreement) -> None:
        self.check(chunk)
    return test


for _number in range(CHUNKS):
    setattr(TestOracleAgreement, f'test_chunk_{_number:02}', _chunk(_number))
