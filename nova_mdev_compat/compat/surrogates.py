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

"""Text with halves of surrogate pairs, which no encoding can hold."""

from __future__ import annotations


def is_unicode(text: str) -> bool:
    """Whether it can be encoded: it has no half of a surrogate pair."""
    try:
        text.encode('utf-8')
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """The same, with such halves written out."""
    return text.encode('utf-8', 'backslashreplace').decode('utf-8')
