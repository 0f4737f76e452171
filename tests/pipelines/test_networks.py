# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles run in C++: the numbers of Python, and what engines refuse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.bundle import SHIPPED_BUNDLE
from pamtri_edge.errors import BundleError
from pamtri_edge.processors import available_processors


def pictures(count: int) -> np.ndarray:
    smooth = np.random.default_rng(7).random((count, 8, 8, 3))
    return (np.kron(smooth, np.ones((1, 32, 32, 1))) * 255).astype(np.uint8)


OUTPUTS = {"embedding": "embeddings", "color": "color_probs", "type": "type_probs",
           "keypoints": "keypoints", "quality": "quality"}  # fmt: skip


def test_answers_are_those_of_python_and_need_pictures_on_the_host(
    probe: Callable[..., list[str]], tmp_path: Path
) -> None:
    from pamtri_edge import Reidentifier

    threads = 3
    batch = pictures(4)
    batch.tofile(tmp_path / "pictures")
    output = tmp_path / "output"
    output.mkdir()
    told, refused = probe("run", SHIPPED_BUNDLE, tmp_path / "pictures", output, threads, "cpu", "openvino")
    with Reidentifier.load(device="cpu", backend="openvino", threads=threads) as reid:
        expected = reid.embed(batch)
        assert told == f"ok pamtri-lite openvino {reid.backend.arithmetic}"
    assert refused == (
        "refused the engine (openvino) computes on the host, and the pictures lie on a GPU; "
        "use a TensorRT engine of that GPU."
    )
    for file, name in OUTPUTS.items():
        found = np.fromfile(output / file, np.float32)
        np.testing.assert_array_equal(found, getattr(expected, name).ravel())


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (1.0, "ok small"),
        (1.0005, "ok small"),
        (-1.0, "has cosine -1.000000 at crop 0 (limit 0.999); color differs by up to"),
        (1.5, "(limit 0.01, kept by 0.0% of its values where 100.0% must)"),
        (float("nan"), "embedding holds values that are not finite; color holds values that are not finite"),
    ],
)
def test_an_engine_that_gives_other_numbers_fails_its_self_test(
    probe: Callable[..., list[str]], bundle_path: Path, factor: float, said: str
) -> None:
    (line,) = probe("fake", bundle_path, factor)
    assert said in line
    if not line.startswith("ok"):
        assert line.startswith(f"refused {bundle_path} failed its self-test on fake (cpu, fp32): ")
        assert line.endswith("or export the bundle again on this machine.")


def test_the_engines_refusals_are_pythons(probe: Callable[..., list[str]], bundle_path: Path) -> None:
    from pamtri_edge import Reidentifier

    with pytest.raises(BundleError) as refused:
        Reidentifier.load(bundle_path, device="cpu", backend="openvino")
    line, *_ = probe("run", bundle_path, "/dev/null", "/nowhere", 1, "cpu", "openvino")
    assert line.split(": ")[0] == f"refused {refused.value}".split(": ")[0]
    assert line.endswith("or upgrade OpenVINO: pip install --upgrade openvino")


@pytest.mark.parametrize("rows", [[], [0], [1, 0], [1, 1, 0], [0, 1, 1, 0, 1]])
def test_pictures_that_lie_on_the_engines_device_are_described_there(
    probe: Callable[..., list[str]], bundle_path: Path, rows: list[int]
) -> None:
    assert probe("device", bundle_path, *rows) == ["ok " + "".join(map(str, rows))]


@pytest.mark.parametrize(
    ("device", "backend", "said"),
    [
        ("gpu", "auto", "device is 'gpu'; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'."),
        ("cuda:x", "auto", "device is 'cuda:x'; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'."),
        ("cpu", "onnx", "backend is 'onnx'; accepted: 'auto', 'openvino', 'tensorrt'."),
        (
            "cpu",
            "tensorrt",
            "backend 'tensorrt' runs on an NVIDIA GPU, not on 'cpu'; use backend='openvino'.",
        ),
        ("cuda:1", "openvino", "backend 'openvino' runs on the CPU, not on 'cuda:1'"),
        ("cuda", "auto", "Failed to parse ONNX model"),  # it has no engine, and tries to build one
        ("cuda:7", "tensorrt", "7"),
    ],
)
def test_what_cannot_be_used_is_refused(
    probe: Callable[..., list[str]], bundle_path: Path, device: str, backend: str, said: str
) -> None:
    (line,) = probe("run", bundle_path, "/dev/null", "/nowhere", 1, device, backend)
    assert line.startswith("refused ")
    assert said in line


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        b"a" * 1000,
        bytes(range(256)) * 9,
    ],
    ids=len,
)
def test_checksums_are_sha256(probe: Callable[..., list[str]], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert probe("sha256", tmp_path / "file") == [hashlib.sha256(content).hexdigest()]


@pytest.mark.parametrize(
    ("group", "quotas"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}),
        ("0::/\n", {"cpu.max": "50000 100000"}),
        ("0::/a/b\n", {"cpu.max": "max 1000", "a/cpu.max": "1000 1000", "a/b/cpu.max": "9000 1000"}),
        ("0::/../x\n", {"cpu.max": "100000 100000", "x/cpu.max": "1000 100000"}),
        ("4:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "100000",
                                "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}),
        ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}),
        ("4:cpuset:/a\n", {"cpuset/a/cpu.cfs_quota_us": "1000", "cpuset/a/cpu.cfs_period_us": "100000"}),
        (None, {"cpu.max": "100000 100000"}),
    ],
)  # fmt: skip
def test_processors_are_counted_as_in_python(
    probe: Callable[..., list[str]], tmp_path: Path, group: str | None, quotas: dict[str, str]
) -> None:
    if group is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(group)
    for name, text in quotas.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert probe("processors", tmp_path) == [str(available_processors(tmp_path))]
