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

"""Which kinds of device accept which: every pair of a fleet's documents."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses

from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet.kinds import Kind
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts

#: What a destination says to a source.
#:
#: LIVE: its state can go there. OTHERWISE: the document accepts it, but what
#: Nova makes there is not what the document wants. COLD: it can be made
#: anew there. REFUSED: none of these.
LIVE, OTHERWISE, COLD, REFUSED = 'live', 'otherwise', 'cold', 'refused'


@dataclasses.dataclass(frozen=True, slots=True)
class Matrix:
    """Answers for every pair.

    :param kinds: the documents, in the order of rows and columns.
    :param rows: for each source, what each destination says.
    """

    kinds: tuple[Kind, ...]
    rows: tuple[tuple[str, ...], ...]

    def saying(self, source: int, *answers: str) -> list[Kind]:
        """The destinations that give one of these answers to a source."""
        return [kind for kind, answer in zip(self.kinds, self.rows[source])
                if answer in answers]


def compare(documents: Mapping[str, Document], live: Question,
            cold: Question, verdicts: Verdicts | None = None) -> Matrix:
    """Every document as a source, against every one as a destination.

    :param live: what a live migration asks.
    :param cold: what a move asks that makes the device anew.
    """
    asked = verdicts or Verdicts()
    # As the document alone sees it, whatever Nova can make of it.
    free = Question('live', plain_only=False)
    questions = ((LIVE, live), (COLD, cold), (OTHERWISE, free))

    def answer(source: str, destination: str) -> str:
        for word, question in questions:
            if asked.of(question, source, documents[source], destination,
                        documents[destination]).accepted:
                return word
        return REFUSED

    ordered = kinds.kinds(documents)
    return Matrix(tuple(ordered), tuple(
        tuple(answer(source.digest, destination.digest)
              for destination in ordered) for source in ordered))
