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

"""nova-mdev-compat-publisher, from a captured host to placement and back."""

import dataclasses
import io
import json
import pathlib
import re
from typing import Any
import uuid

import fixtures

from nova_mdev_compat.cmd import access
from nova_mdev_compat.cmd import main
from nova_mdev_compat.cmd import publisher
from nova_mdev_compat.codec import traits
from tests.functional import placement_cloud as cloud
from tests.unit import sysfs_trees

#: A site states what the driver does not show.
STREAM = """
facts:
- when: {{mdev_type: {{glob: "mtty-*"}}}}
  facts: {{mtty.stream: "{}"}}
"""
BROKEN = """
rules:
- name: wrong-mtty
  when: {mdev_type: mtty-2}
  attributes: {speed: {fcat: mtty.speed}}
"""
DEVICES = """
[DEFAULT]
host = {name}
[devices]
enabled_mdev_types = mtty-2
[mdev_mtty-2]
device_addresses = mtty_mtty
[mdev_compat_publisher]
rules_dirs = {rules}
sysfs_root = {sysfs}
"""
SUFFIX = 'mtty_mtty'


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


class Host:
    """A captured host of Linux 6.12, and its providers."""

    def __init__(self, placement: cloud.Placement, log: fixtures.FakeLogger,
                 folder: pathlib.Path, sysfs: pathlib.Path, name: str,
                 stream: str = '1.0') -> None:
        self._placement = placement
        self._log = log
        self.name = name
        self.root, self.provider = str(uuid.uuid4()), ''
        self.rules = folder / 'rules.d'
        self.rules.mkdir(parents=True)
        (self.rules / 'stream.yaml').write_text(STREAM.format(stream))
        (folder / 'compute_id').write_text(self.root)
        self.sysfs = sysfs
        self.config = folder / 'nova.conf'
        self.config.write_text(
            placement.configuration.read_text() + DEVICES.format(
                name=name, rules=self.rules, sysfs=sysfs))

    def start_nova_compute(self) -> None:
        """Makes the providers."""
        self._placement.call('POST', '/resource_providers', {
            'name': self.name, 'uuid': self.root})
        self.provider = str(uuid.uuid4())
        self._placement.call('POST', '/resource_providers', {
            'name': f'{self.name}_{SUFFIX}', 'uuid': self.provider,
            'parent_provider_uuid': self.root})

    def run(self, *options: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        before = len(self._log.output)
        with fixtures.MonkeyPatch('sys.stdout', out), \
                fixtures.MonkeyPatch('sys.stderr', err), \
                fixtures.MonkeyPatch('logging.root.handlers', []):
            status = publisher.main(['--config-file', str(self.config),
                                     *options])
        # The log goes to standard error too, but for the test's own logger.
        said = err.getvalue() + self._log.output[before:]
        assert 'Traceback' not in said, said
        return Result(status, out.getvalue(), said)

    def published(self) -> tuple[set[str], bytes]:
        """The traits of its provider, and its document."""
        found = self._placement.traits_of(self.provider)
        (digest,) = filter(None, map(traits.read_marker, found))
        return found, traits.decode(self._placement.custom_traits(),
                                    digest).canonical


class CommandTestCase(cloud.PlacementTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        # It would stay for the tests after this one.
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.cmd.publisher._set_up_logging',
            lambda debug: None))
        self.sysfs = sysfs_trees.unpack_captured(self.folder / 'tree') / 'sys'
        self.host = self.make_host('gpu1')
        self.restart()

    def make_host(self, name: str, stream: str = '1.0') -> Host:
        host = Host(self.placement, self.log, self.folder / name, self.sysfs,
                    name, stream)
        host.start_nova_compute()
        return host

    def check(self, source: Host, destination: Host) -> int:
        """Exit status of nova-mdev-compat check."""
        names = []
        for host in (source, destination):
            names.append(self.folder / f'{host.name}.json')
            names[-1].write_bytes(host.published()[1])
        with fixtures.MonkeyPatch('sys.stdout', io.StringIO()), \
                fixtures.MonkeyPatch('logging.root.handlers', []):
            return main.main(['check', '--source', str(names[0]),
                              '--destination', str(names[1])])

    def writes(self) -> list[str]:
        return [request for request in self.placement.requests
                if not request.startswith('GET ')]


class TestPublisher(CommandTestCase):

    def test_from_host_to_verdict(self) -> None:
        twin, other = self.make_host('gpu2'), self.make_host('gpu3', '1.1')
        for host in (self.host, twin, other):
            done = host.run('--once')
            self.assertEqual(0, done.status, done.err)
            self.assertIn('1 providers carry their documents', done.out)
        self.assertEqual(0, self.check(self.host, twin))
        self.assertEqual(0, self.check(twin, self.host))
        # The rule of mtty wants the very same version.
        self.assertEqual(1, self.check(self.host, other))
        self.assertEqual(1, self.check(other, self.host))
        device = json.loads(self.host.published()[1])['self']
        self.assertEqual(('mtty-2', 'vfio-pci', '1.0', 2), (
            device['mdev_type'], device['device_api'],
            device['software_version'], device['attributes']['ports']))

    def test_again_writes_nothing(self) -> None:
        self.host.run('--once')
        self.restart()
        self.assertEqual(0, self.host.run('--once').status)
        self.assertEqual([], self.writes())
        self.assertEqual(3, len(self.placement.requests))

    def test_dry_run(self) -> None:
        done = self.host.run('--dry-run')
        self.assertEqual(0, done.status)
        self.assertIn('carries no document, and would carry', done.out)
        self.assertIn('is mtty-2, device_api vfio-pci', done.out)
        self.assertEqual([], self.writes())
        self.host.run('--once')
        (self.host.rules / 'stream.yaml').write_text(STREAM.format('1.1'))
        self.restart()
        done = self.host.run('--dry-run')
        self.assertEqual(0, done.status)
        self.assertIn('the old is mtty-2', done.out)
        self.assertIn('only the new accepts', done.out)
        self.assertIn('only the old accepts', done.out)
        self.assertEqual([], self.writes())
        self.host.run('--once')
        self.restart()
        self.assertIn(' already\n', self.host.run('--dry-run').out)
        self.assertEqual([], self.writes())

    def test_another_driver(self) -> None:
        self.host.run('--once')
        before = self.host.published()[1]
        (self.host.rules / 'stream.yaml').write_text(STREAM.format('1.1'))
        self.assertEqual(0, self.host.run('--once').status)
        markers, after = self.host.published()
        self.assertNotEqual(before, after)
        self.assertEqual(1, len(markers))


class TestBadInput(CommandTestCase):

    def assert_stays(self, *options: str) -> Result:
        """The last good publication does."""
        before = self.host.published()
        self.restart()
        done = self.host.run(*options or ('--once',))
        self.assertEqual([], self.writes())
        self.assertEqual(before, self.host.published())
        return done

    def test_broken_rule(self) -> None:
        self.host.run('--once')
        broken = self.host.rules / 'broken.yaml'
        broken.write_text(BROKEN)
        done = self.assert_stays()
        self.assertEqual(2, done.status)
        self.assertIn(f'{broken}:5: rule wrong-mtty: ', done.err)

    def test_broken_rule_is_another_driver(self) -> None:
        # The others still work.
        (self.host.rules / 'broken.yaml').write_text(
            BROKEN.replace('mtty', 'acme'))
        done = self.host.run('--once')
        self.assertEqual(2, done.status)
        self.assertIn('rule wrong-acme', done.err)
        self.assertIn(b'"mtty-2"', self.host.published()[1])

    def test_file_that_is_no_yaml(self) -> None:
        self.host.run('--once')
        (self.host.rules / 'stream.yaml').write_text('facts: [')
        done = self.assert_stays()
        self.assertEqual(2, done.status)
        self.assertIn('stream.yaml:1', done.err)
        self.assertIn('keeps the document', done.err)

    def test_probe_that_fails(self) -> None:
        self.host.run('--once')
        (self.sysfs / 'class').rename(self.sysfs / 'gone')
        done = self.assert_stays()
        self.assertEqual(3, done.status)
        self.assertIn('is left as it is: probe sysfs:', done.err)

    def test_nova_conf_that_nova_would_refuse(self) -> None:
        self.host.run('--once')
        self.host.config.write_text(self.host.config.read_text().replace(
            '[mdev_mtty-2]', '[mdev_mtty-2]\nmax_instances = none'))
        done = self.assert_stays()
        self.assertEqual(2, done.status)
        self.assertIn('max_instances', done.err)

    def test_option(self) -> None:
        self.host.config.write_text(
            self.host.config.read_text() + 'interval = never\n')
        done = self.host.run('--once')
        self.assertEqual(2, done.status)
        self.assertIn('[mdev_compat_publisher] interval', done.err)

    def test_no_configuration(self) -> None:
        self.host.config.unlink()
        done = self.host.run('--once')
        self.assertEqual(2, done.status)
        self.assertIn(str(self.host.config), done.err)

    def test_no_placement_group(self) -> None:
        self.host.config.write_text('[DEFAULT]\n')
        done = self.host.run()
        self.assertEqual(2, done.status)
        self.assertIn('has no auth_type', done.err)


class TestWaiting(CommandTestCase):

    def replace(self, old: str, new: str) -> None:
        self.host.config.write_text(
            self.host.config.read_text().replace(old, new))

    def assert_unreachable(self, words: str) -> None:
        done = self.host.run('--once')
        self.assertEqual(3, done.status)
        self.assertIn(words, done.err)
        self.assertEqual(1, sum(words in line
                                for line in done.err.splitlines()))

    def test_wrong_credentials(self) -> None:
        self.replace('token = admin', 'token = nobody')
        self.assert_unreachable('403')

    def test_no_endpoint(self) -> None:
        self.replace('endpoint = ', 'region_name = ')
        self.assert_unreachable('endpoint')

    def test_provider_that_never_comes(self) -> None:
        self.placement.call(
            'DELETE', f'/resource_providers/{self.host.provider}')
        self.assert_unreachable('gpu1_mtty_mtty is not in placement')
        self.assertEqual([], self.writes())

    def test_root_that_never_comes(self) -> None:
        (self.host.config.parent / 'compute_id').write_text(
            str(uuid.uuid4()))
        self.assert_unreachable('is not in placement')

    def test_provider_that_comes(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.publisher.service._FIRST_WAIT', 0.1))
        host = Host(self.placement, self.log, self.folder / 'late',
                    self.sysfs, 'late')

        def hook(method: str, path: str) -> None:
            # Before the second look.
            if len(self.placement.requests) == 2:
                host.start_nova_compute()

        self.placement.hook = hook
        done = host.run('--once', '--wait', '30')
        self.assertEqual(0, done.status, done.err)
        self.assertEqual(1, len(host.published()[0]))

    def test_placement_that_comes(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            'nova_mdev_compat.publisher.service._FIRST_WAIT', 0.1))
        self.placement.hook = cloud.once(
            lambda: cloud.answer(503, 'out of order'), 'GET', '/')
        done = self.host.run('--once', '--wait', '30')
        self.assertEqual(0, done.status, done.err)
        self.assertIn('503', done.err)


class TestLabels(CommandTestCase):
    """A virtual function with a variant driver, from /sys to the reader."""

    SUFFIX = '0000:6B:00.0'
    ENTRY = '{"vendor_id": "8086", "product_id": "4941"%s}'

    def setUp(self) -> None:
        super().setUp()
        folder = self.folder / 'qat'
        sysfs_trees.documented()['qat-gen4-vf'].build(folder)
        self.services = next(folder.glob('sys/devices/*/*/qat/cfg_services'))
        self.sysfs = folder / 'sys'
        self.host = self.make_host('gpu9')
        self.provider = str(uuid.uuid4())
        self.placement.call('POST', '/resource_providers', {
            'name': f'gpu9_{self.SUFFIX}', 'uuid': self.provider,
            'parent_provider_uuid': self.host.root})

    def configure(self, more: str = '') -> None:
        text = self.placement.configuration.read_text() + DEVICES.format(
            name='gpu9', rules=self.host.rules, sysfs=self.sysfs)
        self.host.config.write_text(
            text.replace('enabled_mdev_types = mtty-2', '')
            + '[pci]\nreport_in_placement = true\n'
            f'device_spec = {self.ENTRY % more}\n')

    def document(self) -> Any:
        cache = access.make([str(self.host.config)]).cache
        found = cache.document(self.provider)
        return found and found[1].canonical

    def test_new_driver_without_an_edit(self) -> None:
        self.configure()
        done = self.host.run('--once')
        self.assertEqual(0, done.status, done.err)
        (label,) = set(re.findall(
            '"traits": "(CUSTOM_MDEV_COMPAT1_LABEL_[A-Z2-7]{12})"', done.err))
        # Once, and nova-compute puts it on the provider.
        self.configure(f', "traits": "{label}"')
        self.placement.set_traits(self.provider, label)
        configured = self.host.config.read_bytes()
        done = self.host.run('--once')
        self.assertEqual(0, done.status, done.err)
        self.assertIn('1 providers carry their documents; 0 markers and 0 '
                      'body traits were written, and 1 labels mapped',
                      done.out)
        before = self.document()
        self.assertIsNotNone(before)
        # The function's driver decides by what the physical function has.
        self.services.write_text('dc\n')
        done = self.host.run('--dry-run')
        self.assertIn('and would stand for document', done.out)
        self.assertEqual(before, self.document())
        self.host.run('--once')
        self.assertNotIn(self.document(), (None, before))
        self.assertEqual(configured, self.host.config.read_bytes())
        self.restart()
        self.assertEqual(0, self.host.run('--once').status)
        self.assertEqual([], self.writes())
