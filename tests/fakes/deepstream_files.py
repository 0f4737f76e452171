# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations of DeepStream in NVIDIA's manner, and what examines them."""

from __future__ import annotations

from pathlib import Path

from pamtri_edge.lint import Finding, Options, Report, lint_files

APP = """\
[application]
enable-perf-measurement=1
perf-measurement-interval-sec=5

[source0]
enable=1
type=3
uri=file:///opt/nvidia/deepstream/deepstream/samples/streams/sample_1080p_h264.mp4
num-sources=2
gpu-id=0

[sink0]
enable=1
type=2
sync=0

[sink1]
enable=1
type=6
msg-conv-config=/opt/nvidia/deepstream/deepstream/sources/apps/sample_apps/deepstream-test5/configs/a.txt
msg-conv-payload-type=2
msg-broker-proto-lib=/opt/nvidia/deepstream/deepstream/lib/libnvds_kafka_proto.so
msg-broker-conn-str=localhost;9092
topic=vehicles

[osd]
enable=1
text-color=1;1;1;1;

[streammux]
batch-size=2
width=1920
height=1080

[primary-gie]
enable=1
gie-unique-id=1
bbox-border-color0=1;0;0;1
config-file=/opt/nvidia/deepstream/deepstream/samples/configs/deepstream-app/config_infer_primary.txt

[tracker]
enable=1
ll-lib-file=/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so

[secondary-gie0]
enable=1
gie-unique-id=2
operate-on-gie-id=1
operate-on-class-ids=0;
config-file=nvinfer.txt
"""

POSTPROCESS = """\
%YAML:1.0
property:
  gpu-id: 0
  process-mode: 2
  network-type: 1
  output-blob-names: color
  classifier-threshold: 0.51
  classifier-type: color
  gie-unique-id: 3
  release-tensor-meta: 1
class-attrs-all:
  topk: 20
"""

PIPELINE = """\
deepstream:
  nodes:
  - type: nvurisrcbin
    name: src
    properties:
      uri: "file:///opt/nvidia/deepstream/deepstream/samples/streams/sample_1080p_h264.mp4"
  - type: nvinfer
    name: sgie
    properties:
      config-file-path: nvinfer.txt
      batch-size: 16
  - type: nvtracker
    name: tracker
    properties:
      ll-lib-file: /opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so
  - type: fakesink
    name: sink
  edges:
    src: tracker
    tracker: sgie
    sgie.src: [sink]
"""


def examined(path: Path, **options: object) -> Report:
    """Return the report on a file that can be read."""
    report = lint_files([path], Options(**options))  # type: ignore[arg-type]
    assert not report.unreadable
    assert not report.passed_over
    return report


def found(path: Path, **options: object) -> list[Finding]:
    """Return what is found in a file."""
    return examined(path, **options).findings


def yaml_of(text: str) -> str:
    """Return a key file as the YAML that says the same."""
    lines = []
    for line in text.splitlines():
        if line.startswith("["):
            lines.append(line.strip("[]") + ":")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            lines.append(f"  {key}: {value}")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
