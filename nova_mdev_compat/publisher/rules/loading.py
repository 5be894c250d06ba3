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

"""Rule files in folders: from there to a rule set."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from importlib import metadata
from pathlib import Path

import nova_mdev_compat
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules import reading
from nova_mdev_compat.publisher.rules.rule import Broken
from nova_mdev_compat.publisher.rules.rule import RuleFile
from nova_mdev_compat.publisher.rules.rule_set import RuleSet
from nova_mdev_compat.publisher.rules.source import MAX_FILE

#: Where the shipped rules are, under the root of a source tree, under the
#: prefix of an installation, and under / where a distribution put them.
SHIPPED = Path('etc', 'nova-mdev-compat', 'rules.d')

SUFFIX = '.yaml'


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """What could be read of the rules.

    :param rule_set: without the broken rules.
    :param faults: everything that is wrong, to be told once.
    """

    rule_set: RuleSet
    faults: tuple[RuleFault, ...]


def shipped_folder() -> Path:
    """Where the rules are that come with the package.

    In a source tree beside the package; installed by pip where its record
    of installed files says, which is right for every prefix and scheme; in
    /etc for a package that was installed in another way.
    """
    beside = Path(nova_mdev_compat.__file__).parents[1] / SHIPPED
    for folder in (beside, *_recorded()):
        if folder.is_dir():
            return folder
    return Path('/') / SHIPPED


def _recorded() -> Iterator[Path]:
    try:
        files = metadata.files('nova-mdev-compat') or []
    except metadata.PackageNotFoundError:
        return
    for file in files:
        if file.suffix == SUFFIX \
                and file.parent.parts[-len(SHIPPED.parts):] == SHIPPED.parts:
            yield Path(str(file.locate())).resolve().parent


def load(folders: Sequence[Path]) -> Loaded:
    """The rules of the `*.yaml` files of folders.

    :param folders: the shipped one first; what is read later stands before
        what was read earlier.  A folder that cannot be read is a fault.
    """
    files: list[RuleFile] = []
    others: list[RuleFault] = []
    for folder in folders:
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            files.append(_unreadable(folder, error))
            continue
        for path in paths:
            if path.suffix == SUFFIX and not path.name.startswith('.'):
                files.append(read_file(path))
            elif path.suffix == '.yml':
                others.append(RuleFault(
                    str(path), 0, None, 'it is not read: the name of a rule '
                    f'file ends in {SUFFIX}'))
    rule_set = RuleSet(files)
    return Loaded(rule_set, (*rule_set.faults, *others))


def check(texts: Mapping[str, bytes]) -> dict[str, tuple[RuleFault, ...]]:
    """Every fault of rule files, by the file's name.

    What they say of other rules is held against the shipped ones and each
    other.

    :param texts: content by name, in the order of reading.
    """
    if not texts:
        return {}
    shipped = [read_file(path) for path in sorted(
        shipped_folder().glob('*' + SUFFIX))]
    rule_set = RuleSet((*shipped, *(
        reading.read(name, text) for name, text in texts.items())))
    return {name: tuple(fault for fault in rule_set.faults
                        if fault.file == name) for name in texts}


def read_file(path: Path) -> RuleFile:
    """The rules of one file, without the broken ones."""
    try:
        with path.open('rb') as file:
            # One byte more tells that it is too long.
            return reading.read(str(path), file.read(MAX_FILE + 1))
    except OSError as error:
        return _unreadable(path, error)


def _unreadable(path: Path, error: OSError) -> RuleFile:
    fault = RuleFault(str(path), 0, None,
                      f'it cannot be read: {error.strerror}')
    return RuleFile(str(path), broken=(Broken((fault,)),))
