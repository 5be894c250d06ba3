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


"""A stand-in for the module pynvml that answers from a table."""

from collections.abc import Callable
from typing import Any

import pynvml


class Library:
    """Names, constants and errors are those of the real module.

    :param answers: by the function's name, and by its argument if it has
        one; `{'error': X}` raises NVML_ERROR_X.
    """

    NVMLError = pynvml.NVMLError

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = {'nvmlInit': None, 'nvmlShutdown': None, **answers}
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(pynvml, name)
        if not callable(real):
            return real
        return self._function(name)

    def _function(self, name: str) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            self.calls.append((name, *values))
            answer = self._answers[name]
            for value in values:
                answer = answer[value]
            return _answer(answer)
        return call


def _answer(answer: Any) -> Any:
    if isinstance(answer, dict) and 'error' in answer:
        raise pynvml.NVMLError(
            getattr(pynvml, 'NVML_ERROR_' + answer['error']))
    return answer
