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

"""Parts of the publisher that need neither host nor placement."""

import io
import json
import pathlib
import subprocess
import sys
from typing import Any
from unittest import mock

import ddt
import fixtures
from oslo_config import cfg
from oslo_config import generator
import testtools

from nova_mdev_compat.codec import tombstones
from nova_mdev_compat.codec.tombstones import Tombstone
from nova_mdev_compat.codec import traits
from nova_mdev_compat.conf import publisher as options
from nova_mdev_compat.placement import errors
from nova_mdev_compat.publisher import advice
from nova_mdev_compat.publisher import health
from nova_mdev_compat.publisher.host import FilesUsed
from nova_mdev_compat.publisher.rules.faults import RuleFault
from nova_mdev_compat.publisher.rules.rule_set import Described
from nova_mdev_compat.publisher.service import Backoff
from nova_mdev_compat.publisher.service import Running
from nova_mdev_compat.publisher.service import Service
from tests.unit import modules

ETC = modules.ROOT / 'etc' / 'nova-mdev-compat'
DIGEST = 'A' * 25 + 'B'
MARKER = traits.marker(DIGEST)


class TestBackoff(testtools.TestCase):

    def test_complete(self) -> None:
        self.assertEqual([240, 300, 360], [
            Backoff(300, lambda: chance).after(True)
            for chance in (0, 0.5, 1)])

    def test_failures_in_a_row(self) -> None:
        backoff = Backoff(300, lambda: 1)
        self.assertEqual([5, 10, 20, 40, 80, 160, 300, 300], [
            backoff.after(False) for _ in range(8)])
        backoff.after(True)
        self.assertEqual(5, backoff.after(False))

    def test_jitter(self) -> None:
        self.assertEqual(2.5, Backoff(300, lambda: 0).after(False))

    def test_thousands_of_failures(self) -> None:
        backoff = Backoff(300, lambda: 1)
        for _ in range(3000):
            last = backoff.after(False)
        self.assertEqual(300, last)

    def test_short_interval(self) -> None:
        self.assertEqual(2, Backoff(2, lambda: 1).after(False))


@ddt.ddt
class TestTombstones(testtools.TestCase):

    def test_there_and_back(self) -> None:
        stone = Tombstone(DIGEST, 1795493546)
        self.assertEqual(stone, tombstones.read(stone.name))

    def test_readers_pass_over_it(self) -> None:
        name = Tombstone(DIGEST, 0).name
        self.assertIsNone(traits.read_marker(name))
        self.assertIsNone(traits.read_chunk(name))

    @ddt.data(MARKER, f'{tombstones.PREFIX}{DIGEST}',
              f'{tombstones.PREFIX}{DIGEST}_',
              f'{tombstones.PREFIX}{DIGEST}_01',
              f'{tombstones.PREFIX}{DIGEST}_1\n',
              f'{tombstones.PREFIX}{DIGEST}_-1',
              f'{tombstones.PREFIX}{DIGEST}_' + '1' * 12,
              f'{tombstones.PREFIX}{DIGEST[1:]}_1', 'CUSTOM_GOLD', '')
    def test_other_traits(self, name: str) -> None:
        self.assertIsNone(tombstones.read(name))

    def test_oldest_first(self) -> None:
        stones = [Tombstone(DIGEST, since) for since in (100, 9, 20)]
        self.assertEqual(
            {DIGEST: [stones[1], stones[2], stones[0]]},
            tombstones.by_digest([stone.name for stone in stones]
                                 + [MARKER]))


@ddt.ddt
class TestDeviceSpec(testtools.TestCase):
    """What is to be put into [pci] device_spec."""

    @ddt.data(
        ({'address': '0000:81:00.0'}, MARKER),
        ({'traits': ''}, MARKER),
        ({'traits': 'CUSTOM_A,hw_b'}, f'CUSTOM_A,hw_b,{MARKER}'),
        ({'traits': f'CUSTOM_A, {traits.marker("C" * 26)}'},
         f'CUSTOM_A,{MARKER}'),
        ({'traits': MARKER}, MARKER))
    @ddt.unpack
    def test_traits(self, entry: dict[str, Any], expected: str) -> None:
        self.assertEqual({**entry, 'traits': expected}, json.loads(
            advice.device_spec(json.dumps(entry), MARKER)))

    @ddt.data('', 'nonsense', '[]', '{"traits": 1}')
    def test_entry_that_cannot_be_read(self, entry: str) -> None:
        self.assertEqual(f'"traits": "{MARKER}"',
                         advice.device_spec(entry, MARKER))


class TestHealth(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger('nova_mdev_compat'))
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.path = self.folder / 'health.json'

    def test_until(self) -> None:
        health.HealthFile(self.path).write(
            1000, error=None, published={'a': 'b'}, waiting_for=['c'])
        self.assertTrue(health.read(self.path, 999).healthy)
        found = health.read(self.path, 1000)
        self.assertFalse(found.healthy)
        self.assertIn('published: 1; waiting for: 1; unknown: 0',
                      found.words)
        self.assertEqual(['health.json'],
                         [path.name for path in self.folder.iterdir()])

    def test_not_there(self) -> None:
        self.assertFalse(health.read(self.path, 0).healthy)

    def test_somebody_elses_file(self) -> None:
        for text in ('', '[]', '{}', '{"good_until": "soon", "time": 1}'):
            self.path.write_text(text)
            self.assertFalse(health.read(self.path, 0).healthy)

    def test_folder_that_is_not_there(self) -> None:
        file = health.HealthFile(self.folder / 'missing' / 'health.json')
        file.write(1)
        file.write(2)
        self.assertEqual(1, self.log.output.count('cannot be written'))

    def test_none(self) -> None:
        health.HealthFile(None).write(1)
        self.assertEqual([], list(self.folder.iterdir()))


@ddt.ddt
class TestDoubts(testtools.TestCase):
    """Whether a published document is better than the one of now."""

    ONE, OTHER = '/rules/one.yaml', '/rules/other.yaml'

    def described(self, *doubts: RuleFault) -> Described:
        return Described(mock.sentinel.document, {}, files=(self.ONE,),
                         doubts=doubts)

    @ddt.data(
        # A file of which nothing can be read, that had no say before.
        (OTHER, None, True, False),
        (ONE, None, True, True),
        # Nobody knows what it had a say in.
        (OTHER, None, False, True),
        # A rule that would have had a say.
        (OTHER, 'rule', True, True))
    @ddt.unpack
    def test_doubted(self, file: str, rule: str | None, published: bool,
                     expected: bool) -> None:
        used = FilesUsed()
        if published:
            self.assertFalse(used.doubted('gpu', self.described()))
        doubt = RuleFault(file, 1, rule, 'wrong')
        self.assertEqual(expected,
                         used.doubted('gpu', self.described(doubt)))


class TestRounds(testtools.TestCase):
    """What the service makes of a round that goes wrong."""

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger('nova_mdev_compat'))
        self.path = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'health.json')
        self.agent = mock.Mock()
        self.service = Service(lambda: Running(
            self.agent, 10, health.HealthFile(self.path)))

    def test_placement(self) -> None:
        self.agent.round.side_effect = errors.Unreachable('no route')
        self.assertFalse(self.service._round())
        self.assertEqual('placement: no route',
                         json.loads(self.path.read_text())['error'])
        self.assertNotIn('Traceback', self.log.output)

    def test_fault_of_a_plug_in(self) -> None:
        self.agent.round.side_effect = ZeroDivisionError('by zero')
        self.assertFalse(self.service._round())
        self.assertIn('Traceback', self.log.output)
        self.assertEqual('ZeroDivisionError: by zero',
                         json.loads(self.path.read_text())['error'])


@ddt.ddt
class TestOptions(testtools.TestCase):

    def read(self, **values: str) -> options.Settings:
        conf = cfg.ConfigOpts()
        options.register_opts(conf)
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (folder / 'x.conf').write_text(
            f'[{options.GROUP.name}]\n' + ''.join(
                f'{name} = {value}\n' for name, value in values.items()))
        conf([], default_config_files=[str(folder / 'x.conf')],
             default_config_dirs=[])
        return options.read(conf)

    def test_defaults(self) -> None:
        self.assertEqual(options.Settings(
            300, (), pathlib.Path('/sys'), (), 60,
            pathlib.Path(options.HEALTH_FILE)), self.read())

    def test_values(self) -> None:
        found = self.read(rules_dirs='/a,/b', health_file='',
                          probes='sysfs', interval='5.5')
        self.assertEqual((pathlib.Path('/a'), pathlib.Path('/b')),
                         found.rules_dirs)
        self.assertIsNone(found.health_file)
        self.assertEqual(('sysfs',), found.probes)
        self.assertEqual(5.5, found.interval)

    @ddt.data(('interval', '0'), ('interval', 'soon'), ('interval', 'nan'),
              ('timeout', 'nan'), ('timeout', '0'), ('timeout', ''),
              ('sysfs_root', ''))
    @ddt.unpack
    def test_wrong(self, name: str, value: str) -> None:
        error = self.assertRaises(options.InvalidOption, self.read,
                                  **{name: value})
        self.assertIn(f'[{options.GROUP.name}] {name}: ', str(error))


class TestSample(testtools.TestCase):

    def test_sample_is_up_to_date(self) -> None:
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(['--config-file', str(ETC / 'publisher-generator.conf')],
             project='oslo-config-generator', default_config_files=[],
             default_config_dirs=[])
        generated = io.StringIO()
        generator.generate(conf, output_file=generated)
        # "tox -e genconfig" writes it anew.
        self.assertEqual(
            generated.getvalue(),
            (ETC / 'nova-mdev-compat-publisher.conf.sample').read_text(
                'utf-8'))


class TestWithoutNova(testtools.TestCase):

    def test_nova_is_not_imported(self) -> None:
        done = subprocess.run(
            [sys.executable, '-c', 'import sys\n'
             'from nova_mdev_compat.cmd import publisher, gc\n'
             'print([name for name in sys.modules if name.split(".")[0] in '
             '("nova", "placement", "eventlet", "sqlalchemy")])'],
            capture_output=True, text=True, check=True)
        self.assertEqual('[]\n', done.stdout)
