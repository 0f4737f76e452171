# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Two engines with our kernels between them give what the fused one gives, and the quicker form is taken."""

from __future__ import annotations

import gc
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

import cupy_fake
from onnx_oracle import under_onnxruntime
from pamtri_edge import ops, samples
from pamtri_edge.errors import EngineError, InputError
from pamtri_edge.runtime.tensorrt import choice
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError

Load = Callable[..., TensorRtBackend]
Forms = tuple[Path, tuple[Path, Path]]
Networks = Callable[..., tuple[Path, Path]]
STAGED_COSTS = {"run staged.pose": 4.0, "run staged.reid": 4.0}


@pytest.fixture
def images() -> NDArray[np.float32]:
    return ops.resize(samples.crops(2))


@pytest.fixture
def forms(two_forms: Forms, tmp_path: Path) -> Forms:
    """Return the two forms in a folder of this test's own."""
    folder = tmp_path / "tiny.pamtri"
    shutil.copytree(two_forms[0].parent, folder)
    return folder / "model.onnx", (folder / "staged.pose.onnx", folder / "staged.reid.onnx")


@pytest.mark.parametrize("schedule", ["lazy", "random"])
def test_both_forms_give_the_same(
    load: Load, machine: Any, forms: Forms, images: NDArray[np.float32], schedule: str
) -> None:
    machine.gpu.schedule = schedule
    model, staged = forms
    meant = under_onnxruntime(model, {"images": images})
    for mode in ("fused", "staged"):
        backend = load(model, staged=staged, mode=mode)
        assert backend.mode == mode
        assert {spec.name for spec in backend.outputs} == set(meant)
        for _ in range(2):  # captured, then replayed
            found = backend.run({"images": images})
            for name, array in meant.items():
                np.testing.assert_allclose(found[name], array, atol=2e-4, err_msg=f"{mode} {name}")
        backend.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heatmaps", "segments", "keypoints"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, True)],
)
def test_every_kind_of_stack_is_made_as_its_network_takes_it(
    load: Load,
    staged_networks: Networks,
    tmp_path: Path,
    images: NDArray[np.float32],
    heatmaps: bool,
    segments: bool,
    keypoints: bool,
) -> None:
    staged = staged_networks(3 + 36 * heatmaps + 13 * segments, keypoints=keypoints)
    found = load(tmp_path / "model.onnx", staged=staged, mode="staged").run({"images": images})
    maps = under_onnxruntime(staged[0], {"images": images})["heatmaps"]
    points = ops.decode(maps)
    stack = ops.stack(images, maps if heatmaps else None, keypoints=points if segments else None)
    meant = stack.mean(axis=(2, 3))
    if keypoints:
        meant = np.concatenate([meant, points.reshape(len(points), -1) - np.float32(0.5)], axis=1)
    np.testing.assert_allclose(found["embedding"], meant, atol=1e-3)
    np.testing.assert_allclose(found["keypoints"], points, atol=1e-5)
    np.testing.assert_allclose(
        found["quality"], points[..., 2].clip(0, 1).mean(axis=1, keepdims=True), atol=1e-5
    )


def test_nothing_of_the_way_between_pose_and_reid_touches_the_host(
    load: Load, machine: Any, staged_networks: Networks, tmp_path: Path, images: NDArray[np.float32]
) -> None:
    staged = staged_networks(52, keypoints=True)
    backend = load(tmp_path / "model.onnx", staged=staged, mode="staged")
    backend.run({"images": images[:1]})
    machine.gpu.log.clear()
    backend.run({"images": images[:1]})
    up, *between = machine.gpu.log[:-3]
    assert up == "copy to device"
    assert machine.gpu.log[-3:] == ["copy to host"] * 3
    assert not any("host" in name or name == "copy to device" for name in between)
    order = ("run staged.pose", "decode", "stack", "run staged.reid")
    assert [name for name in between if name in order] == list(order)


def test_memory_that_captured_work_took_for_itself_is_never_given_to_others(
    load: Load, staged_networks: Networks, tmp_path: Path, images: NDArray[np.float32]
) -> None:
    """A captured mean writes to its workspace at every replay: it must not be somebody's array by then."""
    staged = staged_networks(3, keypoints=False)
    backend = load(tmp_path / "model.onnx", staged=staged, mode="staged")
    backend.run({"images": images[:1]})
    execution = backend._execution
    assert execution is not None
    with execution.current():
        others = [cupy_fake.zeros(64, np.uint8) for _ in range(8)]
        backend.run({"images": images[:1]})
        assert not any(array.get().any() for array in others)


def test_a_stack_that_nobody_knows_is_told(load: Load, staged_networks: Networks, tmp_path: Path) -> None:
    staged = staged_networks(17, keypoints=False)
    with pytest.raises(EngineError, match="takes a stack of 17 channels; known are 3, and 36 more"):
        load(tmp_path / "model.onnx", staged=staged, mode="staged")


class TestChoice:
    @pytest.fixture(autouse=True)
    def _quickly(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        for name, value in (("BATCH", 1), ("_ROUNDS", 3), ("_WARM", 1)):
            monkeypatch.setattr(choice, name, value)

    @pytest.fixture
    def small(self, save: Callable[..., Path], staged_networks: Networks) -> Forms:
        """Return the two forms of a network of a few nodes; they need not agree."""
        fused = [
            helper.make_node("GlobalAveragePool", ["images"], ["means"]),
            helper.make_node("Flatten", ["means"], ["embedding"]),
        ]
        model = save(fused, {"images": ["n", 3, 256, 256]}, {"embedding": ["n", 3]}, {})
        return model, staged_networks(3, keypoints=False)

    @pytest.mark.parametrize(("fused", "picked"), [(10.0, "staged"), (5.0, "fused")])
    def test_the_quicker_form_is_taken_and_noted(
        self, load: Load, machine: Any, small: Forms, fused: float, picked: str
    ) -> None:
        machine.gpu.costs.update({"run model": fused, **STAGED_COSTS})
        model, staged = small
        backend = load(model, staged=staged)
        assert backend.mode == picked
        (note,) = (model.parent / "engines").glob("*.choice.json")
        noted = json.loads(note.read_text())
        assert (noted["picked"], noted["batch"]) == (picked, 1)
        assert noted["milliseconds"]["fused"] == pytest.approx(fused, rel=0.1)
        assert noted["milliseconds"]["staged"] == pytest.approx(8, rel=0.1)
        record = json.loads((note.parent / f"{note.name.partition('.')[0]}.json").read_text())
        assert record["model"] == "model.onnx", "the note lies beside the fused engine"
        # The next start believes the note, and loads one form only.
        machine.gpu.costs["run model"] = 20.0 - fused
        backend.close()
        loads = machine.trt.record.loads
        assert load(model, staged=staged).mode == picked
        assert machine.trt.record.loads == loads + (2 if picked == "staged" else 1)

    def test_a_note_of_other_engines_is_not_believed(self, load: Load, machine: Any, small: Forms) -> None:
        machine.gpu.costs.update({"run model": 5.0, **STAGED_COSTS})
        model, staged = small
        assert load(model, staged=staged).mode == "fused"
        other = onnx.load(staged[1])
        other.doc_string = "another file"
        onnx.save(other, staged[1])
        machine.gpu.costs["run model"] = 50.0
        assert load(model, staged=staged).mode == "staged"

    def test_only_the_form_that_runs_stays_in_memory(self, load: Load, machine: Any, small: Forms) -> None:
        model, staged = small
        machine.gpu.costs.update({"run model": 1.0, **STAGED_COSTS})
        plain = load(model, mode="fused")
        plain.run({"images": np.zeros((1, 3, 256, 256), np.float32)})  # one context, as after a measurement
        cupy_fake.get_default_memory_pool().free_all_blocks()
        alone = machine.gpu.used, machine.gpu.pinned
        plain.close()
        gc.collect()
        chosen = load(model, staged=staged)
        gc.collect()
        cupy_fake.get_default_memory_pool().free_all_blocks()
        assert chosen.mode == "fused"
        assert (machine.gpu.used, machine.gpu.pinned) == alone

    def test_a_two_engine_form_without_an_engine_leaves_the_fused_one(
        self, load: Load, small: Forms, caplog: pytest.LogCaptureFixture
    ) -> None:
        model, staged = small
        load(model, mode="fused").close()
        with pytest.raises(NoEngineError):
            load(model, staged=staged, mode="staged", build=False)
        assert load(model, staged=staged, build=False).mode == "fused"
        assert "the two-engine form cannot be used" in caplog.text

    def test_too_little_memory_for_both_leaves_the_fused_one(
        self, load: Load, machine: Any, small: Forms, caplog: pytest.LogCaptureFixture
    ) -> None:
        model, staged = small
        machine.gpu.total = 60 << 20  # pictures alone are 24 MiB a form, heatmaps 18, stacks 24
        assert load(model, staged=staged).mode == "fused"
        assert "the two-engine form cannot be used" in caplog.text
        assert "ran out" in caplog.text

    def test_a_bundle_without_the_two_engine_form_is_told(self, load: Load, bundle: Path) -> None:
        with pytest.raises(InputError, match="no staged networks; export it with --staged"):
            load(bundle, mode="staged")
        with pytest.raises(InputError, match="mode is 'both'; accepted: 'auto', 'fused', 'staged'"):
            load(bundle, mode="both")
