# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Each mistake is found, on its line, by the rule for it, and nothing else is."""

import shutil

import pytest

from deepstream_files import APP, PIPELINE, POSTPROCESS, found, yaml_of
from pamtri_edge.bundle import SHIPPED_BUNDLE

NVINFER = {
    # what stands there -> what somebody wrote, and the rule that finds it
    "a misspelled key": ("output-tensor-meta=1", "output-tensor-mata=1", "unknown-key"),
    "underscores for dashes": ("process-mode=2", "process_mode=2", "unknown-key"),
    "a key of nothing": ("scaling-filter=1", "scaling-filter=1\nfrobnicate=1", "unknown-key"),
    "a misspelled group": ("[property]", "[propety]", "unknown-group"),
    "a comment behind a value": ("net-scale-factor=1", "net-scale-factor=1 # 0 to 255", "value"),
    "a comment without a blank": ("batch-size=16", "batch-size=16# vehicles", "value"),
    "a blank behind a number": ("net-scale-factor=1", "net-scale-factor=1 ", "value"),
    "a blank behind a name": ("scaling-filter=1", "scaling-filter=1\noutput-blob-names=embedding\t", "value"),
    "a word for a number": ("network-type=1", "network-type=classifier", "value"),
    "a fraction": ("net-scale-factor=1", "net-scale-factor=1/255", "value"),
    "a number out of range": ("network-mode=2", "network-mode=7", "value"),
    "nothing behind the sign": ("gie-unique-id=2", "gie-unique-id=", "value"),
    "two dimensions": ("infer-dims=3;256;256", "infer-dims=256;256", "value"),
    "a line that is none": ("scaling-filter=1", "scaling-filter=1\n; a comment", "syntax"),
    "a key twice": ("gie-unique-id=2", "gie-unique-id=3\ngie-unique-id=2", "twice"),
    "a comment behind a path": (
        f"onnx-file={SHIPPED_BUNDLE}/model.onnx",
        f"onnx-file={SHIPPED_BUNDLE}/model.onnx  # ours",
        "value",
    ),
    "frames that are not skipped": ("process-mode=2", "process-mode=2\ninterval=4", "interval-ignored"),
    "re-inference of type 100": ("network-type=1", "network-type=100", "reinfer-ignored"),
    "asynchronous mode": ("classifier-async-mode=0", "classifier-async-mode=1", "async-tensors"),
    "pixels of 0 to 1": ("net-scale-factor=1", "net-scale-factor=0.00392156862745098", "scale"),
    "a mean": ("net-scale-factor=1", "net-scale-factor=1\noffsets=123.675;116.28;103.53", "offsets"),
    "BGR": ("model-color-format=0", "model-color-format=1", "color-format"),
    "gray": ("model-color-format=0", "model-color-format=2", "color-format"),
    "other dimensions": ("infer-dims=3;256;256", "infer-dims=3;224;224", "input-size"),
    "channels last": ("infer-dims=3;256;256", "infer-dims=3;256;256\nnetwork-input-order=1", "input-size"),
    "padding": ("maintain-aspect-ratio=0", "maintain-aspect-ratio=1", "aspect-ratio"),
    "another filter": ("scaling-filter=1", "scaling-filter=0", "scaling-filter"),
    "whole frames": ("process-mode=2", "process-mode=1", "process-mode"),
    "a batch beyond the engine": ("batch-size=16", "batch-size=32", "batch-size"),
    "another precision": ("network-mode=2", "network-mode=0", "precision"),
    "weak typing": ("strongly-typed=1", "strongly-typed=0", "weak-typing"),
    "tensors that stay inside": ("output-tensor-meta=1", "output-tensor-meta=0", "tensor-meta"),
    "a detector": ("network-type=1", "network-type=0", "network-type"),
    "labels of embeddings": ("classifier-threshold=1000000", "classifier-threshold=0.5", "labels-of-tensors"),
    "tensors that come from elsewhere": (
        "process-mode=2",
        "process-mode=2\ninput-tensor-from-meta=1",
        "input-from-meta",
    ),
    "a parser without its library": (
        "network-type=1",
        "network-type=1\nparse-classifier-func-name=Parse",
        "parser-without-library",
    ),
    "outputs of another network": (
        "network-type=1",
        "network-type=1\noutput-blob-names=embedding;fc_pred",
        "output-names",
    ),
    "a pool that cannot grow": ("output-tensor-meta=1", "output-tensor-meta=1\nauto-inc-mem=0", "fixed-pool"),
    "no host copy": (
        "output-tensor-meta=1",
        "output-tensor-meta=1\ndisable-output-host-copy=1",
        "host-copy",
    ),
    "dumped pictures": ("output-tensor-meta=1", "output-tensor-meta=1\ndump-input-tensor=1", "dump-tensors"),
    "dumped results": ("output-tensor-meta=1", "output-tensor-meta=1\ndump-output-tensor=1", "dump-tensors"),
    "results from a file": (
        "output-tensor-meta=1",
        "output-tensor-meta=1\noverwrite-output-tensor=1",
        "overwrite-tensors",
    ),
    "raw outputs": ("output-tensor-meta=1", "output-tensor-meta=1\nraw-output-file-write=1", "raw-output"),
    "a missing network": ("/model.onnx", "/other.onnx", "missing-file"),
    "missing labels": ("/labels.txt", "/names.txt", "missing-file"),
    "labels that are others": ("/deepstream/labels.txt", "/manifest.json", "labels"),
    "a mean picture": (
        "net-scale-factor=1",
        f"net-scale-factor=1\nmean-file={SHIPPED_BUNDLE}/model.onnx",
        "mean-file",
    ),
}


def changed_line(before, after):
    """Return the number of the first line that is new, comments aside."""
    known = before.splitlines()
    lines = enumerate(after.splitlines(), 1)
    return next(number for number, line in lines if line not in known and line[:1] != "#")


@pytest.mark.parametrize("name", NVINFER)
def test_a_mistake_in_a_key_file_of_nvinfer_is_found_on_its_line(write, right, name):
    old, new, rule = NVINFER[name]
    whole = f"\n{old}" in right
    text = right.replace(f"\n{old}", f"\n{new}") if whole else right.replace(old, new)
    line = changed_line(right, text)
    if rule == "reinfer-ignored":  # it is told where the interval is
        line = 1 + text.splitlines().index("secondary-reinfer-interval=30")
    findings = found(write(text))
    assert [(one.rule, one.line) for one in findings if one.rule == rule] == [(rule, line)]
    assert {one.rule for one in findings} <= {rule, *FOLLOWS.get(name, ())}
    assert all(one.problem and one.change for one in findings)


FOLLOWS = {
    # without the key nvinfer takes its default, which is a mistake of its own
    "a misspelled group": ["missing-group"],
}


IN_YAML = (
    "a misspelled key",
    "a word for a number",
    "pixels of 0 to 1",
    "BGR",
    "padding",
    "asynchronous mode",
)


@pytest.mark.parametrize("name", IN_YAML)
def test_the_same_mistakes_are_found_in_yaml(write, right, name):
    old, new, rule = NVINFER[name]
    text = yaml_of(right.replace(f"\n{old}", f"\n{new}"))
    findings = [one for one in found(write(text, "config.yml")) if one.rule == rule]
    assert [one.line for one in findings] == [changed_line(yaml_of(right), text)]


APPS = {
    "a misspelled group": ("[tracker]", "[traker]", "unknown-group", "[traker]"),
    "a group of nothing": ("[tracker]", "[teleporter]", "unknown-group", "[teleporter]"),
    "an underscore": ("[secondary-gie0]", "[secondary_gie0]", "unknown-group", "[secondary_gie0]"),
    "a misspelled key": ("num-sources=2", "num-source=2", "unknown-key", "num-source=2"),
    "a key of gst-launch": (
        "config-file=nvinfer",
        "config-file-path=nvinfer",
        "unknown-key",
        "config-file-path",
    ),
    "a source without a number": ("[source0]", "[sourceA]", "source-name", "[sourceA]"),
    "the same id": ("gie-unique-id=2", "gie-unique-id=1", "unique-id", "gie-unique-id=1"),
    "an engine that there is not": (
        "operate-on-gie-id=1",
        "operate-on-gie-id=7",
        "operate-on",
        "operate-on-gie-id=7",
    ),
    "every engine": ("operate-on-gie-id=1", "operate-on-gie-id=-1", "operate-on", "operate-on-gie-id=-1"),
    "a batch of one": ("batch-size=2", "batch-size=1", "batch-of-sources", "batch-size=1"),
    "no tracker": ("[tracker]\nenable=1", "[tracker]\nenable=0", "no-tracker", "[secondary-gie0]"),
    "the new messages": (
        "topic=vehicles",
        "topic=vehicles\nmsg-conv-msg2p-new-api=1",
        "embedding-lost",
        "msg-conv-msg2p-new-api=1",
    ),
    "a kind of sink": ("type=6", "type=66", "value", "type=66"),
    "three colors": ("text-color=1;1;1;1;", "text-color=1;1;1", "value", "text-color"),
    "a missing file": ("=nvinfer.txt", "=sgie.txt", "missing-file", "config-file=sgie.txt"),
    "a batch beyond the engine": (
        "operate-on-class-ids=0;",
        "operate-on-class-ids=0;\nbatch-size=64",
        "batch-size",
        "batch-size=64",
    ),
    "no adapter": ("msg-broker-proto-lib=/", "#msg-broker-proto-lib=/", "missing-key", "[sink1]"),
    "a group that is off": ("[osd]\nenable=1", "[osd]", "missing-key", "[osd]"),
}


@pytest.mark.parametrize("name", APPS)
def test_a_mistake_in_a_file_of_deepstream_app_is_found_on_its_line(write, name):
    old, new, rule, at = APPS[name]
    text = APP.replace(old, new, 1) if name != "the same id" else APP.replace(old, new)
    findings = [one for one in found(write(text)) if one.rule == rule]
    lines = text.splitlines()
    number = max(index for index, line in enumerate(lines, 1) if line.startswith(at))
    assert [one.line for one in findings] == [number]


def test_a_mistake_in_the_file_of_nvinfer_that_an_application_names_is_found_there(write, right, tmp_path):
    path = write(APP)
    (tmp_path / "nvinfer.txt").write_text(right.replace("model-color-format=0", "model-color-format=1"))
    (finding,) = found(path)
    assert (finding.path.name, finding.rule) == ("nvinfer.txt", "color-format")


PIPELINES = {
    "a node that there is not": ("src: tracker", "src: traker", "edges", "src: traker"),
    "a pad of a node that there is not": ("sgie.src: [sink]", "sgi.src: [sink]", "edges", "sgi.src"),
    "a misspelled property": ("config-file-path", "config-file", "unknown-key", "config-file:"),
    "a key of nvinfer's file": ("batch-size: 16", "net-scale-factor: 1", "unknown-key", "net-scale-factor"),
    "a node twice": ("name: tracker", "name: sgie", "node", "name: sgie"),
    "a node without a type": ("  - type: fakesink\n    name: sink", "  - name: sink", "node", "- name: sink"),
    "a batch beyond the engine": ("batch-size: 16", "batch-size: 99", "batch-size", "batch-size: 99"),
    "a missing file": (": nvinfer.txt", ": sgie.txt", "missing-file", "config-file-path"),
    "a misspelled key of a node": (
        "    properties:\n      ll",
        "    property:\n      ll",
        "unknown-key",
        "property:",
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_mistake_in_a_pipeline_of_service_maker_is_found_on_its_line(write, name):
    old, new, rule, at = PIPELINES[name]
    text = PIPELINE.replace(old, new, 1)
    assert text != PIPELINE
    findings = [one for one in found(write(text, "config.yaml")) if one.rule == rule]
    lines = [line.strip() for line in text.splitlines()]
    number = max(index for index, line in enumerate(lines, 1) if line.startswith(at))
    assert number in [one.line for one in findings]


POSTPROCESSES = {
    "a misspelled key": ("classifier-type", "clasifier-type", "unknown-key"),
    "a key of nvinfer": ("release-tensor-meta: 1", "release-tensor-meta: 1\n  batch-size: 4", "unknown-key"),
    "a type that it cannot": ("network-type: 1", "network-type: 100", "value"),
    "a misspelled group": ("class-attrs-all:", "class-attr-all:", "unknown-group"),
    "a missing file": ("gpu-id: 0", "labelfile-path: names.txt", "missing-file"),
}


@pytest.mark.parametrize("name", POSTPROCESSES)
def test_a_mistake_in_a_file_of_nvdspostprocess_is_found_on_its_line(write, name):
    old, new, rule = POSTPROCESSES[name]
    text = POSTPROCESS.replace(old, new)
    (finding,) = found(write(text, "config.yml"))
    line = POSTPROCESS[: POSTPROCESS.index(old)].count("\n") + 1 + new.count("\n")
    assert (finding.rule, finding.line) == (rule, line)


def test_sources_that_yaml_has_no_groups_for_are_found(write):
    text = yaml_of(APP)
    (finding,) = found(write(text, "app.yml"))
    line = 1 + text.splitlines().index("source0:")
    assert (finding.rule, finding.line) == ("source-name", line)


def test_what_names_no_network_is_said_so(write):
    (finding,) = (
        one
        for one in found(write("[property]\nprocess-mode=2\nnetwork-type=1\n"))
        if one.rule == "no-network"
    )
    assert finding.key == "onnx-file"


def test_attributes_of_a_class_that_there_is_not_are_found(write):
    classes = "[class-attrs-3]\ntopk=9\n[class-attrs-4]\ntopk=9\n"
    text = f"[property]\nonnx-file=a.onnx\nnum-detected-classes=4\n{classes}"
    (finding,) = found(write(text), look=False)
    assert (finding.rule, finding.line) == ("class-out-of-range", 6)


def test_a_copy_of_the_network_without_its_bundle_is_known_again(write, right, tmp_path):
    shutil.copy(SHIPPED_BUNDLE / "model.onnx", tmp_path / "reid.onnx")
    text = right.replace(f"{SHIPPED_BUNDLE}/model.onnx", "reid.onnx")
    text = text.replace("model-color-format=0", "model-color-format=1")
    assert [one.rule for one in found(write(text))] == ["color-format"]


def test_another_network_is_held_to_the_general_rules_alone(write, right, tmp_path):
    (tmp_path / "other.onnx").write_bytes(b"another network")
    text = right.replace(f"{SHIPPED_BUNDLE}/model.onnx", "other.onnx")
    text = text.replace(f"{SHIPPED_BUNDLE}/engines/", "engines/")
    text = text.replace("model-color-format=0", "model-color-format=1")
    assert found(write(text)) == []
    text = text.replace("output-tensor-meta=1", "output-tensor-mata=1")
    assert [one.rule for one in found(write(text))] == ["unknown-key"]


def test_a_detector_is_not_held_to_the_bundle_that_is_named(write, tmp_path):
    (tmp_path / "detector.onnx").write_bytes(b"a detector")
    path = write("[property]\nonnx-file=detector.onnx\nnetwork-type=0\nnum-detected-classes=4\n")
    assert found(path, bundle=SHIPPED_BUNDLE) == []
