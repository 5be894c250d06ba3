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

"""The canonical form, byte by byte, and the digest."""

import base64
import hashlib
from typing import Any

import ddt
import testtools

from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import strict_json

#: JSON text, and its canonical form.
FORMS = (
    ('{ "b" : 1 ,\n "a" : [ ] }', b'{"a":[],"b":1}'),
    # Sorted by code point: UTF-16 would have them the other way round.
    ('{"\U0001f600": 1, "\ufb33": 2}',
     '{"\ufb33":2,"\U0001f600":1}'.encode()),
    ('{"Z": 1, "a": 2, "A": 3}', b'{"A":3,"Z":1,"a":2}'),
    ('["b", "a", "b"]', b'["b","a","b"]'),
    ('"\\u00e9\\/\\u0041"', '"\u00e9/A"'.encode()),
    ('"\\u0000\\u001f\\u007f"', b'"\\u0000\\u001f\x7f"'),
    ('"\\b\\t\\n\\f\\r\\"\\\\"', b'"\\b\\t\\n\\f\\r\\"\\\\"'),
    ('"\\ud83d\\ude00"', '"\U0001f600"'.encode()),
    ('-0', b'0'),
    ('[true, false, null, 10, -9223372036854775808]',
     b'[true,false,null,10,-9223372036854775808]'),
)


@ddt.ddt
class TestCanonical(testtools.TestCase):

    @ddt.data(*FORMS)
    @ddt.unpack
    def test_form(self, text: str, form: bytes) -> None:
        value: Any = strict_json.parse(text).value
        self.assertEqual(form, canonical.canonical(value))

    def test_digest(self) -> None:
        whole = base64.b32encode(hashlib.sha256(b'{}').digest()).decode()
        self.assertEqual(whole[:26], canonical.digest(b'{}'))

    def test_kept_with_the_document(self) -> None:
        document = loading.load(
            '{"self": {"device_api": "vfio-ap"}, "compatible": [],'
            ' "format": 1}')
        self.assertEqual(b'{"compatible":[],"format":1,"self":'
                         b'{"device_api":"vfio-ap"}}', document.canonical)
        self.assertEqual(document, loading.load(document.canonical))
