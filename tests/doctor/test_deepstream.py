# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JetPack and DeepStream are read from their files; the wrong pyds is not taken for the right one."""

import pytest

from pamtri_edge.doctor import deepstream
from pamtri_edge.doctor.findings import Finding

INSTALLED = Finding("deepstream", "DeepStream", "ok", "9.1.0")
ABSENT = Finding("deepstream", "DeepStream", "missing", "")
VERSION = "/opt/nvidia/deepstream/deepstream/version"


def tegra(release: str, revision: str) -> str:
    return f"# R{release} (release), REVISION: {revision}, GCID: 38968081, BOARD: generic, EABI: aarch64\n"


@pytest.mark.parametrize(
    ("release", "revision", "status", "summary"),
    [
        ("36", "4.3", "ok", "JetPack 6 (Jetson Linux 36.4.3)"),
        ("38", "4.0", "ok", "JetPack 7 (Jetson Linux 38.4.0)"),
        ("35", "4.1", "unusable", "JetPack 5 (Jetson Linux 35.4.1); the oldest supported is 6"),
        ("44", "1.0", "ok", "Jetson Linux 44.1.0, newer than this list"),
    ],
)
def test_jetpack_is_read_from_the_release_file(fake, release, revision, status, summary):
    machine = fake.file("/etc/nv_tegra_release", tegra(release, revision)).build()
    finding = deepstream.jetpack(machine)
    assert (finding.status, finding.summary) == (status, summary)


def test_a_machine_that_is_no_jetson_lacks_nothing(fake):
    assert deepstream.jetpack(fake.build()).status == "skipped"


def test_a_release_file_of_another_form_is_said_to_be_so(fake):
    assert deepstream.jetpack(fake.file("/etc/nv_tegra_release", "?").build()).status == "unusable"


@pytest.mark.parametrize(
    ("version", "status"), [("7.1.0", "ok"), ("9.2.0", "ok"), ("10.0", "ok"), ("7.0.0", "unusable")]
)
def test_deepstream_must_be_7_1_or_later(fake, version, status):
    finding = deepstream.deepstream(fake.file(VERSION, f"Version: {version}\nGCID: 1\n").build())
    assert finding.status == status
    assert finding.summary.startswith(version)


def test_deepstream_is_recommended_only_where_there_is_nvidia_hardware(fake):
    assert deepstream.deepstream(fake.build()).remedy == ""
    assert (
        "PyPI does not have it"
        in deepstream.deepstream(fake.file("/proc/driver/nvidia/version", "").build()).remedy
    )


def test_a_version_file_that_says_nothing_is_unusable(fake):
    assert deepstream.deepstream(fake.file(VERSION, "").build()).status == "unusable"


@pytest.mark.parametrize("after", [INSTALLED, ABSENT])
def test_pypis_pyds_is_told_apart_from_deepstreams(fake, after):
    machine = fake.module("pyds", "def parse(label): ...").installed("pyds", "0.2.0").build()
    finding = deepstream.pyds(machine, after)
    assert finding.status == "unusable"
    assert "unrelated package" in finding.summary
    assert finding.remedy == "pip uninstall pyds"


def test_deepstreams_pyds_is_recognized(fake):
    finding = deepstream.pyds(fake.module("pyds", "class NvDsBatchMeta: ...").build(), INSTALLED)
    assert finding.ok


def test_a_pyds_that_cannot_load_deepstreams_libraries_names_its_source(fake):
    machine = fake.module("pyds", "raise ImportError('libnvds_meta.so: cannot open')").build()
    finding = deepstream.pyds(machine, INSTALLED)
    assert finding.status == "unusable"
    assert "libnvds_meta.so" in finding.summary
    assert "deepstream_python_apps" in finding.remedy


def test_bindings_are_recommended_only_beside_deepstream(fake):
    machine = fake.build()
    for probe in (deepstream.pyds, deepstream.pyservicemaker):
        assert probe(machine, ABSENT).remedy == ""
        assert probe(machine, INSTALLED).remedy != ""


def test_pyservicemaker_without_its_yaml_reader_says_what_to_install(fake):
    machine = fake.module("pyservicemaker", "import yaml").build()
    finding = deepstream.pyservicemaker(machine, INSTALLED)
    assert finding.status == "unusable"
    assert "yaml" in finding.summary
    assert "pip install pyyaml" in finding.remedy
