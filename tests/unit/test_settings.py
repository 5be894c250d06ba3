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

"""The options of [mdev_compat], and the sample file."""

import io
import pathlib
from typing import Any

import ddt
import fixtures
from oslo_config import cfg
from oslo_config import fixture as config_fixture
from oslo_config import generator
import testtools

from nova_mdev_compat.conf import mdev_compat
from nova_mdev_compat.conf import opts
from nova_mdev_compat.conf import settings
from nova_mdev_compat import filters
from nova_mdev_compat.scheduler.filters import MdevCompatFilter
from tests.unit import modules

GROUP = 'mdev_compat'
ETC = modules.ROOT / 'etc' / 'nova-mdev-compat'
SAMPLE = 'nova-mdev-compat.conf.sample'

#: Each option's default, as section 8 of the design has them.
DEFAULTS: dict[str, Any] = {
    'enforce': True,
    'resource_classes': ('VGPU',),
    'operations': frozenset(['live-migration']),
    'unpublished_source': 'accept',
    'unpublished_destination': 'reject',
    'on_error': 'reject',
    'cache_ttl': 60,
    'cache_max_age': 3600,
    'refresh_timeout': 10,
    'honour_create': False,
    'live_migration_same_type': True,
    'documents_dir': None,
    'approved_only': False,
}
#: What is read once, when a worker starts.
FIXED = {'documents_dir', 'approved_only'}

WRONG = (
    ('enforce', 'maybe'),
    ('enforce', ''),
    ('resource_classes', 'vgpu'),
    ('resource_classes', 'VGPU,CUSTOM-PCI'),
    ('resource_classes', 'CUSTOM_[A]'),
    ('resource_classes', 'A' * 256),
    ('operations', 'teleportation'),
    ('operations', 'live-migration,teleportation'),
    ('operations', 'live_migration'),
    ('unpublished_source', 'ignore'),
    ('unpublished_source', ''),
    ('unpublished_destination', 'true'),
    ('on_error', 'pass'),
    ('cache_ttl', 'soon'),
    ('cache_ttl', '-1'),
    ('cache_ttl', '86401'),
    ('cache_ttl', 'nan'),
    ('cache_ttl', 'inf'),
    ('cache_max_age', '-0.1'),
    ('cache_max_age', '1e9'),
    ('cache_max_age', 'nan'),
    ('refresh_timeout', '0'),
    ('refresh_timeout', '301'),
    ('refresh_timeout', 'nan'),
    ('honour_create', '2'),
    ('live_migration_same_type', 'same'),
    ('documents_dir', '$nothing'),
    ('approved_only', 'perhaps'),
    # Right by itself, but without documents_dir.
    ('approved_only', 'true'),
)

RIGHT: tuple[tuple[str, str, Any], ...] = (
    ('enforce', 'false', False),
    ('resource_classes', 'VGPU,CUSTOM_PCI_*,CUSTOM_?',
     ('VGPU', 'CUSTOM_PCI_*', 'CUSTOM_?')),
    ('operations', 'migration,resize,evacuation,live-migration',
     frozenset(['migration', 'resize', 'evacuation', 'live-migration'])),
    ('operations', '', frozenset()),
    ('unpublished_source', 'reject', 'reject'),
    ('unpublished_destination', 'accept', 'accept'),
    ('on_error', 'accept', 'accept'),
    ('cache_ttl', '0', 0.0),
    ('cache_ttl', '0.5', 0.5),
    ('cache_max_age', '604800', 604800.0),
    ('refresh_timeout', '0.1', 0.1),
    ('honour_create', 'yes', True),
    ('live_migration_same_type', 'off', False),
    ('documents_dir', '/etc/documents', '/etc/documents'),
)


class PrivateOptions(fixtures.Fixture):
    """Options that were read from a file."""

    def __init__(self, **options: str) -> None:
        self._text = f'[{GROUP}]\n' + ''.join(
            f'{name} = {value}\n' for name, value in options.items())

    def _setUp(self) -> None:
        path = pathlib.Path(self.useFixture(fixtures.TempDir()).path,
                            'nova.conf')
        path.write_text(self._text)
        self.conf = cfg.ConfigOpts()
        opts.register_opts(self.conf)
        self.conf([], project='nova', default_config_files=[str(path)],
                  default_config_dirs=[])


@ddt.ddt
class TestSettings(testtools.TestCase):

    def conf(self, **options: str) -> cfg.ConfigOpts:
        return self.useFixture(PrivateOptions(**options)).conf

    def test_defaults(self) -> None:
        found = settings.check(self.conf())
        self.assertEqual(DEFAULTS, {
            name: getattr(found, name) for name in DEFAULTS})

    @ddt.data(*WRONG)
    @ddt.unpack
    def test_wrong_value_names_its_option(self, name: str,
                                          value: str) -> None:
        error = self.assertRaises(settings.InvalidOption, settings.check,
                                  self.conf(**{name: value}))
        self.assertEqual(name, error.name)
        self.assertIn(f'[{GROUP}] {name}: ', str(error))

    def test_every_option_can_be_wrong(self) -> None:
        self.assertEqual(set(DEFAULTS), {name for name, _ in WRONG})

    @ddt.data(*RIGHT)
    @ddt.unpack
    def test_right_value(self, name: str, value: str, read: Any) -> None:
        found = settings.check(self.conf(**{name: value}))
        self.assertEqual(read, getattr(found, name))

    def test_approved_documents(self) -> None:
        found = settings.check(self.conf(approved_only='true',
                                         documents_dir='/etc/documents'))
        self.assertTrue(found.approved_only)

    def test_every_option_is_a_setting(self) -> None:
        self.assertEqual(set(DEFAULTS),
                         {option.name for option in mdev_compat.OPTIONS})

    def test_which_are_mutable(self) -> None:
        self.assertEqual(FIXED, {
            option.name for option in mdev_compat.OPTIONS
            if not option.mutable})

    def test_registering_twice(self) -> None:
        conf = self.conf(enforce='false')
        opts.register_opts(conf)
        self.assertFalse(settings.read(conf).enforce)


@ddt.ddt
class TestFilters(testtools.TestCase):
    """What nova-scheduler calls when it starts."""

    def setUp(self) -> None:
        super().setUp()
        self.options = self.useFixture(config_fixture.Config(cfg.CONF))
        opts.register_opts(cfg.CONF)

    def test_filters(self) -> None:
        self.assertIn(MdevCompatFilter, filters.all_filters())

    def test_options_are_registered(self) -> None:
        cfg.CONF.unregister_opts(mdev_compat.OPTIONS, group=GROUP)
        filters.all_filters()
        self.assertEqual(['VGPU'], cfg.CONF.mdev_compat.resource_classes)

    @ddt.data(*WRONG)
    @ddt.unpack
    def test_wrong_value_stops_the_scheduler(self, name: str,
                                             value: str) -> None:
        self.options.load_raw_values(group=GROUP, **{name: value})
        error = self.assertRaises(settings.InvalidOption,
                                  filters.all_filters)
        self.assertEqual(name, error.name)


class TestSample(testtools.TestCase):

    def test_sample_is_up_to_date(self) -> None:
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(['--config-file', str(ETC / 'config-generator.conf')],
             project='oslo-config-generator', default_config_files=[],
             default_config_dirs=[])
        self.assertEqual(f'etc/nova-mdev-compat/{SAMPLE}', conf.output_file)
        generated = io.StringIO()
        generator.generate(conf, output_file=generated)
        # "tox -e genconfig" writes it anew.
        self.assertEqual(generated.getvalue(),
                         (ETC / SAMPLE).read_text('utf-8'))

    def test_sample_has_every_option(self) -> None:
        text = (ETC / SAMPLE).read_text('utf-8')
        for name in DEFAULTS:
            self.assertIn(f'\n#{name} = ', text)

    def test_sample_is_a_configuration(self) -> None:
        conf = cfg.ConfigOpts()
        opts.register_opts(conf)
        conf([], default_config_files=[str(ETC / SAMPLE)],
             default_config_dirs=[])
        self.assertTrue(settings.check(conf).enforce)
