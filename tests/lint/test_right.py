# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing is found in what is right: our own files, and those in NVIDIA's manner."""

import os
import shutil
from pathlib import Path

import pytest

from deepstream_files import APP, PIPELINE, POSTPROCESS, examined, found, yaml_of
from pamtri_edge.bundle import SHIPPED_BUNDLE
from pamtri_edge.lint import Options, lint_files

DETECTOR = """\
# a detector as deepstream-app's samples have it
[property]
gpu-id=0
net-scale-factor=0.0039215697906911373
onnx-file=/opt/nvidia/deepstream/deepstream/samples/models/Primary_Detector/resnet18.onnx
model-engine-file=/opt/nvidia/deepstream/deepstream/samples/models/Primary_Detector/resnet18.onnx_b30_gpu0_int8.engine
labelfile-path=/opt/nvidia/deepstream/deepstream/samples/models/Primary_Detector/labels.txt
int8-calib-file=/opt/nvidia/deepstream/deepstream/samples/models/Primary_Detector/cal_trt.bin
batch-size=30
process-mode=1
model-color-format=0
## 0=FP32, 1=INT8, 2=FP16 mode
network-mode=1
num-detected-classes=4
interval=0
gie-unique-id=1
cluster-mode=2

[class-attrs-all]
topk=20
nms-iou-threshold=0.5
pre-cluster-threshold=0.2

## Per class configuration
[class-attrs-0]
topk=20
"""

CLASSIFIER = """\
[property]
gpu-id=0
net-scale-factor=1
onnx-file=/opt/nvidia/deepstream/deepstream/samples/models/Secondary_VehicleTypes/types.onnx
mean-file=/opt/nvidia/deepstream/deepstream/samples/models/Secondary_VehicleTypes/mean.ppm
batch-size=16
model-color-format=1
process-mode=2
network-mode=2
input-object-min-width=64
gie-unique-id=3
operate-on-gie-id=1
operate-on-class-ids=0
classifier-async-mode=1
classifier-threshold=0.51
network-type=1
classifier-type=vehicletype
"""

REIDENTIFICATION = """\
property:
  gpu-id: 0
  onnx-file: /opt/nvidia/deepstream/deepstream/samples/models/reid/resnet50_market1501.onnx
  net-scale-factor: 0.01735207357
  offsets: 123.675;116.28;103.53
  infer-dims: 3;256;128
  batch-size: 16
  network-mode: 2
  network-type: 100
  process-mode: 2
  gie-unique-id: 2
  output-tensor-meta: 1
"""

COMMENTED = """\
[property]
gpu-id=0  # the first one
net-scale-factor=0.0039215697906911373
onnx-file=/opt/nvidia/deepstream/deepstream/samples/models/yolo.onnx
int8-calib-file=
batch-size=1 ; a frame
network-mode=2 # 0=FP32, 1=INT8, 2=FP16
num-detected-classes=80\t\t# of COCO
filter-out-class-ids=1;2  # bicycles and cars
gie-unique-id=1
"""

AUDIO = """\
[application]
enable-perf-measurement=1

[source0]
enable=1
type=6
uri=file:///opt/street.wav

[sink0]
enable=1
type=1

[audio-classifier]
enable=1
config-file=config_infer_audio_sonyc.txt
"""

SAMPLES = {
    "a detector": ("detector.txt", DETECTOR),
    "a detector in YAML": ("detector.yml", yaml_of(DETECTOR)),
    "a classifier": ("classifier.txt", CLASSIFIER),
    "an embedding of people": ("reid.yml", REIDENTIFICATION),
    "an application": ("app.txt", APP),
    "post-processing": ("post.yml", POSTPROCESS),
    "a pipeline": ("pipeline.yaml", PIPELINE),
    "comments behind whole numbers": ("commented.txt", COMMENTED),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_found_in_files_in_nvidias_manner(write, name):
    file, text = SAMPLES[name]
    assert found(write(text, file)) == []


def test_nothing_is_found_in_the_files_of_the_package():
    assert found(SHIPPED_BUNDLE / "deepstream" / "nvinfer.txt") == []


def test_nothing_is_found_in_our_file_as_yaml(write, right):
    assert found(write(yaml_of(right), "nvinfer.yml")) == []


def test_nothing_is_found_in_our_file_with_words_behind_whole_numbers(write, right):
    for line in (
        "batch-size=16",
        "process-mode=2",
        "scaling-filter=1",
        "infer-dims=3;256;256",
        "network-type=1",
    ):
        assert f"\n{line}\n" in right
        right = right.replace(f"\n{line}\n", f"\n{line}  # as it is\n")
    assert found(write(right, "nvinfer.txt")) == []


def test_a_copy_elsewhere_lacks_only_its_files(tmp_path):
    shutil.copy(SHIPPED_BUNDLE / "deepstream" / "nvinfer.txt", tmp_path)
    findings = found(tmp_path / "nvinfer.txt")
    assert {one.rule for one in findings} == {"missing-file"}
    assert {one.key for one in findings} == {"onnx-file", "labelfile-path"}
    assert found(tmp_path / "nvinfer.txt", look=False) == []


def test_the_files_that_a_file_names_are_examined_too(write):
    report = examined(write(APP))
    assert [path.name for path in report.examined] == ["config.txt", "nvinfer.txt"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[property]\nenable=1\ntarget-unique-ids=1\nnetwork-input-shape=1;3;9;9\n", "nvdspreprocess"),
        ("[property]\nenable=1\nconfig-width=9\nconfig-height=9\n", "nvdsanalytics"),
        ("[sensor0]\nenable=1\ntype=Camera\n", "nvmsgconv"),
        ("[message-broker]\npartition-key=sensor.id\n", "broker"),
        ("infer_config {\n  unique_id: 1\n}\n", "nvinferserver"),
        (AUDIO, "sample programs"),
    ],
)
def test_files_of_other_elements_are_passed_over_by_name(write, text, kind):
    report = lint_files([write(text)], Options())
    assert [kind in what for what in report.passed_over.values()] == [True]
    assert not report.findings
    assert not report.unreadable


MISTAKES_OF_SAMPLES = {
    ("dsipctest_sgie_config.yml", "gie-unique-id", "twice"),
    ("lpr_config_sgie_us.txt", "process_mode", "unknown-key"),
}
"""What is indeed wrong in NVIDIA's repository (DeepStream 9.1)."""


def test_nothing_is_found_in_nvidias_own_samples():
    folder = os.environ.get("PAMTRI_DEEPSTREAM_SAMPLES")
    if not folder:
        pytest.skip("NVIDIA's samples are not at hand; name their folder in PAMTRI_DEEPSTREAM_SAMPLES")
    files = [path for name in ("*.txt", "*.yml", "*.yaml") for path in sorted(Path(folder).rglob(name))]
    report = lint_files(files, Options(look=False))
    assert report.examined
    assert {(one.path.name, one.key, one.rule) for one in report.findings} <= MISTAKES_OF_SAMPLES
