# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's runtimes crash without a driver, so without a driver they are not touched."""

import pytest

from pamtri_edge.doctor import nvidia
from pamtri_edge.doctor.findings import Finding

CRASH = "__import__('os').kill(__import__('os').getpid(), 11)"
DRIVER = Finding("cuda", "NVIDIA driver", "ok", "")
NO_DRIVER = Finding("cuda", "NVIDIA driver", "missing", "")

TENSORRT = f"""
__version__ = "10.3.0"
class Logger:
    ERROR = 1
    def __init__(self, level): pass
def Runtime(logger): {CRASH}
"""


@pytest.mark.parametrize(
    ("probe", "module"), [(nvidia.tensorrt, "tensorrt"), (nvidia.tensorrt_rtx, "tensorrt_rtx")]
)
def test_tensorrts_runtime_is_started_only_with_a_driver(fake, probe, module):
    machine = fake.module(module, TENSORRT).build()
    without = probe(machine, NO_DRIVER)
    assert without.ok
    assert without.summary == "10.3.0, its runtime was not started: no driver"
    with_driver = probe(machine, DRIVER)
    assert with_driver.status == "unusable"
    assert "crashed (SIGSEGV)" in with_driver.summary


def test_a_tensorrt_that_crashes_at_import_is_text(fake):
    finding = nvidia.tensorrt(fake.module("tensorrt", CRASH).build(), NO_DRIVER)
    assert finding.status == "unusable"
    assert "crashed (SIGSEGV)" in finding.summary


def test_bindings_without_their_library_say_which_is_lacking(fake):
    fake.module("tensorrt", "raise ImportError('libnvonnxparser.so.11: cannot open shared object file')")
    finding = nvidia.tensorrt(fake.build(), NO_DRIVER)
    assert finding.status == "unusable"
    assert "libnvonnxparser.so.11" in finding.summary
    assert "same version" in finding.remedy


@pytest.mark.parametrize(
    ("probe", "cuda", "remedy"),
    [
        (nvidia.tensorrt, NO_DRIVER, ""),
        (nvidia.tensorrt, DRIVER, "pip install 'pamtri-edge[tensorrt]'"),
        (
            nvidia.tensorrt_rtx,
            NO_DRIVER,
            "pip install 'pamtri-edge[tensorrt-rtx]'",
        ),  # it builds without a GPU
        (nvidia.pycuda, DRIVER, ""),
    ],
)
def test_what_is_absent_is_recommended_only_where_it_is_of_use(fake, probe, cuda, remedy):
    finding = probe(fake.build(), cuda)
    assert (finding.status, finding.remedy) == ("missing", remedy)


CUPY = """
__version__ = "14.2.0"
class cuda:
    class runtime:
        def getDeviceCount(): raise RuntimeError("cudaErrorInsufficientDriver")
"""


def test_cupy_counts_gpus_only_with_a_driver(fake):
    machine = fake.module("cupy", CUPY).build()
    assert nvidia.cupy(machine, NO_DRIVER).summary == "14.2.0, no driver to use it with"
    finding = nvidia.cupy(machine, DRIVER)
    assert finding.status == "unusable"
    assert "cudaErrorInsufficientDriver" in finding.summary
    assert "cupy-cuda12x" in finding.remedy


def test_two_wheels_of_cupy_are_unusable_whatever_they_do(fake):
    fake.module("cupy", CUPY).installed("cupy-cuda12x", "14.2.0").installed("cupy-cuda13x", "14.2.0")
    finding = nvidia.cupy(fake.build(), NO_DRIVER)
    assert finding.status == "unusable"
    assert "cupy-cuda12x, cupy-cuda13x" in finding.summary
    assert "pip uninstall cupy-cuda12x cupy-cuda13x" in finding.remedy


@pytest.mark.parametrize(
    ("probe", "module", "package"),
    [
        (nvidia.pycuda, "pycuda.driver", "pycuda"),
        (nvidia.torch_tensorrt, "torch_tensorrt", "torch-tensorrt"),
    ],
)
def test_what_cannot_be_imported_without_a_driver_is_not_imported(fake, tmp_path, probe, module, package):
    trace = tmp_path / "imported"
    fake.module(module, f"open({str(trace)!r}, 'w').close()").installed(package, "2026.1")
    without = probe(fake.build(), NO_DRIVER)
    assert without.status == "skipped"
    assert without.summary == "2026.1, not imported: no driver"
    assert not trace.exists()
    assert probe(fake.build(), DRIVER).ok
    assert trace.exists()


def test_a_tensorrt_older_than_ours_is_unusable(fake):
    finding = nvidia.tensorrt(fake.module("tensorrt", "__version__ = '8.6.1'").build(), NO_DRIVER)
    assert finding.status == "unusable"
    assert finding.summary == "8.6.1; 10.3 or later is needed"
    assert "JetPack 6.1" in finding.remedy
    rtx = nvidia.tensorrt_rtx(fake.module("tensorrt_rtx", "__version__ = '1.7.1.116'").build(), NO_DRIVER)
    assert rtx.ok


@pytest.mark.parametrize(("version", "status"), [("2.13.0", "unusable"), ("2.14.0", "skipped")])
def test_a_torch_tensorrt_that_cannot_name_tensors_is_unusable(fake, version, status):
    machine = fake.module("torch_tensorrt", "").installed("torch-tensorrt", version).build()
    finding = nvidia.torch_tensorrt(machine, NO_DRIVER)
    assert finding.status == status
    assert finding.remedy == ("pip install 'pamtri-edge[torch-tensorrt]'" if status == "unusable" else "")


def test_pycuda_is_recommended_only_on_a_jetson(fake):
    jetson = fake.file("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.0").build()
    assert nvidia.pycuda(jetson, DRIVER).remedy == "pip install 'pamtri-edge[pycuda]'"
    assert nvidia.pycuda(jetson, NO_DRIVER).remedy == ""
