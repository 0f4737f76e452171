# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge import Reidentifier, reidentifier, samples
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.runtime import Backend, create_backend

Micro = Callable[..., Path]


@pytest.mark.parametrize("form", [str, Path])
def test_a_bundle_is_loaded_and_tells_what_it_is(micro_bundle: Path, form: Callable[[Path], object]) -> None:
    with Reidentifier.load(form(micro_bundle), backend="openvino", threads=1) as reid:  # type: ignore[arg-type]
        assert reid.manifest.name == "micro"
        assert (reid.backend.name, reid.backend.arithmetic) == ("openvino", "fp32")


def test_a_closed_reidentifier_says_so(micro_bundle: Path) -> None:
    with Reidentifier.load(micro_bundle) as reid:
        reid.embed(samples.crops(1))
    reid.close()
    with pytest.raises(InputError, match="closed; load the bundle again"):
        reid.embed(samples.crops(1))


@pytest.mark.parametrize(
    ("backend", "output"),
    [("torch", "embedding"), ("openvino", "quality")],
)
def test_golden_results_that_do_not_match_are_refused(micro: Micro, output: str, backend: str) -> None:
    with pytest.raises(BundleError) as caught:
        Reidentifier.load(micro(spoil=output), backend=backend)
    said = str(caught.value)
    assert f"failed its self-test on {backend} (cpu, fp32): {output} " in said
    assert "limit 0.001" in said
    assert "Try another backend, or export the bundle again" in said


def test_a_network_that_fails_its_self_test_is_closed(micro: Micro, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Backend] = []

    def remembered(*arguments: object, **options: object) -> Backend:
        made.append(create_backend(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(reidentifier, "create_backend", remembered)
    with pytest.raises(BundleError, match="self-test"):
        Reidentifier.load(micro(spoil="embedding"))
    with pytest.raises(InputError, match="closed"):
        made[0].run({})


def test_a_network_whose_inputs_are_not_the_manifests_is_refused(micro: Micro) -> None:
    wrong = micro("wrong.pamtri", original=True)
    right = micro("right.pamtri")
    # A network exchanged together with its hash: only the self-test can find it.
    (right / "model.onnx").write_bytes((wrong / "model.onnx").read_bytes())
    record = json.loads((right / "manifest.json").read_text())
    record["files"]["model.onnx"] = json.loads((wrong / "manifest.json").read_text())["files"]["model.onnx"]
    (right / "manifest.json").write_text(json.dumps(record))
    with pytest.raises(BundleError, match="pose_images"):
        Reidentifier.load(right)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backend": "caffe"}, "backend is 'caffe'"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"threads": "2"}, "threads is '2'; expected a whole number"),
    ],
)
def test_options_that_do_not_exist_are_refused(
    micro_bundle: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        Reidentifier.load(micro_bundle, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [5, b"a.pamtri"])
def test_what_is_no_path_is_refused(path: object) -> None:
    with pytest.raises(InputError, match=r"the bundle is .*; expected its path, NAME\.pamtri, or None"):
        Reidentifier.load(path)  # type: ignore[arg-type]


def test_without_a_path_the_bundle_of_the_environment_is_used_with_one_warning(
    micro: Micro, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PAMTRI_BUNDLE", str(micro("mine.pamtri", trained=False)))
    with Reidentifier.load() as reid:
        found = reid.embed(samples.crops(2))
    assert len(found) == 2
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.name == "pamtri_edge.reidentifier"
    assert "mine.pamtri holds untrained weights" in record.getMessage()


def test_trained_weights_need_no_warning(micro_bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    Reidentifier.load(micro_bundle).close()
    assert not caplog.records


def test_an_exported_bundle_is_loaded_on_both_engines(tiny_bundle: Path) -> None:
    crops = samples.crops(3)
    embeddings = []
    for backend in ("openvino", "torch"):
        with Reidentifier.load(tiny_bundle, backend=backend) as reid:
            embeddings.append(reid.embed(crops).embeddings)
    np.testing.assert_allclose(embeddings[0], embeddings[1], atol=1e-3)
