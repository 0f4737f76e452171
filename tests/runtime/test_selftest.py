# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pamtri_edge.bundle import Golden
from pamtri_edge.errors import BundleError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.selftest import differences, row_cosines, self_test

EXPECTED = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], np.float32)
TURNED = np.array([[0, 0, 0], [2, 0, 0]], np.float32)
OFF = np.array([[0.25, 0, 0], [0, 0, 0]], np.float32)


@pytest.mark.parametrize(
    ("found", "limits", "said"),
    [
        (EXPECTED, {"cosine": 1.0, "max_abs": 0.0, "share": 1.0}, None),
        (EXPECTED + TURNED, {"cosine": 0.70}, None),
        (EXPECTED + TURNED, {"cosine": 0.71}, "has cosine 0.707107 at crop 1 (limit 0.71)"),
        (EXPECTED * 3, {"cosine": 0.9999999}, None),  # a length that differs leaves the cosine
        (EXPECTED + OFF, {"max_abs": 0.25}, None),
        (EXPECTED + OFF, {"max_abs": 0.2}, "differs by up to 0.25 (limit 0.2, kept by 83.3% "),
        (EXPECTED + OFF, {"max_abs": 0.1, "share": 0.8}, None),
        (EXPECTED + OFF, {"max_abs": 0.1, "share": 0.9}, "differs by up to 0.25"),
        (np.where(OFF, np.nan, EXPECTED), {"max_abs": 1e9, "share": 0.0}, "holds values that are not"),
        (np.where(OFF, np.inf, EXPECTED), {"max_abs": 1e9, "share": 0.0}, "holds values that are not"),
        (EXPECTED[:, :2], {"cosine": 0}, "has shape (2, 2) instead of (2, 3)"),
    ],
)
def test_what_passes_a_limit_is_told(found: Any, limits: dict[str, float], said: str | None) -> None:
    wrong = differences(found, EXPECTED, limits)
    assert len(wrong) == (said is not None)
    assert "".join(wrong).startswith(said or "")


def test_rows_of_zeros_are_alike_only_among_themselves() -> None:
    zeros = np.zeros((1, 3), np.float32)
    assert row_cosines(zeros, zeros).tolist() == [1.0]
    assert row_cosines(zeros, EXPECTED[:1]).tolist() == [0.0]


def bundle_of(golden: Golden) -> Any:
    manifest = SimpleNamespace(
        inputs=[TensorSpec("images", (None, 1))],
        outputs=[TensorSpec("embedding", (None, 3))],
        tolerance={"embedding": {"cosine": 0.9}},
    )
    path = Path("x.pamtri")
    return SimpleNamespace(path=path, model=path / "model.onnx", manifest=manifest, golden=lambda: golden)


def engine_of(results: dict[str, Any], *, name: str = "openvino", arithmetic: str = "fp32") -> Any:
    return SimpleNamespace(name=name, device="cpu", arithmetic=arithmetic, run=lambda inputs: results)


GOLDEN = Golden({"images": np.zeros((2, 1), np.float32)}, {"embedding": EXPECTED}, {})


def test_an_output_that_an_engine_does_not_give_is_told() -> None:
    with pytest.raises(BundleError, match="embedding is not computed"):
        self_test(bundle_of(GOLDEN), engine_of({}))


@pytest.mark.parametrize(
    ("name", "arithmetic", "hinted"),
    [("openvino", "int8", True), ("openvino", "fp32", False), ("torch", "int8", False)],
)
def test_int8_that_differs_hints_at_processors_whose_sums_overflow(
    name: str, arithmetic: str, hinted: bool
) -> None:
    with pytest.raises(BundleError, match="embedding has cosine") as caught:
        self_test(bundle_of(GOLDEN), engine_of({"embedding": -EXPECTED}, name=name, arithmetic=arithmetic))
    assert ("VNNI" in str(caught.value)) == hinted
