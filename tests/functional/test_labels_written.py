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

"""Labels that hosts' publishers and operators map, and that gc collects."""

from collections.abc import Callable
from collections.abc import Hashable
import json
from typing import Any
import uuid

import webob

from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import LabelTombstone
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.placement.client import Client
from nova_mdev_compat.placement.documents import DocumentStore
from nova_mdev_compat.placement.errors import PlacementError
from nova_mdev_compat.placement.fate import Fate
from nova_mdev_compat.placement.label_collection import LabelCollector
from nova_mdev_compat.placement.label_collection import sort_out
from nova_mdev_compat.placement import labels as placed
from nova_mdev_compat.publisher.agent import Agent
from nova_mdev_compat.publisher.agent import Round
from nova_mdev_compat.publisher import host_labels
from nova_mdev_compat.publisher.intent import Intent
from nova_mdev_compat.publisher.intent import Root
from nova_mdev_compat.publisher.intent import Wanted
from tests.functional import collection
from tests.functional.collection import GRACE
from tests.functional.collection import NOW
from tests.functional import interleaving
from tests.functional import placement_cloud as cloud
from tests.functional import publisher_host
from tests.functional import test_placement_publication as one_provider
from tests.unit import commands

OLD, NEW, OTHER = (cloud.document(number) for number in (1, 2, 3))
SUFFIX = 'pci_0000_00_00_0'


class LabelsTestCase(cloud.PlacementTestCase, commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.host = self.make_host('one')

    def make_host(self, name: str) -> publisher_host.Host:
        return publisher_host.Host(self.placement, self.client, name, 1)

    def configure(self, host: publisher_host.Host, document: Document,
                  label: str | None = None) -> str:
        """The label is in device_spec, and Nova put it on the provider.

        :param label: None is the one that is proposed.
        """
        label = label or host_labels.proposed('{}', host.root)
        host.want(document, device_spec=json.dumps(
            {'traits': labels.trait(label)}))
        self.placement.set_traits(host.pgpus[SUFFIX], labels.trait(label))
        return label

    def mappings(self, label: str) -> list[labels.Mapping]:
        return labels.by_label(self.placement.custom_traits()).get(label, [])

    def stands_for(self, label: str) -> Document:
        """What a reader makes of it; it must be whole."""
        digest = self.mappings(label)[0].digest
        found = DocumentStore(self.client).get(digest, self.deadline)
        assert found is not None
        return found

    def writes(self) -> list[str]:
        return [request for request in self.placement.requests
                if not request.startswith('GET ')]


class TestPublisher(LabelsTestCase):

    def test_first_time(self) -> None:
        label = self.configure(self.host, OLD)
        self.restart()
        done = self.host.agent.round()
        names = traits.encode(OLD)
        (mapping,) = self.mappings(label)
        self.assertEqual((1, labels.owner(self.host.root), names.digest),
                         (mapping.sequence, mapping.owner, mapping.digest))
        # The body comes first.
        self.assertEqual([f'PUT /traits/{name}'
                          for name in (*names.chunks, mapping.name)],
                         self.writes())
        self.assertEqual({f'one_{SUFFIX}': names.digest}, done.published)
        self.assertTrue(done.complete)

    def test_nothing_to_do(self) -> None:
        self.configure(self.host, OLD)
        self.host.agent.round()
        self.restart()
        done = self.host.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual({f'one_{SUFFIX}': traits.encode(OLD).digest},
                         done.published)
        # The tree, our traits, who carries the label, and who other markers.
        self.assertLessEqual(len(self.placement.requests), 4)

    def test_new_release(self) -> None:
        label = self.configure(self.host, OLD)
        self.host.agent.round()
        (old,) = self.mappings(label)
        self.configure(self.host, NEW)
        self.restart()
        done = self.host.agent.round()
        (new,) = self.mappings(label)
        self.assertEqual([
            *(f'PUT /traits/{name}' for name in traits.encode(NEW).chunks),
            f'PUT /traits/{new.name}', f'DELETE /traits/{old.name}'],
            self.writes())
        self.assertEqual(2, new.sequence)
        self.assertEqual(NEW, self.stands_for(label))
        self.assertEqual({f'one_{SUFFIX}': new.digest}, done.published)
        self.assertEqual(1, self.said(f'in place of {old.digest}'))

    def test_before_nova_compute_is_restarted(self) -> None:
        label = self.configure(self.host, OLD)
        self.placement.set_traits(self.host.pgpus[SUFFIX])
        done = self.host.agent.round()
        self.assertEqual(OLD, self.stands_for(label))
        self.assertEqual({}, done.published)
        self.assertEqual({}, self.host.agent.round().published)
        self.assertEqual(1, self.said('restart nova-compute'))

    def test_doubted(self) -> None:
        label = self.configure(self.host, OLD)
        self.host.agent.round()
        self.host.want(NEW, doubted=True, device_spec=json.dumps(
            {'traits': labels.trait(label)}))
        self.restart()
        self.host.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual(1, self.said('keeps the document'))

    def test_marker_beside_it(self) -> None:
        label = self.configure(self.host, OLD)
        self.placement.add_traits(self.host.pgpus[SUFFIX],
                                  traits.marker(traits.encode(NEW).digest))
        done = self.host.agent.round()
        self.assertEqual(OLD, self.stands_for(label))
        self.assertEqual({}, done.published)
        self.assertEqual({}, self.host.agent.round().published)
        self.assertEqual(1, self.said('beside its label'))

    def test_two_labels(self) -> None:
        self.host.want(OLD, device_spec=json.dumps(
            {'traits': f'{labels.trait("A")},{labels.trait("B")}'}))
        self.restart()
        self.host.agent.round()
        self.assertEqual([], self.writes())
        self.assertEqual(1, self.said('A and B cannot stand for'))

    def test_no_label(self) -> None:
        self.host.want(OLD, device_spec=json.dumps(
            {'traits': 'custom_mdev_compat1_label_rack_7'}))
        self.host.agent.round()
        self.assertEqual(1, self.said('LABEL_RACK_7 in [pci] device_spec is '
                                      'no label'))

    def test_killed_anywhere(self) -> None:
        """Old or new, whole; and the next round completes it."""
        label = self.configure(self.host, OLD)
        self.host.agent.round()
        before, writes = OLD, 0
        for number in range(9):
            document = cloud.document(number, **one_provider.LONG)
            self.configure(self.host, document)
            writes = self._killed(label, number, {document.canonical,
                                                  before.canonical})
            self.host.agent.round()
            self.assertEqual(document, self.stands_for(label))
            self.assertEqual(1, len(self.mappings(label)))
            before = document
        # The last one was not killed: its chunks, the mapping, the old one.
        self.assertLess(writes, 9)

    def _killed(self, label: str, writes: int, either: set[bytes]) -> int:
        """A round that ends at a write; returns how many there were."""
        done: list[str] = []

        def hook(method: str, path: str) -> webob.Response | None:
            if method == 'GET':
                return None
            done.append(path)
            return cloud.answer(503, 'killed') if len(done) > writes else None
        self.placement.hook = hook
        try:
            self.host.agent.round()
        except PlacementError:
            pass
        self.placement.hook = None
        self.assertIn(self.stands_for(label).canonical, either)
        return len(done)


class TestSharing(LabelsTestCase):
    """Two hosts with one label."""

    def setUp(self) -> None:
        super().setUp()
        self.second = self.make_host('two')
        for host in (self.host, self.second):
            self.configure(host, OLD, 'RACK7')
            host.agent.round()
        self.restart()

    def rounds(self, count: int = 3) -> list[Round]:
        return [host.agent.round() for _ in range(count)
                for host in (self.second, self.host)]

    def test_agreed(self) -> None:
        done = self.rounds()
        self.assertEqual([], self.writes())
        self.assertEqual([1] * 6, [len(one.published) for one in done])

    def test_first_writer_goes_ahead(self) -> None:
        self.configure(self.host, NEW, 'RACK7')
        self.rounds()
        self.assertEqual(NEW, self.stands_for('RACK7'))
        # The other one says so, and does not write it back.
        self.assertEqual(1, self.said(
            f'host {labels.owner(self.second.root)}) has document'))
        self.assertEqual([2], [
            one.sequence for one in self.mappings('RACK7')])
        self.configure(self.second, NEW, 'RACK7')
        self.restart()
        self.assertEqual([1] * 6, [
            len(one.published) for one in self.rounds()])
        self.assertEqual([], self.writes())

    def test_other_one_goes_ahead(self) -> None:
        self.configure(self.second, NEW, 'RACK7')
        done = self.rounds()
        self.assertEqual([], self.writes())
        self.assertEqual(OLD, self.stands_for('RACK7'))
        self.assertEqual([0, 1] * 3, [len(one.published) for one in done])
        self.assertTrue(done[0].complete)

    def test_by_hand(self) -> None:
        """What an operator says stands, for every host."""
        self.configure(self.second, NEW, 'RACK7')
        self.assertEqual(0, self.publish(NEW))
        self.rounds()
        self.assertEqual(NEW, self.stands_for('RACK7'))
        self.assertEqual([labels.OPERATOR], [
            one.owner for one in self.mappings('RACK7')])
        self.assertEqual(1, self.said('as an operator said'))
        self.restart()
        self.assertEqual(0, self.publish(NEW))
        self.assertEqual([], self.writes())

    def test_sequence_that_is_used_up(self) -> None:
        digest = traits.encode(OLD).digest
        self.placement.make_traits(labels.Mapping(
            'RACK7', labels.MAX_SEQUENCE, labels.owner(self.host.root),
            digest).name)
        self.assertEqual(2, self.publish(NEW))
        self.configure(self.host, NEW, 'RACK7')
        self.rounds()
        self.assertEqual(OLD, self.stands_for('RACK7'))
        # Nothing was written that no reader takes for a mapping.
        self.assertEqual([], [name for name in self.writes()
                              if '_1000000000_' in name])

    def publish(self, document: Document) -> int:
        folder = self.placement.configuration.parent
        (folder / 'document.json').write_bytes(document.canonical)
        return self.run_command(
            'publish', '--config-file', str(self.placement.configuration),
            '--label', 'RACK7', str(folder / 'document.json')).status


class TestOwnLabel(LabelsTestCase):

    def test_somebody_else_wrote_it(self) -> None:
        """A label that was derived for this host is this host's."""
        label = self.configure(self.host, OLD)
        self.placement.make_traits(labels.Mapping(
            label, 7, 'ZZZZZZZZ', traits.encode(OTHER).digest).name)
        self.host.agent.round()
        self.assertEqual(OLD, self.stands_for(label))
        self.assertEqual([8], [one.sequence for one in self.mappings(label)])


class RaceTestCase(LabelsTestCase):
    """Every order of the requests of several."""

    LABEL = 'RACK7'

    def setUp(self) -> None:
        super().setUp()
        self.there: set[str] = set()
        self.ends: list[list[Any]] = []

    def send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        status, answer = self.placement.send(method, path, body)
        if method != 'GET' and status < 300:
            name = path.removeprefix('/traits/')
            self.there = self.there - {name} if method == 'DELETE' \
                else self.there | {name}
            self.look()
        return status, answer

    def look(self) -> None:
        """After each write."""

    def begin(self, *names: str) -> None:
        there = {name for name in self.placement.custom_traits()
                 if labels.read(name) is None}
        self.placement.delete_traits(*(there - {*names}))
        self.placement.make_traits(*({*names} - there))
        self.there = set(names)

    def publisher(self, host: publisher_host.Host, document: Document
                  ) -> Callable[[Client], Round]:
        wanted = Wanted(document, traits.encode(document),
                        device_spec=json.dumps(
                            {'traits': labels.trait(self.LABEL)}))
        intent = Intent(Root(host.root, (host.name,)), {SUFFIX: wanted})
        return lambda client: Agent(
            client, lambda: intent, cloud.TIMEOUT).round()

    def follow(self, before: set[str], *actors: Callable[[Client], Any]
               ) -> interleaving.Orders:
        orders = interleaving.Orders(
            actors, self.send, lambda: self.begin(*before), self.state,
            self.check)
        orders.follow_all()
        return orders

    def state(self) -> Hashable:
        return frozenset(self.there)

    def check(self, results: list[Any]) -> None:
        self.ends.append(results)


class TestTwoWriters(RaceTestCase):
    """Two hosts map one label at once."""

    def look(self) -> None:
        # From the first mapping on there always is one.
        mappings = labels.by_label(self.there).get(self.LABEL, [])
        self.seen |= bool(mappings)
        assert mappings or not self.seen

    def begin(self, *names: str) -> None:
        super().begin(*names)
        self.seen = bool(names)

    def writer(self, owner: str, document: Document, mine: bool = False
               ) -> Callable[[Client], placed.Mapped]:
        def act(client: Client) -> placed.Mapped:
            done = placed.map_label(
                client, self.LABEL, traits.encode(document).digest, owner,
                mine, self.deadline)
            if done.written:
                placed.remove_superseded(client, self.LABEL, self.deadline)
            return done
        return act

    def current(self) -> str:
        return labels.by_label(self.there)[self.LABEL][0].digest

    def test_first_mapping(self) -> None:
        """They do not agree; whoever is first, or greater, stays."""
        orders = self.follow(set(), self.writer('AAAAAAAA', OLD),
                             self.writer('BBBBBBBB', NEW))
        self.assertGreater(orders.ends, 2)
        self.assertEqual({traits.encode(one).digest for one in (OLD, NEW)},
                         self.found)

    def test_both_agree(self) -> None:
        self.follow(set(), self.writer('AAAAAAAA', OLD),
                    self.writer('BBBBBBBB', OLD))
        self.assertEqual({traits.encode(OLD).digest}, self.found)

    def test_one_goes_on(self) -> None:
        """The writer of the old mapping has a new document."""
        self.follow(
            {labels.Mapping(self.LABEL, 4, 'AAAAAAAA',
                            traits.encode(OTHER).digest).name},
            self.writer('AAAAAAAA', OLD), self.writer('BBBBBBBB', NEW))
        self.assertEqual({traits.encode(OLD).digest}, self.found)

    def check(self, results: list[Any]) -> None:
        super().check(results)
        self.found = {*getattr(self, 'found', ()), self.current()}
        # Each was told of a document that one of them has, and of what
        # counts now at least one of them was told.
        assert self.current() in {one.current.digest for one in results}


class TestCollection(RaceTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.names = traits.encode(OLD)
        self.mapping = labels.Mapping(
            self.LABEL, 1, labels.owner(self.host.root), self.names.digest)
        self.stone = LabelTombstone(self.LABEL, NOW - GRACE)

    def collect(self, client: Client) -> list[Fate]:
        known = client.traits(traits.PREFIX, self.deadline, many=True)
        carried = client.traits(traits.PREFIX, self.deadline,
                                associated=True)
        seen = sort_out(known, carried)
        collector = LabelCollector(client, GRACE, lambda: NOW,
                                   lambda: self.deadline)
        collector.tidy(seen)
        return [collector.collect(one) for one in seen.unused]

    def label_traits(self) -> set[str]:
        return {name for name in self.placement.custom_traits()
                if name.startswith(labels.MAPPING_PREFIX)
                or name.startswith(tombstones.PREFIX)}

    def test_body_that_a_label_alone_names(self) -> None:
        self.placement.make_traits(*self.names.chunks, self.mapping.name)
        # Nobody carries the label, and the body stays all the same.
        self.assertEqual([], collection.collect(self.client))
        self.placement.delete_traits(self.mapping.name)
        self.assertEqual([Fate.SEEN], collection.collect(self.client))
        # Mapped while it waits.
        self.placement.make_traits(self.mapping.name)
        self.assertEqual([], collection.collect(self.client, now=NOW + GRACE))
        self.assertLessEqual(set(self.names.chunks),
                             self.placement.custom_traits())

    def test_mapped_amid_collecting(self) -> None:
        self.placement.make_traits(*self.names.chunks)
        collection.collect(self.client)
        self.placement.hook = cloud.once(
            lambda: self.placement.make_traits(self.mapping.name),
            'DELETE', traits.BODY_PREFIX)
        self.assertEqual([Fate.RESTORED],
                         collection.collect(self.client, now=NOW + GRACE))
        traits.decode(self.placement.custom_traits(), self.names.digest)

    def test_unused_label(self) -> None:
        self.placement.make_traits(*self.names.chunks, self.mapping.name)
        self.assertEqual([Fate.SEEN], self.collect(self.client))
        self.assertEqual({self.mapping.name, LabelTombstone(
            self.LABEL, NOW).name}, self.label_traits())
        self.assertEqual([Fate.WAITING], self.collect(self.client))
        self.begin(*self.names.chunks, self.mapping.name, self.stone.name)
        self.assertEqual([Fate.COLLECTED], self.collect(self.client))
        self.assertEqual(set(), self.label_traits())

    def test_label_in_use(self) -> None:
        self.placement.set_traits(self.host.pgpus[SUFFIX],
                                  labels.trait(self.LABEL))
        new = labels.Mapping(self.LABEL, 2, 'ZZZZZZZZ', self.names.digest)
        self.placement.make_traits(self.mapping.name, new.name,
                                   self.stone.name)
        self.assertEqual([], self.collect(self.client))
        # What does not count goes at once, and so does the tombstone.
        self.assertEqual({new.name}, self.label_traits())

    def test_nova_puts_it_on_amid_collecting(self) -> None:
        self.placement.make_traits(self.mapping.name, self.stone.name)
        self.placement.hook = cloud.once(
            lambda: self.placement.set_traits(
                self.host.pgpus[SUFFIX], labels.trait(self.LABEL)),
            'DELETE', labels.MAPPING_PREFIX)
        self.assertEqual([Fate.RESTORED], self.collect(self.client))
        self.assertEqual({self.mapping.name}, self.label_traits())

    def test_publisher_meets_collector(self) -> None:
        """Whatever the order, the label stands for the document after it."""
        self.placement.make_traits(labels.trait(self.LABEL))
        orders = self.follow(
            {*self.names.chunks, self.mapping.name, self.stone.name},
            self.publisher(self.host, OLD), self.collect)
        self.assertGreater(orders.ends, 3)
        fates = {fate for results in self.ends for fate in results[1]}
        self.assertLess({Fate.RESTORED, Fate.SEEN}, fates)

    def check(self, results: list[Any]) -> None:
        super().check(results)
        found = labels.by_label(self.there)[self.LABEL]
        assert [self.names.digest] == [one.digest for one in found[:1]]
        traits.decode(self.there, self.names.digest)
        # Nobody carries the label yet, so the next sight can be a first one.
        assert self.stone not in tombstones.by_label(self.there)

    def test_command(self) -> None:
        label = str(uuid.uuid4().hex[:12]).upper()
        mapping = labels.Mapping(label, 1, 'ZZZZZZZZ', self.names.digest)
        self.placement.make_traits(
            *self.names.chunks, mapping.name, LabelTombstone(label, 1).name)
        for option, expected in (('--dry-run', True), ('--grace=9', False)):
            result = self.run_command(
                'gc', '--config-file', str(self.placement.configuration),
                option)
            self.assertEqual(0, result.status, result.err)
            self.assertIn(f'label {label}, 1 traits: collected', result.out)
            self.assertEqual(expected, mapping.name in self.label_traits())
