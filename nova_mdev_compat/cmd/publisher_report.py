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

"""What the publisher found, for whoever ran it by hand."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

from nova_mdev_compat.cmd import base
from nova_mdev_compat.cmd import diff
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat import description
from nova_mdev_compat.compat import difference
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.publisher import agent
from nova_mdev_compat.publisher.agent import Round
from nova_mdev_compat.publisher.difference import State

#: Digests of the markers on a provider.
Carried = Callable[[State], tuple[str, ...]]


def status(done: Round) -> int:
    """Exit status of one round."""
    return base.YES if done.complete else base.UNREACHABLE


def summary(done: Round) -> str:
    """What one round did, in a line."""
    return (f'{len(done.published)} providers carry their documents; '
            f'{len(done.outcome.changes)} markers and '
            f'{len(done.outcome.written)} body traits were written'
            f'{_mapped(done)}.')


def _mapped(done: Round) -> str:
    count = len(done.outcome.mapped)
    return f', and {count} labels mapped' if count else ''


def preview(done: Round, carried: Carried) -> Iterator[str]:
    """What a round would do, in lines; it has looked and written nothing.
    """
    found = done.difference
    for state in found.right:
        yield (f'{_provider(state)} carries document '
               f'{state.wanted.names.digest} already')
    told: set[tuple[str, ...]] = set()
    for state in (*found.to_mark, *found.nova_marks):
        old, new = carried(state), state.wanted.names.digest
        yield (f'{_provider(state)} carries '
               f'{_documents(old)}, and would carry document {new}')
        if (*old, new) not in told:
            told.add((*old, new))
            for line in _explained(old, state.wanted.document, found.there):
                yield f'    {line}'
    for state in found.labels.to_map:
        yield from _label(state, found.there)
    for names in found.bodies:
        yield f'The body of document {names.digest} would be written.'
    yield from agent.complaints(done)


def _label(state: State, there: Collection[str]) -> Iterator[str]:
    label, new = state.labels[0], state.wanted.names.digest
    old = (label.current.digest,) if label.current else ()
    yield (f'{_provider(state)} has label {label.name}, which stands for '
           f'{_documents(old)}, and would stand for document {new}')
    for line in _explained(old, state.wanted.document, there):
        yield f'    {line}'


def _provider(state: State) -> str:
    return f'{state.provider.name} ({state.provider.uuid})'


def _documents(digests: tuple[str, ...]) -> str:
    if not digests:
        return 'no document'
    return ' and '.join(f'document {digest}' for digest in digests)


def _explained(old: tuple[str, ...], new: Document,
               there: Collection[str]) -> Iterator[str]:
    known = [document for document in
             (_decoded(digest, there) for digest in old) if document]
    if not known:
        yield from description.describe(new)
        return
    for document in known:
        try:
            yield from diff.compare(document, new, ('the old', 'the new'))
        except difference.TooComplex as error:
            yield str(error)


def _decoded(digest: str, there: Collection[str]) -> Document | None:
    try:
        return traits.decode(there, digest)
    except traits.Undecodable:
        return None
