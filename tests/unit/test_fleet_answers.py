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

"""Answers about a fleet: pure values, no placement."""

import json
from typing import Any

import ddt
import testtools

from nova_mdev_compat.cmd import matrix as matrix_command
from nova_mdev_compat.codec import canonical
from nova_mdev_compat.codec import labels
from nova_mdev_compat.codec import loading
from nova_mdev_compat.codec import traits
from nova_mdev_compat.compat.document import Document
from nova_mdev_compat.fleet import checks
from nova_mdev_compat.fleet import explanation
from nova_mdev_compat.fleet import headroom
from nova_mdev_compat.fleet import kinds
from nova_mdev_compat.fleet import matrix
from nova_mdev_compat.fleet import new_entry
from nova_mdev_compat.fleet.planning import upgrading
from nova_mdev_compat.fleet.providers import CORRUPT
from nova_mdev_compat.fleet.providers import DeviceProvider
from nova_mdev_compat.fleet.providers import Fleet
from nova_mdev_compat.fleet.providers import NOTHING
from nova_mdev_compat.fleet.providers import Publication
from nova_mdev_compat.fleet.providers import USABLE
from nova_mdev_compat.fleet import source
from nova_mdev_compat.placement.inventories import Capacity
from nova_mdev_compat.placement.offers import Offers
from nova_mdev_compat.placement.verdicts import Question
from nova_mdev_compat.placement.verdicts import Verdicts

LIVE = Question('live', same_type=True)
COLD = Question('cold')
SERVER = '5b1c5f0e-6f3e-4a44-9d60-0f6a4a1f2c11'


def document(mdev_type: str | None = 'acme-t1', version: str | None = '1.2',
             compatible: Any = ({},), **attributes: Any) -> Document:
    device: dict[str, Any] = {'device_api': 'vfio-pci'}
    if mdev_type is not None:
        device['mdev_type'] = mdev_type
    if version is not None:
        device['software_version'] = version
    bus = {name: attributes.pop(name) for name in ('vendor', 'device')
           if name in attributes}
    if bus:
        device['vfio-pci'] = bus
    if attributes:
        device['attributes'] = attributes
    return loading.load(json.dumps({
        'format': 1, 'self': device, 'compatible': list(compatible)}))


def digest(one: Document) -> str:
    return canonical.digest(one.canonical)


def by_digest(*documents: Document) -> dict[str, Document]:
    return {digest(one): one for one in documents}


def provider(host: str, one: Document | None, total: int = 1, used: int = 0,
             number: int = 0, resource_class: str = 'VGPU',
             publication: Publication | None = None) -> DeviceProvider:
    if publication is None:
        publication = NOTHING if one is None \
            else Publication(USABLE, digest(one), one)
    return DeviceProvider(
        f'{host}-{number}', f'{host}_pci_{number}', f'root-{host}', host,
        resource_class, Capacity(total, used), publication)


def fleet(*providers: DeviceProvider, **more: Any) -> Fleet:
    return Fleet(providers, {
        one.digest: one.document for one in providers
        if one.digest is not None and one.document is not None},
        more.pop('unusable', {}), **more)


class TestKinds(testtools.TestCase):

    def labels(self, *documents: Document) -> list[str]:
        return [kind.label for kind in kinds.kinds(by_digest(*documents))]

    def test_only_what_differs_is_said(self) -> None:
        self.assertEqual(
            ['acme-t1 1.2 ecc false', 'acme-t1 1.2 ecc true',
             'acme-t1 1.10 ecc true', 'acme-t2 1.2'],
            self.labels(document('acme-t2', board='x', ecc=True),
                        document(version='1.10', board='y', ecc=True),
                        document(board='y', ecc=True),
                        document(board='y', ecc=False)))

    def test_physical_devices(self) -> None:
        self.assertEqual(
            ['8086:4940', 'vfio-pci'],
            self.labels(document(None, None, vendor='8086', device='4940'),
                        document(None, None)))

    def test_numbers_are_sorted_by_value(self) -> None:
        self.assertEqual(
            ['acme-t2 1.2', 'acme-t10 1.2'],
            self.labels(document('acme-t10'), document('acme-t2')))

    def test_same_device_that_accepts_something_else(self) -> None:
        first, second = self.labels(document(), document(compatible=()))
        self.assertNotEqual(first, second)
        self.assertIn('#', first)

    def test_absent_and_types(self) -> None:
        self.assertEqual(
            ['acme-t1 1.2 n 1', 'acme-t1 1.2 n absent', 'acme-t1 1.2 n true'],
            sorted(self.labels(document(n=1), document(),
                               document(n=True))))
        # To Python these two are equal.
        self.assertEqual(['acme-t1 1.2 n 1', 'acme-t1 1.2 n true'],
                         self.labels(document(n=1), document(n=True)))


class TestMatrix(testtools.TestCase):

    def test_answers(self) -> None:
        plain = document()
        cold = document(board='c', compatible=[{
            'level': 'cold', 'attributes': {'board': {'any': True}}}])
        other_type = document('acme-t2', compatible=[{
            'mdev_type': 'acme-t1', 'software_version': {'any': True}}])
        compared = matrix.compare(by_digest(plain, cold, other_type), LIVE,
                                  COLD)
        row = compared.rows[[kind.digest for kind in compared.kinds].index(
            digest(plain))]
        self.assertEqual(
            {digest(plain): matrix.LIVE, digest(cold): matrix.COLD,
             digest(other_type): matrix.COLD},
            {kind.digest: answer
             for kind, answer in zip(compared.kinds, row)})

    def test_what_nova_does_not_make(self) -> None:
        plain = document()
        wider = document('acme-t2', compatible=[{
            'mdev_type': 'acme-t1', 'software_version': {'any': True},
            'create': {'attributes': {'slices': 2}}}])
        compared = matrix.compare(by_digest(plain, wider), LIVE, COLD)
        self.assertEqual((matrix.LIVE, matrix.OTHERWISE), compared.rows[0])

    def test_ruler(self) -> None:
        self.assertEqual('123', matrix_command.ruler(1, 3))
        self.assertEqual('  11\n8901', matrix_command.ruler(8, 11))


@ddt.ddt
class TestNewEntry(testtools.TestCase):
    """Each is tried by the matcher before it is said."""

    OWN = document('acme-t1', '1.2', ecc=True, features=['a'])

    @ddt.data(
        ({'ecc': False}, {'attributes': {'ecc': False}}),
        ({}, {'attributes': {'ecc': {'absent': True}}}),
        ({'ecc': True, 'features': ['a', 'b']},
         {'attributes': {'features': ['a', 'b']}}),
        ({'ecc': True, 'version': '2.0'}, {'software_version': '2.0'}),
        # A version is relative to the type.
        ({'ecc': True, 'mdev_type': 'acme-t2'},
         {'mdev_type': 'acme-t2', 'software_version': '1.2'}),
        ({'ecc': True, 'mdev_type': 'acme-t2', 'version': None},
         {'mdev_type': 'acme-t2', 'software_version': {'absent': True}}),
        ({'ecc': True, 'vendor': '10de'}, {
            'vfio-pci': {'vendor': '10de'}, 'software_version': '1.2'}),
        ({'ecc': True}, {}))
    @ddt.unpack
    def test_it_names_what_differs(self, device: dict[str, Any],
                                   entry: dict[str, Any]) -> None:
        found = new_entry.suggest(document(**device).device, self.OWN)
        self.assertEqual(entry, found)

    def test_another_api(self) -> None:
        other = loading.load(json.dumps({
            'format': 1, 'self': {'device_api': 'vfio-ap'},
            'compatible': []}))
        self.assertIsNone(new_entry.suggest(other.device, self.OWN))


@ddt.ddt
class TestHeadroom(testtools.TestCase):

    @ddt.data(
        # Used and free of the providers of hosts; stranded, none.
        ('room elsewhere', [(1, 1), (1, 0)], 0, False),
        ('full everywhere', [(1, 1), (1, 1)], 2, True),
        ('room on its own host only', [(2, 1)], 1, True),
        ('nobody holds any', [(1, 0)], 0, False),
        ('no devices at all', [(0, 0)], 0, True))
    @ddt.unpack
    def test_one_kind(self, name: str, capacities: list[tuple[int, int]],
                      stranded: int, is_none: bool) -> None:
        [found] = headroom.measure(fleet(*(
            provider(f'h{number}', document(), *one)
            for number, one in enumerate(capacities))), LIVE, Verdicts())
        self.assertEqual((stranded, is_none),
                         (found.stranded, found.is_none))

    def test_another_class_is_no_room(self) -> None:
        [found] = headroom.measure(fleet(
            provider('h0', document(), 1, 1),
            provider('h1', document(), 1, 0, resource_class='PGPU')), LIVE,
            Verdicts())
        # The second is of the same document, in another class.
        self.assertEqual(1, found.stranded)

    def test_none_comes_first(self) -> None:
        found = headroom.measure(fleet(
            provider('h0', document(), 4, 1), provider('h1', document(), 4),
            provider('h2', document('acme-t2'), 1, 1)), LIVE, Verdicts())
        self.assertEqual(['acme-t2', 'acme-t1'],
                         [one.kind.name for one in found])


class TestExplanation(testtools.TestCase):

    def explain(self, *providers: DeviceProvider, held: int = 1,
                offered: tuple[str, ...] = (), every: tuple[str, ...] = (),
                **policies: bool) -> dict[str, str]:
        first, *_ = providers

        def offers(names: tuple[str, ...]) -> Offers:
            return Offers(tuple({name: {'VGPU': held}} for name in names),
                          False)
        self.explanation = explanation.Explanation(
            fleet(*providers), [explanation.HeldDevice(first, held)], LIVE,
            explanation.Policies(**policies), explanation.Offered(
                offers(offered), offers(every or offered), 'VCPU 1', 1000),
            Verdicts())
        self.answers = self.explanation.answers()
        return {one.provider.uuid: one.outcome for one in self.answers}

    def test_outcomes(self) -> None:
        broken = Publication(CORRUPT, 'A' * 26, None, 'it is broken')
        self.assertEqual(
            {'src-0': 'source', 'src-1': 'source', 'good-0': 'accepted',
             'late-0': 'not offered', 'tight-0': 'host lacks room',
             'full-0': 'full', 'old-0': 'refused', 'new-0': 'unpublished',
             'bad-0': 'corrupt'},
            self.explain(
                provider('src', document(), 1, 1),
                provider('src', document(), 1, number=1),
                provider('good', document()), provider('late', document()),
                provider('tight', document()),
                provider('full', document(), 1, 1),
                provider('old', document(version='1.1')),
                provider('new', None),
                provider('bad', None, publication=broken),
                provider('pgpu', document(), resource_class='PGPU'),
                offered=('good-0',), every=('good-0', 'late-0')))
        self.assertTrue(self.explanation.has_somewhere())
        # Of the hosts that were asked about.
        self.assertTrue(self.explanation.has_somewhere(['good', 'full']))
        self.assertFalse(self.explanation.has_somewhere(['late', 'full']))
        [refused] = [one for one in self.answers if one.outcome == 'refused']
        self.assertIn('(entry 0)', refused.why[0])

    def test_two_devices_want_two(self) -> None:
        self.assertEqual('full', self.explain(
            provider('src', document(), 2, 2),
            provider('good', document(), 2, 1), held=2)['good-0'])
        self.assertFalse(self.explanation.has_somewhere())

    def test_its_own_host_is_no_somewhere(self) -> None:
        self.explain(provider('src', document(), 1, 1),
                     provider('src', document(), number=1),
                     offered=('src-1',))
        self.assertFalse(self.explanation.has_somewhere())

    def test_two_kinds_of_device(self) -> None:
        """Nova pairs by mdev type, so the others need not be accepted."""
        one, other = document(), document('acme-t2')
        sources = [provider('src', one, 1, 1),
                   provider('src', other, 1, 1, number=1)]
        others = [provider('dst', one), provider('dst', other, number=1)]
        for devices, somewhere in ((('dst-0', 'dst-1'), True),
                                   (('dst-0',), False), ((), False)):
            offers = Offers(({uuid: {'VGPU': 1} for uuid in devices},),
                            False)
            explained = explanation.Explanation(
                fleet(*sources, *others),
                [explanation.HeldDevice(held, 1) for held in sources], LIVE,
                explanation.Policies(), explanation.Offered(
                    offers, offers, '', 1000), Verdicts())
            self.assertEqual(somewhere, explained.has_somewhere())
        self.assertEqual(2 * 4, len(explained.answers()))

    def test_policies(self) -> None:
        providers = provider('src', document(), 1, 1), provider('new', None)
        found = self.explain(*providers, offered=('new-0',),
                             unpublished_destination=True)
        self.assertEqual('accepted', found['new-0'])
        providers = provider('src', None, 1, 1), provider('x', document())
        found = self.explain(*providers, offered=('x-0',))
        self.assertEqual('accepted', found['x-0'])
        found = self.explain(*providers, offered=('x-0',),
                             unpublished_source=False)
        self.assertEqual('refused', found['x-0'])

    def test_groups_are_alike(self) -> None:
        self.explain(provider('src', document(), 1, 1),
                     *(provider(f'h{number}', document(), 1, 1)
                       for number in range(3)),
                     provider('x', document(version='1.1')))
        self.assertEqual([3, 1, 1], [
            len(one.answers) for one in explanation.groups(self.answers)])

    def test_the_source_is_one_group(self) -> None:
        self.explain(provider('src', document(), 1, 1),
                     provider('src', document(), 1, number=1))
        [group] = explanation.groups(self.answers)
        self.assertEqual(2, len(group.answers))


class TestSource(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.fleet = fleet(provider('a', document()),
                           provider('b', document()))

    def find(self, allocations: Any, host: str | None = None) -> Any:
        return source.find(self.fleet, SERVER, allocations, host)

    def test_what_it_holds(self) -> None:
        found = self.find({'a-0': {'VGPU': 1}, 'root-a': {'VCPU': 2},
                           'shared': {'DISK_GB': 3}})
        self.assertEqual(('a', {'VCPU': 2, 'DISK_GB': 3}),
                         (found.host, found.common))

    def test_on_two_hosts(self) -> None:
        held = {'a-0': {'VGPU': 1}, 'b-0': {'VGPU': 1},
                'root-a': {'VCPU': 2}, 'root-b': {'VCPU': 2}}
        self.assertRaises(source.NotFound, self.find, held)
        self.assertRaises(source.NotFound, self.find, held, 'c')
        found = self.find(held, 'b')
        self.assertEqual(('b', {'VCPU': 2}), (found.host, found.common))

    def test_nothing_to_explain(self) -> None:
        for held in ({}, {'root-a': {'VCPU': 2}}):
            self.assertRaises(source.NotFound, self.find, held)


@ddt.ddt
class TestChecks(testtools.TestCase):

    @ddt.data(
        (['MdevCompatFilter'], [checks.ALL_FILTERS], checks.SUCCESS),
        (['MdevCompatFilter'], ['x.y.MdevCompatFilter'], checks.SUCCESS),
        (['MdevCompatFilter'], ['nova.scheduler.filters.all_filters'],
         checks.FAILURE),
        (['ComputeFilter'], [checks.ALL_FILTERS], checks.FAILURE))
    @ddt.unpack
    def test_enabled(self, names: list[str], available: list[str],
                     level: str) -> None:
        self.assertEqual(level, checks.enabled(available, names).level)

    @ddt.data(
        ('MdevCompatFilter NUMATopologyFilter', checks.SUCCESS),
        ('NUMATopologyFilter MdevCompatFilter', checks.WARNING),
        ('ComputeFilter MdevCompatFilter PciPassthroughFilter',
         checks.SUCCESS),
        ('NUMATopologyFilter', checks.SUCCESS))
    @ddt.unpack
    def test_order(self, names: str, level: str) -> None:
        self.assertEqual(level, checks.order(names.split()).level)

    def test_formats(self) -> None:
        marker = 'CUSTOM_MDEV_COMPAT%s_' + 'A' * 26
        self.assertEqual(checks.SUCCESS, checks.formats([
            marker % 1, traits.encode(document()).chunks[0],
            'CUSTOM_MDEV_COMPATIBLE']).level)
        found = checks.formats([marker % 1, marker % 2, marker % 10])
        self.assertEqual(checks.WARNING, found.level)
        self.assertIn('format 10 (1), format 2 (1)', found.details)

    def test_garbage(self) -> None:
        used, unused = (traits.encode(one)
                        for one in (document(), document(n=1)))
        ours = [used.marker, *used.chunks, unused.marker, *unused.chunks]
        found = checks.garbage(ours, [used.marker], 10)
        self.assertEqual(checks.SUCCESS, found.level)
        self.assertIn('4 of 10 custom traits are ours; 2 of ours',
                      found.details)
        many = [f'CUSTOM_MDEV_COMPAT1_{number}' for number in range(100)]
        self.assertEqual(checks.WARNING,
                         checks.garbage(many, [], 100).level)

    def test_garbage_of_labels(self) -> None:
        old, new = (traits.encode(one) for one in (document(), document(n=1)))
        used, unused = labels.trait('A'), labels.trait('B')
        mappings = [labels.Mapping(label, sequence, 'HOSTHOST', one.digest)
                    .name for label, sequence, one in (
                        ('A', 1, old), ('A', 2, new), ('B', 1, old))]
        ours = [used, unused, *mappings, *old.chunks, *new.chunks]
        # The other label, two mappings that do not count, and a body.
        self.assertIn('4 of ours belong to no document',
                      checks.garbage(ours, [used], 10).details)

    def test_labels_of_other_formats(self) -> None:
        found = checks.formats(['CUSTOM_MDEV_COMPAT2_LABEL_A',
                                labels.trait('A')])
        self.assertIn('format 2 (1)', found.details)

    @ddt.data(
        (document(), checks.SUCCESS),
        (document(driver_release='1', ecc=True), checks.SUCCESS),
        (document(driver_release='1',
                  compatible=[{'mdev_type': 'acme-t1',
                               'software_version': {'any': True}}]),
         checks.SUCCESS),
        (document(driver_release='1', kernel_release='6.1'),
         checks.WARNING),
        (document(None, None, compatible=(), driver='qat',
                  kernel_release='6.1'), checks.WARNING))
    @ddt.unpack
    def test_rules(self, one: Document, level: str) -> None:
        self.assertEqual(level, checks.rules(fleet(
            provider('a', one))).level)

    def test_limit(self) -> None:
        two = fleet(provider('a', document()), provider('b', document()))
        self.assertEqual(checks.SUCCESS, checks.limit(two, 2).level)
        self.assertEqual(checks.WARNING, checks.limit(two, 1).level)

    def test_publication(self) -> None:
        good = provider('a', document())
        for providers, unpublished, corrupt in (
                ([good], checks.SUCCESS, checks.SUCCESS),
                ([], checks.WARNING, checks.SUCCESS),
                ([good, provider('b', None)], checks.WARNING,
                 checks.SUCCESS),
                ([good, provider('b', None, publication=Publication(
                    CORRUPT, fault='it carries several markers'))],
                 checks.SUCCESS, checks.FAILURE)):
            one = fleet(*providers)
            self.assertEqual((unpublished, corrupt), (
                checks.unpublished(one).level, checks.corrupt(one).level))
        found = checks.corrupt(fleet(good, unusable={'A' * 26: 'no chunk'}))
        self.assertEqual(checks.WARNING, found.level)
        self.assertIn('no chunk', found.details)

    def test_names_of_many(self) -> None:
        found = checks.unpublished(fleet(
            *(provider(f'h{number}', None) for number in range(5))))
        self.assertIn('h0_pci_0, h1_pci_0, h2_pci_0 and 2 more. ',
                      found.details)

    def test_classes(self) -> None:
        for others, level in (({}, checks.SUCCESS), ({'x': ()},
                              checks.SUCCESS), ({'x': ('FPGA',)},
                                                checks.WARNING)):
            self.assertEqual(level, checks.classes(
                fleet(others=others), ['VGPU']).level)


class TestReplacements(testtools.TestCase):
    """Which new document takes the place of which."""

    def replaced(self, new: list[Document], *old: Document,
                 **given: str) -> dict[str, str]:
        return upgrading.replacements(
            fleet(*(provider(f'h{number}', one)
                    for number, one in enumerate(old))),
            by_digest(*new), given)

    def test_another_version(self) -> None:
        old, new = document(ecc=True), document(version='1.3', ecc=True)
        other = document(ecc=False)
        self.assertEqual({digest(old): digest(new)},
                         self.replaced([new], old, other))

    def test_new_facts(self) -> None:
        old, new = document(r='1'), document(version='1.3', r='2')
        self.assertEqual({digest(old): digest(new)},
                         self.replaced([new], old))

    def test_ambiguous(self) -> None:
        old = document(r='1')
        new = [document(r='2'), document(r='3')]
        self.assertRaises(upgrading.Ambiguous, self.replaced, new, old)
        self.assertEqual(
            {digest(old): digest(new[1])},
            self.replaced(new, old, **{digest(old): digest(new[1])}))

    def test_other_types_stay(self) -> None:
        self.assertEqual({}, self.replaced([document('acme-t2')],
                                           document()))
