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

"""Labelled providers are published like others, for every command."""

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import traits
from tests.functional import sixty_hosts as sixty
from tests.functional import test_fleet_commands as fleet
from tests.functional.test_fleet_commands import NEW
from tests.functional.test_fleet_commands import NO_ECC
from tests.functional.test_fleet_commands import OLD

LABELLED = {'new-01': ('N', NEW), 'new-02': ('N', NEW), 'old-01': ('S', OLD),
            'old-02': ('O', OLD), 'noecc-01': ('E', NO_ECC)}


class TestLabels(fleet.FleetTestCase):

    def answers(self) -> list[object]:
        server = sixty.server_uuid('old-01')
        return [self.rows(0, 'explain', server, '--long'),
                self.rows(1, 'headroom'), self.rows(0, 'matrix')]

    def label(self, host: str, label: str, digest: str | None) -> None:
        for number in range(2):
            provider = sixty.provider_uuid(host, number)
            marker = traits.marker(digest or '')
            self.placement.set_traits(provider, labels.trait(label), *(
                self.placement.traits_of(provider) - {marker}))

    def test_as_with_markers(self) -> None:
        before = self.answers()
        for host, (label, digest) in LABELLED.items():
            self.placement.make_traits(labels.Mapping(
                label, 3, 'HOSTHOST', digest or '').name)
            self.label(host, label, digest)
        self.assertEqual(before, self.answers())
        self.assertEqual([], [
            name for name in self.placement.requests
            if not name.startswith('GET ')])

    def test_label_that_stands_for_nothing(self) -> None:
        self.label('new-01', 'N', NEW)
        rows = self.rows(1, 'explain', sixty.server_uuid('old-01'),
                         '--host', 'new-01')
        self.assertEqual([('unpublished', [
            'its label N stands for no document'])] * 2,
            [(row['Verdict'], row['Why']) for row in rows])
