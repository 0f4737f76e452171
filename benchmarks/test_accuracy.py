# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped weights find vehicles again as well as they did, in every precision; no clock."""

from __future__ import annotations

import os
from pathlib import Path

import accuracy
import pytest

from pamtri_edge.bundle import default_bundle
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.views import EvaluationSet

PRECISIONS = ("fp16", "fp32", "int8")


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Hold the bundles by precision: fp16 as it is shipped, the others once they are exported."""
    return {"fp16": default_bundle(), "folder": tmp_path_factory.mktemp("lite")}


@pytest.fixture
def bundle(precision: str, bundles: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    """Return the lite weights as a bundle of a precision."""
    settling = request.config.getoption("settle")
    if not settling and not accuracy.known(f"lite {precision}, rendered"):
        pytest.skip(
            f"no figures of {precision} in accuracy.json, run pytest benchmarks/test_accuracy.py --settle"
        )
    if precision not in bundles:
        export = pytest.importorskip("pamtri_edge.export", exc_type=ImportError)
        output = bundles["folder"] / f"lite-{precision}.pamtri"
        export.export_bundle(export.ExportOptions(model="lite", precision=precision, output=output))
        bundles[precision] = output
    return bundles[precision]


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    """Return the small rendered set."""
    pytest.importorskip("trimesh", reason="rendering needs pamtri-edge[synth]")
    return accuracy.gallery(tmp_path_factory.mktemp("gallery") / "rendered")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_golden_crops_and_a_rendered_gallery(
    bundle: Path, precision: str, rendered: EvaluationSet, request: pytest.FixtureRequest
) -> None:
    figures = {**accuracy.golden(bundle), **accuracy.reached(bundle, rendered)}
    _judge(f"lite {precision}, rendered", figures, request)


def test_real_cameras(request: pytest.FixtureRequest) -> None:
    named = os.environ.get("PAMTRI_SHARED")
    base = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    folder = next((one for one in (base / "crosscam", base / "data" / "crosscam") if one.is_dir()), None)
    if folder is None:
        pytest.skip("pictures of real cameras are not at hand; name their folder in PAMTRI_SHARED")
    _judge("lite fp16, real cameras", accuracy.reached(default_bundle(), read_folder(folder)), request)


def test_a_figure_that_fell_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text('{"slack": {"mAP": 0.5, "rank1": 1}, "reached": {"one": {"mAP": 80, "rank1": 90}}}')
    monkeypatch.setattr(accuracy, "TABLE", table)
    assert accuracy.complaints("one", {"mAP": 79.5, "rank1": 89}) == []
    (told,) = accuracy.complaints("one", {"mAP": 79.4, "rank1": 95})
    assert "mAP is 79.4, reached was 80" in told
    assert len(accuracy.complaints("one", {"mAP": float("nan")})) == 2
    assert not accuracy.known("another")


def _judge(name: str, figures: accuracy.Figures, request: pytest.FixtureRequest) -> None:
    print(f"\n{name}: {figures}")
    if request.config.getoption("settle"):
        accuracy.settle(name, figures)
        return
    assert accuracy.known(name), f"{name} has no figures; run pytest benchmarks/test_accuracy.py --settle"
    assert accuracy.complaints(name, figures) == []
