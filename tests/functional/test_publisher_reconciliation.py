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

"""The publisher's rounds, against the real placement."""

import types

import fixtures

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec import traits
from nova_mdev_compat.placement import errors
from nova_mdev_compat.publisher import host_labels
from tests.functional import placement_cloud as cloud
from tests.functional import publisher_host
from tests.functional import test_placement_publication as one_provider

FOREIGN = one_provider.FOREIGN


class HostTestCase(cloud.PlacementTestCase):

    PGPUS = 3

    def setUp(self) -> None:
        super().setUp()
        # tenacity waits between attempts.
        self.waits: list[float] = []
        self.useFixture(fixtures.MonkeyPatch(
            'tenacity.nap.time',
            types.SimpleNamespace(sleep=self.waits.append)))
        self.host = publisher_host.Host(self.placement, self.client,
                                        pgpus=self.PGPUS)
        self.agent = self.host.agent
        self.first = next(iter(self.host.pgpus))
        self.restart()

    def assert_carried(self, names: traits.TraitNames,
                       *suffixes: str) -> None:
        """These pGPUs, or all, carry its marker alone; the body is whole."""
        carried = self.host.carried()
        self.assertEqual(
            dict.fromkeys(suffixes or carried, {names.marker}),
            {suffix: carried[suffix] for suffix in suffixes or carried})
        traits.decode(self.placement.custom_traits(), names.digest)

    def writes(self) -> list[str]:
        return [request for request in self.placement.requests
                if not request.startswith('GET ')]


class TestRequests(HostTestCase):
    """A host of 8 pGPUs."""

    PGPUS = 8

    def test_first_host_of_a_cloud(self) -> None:
        names = self.host.want(cloud.document())
        self.agent.round()
        self.assertEqual(1, len(names.chunks))
        # Tree, names, body, marker, a read and a write for each provider,
        # and the body is read back.
        self.assertEqual(2 + 1 + 1 + 2 * self.PGPUS + 1,
                         len(self.placement.requests))
        self.assert_carried(names)

    def test_further_host(self) -> None:
        self.placement.publish(cloud.document(),
                               self.placement.make_provider())
        names = self.host.want(cloud.document())
        self.agent.round()
        # The document is there; who of this host carries it is asked for.
        self.assertEqual(3 + 2 * self.PGPUS + 1,
                         len(self.placement.requests))
        self.assert_carried(names)

    def test_nothing_changed(self) -> None:
        self.host.want(cloud.document())
        self.agent.round()
        self.restart()
        done = self.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual(3, len(self.placement.requests))
        self.assertEqual(self.PGPUS, len(done.published))
        self.assertTrue(done.complete)

    def test_nothing_changed_in_a_cloud_of_many_documents(self) -> None:
        for number in range(1, 6):
            self.placement.publish(cloud.document(number),
                                   self.placement.make_provider())
        suffixes = list(self.host.pgpus)
        self.host.want(cloud.document())
        self.host.want(cloud.document(1), *suffixes[:2])
        self.agent.round()
        self.restart()
        self.agent.round()
        self.assert_requests(
            f'GET /resource_providers?in_tree={self.host.root}',
            'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_',
            'GET /resource_providers?required=in:CUSTOM_MDEV_COMPAT1_',
            'GET /resource_providers?required=in:CUSTOM_MDEV_COMPAT1_',
            # All the others together.
            'GET /resource_providers?required=in:CUSTOM_MDEV_COMPAT1_')

    def test_hundreds_of_old_markers(self) -> None:
        self.host.want(cloud.document())
        self.agent.round()
        self.placement.make_traits(*(
            traits.encode(cloud.document(number)).marker
            for number in range(1, 142)))
        other = self.placement.make_provider()
        self.placement.publish(cloud.document(1), other)
        self.restart()
        self.agent.round()
        self.assert_requests(
            'GET /resource_providers?in_tree=',
            'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_',
            'GET /resource_providers?required=in:CUSTOM_MDEV_COMPAT1_',
            'GET /traits?name=startswith:CUSTOM_MDEV_COMPAT1_&associated=',
            'GET /resource_providers?required=in:'
            f'{traits.encode(cloud.document(1)).marker}&')

    def test_thousands_of_bodies(self) -> None:
        """Of years without collecting, in a large cloud."""
        self.placement.hook = cloud.crowded(self.placement, 2000)
        names = self.host.want(cloud.document())
        self.agent.round()
        self.assert_carried(names)
        self.restart()
        self.placement.hook = cloud.crowded(self.placement, 2000)
        self.agent.round()
        self.assertEqual([], self.writes())

    def test_one_of_many_virtual_functions(self) -> None:
        big = publisher_host.Host(self.placement, self.client, 'big', 64)
        big.want(cloud.document())
        self.placement.publish(cloud.document(), *list(
            big.pgpus.values())[1:])
        self.restart()
        done = big.agent.round()
        self.assertEqual(3 + 2 + 1, len(self.placement.requests))
        self.assertEqual(1, len(done.outcome.changes))
        self.assertEqual(64, len(done.published))


class TestRounds(HostTestCase):

    def test_body_comes_before_markers(self) -> None:
        names = self.host.want(cloud.document(**one_provider.LONG))
        self.agent.round()
        self.assertEqual(
            [f'PUT /traits/{name}' for name in (*names.chunks, names.marker)],
            self.asked('PUT', ' /traits/'))
        first_marked = self.placement.requests.index(
            self.asked('PUT', '/resource_providers/')[0])
        for chunk in names.chunks:
            self.assertLess(self.placement.requests.index(
                f'PUT /traits/{chunk}'), first_marked)
        self.assert_carried(names)

    def test_older_marker_is_replaced_in_the_same_write(self) -> None:
        older = self.placement.publish(cloud.document(1),
                                       *self.host.pgpus.values())
        names = self.host.want(cloud.document())
        self.restart()
        done = self.agent.round()
        self.assertEqual({(older.digest,)}, {
            change.replaced for change in done.outcome.changes})
        self.assertEqual(self.PGPUS,
                         len(self.asked('PUT', '/resource_providers/')))
        self.assert_carried(names)

    def test_two_markers_of_ones_own(self) -> None:
        suffixes = list(self.host.pgpus)
        one = self.host.want(cloud.document(), *suffixes[:2])
        other = self.host.want(cloud.document(1), *suffixes[2:])
        self.agent.round()
        self.placement.add_traits(self.host.pgpus[self.first], other.marker)
        self.agent.round()
        self.assert_carried(one, *suffixes[:2])
        self.assert_carried(other, *suffixes[2:])

    def test_foreign_traits_stay(self) -> None:
        for provider in self.host.pgpus.values():
            self.placement.set_traits(provider, *FOREIGN)
        names = self.host.want(cloud.document())
        self.agent.round()
        for found in self.host.carried().values():
            self.assertEqual({names.marker, *FOREIGN}, found)

    def test_providers_of_nobodys_are_left_alone(self) -> None:
        # Published by hand for a device that the host does not speak of, or
        # of one that is not handed out any more.
        names = self.placement.publish(cloud.document(1),
                                       self.host.pgpus[self.first])
        mine = self.host.want(cloud.document(),
                              *list(self.host.pgpus)[1:])
        self.agent.round()
        self.assert_carried(names, self.first)
        self.assert_carried(mine, *list(self.host.pgpus)[1:])

    def test_other_hosts_are_left_alone(self) -> None:
        other = publisher_host.Host(self.placement, self.client, 'gpu2')
        theirs = self.placement.publish(cloud.document(1),
                                        *other.pgpus.values())
        self.host.want(cloud.document())
        self.agent.round()
        self.assertEqual(dict.fromkeys(other.pgpus, {theirs.marker}),
                         other.carried())

    def test_body_that_was_lost(self) -> None:
        names = self.host.want(cloud.document(**one_provider.LONG))
        self.agent.round()
        self.placement.delete_traits(names.chunks[1])
        self.restart()
        done = self.agent.round()
        self.assertEqual([names.chunks[1]], done.outcome.written)
        self.assertEqual([f'PUT /traits/{names.chunks[1]}'], self.writes())
        self.assert_carried(names)

    def test_body_that_is_collected_amid_the_round(self) -> None:
        names = self.host.want(cloud.document(**one_provider.LONG))
        self.placement.hook = cloud.once(
            lambda: self.placement.delete_traits(*names.chunks),
            'PUT', '/resource_providers/')
        done = self.agent.round()
        self.assertEqual([*names.chunks, *names.chunks],
                         done.outcome.written)
        self.assert_carried(names)

    def test_tombstone_is_taken_away_first(self) -> None:
        names = self.host.want(cloud.document())
        stone = tombstones.Tombstone(names.digest, 1).name
        others = tombstones.Tombstone('A' * 26, 1).name
        self.placement.publish(cloud.document())
        self.placement.make_traits(stone, others)
        self.restart()
        self.agent.round()
        self.assertEqual(f'DELETE /traits/{stone}', self.writes()[0])
        self.assertIn(others, self.placement.custom_traits())
        self.assertNotIn(stone, self.placement.custom_traits())
        self.assert_carried(names)

    def test_markers_that_are_collected_amid_the_round(self) -> None:
        names = self.host.want(cloud.document())
        self.placement.publish(cloud.document(1), self.host.pgpus[self.first])
        self.placement.make_traits(names.marker)
        self.placement.hook = cloud.once(
            lambda: self.placement.delete_traits(names.marker),
            'GET', 'required=')
        done = self.agent.round()
        self.assertEqual([400], done.outcome.lost)
        self.assert_carried(names)

    def test_race_with_another_writer(self) -> None:
        names = self.host.want(cloud.document())
        provider = self.host.pgpus[self.first]
        self.placement.hook = cloud.once(
            lambda: self.placement.add_traits(provider, 'CUSTOM_GOLD'),
            'PUT', f'/resource_providers/{provider}/traits')
        done = self.agent.round()
        self.assertEqual([409], done.outcome.lost)
        self.assertEqual({names.marker, 'CUSTOM_GOLD'},
                         self.host.carried()[self.first])

    def test_one_provider_that_cannot_be_written(self) -> None:
        names = self.host.want(cloud.document())
        path = f'/resource_providers/{self.host.pgpus[self.first]}/traits'
        self.placement.hook = lambda method, asked: (
            cloud.answer(409, 'busy') if (method, asked) == ('PUT', path)
            else None)
        done = self.agent.round()
        self.assertEqual([f'gpu1_{self.first}'], list(done.outcome.failed))
        self.assertFalse(done.complete)
        self.assert_carried(names, *list(self.host.pgpus)[1:])
        self.assertEqual(1, self.said('could not be written'))

    def test_placement_goes_amid_the_round(self) -> None:
        names = self.host.want(cloud.document())
        self.placement.hook = lambda method, path: (
            cloud.answer(503, 'out of order')
            if 'PUT /resource_providers/' in f'{method} {path}' else None)
        self.assertRaises(errors.UnexpectedAnswer, self.agent.round)
        self.placement.hook = None
        self.agent.round()
        self.assert_carried(names)


class TestProviders(HostTestCase):

    def test_root_by_name(self) -> None:
        self.host.by_name = True
        names = self.host.want(cloud.document())
        self.agent.round()
        self.assert_carried(names)

    def test_root_that_is_not_there_yet(self) -> None:
        self.host.want(cloud.document())
        known, self.host.root = self.host.root, 'c' * 8 + self.host.root[8:]
        done = self.agent.round()
        self.assertEqual([], self.writes())
        self.assertFalse(done.complete)
        self.agent.round()
        # Once, and not in every round.
        self.assertEqual(1, self.said('is not in placement'))
        self.host.root = known
        self.assertTrue(self.agent.round().complete)

    def test_provider_that_is_not_there_yet(self) -> None:
        self.host.delete_pgpu(self.first)
        self.host.want(cloud.document(), self.first, *self.host.pgpus)
        done = self.agent.round()
        self.assertEqual((f'gpu1_{self.first}',), done.waiting_for)
        self.assertFalse(done.complete)
        self.assertEqual(self.PGPUS - 1, len(done.published))
        self.host.make_pgpu(self.first)
        self.assertTrue(self.agent.round().complete)

    def test_none_is_there_yet(self) -> None:
        for suffix in list(self.host.pgpus):
            self.host.want(cloud.document(), suffix)
            self.host.delete_pgpu(suffix)
        self.restart()
        self.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual(set(), self.placement.custom_traits())

    def test_provider_that_nova_may_not_make(self) -> None:
        self.host.want(cloud.document(), optional=True)
        self.host.delete_pgpu(self.first)
        self.assertTrue(self.agent.round().complete)

    def test_provider_that_is_made_anew(self) -> None:
        names = self.host.want(cloud.document())
        self.agent.round()
        self.host.delete_pgpu(self.first)
        self.host.make_pgpu(self.first)
        self.restart()
        done = self.agent.round()
        self.assertEqual([f'gpu1_{self.first}'],
                         [change.provider for change in done.outcome.changes])
        self.assert_carried(names)

    def test_provider_that_goes_amid_the_round(self) -> None:
        names = self.host.want(cloud.document())
        self.placement.hook = cloud.once(
            lambda: self.host.delete_pgpu(self.first),
            'GET', f'{self.host.pgpus[self.first]}/traits')
        done = self.agent.round()
        self.assertEqual((f'gpu1_{self.first}',), done.waiting_for)
        self.assertFalse(done.complete)
        self.assert_carried(names)

    def test_pci_in_placement(self) -> None:
        entry = '{"vendor_id": "10de", "traits": "CUSTOM_GOLD"}'
        names = self.host.want(cloud.document(), self.first,
                               device_spec=entry)
        provider = self.host.pgpus[self.first]
        self.restart()
        done = self.agent.round()
        # The body alone is written, for Nova's own traits to point at.
        self.assertEqual([f'PUT /traits/{name}' for name in names.chunks],
                         self.writes())
        self.assertTrue(done.complete)
        label = labels.trait(host_labels.proposed(entry, self.host.root))
        self.assertEqual(1, self.said(
            f'{{"vendor_id": "10de", "traits": "CUSTOM_GOLD,{label}"}}'))
        # Nova has an older one.
        old = self.placement.publish(cloud.document(1), provider)
        self.host.want(cloud.document(), self.first,
                       device_spec=f'{{"traits": "{old.marker}"}}')
        self.restart()
        self.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual(1, self.said(names.marker))
        self.placement.set_traits(provider, names.marker)
        done = self.agent.round()
        self.assertEqual({f'gpu1_{self.first}': names.digest},
                         done.published)

    def test_unknown_is_left_as_it_is(self) -> None:
        names = self.host.want(cloud.document())
        self.agent.round()
        del self.host.wanted[self.first]
        self.host.unknown[self.first] = 'probe sysfs: I/O error'
        self.restart()
        done = self.agent.round()
        self.assertEqual([], self.writes())
        self.assertFalse(done.complete)
        self.assertEqual(1, self.said('I/O error'))
        self.assert_carried(names)

    def test_doubted(self) -> None:
        last = list(self.host.pgpus)[-1]
        good = self.placement.publish(
            cloud.document(1), *(self.host.pgpus[suffix]
                                 for suffix in self.host.pgpus
                                 if suffix != last))
        doubted = self.host.want(cloud.document(), doubted=True)
        done = self.agent.round()
        # What is published stays; where nothing is, the doubted one is better
        # than none.
        self.assert_carried(good, *list(self.host.pgpus)[:-1])
        self.assert_carried(doubted, last)
        self.assertEqual(self.PGPUS - 1,
                         len(done.difference.kept))
        self.assertEqual(1, self.said(
            'keep the document that they carry'))
