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

"""What is not published, not readable, or not to be enforced."""

from unittest import mock

import ddt
from oslo_db import exception as db_exception

from nova_mdev_compat.placement import errors
from nova_mdev_compat.placement import trait_cache
from nova_mdev_compat.scheduler import judgement
from tests.functional import base
from tests.functional import documents
from tests.functional import endpoint
from tests.functional import hosts
from tests.functional import publication

UNPUBLISHED = hosts.PGpu()
published = documents.published

# Of two chunks at least: digits do not compress much.
LONG = documents.document(fingerprint=''.join(
    '%x' % (number * number * 7919 % 65521) for number in range(62)))


@ddt.ddt
class UnpublishedTests(base.FunctionalTestCase):

    @ddt.data('reject', 'accept')
    def test_destination(self, policy):
        self.mdev_compat(unpublished_destination=policy)
        self.start_hosts(src=[published()], dst=[UNPUBLISHED])
        self._assert_moves_if(policy == 'accept')

    @ddt.data('reject', 'accept')
    def test_source(self, policy):
        self.mdev_compat(unpublished_source=policy)
        self.start_hosts(src=[UNPUBLISHED], dst=[published(version='7.0')])
        self._assert_moves_if(policy == 'accept')

    def _assert_moves_if(self, accepted):
        server = self.boot()
        if accepted:
            self.live_migrate(server)
            self.assert_device_on(server, 'dst', 0)
        else:
            self.assert_no_host_for_live_migration(server)
            self.assert_moves(rounds=1, destination_checks=0, source_checks=0)

    def test_both(self):
        """A source that nobody knows is no reason to take any host."""
        self.mdev_compat(unpublished_source='accept',
                         unpublished_destination='reject')
        self.start_hosts(src=[UNPUBLISHED], dst=[UNPUBLISHED],
                         known=[published()])
        server = self.boot()
        self.live_migrate(server)
        self.assertIn('known', self.kept())

    def test_defaults(self):
        """Nobody published anything: a filter just installed."""
        self.start_hosts(src=[UNPUBLISHED], dst=[UNPUBLISHED])
        server = self.boot()
        self.live_migrate(server)
        self.assert_device_on(server, 'dst', 0)

    def test_an_accepted_unpublished_destination_hides_nothing(self):
        self.mdev_compat(unpublished_destination='accept')
        self.start_hosts(
            src=[published()],
            bad=[published(version='2.0')], unknown=[UNPUBLISHED],
            good=[published()])
        server = self.boot()
        self.live_migrate(server)
        self.assertEqual(['good', 'unknown'], sorted(self.kept()))
        self.assert_device_on(server, 'unknown', 0)


def _flip(name: str) -> str:
    """Another chunk with a letter of its body changed."""
    return name[:-8] + ('B' if name[-8] == 'A' else 'A') + name[-7:]


@ddt.ddt
class CorruptTests(base.FunctionalTestCase):
    """What cannot be decoded counts as unpublished, and is said once."""

    def setUp(self):
        super().setUp()
        # Every move reads anew; what is unusable is still said once.
        self.mdev_compat(cache_ttl=0)
        self.start_hosts(src=[published()], good=[published()],
                         bad=[UNPUBLISHED])
        self.names = publication.trait_names(LONG)
        self.assertGreater(len(self.names.chunks), 1)

    def _broken_chunk(self):
        first, *others = self.names.chunks
        self.publication.write_traits(_flip(first), *others)
        return [self.names.marker]

    def _missing_chunk(self):
        self.publication.write_traits(*self.names.chunks[:-1])
        return [self.names.marker]

    def _no_body(self):
        return [self.names.marker]

    def _not_deflate(self):
        first = self.names.chunks[0]
        stem = first.rsplit('_', 3)[0]
        self.publication.write_traits(stem + '_0_1_' + 'MFRGG' * 8)
        return [self.names.marker]

    def _two_markers(self):
        others = publication.trait_names(documents.document())
        self.publication.write_traits(*self.names.chunks, *others.chunks)
        return [self.names.marker, others.marker]

    @ddt.data('broken_chunk', 'missing_chunk', 'no_body', 'not_deflate',
              'two_markers')
    def test_counts_as_unpublished(self, case):
        markers = getattr(self, '_' + case)()
        self.publication.mark(self.pgpu_uuid('bad'), *markers)
        self.mdev_compat(unpublished_destination='accept')
        server = self.boot()
        self.live_migrate(server)
        self.assertEqual(['bad', 'good'], sorted(self.kept()))
        self.assert_device_on(server, 'good', 0)
        self.mdev_compat(unpublished_destination='reject')
        self.live_migrate(server)
        self.assertEqual(['src'], sorted(self.kept()))
        if case != 'two_markers':
            self._assert_warned_once_of(self.names.digest)

    def test_two_markers_are_said(self):
        bad = self.pgpu_uuid('bad')
        self.publication.mark(bad, *self._two_markers())
        server = self.boot()
        self.live_migrate(server)
        self.live_migrate(server)
        self._assert_warned_once_of(bad)

    def test_two_markers_that_both_accept(self):
        """Which of them is true of the device, nobody can tell."""
        others = [publication.trait_names(documents.document(version=version))
                  for version in ('1.2.1', '1.3.0')]
        for names in others:
            self.publication.write_traits(*names.chunks)
        self.publication.mark(self.pgpu_uuid('bad'),
                              *(names.marker for names in others))
        server = self.boot()
        # They are looked for when a move has been answered; so the first
        # move of a scheduler's worker does not know of them yet.
        self.filter._worker.trait_cache(base.CONF).doubles()
        self.live_migrate(server)
        self.assertEqual(['good'], sorted(self.kept()))

    def _assert_warned_once_of(self, name):
        warnings = self.said('WARNING')
        self.assertEqual(1, len(warnings), warnings)
        self.assertIn(name, warnings[0])

    @ddt.data('accept', 'reject')
    def test_source(self, policy):
        self.mdev_compat(unpublished_source=policy,
                         unpublished_destination='accept')
        self.publication.mark(self.pgpu_uuid('bad'), self.names.marker)
        server = self.boot('bad')
        if policy == 'accept':
            self.live_migrate(server)
            self.assert_device_on(server, 'src', 0)
        else:
            self.assert_no_host_for_live_migration(server)
            self.assertEqual({}, self.kept())
        self._assert_warned_once_of(self.names.digest)

    def test_a_stray_chunk_harms_nothing(self):
        self.publication.write_traits(
            *self.names.chunks, _flip(self.names.chunks[0]))
        self.publication.mark(self.pgpu_uuid('bad'), self.names.marker)
        server = self.boot('bad')
        self.assert_no_host_for_live_migration(server)
        self.assertEqual([], self.said('WARNING'))


class ReportOnlyTests(base.FunctionalTestCase):

    def test_nothing_is_removed_and_all_is_said(self):
        self.mdev_compat(enforce=False)
        self.start_hosts(
            src=[published()],
            wrong=[published(version='2.0')],
            right=[published()])
        server = self.boot()
        self.live_migrate(server)
        self.assertEqual(self.probe.last.offered, self.kept())
        self.assert_device_on(server, 'wrong', 0)
        lines = self.said('INFO', 'wrong')
        self.assertEqual(1, len(lines), lines)
        self.assertNotIn('right', lines[0])

    def test_candidates_stay_too(self):
        self.mdev_compat(enforce=False)
        self.start_hosts(
            src=[published()],
            mixed=[published(hosts.TYPE_B), published()])
        server = self.boot()
        # As without the filter: see test_plain_nova.
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=2, destination_checks=1, source_checks=1)
        self.assertEqual({'mixed': [(0,), (1,)]}, self.probe.calls[0].kept)


def _always(status, body=b'{"errors": []}'):
    return lambda url: (status, body)


#: What the filter's endpoint answers; None: nobody listens there.
FAULTS = {
    'nobody': None,
    'unauthorized': _always('401 Unauthorized'),
    'not_found': _always('404 Not Found'),
    'unavailable': _always('503 Service Unavailable'),
    'not_json': _always('200 OK', b'<html>welcome</html>'),
    'other_json': _always('200 OK', b'[]'),
}


@ddt.ddt
class ErrorTests(base.FunctionalTestCase):
    """Placement or the database cannot be read, by the filter alone."""

    def setUp(self):
        super().setUp()
        # Only the second of them would pass if anybody could ask.
        self.start_hosts(src=[published()],
                         wrong=[published(version='2.0')],
                         right=[published()])

    def _break(self, fault):
        # Before the first boot: the address is read once, at first use.
        if fault is None:
            endpoint.configure(self.useFixture(endpoint.Deaf()).url)
        else:
            self.endpoint.fault = fault

    @ddt.data(*FAULTS)
    def test_rejects(self, name):
        self._break(FAULTS[name])
        server = self.boot()
        self.assert_no_host_for_live_migration(server)
        self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self._assert_said_once_about(server)

    @ddt.data('nobody', 'unavailable', 'not_json')
    def test_accepts(self, name):
        self.mdev_compat(on_error='accept')
        self._break(FAULTS[name])
        server = self.boot()
        self.live_migrate(server)
        self.assertEqual(self.probe.last.offered, self.kept())
        self.assert_device_on(server, 'wrong', 0)
        self._assert_said_once_about(server)

    @ddt.data('when one is asked about', 'when all have been')
    def test_accepts_with_what_was_taken_already(self, when):
        # It fails when candidates have been taken from a host.
        self.mdev_compat(on_error='accept')
        server = self.boot()
        answers = iter([[]])
        broken = mock.patch.object(
            judgement.Judgement, 'keep', autospec=True,
            side_effect=lambda *_: lambda _: next(answers)) \
            if when == 'when one is asked about' else mock.patch.object(
                trait_cache.TraitCache, 'catch_up', autospec=True,
                side_effect=errors.Unreachable('gone'))
        with broken:
            self.live_migrate(server)
        self.assertEqual(['right', 'wrong'], sorted(self.kept()))
        self.assertEqual(self.probe.last.offered, self.kept())
        self._assert_said_once_about(server)

    @ddt.data('reject', 'accept')
    def test_database(self, policy):
        self.mdev_compat(on_error=policy)
        server = self.boot()
        self.probe.database_error = db_exception.DBConnectionError()
        if policy == 'accept':
            self.live_migrate(server)
            self.assertEqual(['right', 'wrong'], sorted(self.kept()))
        else:
            self.assert_no_host_for_live_migration(server)
            self.assert_moves(rounds=1, destination_checks=0, source_checks=0)
        self._assert_said_once_about(server)

    def _assert_said_once_about(self, server):
        # Once, and with the server's UUID; not once a host.
        lines = self.said('(WARNING|ERROR)')
        self.assertEqual(1, len(lines), lines)
        self.assertIn(server['id'], lines[0])

    def test_works_again(self):
        server = self.boot()
        self.endpoint.fault = _always('503 Service Unavailable')
        self.assert_no_host_for_live_migration(server)
        self.endpoint.fault = None
        self.live_migrate(server)
        self.assert_device_on(server, 'right', 0)

    def test_old_traits_serve(self):
        """With only the traits unreadable, the cache goes on."""
        self.mdev_compat(cache_ttl=1)
        first, second = self.boot(), self.boot()
        self.live_migrate(first)
        self.assert_device_on(first, 'right', 0)
        self.endpoint.fault = lambda url: (
            ('503 Service Unavailable', b'') if 'trait' in url
            or 'required=' in url else None)
        self.live_migrate(second)
        self.assert_device_on(second, 'right', 0)
