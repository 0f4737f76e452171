# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped weights find vehicles again as well as they did, in every precision; no clock."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import accuracy
import pytest

from pamtri_edge.bundle import default_bundle
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.models.shipped import shipped_weights

SIZES = ("lite", "paper")
PRECISIONS = ("fp16", "fp32", "int8")
CROPS = 8
"""Compared at export, and kept as golden ones: more say little more, and take longer."""

Bundle = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return what gives the trained weights of a size as a bundle, as shipped or exported once."""
    made: dict[tuple[str, str], Path] = {("lite", "fp16"): default_bundle()}
    folder = tmp_path_factory.mktemp("weights")

    def given(size: str, precision: str) -> Path:
        if (size, precision) not in made:
            if shipped_weights(size) is None:
                pytest.skip(f"no trained weights of {size} come with the package")
            export = pytest.importorskip("pamtri_edge.export", exc_type=ImportError)
            output = folder / f"{size}-{precision}.pamtri"
            options = export.ExportOptions(model=size, precision=precision, output=output, parity_crops=CROPS)
            export.export_bundle(options)
            made[size, precision] = output
        return made[size, precision]

    return given


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> EvaluationSet:
    """Return the small rendered set."""
    pytest.importorskip("trimesh", reason="rendering needs pamtri-edge[synth]")
    return accuracy.gallery(tmp_path_factory.mktemp("gallery") / "rendered")


@pytest.fixture(scope="session")
def clips() -> list[EvaluationSet]:
    """Return the ends of the tracks of real clips."""
    pytest.importorskip("av", reason="videos need pamtri-edge[video]")
    return accuracy.clips(_shared("clips"))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("size", SIZES)
def test_golden_crops_and_a_rendered_gallery(
    bundle: Bundle, size: str, precision: str, rendered: EvaluationSet, request: pytest.FixtureRequest
) -> None:
    path = bundle(size, precision)
    (figures,) = accuracy.reached(path, rendered)
    _judge(f"{size} {precision}, rendered", {**accuracy.golden(path), **figures}, request)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("size", SIZES)
def test_real_cameras(bundle: Bundle, size: str, precision: str, request: pytest.FixtureRequest) -> None:
    folder = _shared("crosscam")
    (figures,) = accuracy.reached(bundle(size, precision), read_folder(folder))
    _judge(f"{size} {precision}, real cameras", figures, request)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("size", SIZES)
def test_real_clips(
    bundle: Bundle, size: str, precision: str, clips: list[EvaluationSet], request: pytest.FixtureRequest
) -> None:
    path = bundle(size, precision)
    for clip, figures in zip(clips, accuracy.reached(path, *clips), strict=True):
        _judge(f"{size} {precision}, {clip.name}", figures, request)


def test_a_figure_that_fell_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text('{"slack": {"mAP": 0.5, "rank1": 1}, "reached": {"one": {"mAP": 80, "rank1": 90}}}')
    monkeypatch.setattr(accuracy, "TABLE", table)
    assert accuracy.complaints("one", {"mAP": 79.5, "rank1": 89}) == []
    (told,) = accuracy.complaints("one", {"mAP": 79.4, "rank1": 95})
    assert "mAP is 79.4, reached was 80" in told
    assert len(accuracy.complaints("one", {"mAP": float("nan")})) == 2
    assert not accuracy.known("another")


def _shared(name: str) -> Path:
    named = os.environ.get("PAMTRI_SHARED")
    base = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    folder = next((one for one in (base / name, base / "data" / name) if one.is_dir()), None)
    if folder is None:
        pytest.skip(f"{name}/ of real footage is not at hand; name the folder that holds it in PAMTRI_SHARED")
    return folder


def _judge(name: str, figures: accuracy.Figures, request: pytest.FixtureRequest) -> None:
    print(f"\n{name}: {figures}")
    if request.config.getoption("settle"):
        accuracy.settle(name, figures)
        return
    if not accuracy.known(name):
        pytest.skip(f"{name}: no figures, run pytest benchmarks/test_accuracy.py --settle")
    assert accuracy.complaints(name, figures) == []
