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


"""What all installed probes find, together."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from importlib import metadata
import logging
import re
from typing import Any

from stevedore import extension

from nova_mdev_compat.publisher.facts import Facts
from nova_mdev_compat.publisher.facts import Parent
from nova_mdev_compat.publisher.facts import Probe
from nova_mdev_compat.publisher.facts import ProbeFailed

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_mdev_compat.facts'

#: It finds the parents, so the others come after it.
FIRST = 'sysfs'

_NAME = re.compile(r'[a-z][a-z0-9_]*(\.[a-z0-9_]+)*')


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A probe that could not find out.

    :param parents: names of those it concerns; None is all, those that it
        would have found too.
    """

    probe: str
    reason: str
    parents: frozenset[str] | None = None

    def __str__(self) -> str:
        return f'probe {self.probe}: {self.reason}'


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """What the probes found, by the parents' names, and which failed."""

    parents: Mapping[str, Parent]
    failures: tuple[Failure, ...] = ()

    def failure(self, parent: str) -> Failure | None:
        """Why the facts of a parent are not known, or not all of them.

        What is published for its devices should stay as it is then: that
        the parent is not among `parents` does not mean that it is gone.
        """
        return next((failure for failure in self.failures
                     if failure.parents is None
                     or parent in failure.parents), None)


def installed(only: Collection[str] | None = None
              ) -> tuple[dict[str, Callable[[str], Probe]], list[Failure]]:
    """The probes' classes by name, and those that cannot be loaded.

    :param only: names of those that are wanted; None is all.
    """
    failures: list[Failure] = []
    found: dict[str, Callable[[str], Probe]] = {}

    def failed(manager: object, entry: metadata.EntryPoint,
               error: BaseException) -> None:
        failures.append(Failure(entry.name, f'cannot be loaded: {error}'))

    manager: extension.ExtensionManager[Any] = extension.ExtensionManager(
        NAMESPACE, on_load_failure_callback=failed)
    for loaded in manager:
        found[loaded.name] = loaded.plugin
    if only is None:
        return found, failures
    failures = [failure for failure in failures if failure.probe in only]
    known = {*found, *(failure.probe for failure in failures)}
    failures += [Failure(name, 'no such probe is installed')
                 for name in sorted(set(only) - known)]
    return {name: found[name] for name in found if name in only}, failures


def find(root: str = '/sys', only: Collection[str] | None = None,
         probes: Mapping[str, Callable[[str], Probe]] | None = None
         ) -> Findings:
    """Run the probes: sysfs first, then the others by name.

    Each adds to what the ones before it found; of two values of one fact
    the later one's holds.

    :param root: the directory that stands for /sys.
    :param only: names of the probes that are wanted; None is all.
    :param probes: these, in place of the installed ones.
    """
    failures: list[Failure] = []
    if probes is None:
        probes, failures = installed(only)
    parents: dict[str, Parent] = {}
    for name in sorted(probes, key=lambda name: (name != FIRST, name)):
        failure = _run(name, probes[name], root, parents)
        if failure:
            failures.append(failure)
    return Findings(parents, tuple(failures))


def _run(name: str, probe: Callable[[str], Probe], root: str,
         parents: dict[str, Parent]) -> Failure | None:
    """Add what a probe finds to the parents."""
    failure: Failure | None = None
    found: list[Parent] = []
    try:
        try:
            found = list(probe(root).parents(dict(parents)))
        except ProbeFailed as error:
            failure = Failure(name, str(error), error.parents)
            found = list(error.found)
        _check(found)
    except ProbeFailed as error:
        return Failure(name, str(error))
    # A site's own probe may raise anything, and must not stop the others; nor
    # may it end the thread of the service's rounds.
    except (Exception, SystemExit) as error:
        # Whoever runs the probes says it, once; this would be every time.
        LOG.debug('Probe %s', name, exc_info=True)
        return Failure(name, f'{type(error).__name__}: {error}')
    for parent in found:
        known = parents.get(parent.name)
        parents[parent.name] = _merge(known, parent) if known else parent
    return failure


def _merge(known: Parent, more: Parent) -> Parent:
    types: dict[str, Facts] = dict(known.types)
    for name, facts in more.types.items():
        types[name] = {**types.get(name, {}), **facts}
    return Parent(known.name, {**known.facts, **more.facts}, types)


def _check(found: Sequence[Parent]) -> None:
    """Refuse what no rule can read.

    :raises ProbeFailed: a fact has a bad name or value.
    """
    for parent in found:
        for facts in (parent.facts, *parent.types.values()):
            _check_facts(parent.name, facts.items())


def _check_facts(parent: str, facts: Iterable[tuple[str, object]]) -> None:
    for name, value in facts:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ProbeFailed(
                f'{parent}: {name!r} is not a name of a fact: lower-case '
                'words with dots between them')
        if isinstance(value, tuple):
            good = all(isinstance(item, str) for item in value)
        else:
            good = isinstance(value, (str, int))
        if not good:
            raise ProbeFailed(
                f'{parent}: {name} is {value!r}: a fact is text, an integer, '
                'a boolean or a tuple of texts')
