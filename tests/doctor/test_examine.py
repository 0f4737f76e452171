# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The whole examination: nothing that a machine is or lacks ends it."""

import shutil
from dataclasses import replace

import pytest

import pamtri_edge
from pamtri_edge.doctor import NAMES, examine
from pamtri_edge.doctor.examine import PROBES, Probe
from pamtri_edge.doctor.findings import Finding


@pytest.fixture
def nothing_shipped(tmp_path, monkeypatch):
    monkeypatch.delenv("PAMTRI_BUNDLE", raising=False)
    monkeypatch.setattr("pamtri_edge.bundle.SHIPPED_BUNDLE", tmp_path / "shipped.pamtri")
    return tmp_path / "shipped.pamtri"


def test_a_bare_machine_is_examined_to_the_end(fake, nothing_shipped):
    report = examine(fake.build())
    assert [finding.name for finding in report.findings] == [probe.name for probe in PROBES]
    assert not any("could not be examined" in finding.summary for finding in report.findings)
    assert not any(ability.ok for ability in report.abilities)
    assert report["run"].lacking == ("openvino", "bundle", "av", "norfair")
    needs = {one for ability in report.abilities for need in ability.needs for one in need.split(" or ")}
    assert needs <= {finding.name for finding in report.findings}, "abilities need only what is probed"


def test_this_machine_is_examined_to_the_end(nothing_shipped):
    report = examine()
    assert report["openvino"].ok
    assert report["native"].status in ("ok", "missing")
    assert not any("could not be examined" in finding.summary for finding in report.findings)
    assert report.version == pamtri_edge.__version__


def test_a_machine_where_every_package_crashes_is_examined_to_the_end(fake, nothing_shipped):
    for name in ("openvino", "torch", "tensorrt", "tensorrt_rtx", "cupy", "av", "norfair", "pyds", "gi"):
        fake.module(name, "import os; os.kill(os.getpid(), 11)")
    fake.program("gst-inspect-1.0", "echo GStreamer 1.24.2")
    report = examine(fake.build())
    for name in ("openvino", "torch", "tensorrt", "tensorrt-rtx", "cupy", "av", "norfair", "pyds"):
        assert report[name].status == "unusable", name
    assert report["gstreamer"].facts["python"] is False


def test_a_probe_that_raises_is_a_finding(fake):
    def broken(machine):
        raise OSError("no /proc here")

    def after(machine, earlier):
        return Finding("second", "Second", "ok", f"after {earlier.status}")

    report = examine(fake.build(), probes=[Probe("first", broken), Probe("second", after, after=("first",))])
    assert report["first"].status == "unusable"
    assert report["first"].summary == "could not be examined: OSError: no /proc here"
    assert report["second"].summary == "after unusable"


def test_every_probe_waits_only_for_probes_before_it():
    names = [probe.name for probe in PROBES]
    for position, probe in enumerate(PROBES):
        assert set(probe.after) <= set(names[:position])
    assert len(set(NAMES)) == len(NAMES)


def default_bundle_on(machine):
    return examine(machine, probes=[probe for probe in PROBES if probe.name == "bundle"])["bundle"]


def test_no_default_bundle_names_the_command_that_brings_it(fake, nothing_shipped):
    finding = default_bundle_on(fake.build())
    assert finding.status == "missing"
    assert finding.remedy == "pip install --force-reinstall --no-deps pamtri-edge"


def test_a_default_bundle_that_the_environment_names_wrongly_names_the_variable(
    fake, nothing_shipped, monkeypatch
):
    monkeypatch.setenv("PAMTRI_BUNDLE", "/nowhere/mine.pamtri")
    finding = default_bundle_on(replace(fake.build(), environ={"PAMTRI_BUNDLE": "/nowhere/mine.pamtri"}))
    assert finding.status == "missing"
    assert "let PAMTRI_BUNDLE name a bundle" in finding.remedy


def test_a_default_bundle_is_described_and_a_changed_one_is_refused(fake, nothing_shipped, tiny_bundle):
    shutil.copytree(tiny_bundle, nothing_shipped)
    finding = default_bundle_on(fake.build())
    assert finding.ok
    assert "untrained" in finding.summary
    model = nothing_shipped / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    finding = default_bundle_on(fake.build())
    assert finding.status == "unusable"
    assert "model.onnx" in finding.summary
