# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri evaluate` as a user meets it: tables, JSON, pictures, messages, exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer

from drawn_sets import write_test_set
from in_process import run_in_process
from pamtri_edge import console, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.cli.evaluate import evaluate

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs the command in this process: exit code, what it printed, its messages."""
    for terminal in (console.out, console.err):
        monkeypatch.setattr(terminal, "_width", 200)
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(evaluate)

    return partial(run_in_process, app)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 6 drawn vehicles that 4 cameras see; camera 1's views are the queries."""
    return write_test_set(tmp_path_factory.mktemp("data") / "set", vehicles=6, cameras=4)


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of images with two moving vehicles, and their tracks."""
    folder, lines = tmp_path / "street", []
    folder.mkdir()
    for frame in range(30):
        picture = np.full((80, 140, 3), 90, np.uint8)
        for track, (x, y, color) in enumerate(
            [(3 * frame, 5, (0, 0, 200)), (100 - 3 * frame, 45, (200, 0, 0))], 1
        ):
            picture[y : y + 25, x : x + 32] = color
            lines.append(f"{frame + 1},{track},{x},{y},32,25\n")
        cv2.imwrite(str(folder / f"{frame:03d}.png"), picture)
    (tmp_path / "street.txt").write_text("".join(lines))
    return folder, tmp_path / "street.txt"


def test_a_folder_gives_a_row_a_feature_and_their_difference(call: Call, data: Path) -> None:
    code, out, _ = call(data, "--baseline", "histogram", "--baseline", "thumbnail", "--baselines-alone")
    assert code == 0
    lines = out.splitlines()
    assert (
        lines[0] == "set: 6 queries of 6 vehicles, 24 gallery pictures; matches by the same camera left out."
    )
    assert lines[1].split()[:3] == ["feature", "mAP", "[95"]
    assert lines[2].startswith("HSV histogram (8x8x8)")
    assert lines[3].startswith("16x16 thumbnail")
    assert "HSV histogram (8x8x8) above" in out
    assert "zero" in lines[-1]


def test_a_video_gives_the_same_table_without_labels(call: Call, clip: tuple[Path, Path]) -> None:
    code, out, err = call(clip[0], "--tracks", clip[1], "--baseline", "histogram", "--baselines-alone")
    assert code == 0
    assert out.startswith("street: 6 queries of 2 vehicles, 6 gallery pictures; same camera included.")
    assert "30/30 frames" in err
    assert "12/12 pictures" in err


def test_a_baseline_is_compared_with_the_default_bundle_which_tells_colors_and_types_too(
    call: Call, data: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAMTRI_BUNDLE", str(tiny_bundle))
    code, out, _ = call(data, "--baseline", "thumbnail", "--threads", 1)
    assert code == 0
    assert out.splitlines()[1].split()[-3:] == ["color", "type", "PCK"]
    assert f"{open_bundle(tiny_bundle).manifest.name} (fp32) above" in out
    assert "16x16 thumbnail" in out


def test_figures_as_json_and_in_a_folder(call: Call, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="drawing curves takes matplotlib")
    code, out, err = call(
        data, "--baseline", "histogram", "--baselines-alone", "--json", "--output", tmp_path / "out"
    )
    assert code == 0
    record = json.loads(out)
    assert record == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert (record["queries"], record["gallery"], record["across_cameras"]) == (6, 24, True)
    assert 0 <= record["evaluations"][0]["mAP"] <= 1
    assert record["evaluations"][0]["mAP_interval"]["identities"] == 6
    assert f"written: {tmp_path / 'out'}" in err
    for name in ("cmc.png", "ranked-HSV-histogram-8x8x8.png"):
        assert cv2.imread(str(tmp_path / "out" / name)) is not None
    code, _, err = call(data, "--baseline", "histogram", "--baselines-alone", "--output", tmp_path / "out")
    assert code == 1
    assert "exists; give another name, or --overwrite" in err
    assert (
        call(
            data, "--baseline", "histogram", "--baselines-alone", "--output", tmp_path / "out", "--overwrite"
        )[0]
        == 0
    )


def test_options_reach_the_measurement(call: Call, data: Path) -> None:
    def figures(*options: Any) -> dict[str, Any]:
        return dict(
            json.loads(call(data, "--baseline", "thumbnail", "--baselines-alone", "--json", *options)[1])
        )

    plain, within = figures(), figures("--same-camera")
    assert (plain["across_cameras"], within["across_cameras"]) == (True, False)
    assert within["evaluations"][0]["cmc"][0] == 1.0  # the query itself is in the gallery
    assert "mAP_r2" in figures("--top", 2)["evaluations"][0]
    assert figures("--metric", "euclidean")["evaluations"][0]["metric"] == "euclidean"
    assert figures("--draws", 100, "--seed", 3)["bootstrap"] == {
        "draws": 100,
        "seed": 3,
        "over": "identities",
    }


def test_a_threshold_is_measured_and_kept_by_the_bundle(
    call: Call, data: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "mine.pamtri"
    shutil.copytree(tiny_bundle, bundle)
    options = ["--bundle", bundle, "--threads", 1, "--false-match-rate", 0.05]
    code, out, err = call(data, *options, "--store")
    assert code == 0
    assert "Threshold for" in out
    assert f"threshold stored in {bundle}" in err
    kept = open_bundle(bundle).manifest.matching
    assert kept is not None
    assert (kept.set, kept.false_match_rate <= 0.05) == ("set", True)
    code, _, err = call(data, "--baseline", "thumbnail", "--baselines-alone", "--false-match-rate", 1e-6)
    assert code == 1
    assert "Take a larger set or a higher rate" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none"], 1, "there is no none; expected a folder with image_query and image_test, or a video"),
        (["{data}/label_test.csv"], 1, "is a file; a video needs its tracks: --tracks FILE"),
        (["{data}/image_test"], 1, "has no folder image_query"),
        (["{data}", "--pose", "pose.pth", "--baseline", "thumbnail"], 2, "other features go with --reid"),
        (["{data}", "--store"], 2, "--store takes --false-match-rate and --bundle"),
        (["{data}", "--baseline", "colours"], 2, "colours"),
        (["{data}", "--baselines-alone"], 2, "it takes --baseline and no network"),
        (["{data}", "--metric", "manhattan"], 2, "manhattan"),
        (
            ["{data}", "--baselines-alone", "--baseline", "thumbnail", "--also", "{data}"],
            1,
            "promises no threshold that could be looked at there; measure one with --false-match-rate",
        ),
        (["{data}", "--bundle", "none.pamtri"], 1, "none.pamtri does not exist"),
        (["{data}", "--onnx", "none.onnx"], 1, "there is no file none.onnx"),
        (["{data}", "--reid", "none.pth"], 1, "none.pth"),
    ],
)
def test_what_cannot_be_done_is_one_readable_line(
    call: Call, data: Path, arguments: list[str], code: int, words: str
) -> None:
    found, _, err = call(*(argument.format(data=data) for argument in arguments))
    assert found == code
    assert words in " ".join(err.replace("│", " ").split())


@pytest.mark.slow
def test_a_pose_network_alone_is_measured_by_part_of_the_body(call: Call, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="weights run in PyTorch")
    from pamtri_edge.models import save_checkpoint, seeded
    from pamtri_edge.models.sizes import TINY

    weights = save_checkpoint(
        seeded(TINY, seed=0, pictures=samples.crops(2))[0], tmp_path / "pose.safetensors"
    )
    bare = shutil.copytree(data, tmp_path / "set", ignore=shutil.ignore_patterns("pose_*"))
    code, _, err = call(bare, "--pose", weights, "--threads", 1)
    assert code == 1
    assert "has no labels for keypoints; expected pose_query.csv" in " ".join(err.split())
    code, out, _ = call(data, "--pose", weights, "--threads", 1)
    assert code == 0
    assert out.split()[:3] == ["PCK", "(paper,", "0.5)"]
    code, out, _ = call(data, "--pose", weights, "--threads", 1, "--rule", "legacy", "--json")
    record = json.loads(out)
    assert (record["feature"], record["pck"]["rule"]) == ("pose.safetensors", "legacy")
    assert 0 <= record["pck"]["mean"] <= 1


@pytest.mark.slow
def test_two_exports_of_one_name_are_told_apart(
    call: Call, data: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "again.pamtri")
    options = ["--bundle", tiny_bundle, "--bundle", tmp_path / "again.pamtri", "--threads", 1, "--json"]
    code, out, _ = call(data, *options)
    assert code == 0
    record = json.loads(out)
    assert record["evaluations"][1]["feature"] == str(tmp_path / "again.pamtri")
    (lead,) = record["first_above"].values()
    assert lead["value"] == lead["low"] == lead["high"] == 0.0


def test_vehicle_0_among_pictures_alone_is_told_to_be_a_distractor(
    call: Call, data: Path, tmp_path: Path
) -> None:
    for path in (data / "image_test").iterdir():  # counted from 0, as a set of one's own may be
        (tmp_path / f"{int(path.name[:4]) - 1:04d}{path.name[4:]}").write_bytes(path.read_bytes())
    code, out, _ = call(tmp_path, "--baseline", "thumbnail", "--baselines-alone")
    assert code == 0
    assert "24 queries of 5 vehicles" in out
    assert "left out: 4 (4 of them junk, or of vehicle 0, which names distractors)." in out


def test_a_damaged_picture_and_a_query_without_a_match(call: Call, data: Path, tmp_path: Path) -> None:
    data = shutil.copytree(data, tmp_path / "set", ignore=shutil.ignore_patterns("*_test.csv"))
    for path in (data / "image_test").glob("0003_*"):
        path.rename(path.with_name(path.name.replace("0003", "0099")))
    code, out, _ = call(data, "--baseline", "thumbnail", "--baselines-alone")
    assert code == 0
    assert "Queries without a true match, left out: 1." in out
    damaged = next((data / "image_query").glob("0002_*"))
    damaged.write_bytes(b"no picture")
    code, _, err = call(data, "--baseline", "thumbnail", "--baselines-alone")
    assert code == 1
    assert f"{damaged} is something else, not a picture" in err
