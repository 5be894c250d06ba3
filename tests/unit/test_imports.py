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

"""Imports go one way: see tests/unit/imports.py for the rules."""

import ddt
import testtools

from tests.unit import imports
from tests.unit import modules

MODULES = modules.package_modules()

# (module, its source, what must be found fault with)
REFUSED = (
    # One way between the rooms.
    ('compat.x', 'import nova_mdev_compat.codec',
     'nova_mdev_compat.codec'),
    ('compat.x', 'from nova_mdev_compat import conf',
     'nova_mdev_compat.conf'),
    ('codec.x', 'from nova_mdev_compat.placement import client',
     'nova_mdev_compat.placement.client'),
    ('placement.x', 'from nova_mdev_compat.cmd import main',
     'nova_mdev_compat.cmd.main'),
    ('placement.x', 'from nova_mdev_compat import conf',
     'nova_mdev_compat.conf'),
    ('conf.x', 'from nova_mdev_compat.compat import versions',
     'nova_mdev_compat.compat.versions'),
    ('publisher.x', 'from nova_mdev_compat import scheduler',
     'nova_mdev_compat.scheduler'),
    ('scheduler.x', 'from nova_mdev_compat import publisher',
     'nova_mdev_compat.publisher'),
    ('filters', 'from nova_mdev_compat.scheduler import filters',
     'nova_mdev_compat.scheduler.filters'),
    ('cmd.x', 'from nova_mdev_compat.scheduler import filters',
     'nova_mdev_compat.scheduler.filters'),
    ('', 'from nova_mdev_compat import codec', 'nova_mdev_compat.codec'),
    # The pure rooms.
    ('compat.x', 'import os', 'os'),
    ('compat.x', 'import os.path', 'os.path'),
    ('compat.x', 'import io', 'io'),
    ('compat.x', 'from pathlib import Path', 'pathlib.Path'),
    ('compat.x', 'import socket', 'socket'),
    ('compat.x', 'import logging', 'logging'),
    ('compat.x', 'import subprocess', 'subprocess'),
    ('compat.x', 'from oslo_log import log', 'oslo_log.log'),
    ('compat.x', 'import jsonschema', 'jsonschema'),
    ('compat.x', 'open("document.json")', 'open()'),
    ('codec.x', 'import logging', 'logging'),
    ('codec.x', 'from oslo_config import cfg', 'oslo_config.cfg'),
    ('codec.x', 'print("document")', 'print()'),
    ('conf.x', 'from oslo_log import log', 'oslo_log.log'),
    # Who speaks HTTP.
    ('codec.x', 'import requests', 'requests'),
    ('conf.x', 'from keystoneauth1 import loading', 'keystoneauth1.loading'),
    ('scheduler.x', 'from keystoneauth1 import session',
     'keystoneauth1.session'),
    ('publisher.x', 'import requests', 'requests'),
    ('cmd.x', 'from keystoneauth1 import loading', 'keystoneauth1.loading'),
    ('filters', 'import requests', 'requests'),
    # Nova in one room, OpenStack's placement in none.
    ('placement.x', 'from nova import conf', 'nova.conf'),
    ('filters', 'import nova', 'nova'),
    ('cmd.x', 'import nova.conf', 'nova.conf'),
    ('publisher.x', 'import nova', 'nova'),
    ('scheduler.x', 'from placement import direct', 'placement.direct'),
    ('placement.x', 'from placement import direct', 'placement.direct'),
    # One concurrency model.
    ('scheduler.x', 'import eventlet', 'eventlet'),
    ('placement.x', 'import asyncio', 'asyncio'),
    # Wherever the import hides.
    ('compat.x', 'import typing\nif typing.TYPE_CHECKING:\n    import os',
     'os'),
    ('compat.x', 'def function():\n    import os', 'os'),
    ('compat.x', 'try:\n    import os\nexcept ImportError:\n    pass', 'os'),
    ('compat.x', 'from ..codec import schema',
     'nova_mdev_compat.codec.schema'),
    ('compat.x', 'from .. import codec', 'nova_mdev_compat.codec'),
    ('cmd.x', 'import importlib\nimportlib.import_module("nova.conf")',
     'nova.conf'),
    ('cmd.x', '__import__("nova")', 'nova'),
    # A room that nobody has thought about.
    ('attic.x', '', 'nova_mdev_compat.attic.x belongs to no room'),
)

ACCEPTED = (
    ('compat.x', 'import re\nfrom nova_mdev_compat.compat import versions'),
    ('compat.x', 'from . import versions\nfrom .versions import Version'),
    ('codec.x', 'from importlib import resources\nimport jsonschema\n'
                'from nova_mdev_compat.compat import document'),
    ('conf.opts', 'from oslo_config import cfg\n'
                  'from nova_mdev_compat.conf import mdev_compat'),
    ('placement.x', 'from keystoneauth1 import loading\nimport threading\n'
                    'from nova_mdev_compat.codec import traits\n'
                    'from nova_mdev_compat.placement import client'),
    ('filters', 'import stevedore\nfrom nova_mdev_compat import conf'),
    ('scheduler.x', 'from nova.scheduler import filters\n'
                    'from nova_mdev_compat.placement import client'),
    ('cmd.x', 'from cliff import command\nimport sys\n'
              'from nova_mdev_compat.placement import client'),
)


def violations(module: str, source: str) -> list[str]:
    name = f'{imports.PACKAGE}.{module}' if module else imports.PACKAGE
    return imports.violations(name, not module, source)


@ddt.ddt
class TestImports(testtools.TestCase):

    @ddt.data(*MODULES)
    def test_module_keeps_to_its_room(self, name):
        path = MODULES[name]
        self.assertEqual([], imports.violations(
            name, path.name == '__init__.py', path.read_text('utf-8')))

    def test_modules_are_found(self):
        self.assertIn('nova_mdev_compat', MODULES)
        self.assertIn('nova_mdev_compat.compat', MODULES)


@ddt.ddt
class TestRules(testtools.TestCase):
    """The rules themselves: each one catches what it is there for."""

    @ddt.data(*REFUSED)
    @ddt.unpack
    def test_refused(self, module, source, fault):
        self.assertEqual([fault], violations(module, source))

    @ddt.data(*ACCEPTED)
    @ddt.unpack
    def test_accepted(self, module, source):
        self.assertEqual([], violations(module, source))

    def test_rooms_are_one_way(self):
        for name, room in imports.ROOMS.items():
            self.assertNotIn('scheduler', room.rooms)
            for other in room.rooms:
                self.assertNotIn(name, imports.ROOMS[other].rooms)

    def test_package_imports_relative_to_itself(self):
        self.assertEqual([], imports.violations(
            'nova_mdev_compat.compat', True, 'from . import versions'))
        self.assertEqual(['nova_mdev_compat.codec'], imports.violations(
            'nova_mdev_compat.compat', True, 'from .. import codec'))
