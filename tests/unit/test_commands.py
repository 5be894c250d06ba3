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

"""The commands that need nothing but files."""

import json
import os
import random
import subprocess
import sys
from typing import Any

import ddt

from nova_mdev_compat.codec import traits
from tests.unit import commands
from tests.unit import crafted

#: Accepts the example, and is refused by it.
WIDE: dict[str, Any] = {
    'format': 1,
    'self': {'device_api': 'vfio-pci', 'mdev_type': 'acme-wide'},
    'compatible': [
        {'mdev_type': 'acme-type_x1', 'software_version': {'any': True},
         'vfio-pci': {'vendor': {'any': True}, 'device': {'any': True}},
         'attributes': {'aggregation': {'any': True}, 'ecc': {'any': True},
                        'features': {'any': True}}, 'level': 'cold'}],
}
AGGREGATED = json.loads(json.dumps(crafted.EXAMPLE))
AGGREGATED['self']['attributes']['aggregation'] = 4
INVALID: dict[str, Any] = {
    'format': 1, 'self': {'device_api': 'vfio-usb', 'driver': 'acme'}}
PLACES = ('/self/device_api: ', '/self/driver: ', '/compatible: ')
NOT_UTF_8 = b'{"format": 1, "self": "\xff"}'

#: Title, arguments, exit status. Names with a suffix are files; the example
#: is what standard input gives.
STATUSES = (
    ('no command', '', 2),
    ('unknown command', 'frobnicate', 2),
    ('unknown option', '--frobnicate', 2),
    ('help', '--help', 0),
    ('version', '--version', 0),
    ('help of a command', 'check --help', 0),

    ('valid', 'validate example.json', 0),
    ('valid on standard input', 'validate -', 0),
    ('two valid files', 'validate example.json wide.json', 0),
    ('invalid', 'validate invalid.json', 1),
    ('valid and invalid', 'validate example.json invalid.json', 1),
    ('not JSON', 'validate text.json', 1),
    ('empty', 'validate empty.json', 1),
    ('not UTF-8', 'validate latin.json', 1),
    ('not there', 'validate missing.json', 2),
    ('a directory', 'validate directory.json', 2),
    ('invalid and not there', 'validate invalid.json missing.json', 2),
    ('not there and valid', 'validate missing.json example.json', 2),
    ('no file', 'validate', 2),
    ('unknown form', 'validate --format yaml example.json', 2),

    ('accepted', 'check --source example.json --destination example.json',
     0),
    ('accepted by a later entry',
     'check --source four.json --destination example.json', 0),
    ('refused', 'check --source wide.json --destination example.json', 1),
    ('refused as JSON', 'check --format json --source wide.json '
     '--destination example.json', 1),
    ('refused at level live',
     'check --source example.json --destination wide.json', 1),
    ('accepted at level cold', 'check --level cold --source example.json '
     '--destination wide.json', 0),
    ('source on standard input',
     'check --source - --destination example.json', 0),
    ('destination on standard input',
     'check --source wide.json --destination -', 1),
    ('both on standard input', 'check --source - --destination -', 2),
    ('invalid source',
     'check --source invalid.json --destination example.json', 2),
    ('invalid destination',
     'check --source example.json --destination invalid.json', 2),
    ('source is not JSON',
     'check --source text.json --destination example.json', 2),
    ('destination is not UTF-8',
     'check --source example.json --destination latin.json', 2),
    ('source is not there',
     'check --source missing.json --destination example.json', 2),
    ('destination is not there',
     'check --source example.json --destination missing.json', 2),
    ('no destination', 'check --source example.json', 2),
    ('unknown level', 'check --level warm --source example.json '
     '--destination example.json', 2),

    ('encoded', 'encode example.json', 0),
    ('encoded from standard input', 'encode -', 0),
    ('invalid to encode', 'encode invalid.json', 2),
    ('not JSON to encode', 'encode text.json', 2),
    ('not UTF-8 to encode', 'encode latin.json', 2),
    ('not there to encode', 'encode missing.json', 2),
    ('two to encode', 'encode example.json wide.json', 2),

    ('a document is no trait names', 'decode', 2),
    ('decode has no arguments', 'decode example.json', 2),

    ('publish without anything', 'publish', 2),
    ('publish without a provider',
     'publish --config-file empty.json example.json', 2),
    ('publish without a configuration', 'publish --provider '
     '6a4ecbc1-0a0b-4e0a-a2bb-7ebda6e6b1f5 example.json', 2),
)


class FilesTestCase(commands.CommandTestCase):

    def setUp(self) -> None:
        super().setUp()
        for name, content in (
                ('example.json', crafted.EXAMPLE), ('wide.json', WIDE),
                ('four.json', AGGREGATED), ('invalid.json', INVALID),
                ('text.json', 'hello'), ('empty.json', ''),
                ('latin.json', NOT_UTF_8)):
            self.file(name, content)
        (self.directory / 'directory.json').mkdir()

    def run_line(self, line: str, given: bytes | str = b'') -> Any:
        return self.run_command(*(
            str(self.directory / word) if word.endswith('.json') else word
            for word in line.split()), given=given)


@ddt.ddt
class TestStatus(FilesTestCase):

    @ddt.data(*STATUSES)
    @ddt.unpack
    def test_exit_status(self, title: str, line: str, status: int) -> None:
        result = self.run_line(line, json.dumps(crafted.EXAMPLE))
        self.assertEqual(status, result.status, title)
        if status == 2:
            # What was wrong is told: cliff tells of commands that it does
            # not know on standard output.
            self.assertTrue((result.err or result.out).strip())
            self.assertNotIn('CUSTOM_', result.out)


class TestMessages(FilesTestCase):

    def test_every_fault_with_its_place(self) -> None:
        lines = self.run_line('validate invalid.json').out.splitlines()
        name = self.directory / 'invalid.json'
        self.assertEqual(len(PLACES), len(lines))
        for place in PLACES:
            self.assertEqual(1, sum(line.startswith(f'{name}: {place}')
                                    for line in lines), place)

    def test_each_file_is_named(self) -> None:
        result = self.run_line(
            'validate example.json missing.json text.json')
        self.assertIn('example.json: valid\n', result.out)
        self.assertIn('text.json: (document): it is not JSON', result.out)
        self.assertIn('missing.json: it cannot be read: No such file',
                      result.err)

    def test_validate_as_json(self) -> None:
        result = self.run_line(
            'validate --format json example.json invalid.json')
        valid, invalid = json.loads(result.out)
        self.assertEqual(
            {'file': str(self.directory / 'example.json'), 'valid': True,
             'faults': []}, valid)
        self.assertFalse(invalid['valid'])
        self.assertEqual(
            sorted(place.removesuffix(': ') for place in PLACES),
            sorted(fault['pointer'] for fault in invalid['faults']))

    def test_fault_of_another_command(self) -> None:
        err = self.run_line('encode invalid.json').err
        for place in PLACES:
            self.assertIn(f'invalid.json: {place}', err)

    def test_both_on_standard_input(self) -> None:
        self.assertIn('cannot both be standard input', self.run_line(
            'check --source - --destination -').err)

    def test_unknown_command(self) -> None:
        self.assertIn("'frobnicate' is not a",
                      self.run_line('frobnicate').out)

    def test_five_commands(self) -> None:
        out = self.run_line('--help').out
        for name in ('validate', 'check', 'encode', 'decode', 'publish'):
            self.assertIn(f'\n  {name} ', out)


class TestCheck(FilesTestCase):

    def check(self, line: str) -> Any:
        return json.loads(
            self.run_line(f'check --format json {line}').out)

    def test_accepted(self) -> None:
        self.assertEqual(
            {'accepted': True, 'entry': 1, 'variables': {'aggr': 4},
             'create': {'attributes': {'aggregation': 4}}, 'reasons': []},
            self.check('--source four.json --destination example.json'))

    def test_nothing_to_say_of_create(self) -> None:
        self.assertEqual(
            {'accepted': True, 'entry': 0, 'variables': {}, 'create': {},
             'reasons': []},
            self.check('--source example.json --destination example.json'))

    def test_refused(self) -> None:
        verdict = self.check('--source example.json --destination four.json')
        (reason,) = verdict.pop('reasons')
        self.assertEqual({'accepted': False, 'entry': None, 'variables': {},
                          'create': {}}, verdict)
        self.assertEqual(('attribute', '/attributes/aggregation', 1),
                         (reason['code'], reason['pointer'],
                          reason['source']))
        self.assertTrue(reason['message'])

    def test_level_in_words(self) -> None:
        self.assertIn('refused', self.run_line(
            'check --level live --source example.json '
            '--destination wide.json').out)

    def test_words(self) -> None:
        self.assertEqual(
            'accepted by entry 1\n  with aggr = 4\n'
            '  created here as attributes = {"aggregation": 4}\n',
            self.run_line('check --source four.json '
                          '--destination example.json').out)
        out = self.run_line('check --source example.json '
                            '--destination four.json').out
        self.assertIn('aggregation', out)


@ddt.ddt
class TestRoundTrip(FilesTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.long = crafted.load(crafted.incompressible(3000))
        self.file('long.json', self.long.canonical)
        self.names = self.encode('long.json')
        self.others = self.encode('example.json')

    def encode(self, name: str) -> list[str]:
        return list(self.run_line(f'encode {name}').out.splitlines())

    def decode(self, *names: str, status: int = 0, end: str = '\n') -> Any:
        result = self.run_command('decode', given=end.join(names))
        self.assertEqual(status, result.status)
        return result

    def assert_decodes(self, *names: str, end: str = '\n') -> None:
        self.assertEqual(self.long.canonical.decode() + '\n',
                         self.decode(*names, end=end).out)

    def assert_refuses(self, words: str, *names: str) -> None:
        result = self.decode(*names, status=2)
        self.assertIn(words, result.err)
        self.assertEqual('', result.out)

    def test_marker_comes_first(self) -> None:
        self.assertIsNotNone(traits.read_marker(self.names[0]))
        chunks = [traits.read_chunk(name) for name in self.names[1:]]
        self.assertEqual(list(range(len(chunks))),
                         [chunk and chunk.index for chunk in chunks])
        self.assertGreater(len(chunks), 2)

    def test_any_order(self) -> None:
        for seed in range(5):
            names = list(self.names)
            random.Random(seed).shuffle(names)
            self.assert_decodes(*names)

    def test_without_the_marker(self) -> None:
        self.assert_decodes(*self.names[1:])

    def test_line_ends(self) -> None:
        self.assert_decodes(*self.names, end='\r\n')
        self.assert_decodes(*self.names, '', '', end='\n')

    def test_among_other_traits(self) -> None:
        self.assert_decodes('CUSTOM_GOLD', 'HW_CPU_X86_AVX', *self.names,
                            'COMPUTE_NODE')

    def test_several_documents_and_a_marker(self) -> None:
        self.assert_decodes(*self.others[1:], *self.names)

    def test_several_documents_without_a_marker(self) -> None:
        self.assert_refuses('the names are of several documents',
                            *self.others[1:], *self.names[1:])

    def test_chunks_of_others_without_a_marker(self) -> None:
        self.file('other.json', crafted.load(
            crafted.incompressible(2000)).canonical)
        # They are of a document that is not whole.
        others = self.encode('other.json')[2:]
        self.assertNotEqual([], others)
        self.assert_decodes(*others, *self.names[1:])
        self.assert_refuses(f'chunk 0 of {len(self.names) - 1}',
                            *others, *self.names[2:])

    def test_several_markers(self) -> None:
        self.assert_refuses(self.others[0], *self.names, *self.others)

    def test_chunk_is_missing(self) -> None:
        self.assert_refuses('chunk 0 of ', self.names[0], *self.names[2:])

    def test_marker_alone(self) -> None:
        self.assert_refuses('none of its body traits', self.names[0])

    def test_marker_of_another_document(self) -> None:
        self.assert_refuses('none of its body traits', self.others[0],
                            *self.names[1:])

    @ddt.data('', 'CUSTOM_GOLD', 'CUSTOM_MDEV_COMPAT1_', '{}')
    def test_no_names_of_ours(self, given: str) -> None:
        self.assert_refuses('no trait name begins with', given)

    def test_not_ascii(self) -> None:
        self.assert_decodes('é', *self.names, 'CUSTOM_É')
        self.assert_refuses('chunk 0 of ', self.names[0],
                            self.names[1] + 'é', *self.names[2:])

    def test_not_utf_8(self) -> None:
        result = self.run_command('decode', given=b'\xff\xfe')
        self.assertEqual(2, result.status)


class TestProcess(FilesTestCase):
    """What only a process of its own can show."""

    def start(self, line: str, **options: Any
              ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, '-m', 'nova_mdev_compat.cmd.main',
             *line.split()], cwd=self.directory, check=False, timeout=60,
            stderr=subprocess.PIPE, **{
                'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
                **options})
        self.assertNotIn(b'Traceback', done.stderr)
        return done

    def test_status_reaches_the_shell(self) -> None:
        for line, status in (('validate example.json', 0),
                             ('validate invalid.json', 1),
                             ('validate missing.json', 2)):
            self.assertEqual(status, self.start(line).returncode, line)

    def test_reader_that_has_seen_enough(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        self.addCleanup(os.close, writing)
        done = self.start('encode example.json', stdout=writing)
        self.assertEqual(b'', done.stderr)

    def test_answer_that_the_terminal_cannot_show(self) -> None:
        self.file('accent.json', {
            'format': 1,
            'self': {'device_api': 'vfio-pci', 'mdev_type': 'acme-\u00e9'},
            'compatible': [{'create': {'mdev_type': 'acme-\u00e9'}}]})
        environment = {**os.environ, 'PYTHONIOENCODING': 'ascii'}
        for line, status in (
                ('check --source accent.json --destination accent.json', 0),
                ('check --source accent.json --destination example.json', 1),
                ('validate --format json accent.json', 0)):
            done = self.start(line, env=environment)
            self.assertEqual((status, b''), (done.returncode, done.stderr))
            self.assertTrue(done.stdout.strip())

    def test_file_name_that_is_no_text(self) -> None:
        name = os.fsencode(self.directory) + b'/\xff.json'
        with open(name, 'wb') as file:
            file.write(b'{}')
        done = subprocess.run(
            [sys.executable, '-m', 'nova_mdev_compat.cmd.main', 'validate',
             name], check=False, capture_output=True, timeout=60,
            env={**os.environ, 'PYTHONIOENCODING': 'utf-8'})
        self.assertEqual(1, done.returncode)
        self.assertIn(b'/format: ', done.stdout)

    def test_no_standard_input(self) -> None:
        done = subprocess.run(
            ['sh', '-c', '"$0" -m nova_mdev_compat.cmd.main decode <&-',
             sys.executable], check=False, capture_output=True, timeout=60)
        self.assertEqual(2, done.returncode)
        self.assertIn(b'tandard input', done.stderr)
