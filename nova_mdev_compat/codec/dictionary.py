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

"""The preset dictionary of format 1: what documents have in common.

Frozen with the first release: every published body was compressed against
these bytes, and is unreadable against any others. The most common strings
stand last, where DEFLATE refers to them with the shortest distances.
"""

FORMAT_1 = (
    b'"subchannel_type":"chpid_type":"vfio-platform""vfio-amba""vfio-ccw"'
    b'"vfio-ap"vfio_ap-passthrough"vfio_ccw-io"mdpy-vga"mbochs-small"'
    b'"mtty-1""mtty-2""ports":"stream_version":"firmware":"isolation":'
    b'"queues":"ring_map":"capability_mask":"capabilities":["8086"'
    b'"i915-GVTg_V5_"i915-GVTg_V4_"low_gm_size":"high_gm_size":"fence":'
    b'"resolution":"weight":"framebuffer":"max_resolution":"num_heads":'
    b'"frl_config":"host_driver":"GRID NVIDIA A100-NVIDIA H100-NVIDIA L40S-'
    b'NVIDIA A40-NVIDIA T4-"mdev_class":"profile":"vgpu_type":"branch":'
    b'"driver_release":"535.550.570.580."board":"memory":"features":["codec"'
    b',"compute"],"absent":true}"any":true}{"any_of":["enum":[1,2,4,8]}'
    b'"variables":{"aggr":{"maximum":8,"minimum":2}}},"create":{"attributes"'
    b':{"aggregation":"${aggr}"},"mdev_type":"level":"cold",'
    b'"software_version":{"any":true}}'
    b'"software_version":{"maximum":"","minimum":"'
    b'"subsystem_device":"","subsystem_vendor":"10de"'
    b'{"compatible":[{},{"attributes":{"aggregation":1,"ecc":false,"ecc":true'
    b'},"mdev_type":"nvidia-'
    b'{"compatible":[{"attributes":{}],"format":1,"self":{"attributes":{"'
    b'"},"device_api":"vfio-pci","mdev_type":"nvidia-","software_version":"'
    b'","vfio-pci":{"device":"","vendor":"10de"}}}'
)
