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

"""What a run has prepared, for the processes that are part of it."""

from __future__ import annotations

from collections.abc import Mapping
import dataclasses
import json
import pathlib

from tests.kernel import build
from tests.kernel import machines

#: Names the file of a run in the environment.
VARIABLE = 'NOVA_MDEV_COMPAT_KERNEL_RUN'


@dataclasses.dataclass(frozen=True)
class Run:
    """Kernels, documents and a folder for guests.

    :param folder: where the guests' shared folders are made.
    :param documents: each machine's, as its publisher made it.
    """

    kernels: build.Kernels
    folder: pathlib.Path
    documents: Mapping[machines.Machine, pathlib.Path]

    def kernel(self, name: str) -> machines.Kernel:
        """The kernels, with folders of their own."""
        return machines.Kernel(self.kernels, self.folder / name)

    def write(self) -> pathlib.Path:
        """The file that :meth:`read` reads."""
        path = self.folder / 'run.json'
        path.write_text(json.dumps({
            'kernels': str(self.kernels.folder),
            'version': self.kernels.version,
            'documents': {machine.file: str(place) for machine, place
                          in self.documents.items()}}))
        return path

    @classmethod
    def read(cls, path: pathlib.Path) -> Run:
        content = json.loads(path.read_text())
        return cls(
            build.Kernels(pathlib.Path(content['kernels']),
                          content['version']),
            path.parent,
            {machine: pathlib.Path(content['documents'][machine.file])
             for machine in machines.MACHINES})
