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

import os
import sys

# The directives of this documentation, and the corpus.
sys.path.insert(0, os.path.abspath('../ext'))

extensions = [
    'cliff.sphinxext',
    'documents',
    'openstackdocstheme',
    'oslo_config.sphinxext',
]

project = 'nova-mdev-compat'
copyright = 'the nova-mdev-compat contributors'
root_doc = 'index'
templates_path = []
exclude_patterns = []
pygments_style = 'native'
# What is shown without a language is typed or printed, and no Python.
highlight_language = 'text'
# Two hyphens begin an option, and are no dash.
smartquotes_action = 'qe'

html_theme = 'openstackdocs'
html_static_path = ['_static']
html_css_files = ['tables.css']
openstackdocs_repo_name = 'nova-mdev-compat'
openstackdocs_auto_name = False
openstackdocs_use_storyboard = False

# The commands are one word each under the program's name.
autoprogram_cliff_application = 'nova-mdev-compat'
