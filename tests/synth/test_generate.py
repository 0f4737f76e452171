# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets that come out the same however they were made: by one process or two, stopped or not."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import synth_fakes
from synth_fakes import FakeStudio

from pamtri_edge.errors import InputError, MissingDependencyError, PamtriError
from pamtri_edge.files import atomic
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.dataset import generate as generating
from pamtri_edge.synth.dataset.fleet import Fleet
from pamtri_edge.synth.dataset.generate import SynthProgress, generate
from pamtri_edge.synth.dataset.ledger import WORK
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.dataset.studio import others_of
from pamtri_edge.synth.dataset.workers import WorkerError
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.scene import render_view
from pamtri_edge.vehicle import TYPES
from pamtri_edge.words import Split

PLAN = SynthPlan(identities=6, images=36, size=32, cameras=5, masks=True)
TINY = SynthPlan(identities=2, images=2, seed=3, size=32, formats=("veri",))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a data set that is made in one go, and what was told meanwhile."""
    folder, told = tmp_path_factory.mktemp("whole") / "data", []
    generate(PLAN, folder, open_studio=FakeStudio, on_progress=told.append)
    return folder, told


@pytest.fixture
def whole(made):
    return made[0]


def test_every_picture_and_label_is_there_and_the_manifest_vouches_for_them(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    images = sorted(path.name for path in (whole / "image_train").iterdir())
    assert len(images) == 36
    counts = manifest["counts"]["train"]
    assert [counts[name] for name in ("images", "vehicles", "cameras")] == [36, 6, 5]
    labeled = [line.split(",")[0] for line in (whole / "label_train.csv").read_text().splitlines()]
    assert labeled == images
    assert cv2.imread(str(whole / "image_train" / images[0])).shape == (32, 32, 3)
    mask = cv2.imread(str(whole / "parts_train" / images[0].replace(".jpg", ".png")), cv2.IMREAD_GRAYSCALE)
    assert set(mask.ravel().tolist()) == {0, 5, 12, 255}
    assert not (whole / WORK).exists()
    labels = {"label_train.csv", "pose_train.csv", "coco_train.json", "labels_train.parquet"}
    assert set(manifest["files"]) == labels
    for name, file in manifest["files"].items():
        assert sha256_of(whole / name) == file["sha256"]
        assert (whole / name).stat().st_size == file["bytes"]


def test_progress_tells_what_is_there(made):
    _, told = made
    assert told[0] == SynthProgress(0, 36, 0)
    assert told[-1] == SynthProgress(36, 36, 0)
    assert [progress.images for progress in told] == sorted(progress.images for progress in told)


class Enough(Exception):  # noqa: N818
    pass


def stop_at(images):
    def tell(progress):
        if progress.images >= images:
            raise Enough

    return tell


def test_what_was_drawn_before_a_stop_is_not_drawn_again(whole, tmp_path, monkeypatch):
    folder, marks = tmp_path / "data", tmp_path / "marks"
    with pytest.raises(Enough):
        generate(PLAN, folder, open_studio=FakeStudio, on_progress=stop_at(18))
    assert not (folder / "manifest.json").exists()
    assert not list(folder.glob("*.csv"))
    marks.mkdir()
    monkeypatch.setenv("SYNTH_MARKS", str(marks))
    told = []
    studio = synth_fakes.CountingStudio
    result = generate(PLAN, folder, processes=2, open_studio=studio, on_progress=told.append)
    assert told[0] == SynthProgress(18, 36, 18)
    assert result.drawn == 18 == len(list(marks.iterdir()))
    assert contents(folder) == contents(whole)


def test_going_on_with_a_changed_renderer_is_told_and_recorded(tmp_path, monkeypatch, caplog):
    folder = tmp_path / "data"
    for fingerprint in ("old", "old", "new"):
        monkeypatch.setattr(generating, "renderer_fingerprint", lambda name=fingerprint: name)
        with pytest.raises(Enough):
            generate(TINY, folder, open_studio=FakeStudio, on_progress=stop_at(1))
        assert ("of two kinds" in caplog.text) == (fingerprint == "new")
    manifest = generate(TINY, folder, open_studio=FakeStudio).manifest
    assert manifest["renderers"] == ["old", "new"]


def test_a_complete_data_set_is_left_alone(whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*")}
    result = generate(PLAN, whole, open_studio=synth_fakes.BrokenStudio)
    assert result.drawn == 0
    assert result.manifest == json.loads((whole / "manifest.json").read_text())
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*")} == before


def test_pictures_that_were_lost_or_cut_short_meanwhile_are_drawn_again(whole, tmp_path):
    folder = tmp_path / "data"
    with pytest.raises(Enough):
        generate(PLAN, folder, open_studio=FakeStudio, on_progress=stop_at(18))
    pictures = sorted((folder / "image_train").iterdir())
    pictures[0].unlink()
    pictures[10].write_bytes(pictures[10].read_bytes()[:100])
    records = sorted((folder / WORK / "jobs").iterdir())
    records[-1].write_text("[{")
    generate(PLAN, folder, open_studio=FakeStudio)
    assert contents(folder) == contents(whole)


RUN = """
import sys
sys.path.insert(0, sys.argv[1])
if __name__ == "__main__":
    import synth_fakes
    from pamtri_edge.synth.dataset.generate import generate
    from pamtri_edge.synth.dataset.plan import SynthPlan
    plan = SynthPlan(identities=6, images=36, size=32, cameras=5, masks=True)
    generate(plan, sys.argv[2], processes=2, open_studio=synth_fakes.SlowStudio)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_is_gone_on_with(whole, tmp_path):
    folder = tmp_path / "data"
    script = tmp_path / "run.py"
    script.write_text(RUN)
    here = str(Path(__file__).parent)
    with subprocess.Popen([sys.executable, str(script), here, str(folder)]) as run:
        wait_for(lambda: len(list((folder / WORK / "jobs").glob("*.json"))) >= 2)
        children = children_of(run.pid)
        assert len(children) >= 2
        run.send_signal(signal.SIGKILL)
        run.wait()
    wait_for(lambda: not any(alive(child) for child in children))
    assert not (folder / "manifest.json").exists()
    for picture in (folder / "image_train").iterdir():
        assert cv2.imread(str(picture)).shape == (32, 32, 3)
    result = generate(PLAN, folder, open_studio=FakeStudio)
    assert 0 < result.drawn < 36
    assert contents(folder) == contents(whole)


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_that_is_killed_is_told_and_what_it_had_done_is_kept(whole, tmp_path):
    folder = tmp_path / "data"
    with pytest.raises(WorkerError, match="killed, perhaps for want of memory"):
        generate(PLAN, folder, processes=2, open_studio=synth_fakes.DyingStudio)
    generate(PLAN, folder, open_studio=FakeStudio)
    assert contents(folder) == contents(whole)


def test_an_error_in_a_process_is_the_errors_own_words(tmp_path):
    plan = replace(TINY, identities=1)  # one job starts one process
    with pytest.raises(InputError, match="the backgrounds in nowhere/ cannot be read"):
        generate(plan, tmp_path / "data", processes=2, open_studio=synth_fakes.BrokenStudio)


def test_a_full_disk_is_told_with_what_is_kept(whole, tmp_path):
    folder = tmp_path / "data"
    with pytest.raises(InputError, match=r"the disk is full\. 12 of 36 images are kept.*same command"):
        generate(PLAN, folder, open_studio=synth_fakes.FullDiskStudio)
    generate(PLAN, folder, open_studio=FakeStudio)
    assert contents(folder) == contents(whole)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_disk_that_is_full_when_labels_are_written_leaves_no_half_of_them(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    (folder / WORK).mkdir(parents=True)
    full, beside = folder / ".full", atomic.temporary_beside
    full.symlink_to("/dev/full")
    monkeypatch.setattr(
        atomic, "temporary_beside", lambda path: full if path.name == "label_train.csv" else beside(path)
    )
    with pytest.raises(InputError, match=r"label_train\.csv cannot be written: No space left on device"):
        generate(TINY, folder, open_studio=FakeStudio)
    assert not (folder / "label_train.csv").exists()
    assert not (folder / "manifest.json").exists()


def test_another_configuration_is_refused_by_a_complete_and_by_a_begun_folder(whole, tmp_path):
    other = replace(PLAN, cameras=7, seed=3)
    with pytest.raises(InputError, match=r"another configuration: seed 0 \(now 3\), cameras 5 \(now 7\)"):
        generate(other, whole, open_studio=FakeStudio)
    with pytest.raises(Enough):
        generate(TINY, tmp_path / "data", open_studio=FakeStudio, on_progress=stop_at(1))
    with pytest.raises(InputError, match=r"--overwrite to begin anew"):
        generate(other, tmp_path / "data", open_studio=FakeStudio)


def test_a_test_split_has_queries_and_a_gallery_and_is_overwritten_without_what_is_not_of_it(whole, tmp_path):
    folder = tmp_path / "data"
    plan = SynthPlan(identities=4, images=40, size=32, cameras=10, split=Split.TEST, formats=("veri",))
    manifest = generate(plan, folder, open_studio=FakeStudio).manifest
    assert [manifest["counts"][part]["images"] for part in ("query", "test")] == [16, 24]
    assert len(list((folder / "image_query").iterdir())) == 16
    assert {path.name for path in folder.iterdir()} == {
        *("image_query", "image_test", "label_query.csv", "label_test.csv"),
        *("pose_query.csv", "pose_test.csv", "manifest.json"),
    }
    (folder / "notes.txt").write_text("mine")
    generate(PLAN, folder, open_studio=FakeStudio, overwrite=True)
    found = contents(folder)
    assert found.pop("notes.txt") == b"mine"
    assert found == contents(whole)
    assert not (folder / "image_query").exists()


def test_a_changed_background_is_another_configuration(tmp_path):
    backgrounds = tmp_path / "streets"
    backgrounds.mkdir()
    (backgrounds / "a.jpg").write_bytes(b"one")
    plan = replace(TINY, backgrounds=backgrounds)
    generate(plan, tmp_path / "data", open_studio=FakeStudio)
    assert str(tmp_path) not in (tmp_path / "data" / "manifest.json").read_text()
    (backgrounds / "b.jpg").write_bytes(b"another")
    with pytest.raises(InputError, match="another configuration: contents"):
        generate(plan, tmp_path / "data", open_studio=FakeStudio)


def refused(folder, message, **options):
    with pytest.raises(InputError, match=message):
        generate(PLAN, folder, open_studio=FakeStudio, **options)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    refused(tmp_path / "photos", "is not empty, and holds no data set")
    mine = tmp_path / "real" / "image_train" / "0001_c001_0.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"a real picture")
    refused(tmp_path / "real", "holds no data set that could be gone on with or overwritten", overwrite=True)
    assert mine.exists()
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "is a file; expected a folder")
    refused(tmp_path / "file" / "data", "file/data cannot be written: Not a directory")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    refused(tmp_path / "damaged", "not readable as a manifest")
    for other in ("[1]", '{"name": "of a web page"}'):
        (tmp_path / "damaged" / "manifest.json").write_text(other)
        refused(tmp_path / "damaged", "is not the manifest of a drawn data set", overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    refused(tmp_path / "closed" / "data", "closed/data cannot be written: Permission denied")


def test_two_runs_do_not_write_one_folder(tmp_path):
    def second(progress):
        refused(tmp_path / "data", "is being written by another process")
        raise Enough

    with pytest.raises(Enough):
        generate(TINY, tmp_path / "data", open_studio=FakeStudio, on_progress=second)


def test_a_missing_package_is_told_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pamtri-edge\[synth\]"):
        generate(PLAN, tmp_path / "data", open_studio=synth_fakes.BrokenStudio)
    assert not (tmp_path / "data").exists()


def test_little_space_is_told_before_it_runs_out(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 100})())
    generate(TINY, tmp_path / "data", open_studio=FakeStudio)
    assert "the same command goes on when there is room" in caplog.text


# Of a seed with other vehicles before the first one.
REAL = SynthPlan(identities=2, images=8, seed=3, size=64, supersampling=1, cameras=3, masks=True, models=1)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered") / "data"
    generate(REAL, folder)
    return folder


@pytest.mark.slow
def test_the_renderers_pictures_are_the_same_from_another_process(rendered, tmp_path):
    generate(replace(REAL, identities=1, images=4), tmp_path / "data", processes=2)
    for part in ("image_train", "parts_train"):
        drawn, others = contents(tmp_path / "data" / part), contents(rendered / part)
        assert len(drawn) == 4
        assert drawn.items() <= others.items()


def test_a_rendered_picture_is_what_the_renderer_gives_for_its_seed_identity_and_view(rendered):
    identity, view = 1, 3
    spec = sample_vehicle(REAL.seed, identity, model=0, color="orange")
    others = others_of(REAL, Fleet(REAL), identity, view)
    numbers = {"seed": REAL.seed, "identity": identity, "view": view, "camera": REAL.camera(identity, view)}
    seen = render_view(build(spec), spec, **numbers, size=64, supersampling=1, others=others)
    name = REAL.image_name(identity, view)
    assert (rendered / "image_train" / name).read_bytes() == seen.jpeg
    row = next(line for line in (rendered / "label_train.csv").read_text().splitlines() if name in line)
    cells = row.split(",")
    assert cells[1:4] == ["2", "2", str(TYPES.index(spec.type_name) + 1)]
    points = np.array(cells[4:], float).reshape(36, 3)
    assert np.allclose(points[:, :2], seen.keypoints * 64, atol=0.006)
    assert (points[:, 2] == seen.visible_veri).all()
    mask = cv2.imread(str(rendered / "parts_train" / name.replace(".jpg", ".png")), cv2.IMREAD_GRAYSCALE)
    assert (mask == seen.parts).all()


def test_identities_of_a_model_share_its_shape_and_differ_in_color():
    fleet = Fleet(REAL)
    one, other = fleet.vehicle(0), fleet.vehicle(1)
    assert one.spec.shape == other.spec.shape
    assert (one.color, other.color) == ("yellow", "orange")


def test_vehicles_of_ones_own_mesh_are_rendered_in_the_identities_colors(tmp_path):
    from own_car import car, write

    (tmp_path / "meshes").mkdir()
    write(tmp_path / "meshes", "car.glb", car(), type="pickup")
    plan = replace(TINY, models=1, meshes=tmp_path / "meshes")
    generate(plan, tmp_path / "data")
    rows = [line.split(",")[:4] for line in (tmp_path / "data" / "label_train.csv").read_text().splitlines()]
    assert [row[1:] for row in rows] == [["1", "1", "6"], ["2", "2", "6"]]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("prior", "moon", "camera prior 'moon' is unknown; accepted are"),
        ("backgrounds", Path("no/such"), "there is no folder, picture or video no/such"),
        ("meshes", Path("no/such"), "there is no folder no/such"),
    ],
)
def test_what_a_plan_names_and_is_not_there_is_told(tmp_path, name, value, message):
    with pytest.raises(PamtriError, match=message):
        generate(replace(TINY, **{name: value}), tmp_path / "data")
    assert not (tmp_path / "data").exists()  # so that other options begin anew
