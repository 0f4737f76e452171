# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The examples run as they stand, and do what they say."""

import json
import re
import runpy
import shutil
import sys
import threading
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from pamtri_edge import Reidentification, Reidentifier

pytestmark = pytest.mark.filterwarnings("ignore:.*untrained.*")


@pytest.fixture
def run(root, users_folder, tmp_path, monkeypatch, capsys):
    """Return a function that runs an example in the users' folder, and returns what it printed."""
    monkeypatch.chdir(users_folder)

    def example(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(root / "examples" / name), run_name="__main__")
        return capsys.readouterr().out

    return example


@pytest.fixture(scope="module")
def runs(root, users_folder):
    """The folders of two runs of the same video."""
    folders = [users_folder / "run-a", users_folder / "run-b"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(users_folder)
        for folder, video in zip(folders, ("north", "south"), strict=True):
            patch.setattr(sys, "argv", ["video.py", f"{video}.mp4", f"{video}.txt", str(folder)])
            runpy.run_path(str(root / "examples" / "video.py"), run_name="__main__")
    return folders


def test_embed_keeps_what_it_found(run, tmp_path):
    out = run("embed.py", "car.jpg", "van.jpg", "--output", tmp_path / "v.npz")
    assert out.count("<Vehicle 'car.jpg'") == 1
    assert Reidentification.load(tmp_path / "v.npz").names == ("car.jpg", "van.jpg")


def test_compare_gives_the_cosine(run):
    assert "cosine 1.000" in run("compare.py", "car.jpg", "car.jpg")


def test_frame_draws_the_keypoints(run, tmp_path):
    out = run("frame.py", "frame.jpg", "120,80,310,220", "0,0,100,90", "--output", tmp_path / "new.png")
    assert out.count("<Vehicle") == 2
    assert cv2.imread(str(tmp_path / "new.png")).shape == (352, 640, 3)


def test_gallery_search_finds_the_same_picture_first(run, users_folder, tmp_path):
    shutil.copytree(users_folder / "crops", tmp_path / "crops")
    for _ in range(2):  # the second time from the file
        first = run("gallery_search.py", tmp_path / "crops", tmp_path / "crops" / "3.png").splitlines()[0]
        assert re.match(r"1\.000  \S+3\.png", first)
    assert (tmp_path / "crops" / "gallery.npz").exists()


def test_video_gives_events(runs):
    assert all((folder / "summary.json").exists() for folder in runs)


def test_match_cameras_finds_each_vehicle(run, runs):
    assert sorted(run("match_cameras.py", *runs).splitlines()) == [
        "1 is 1: cosine 1.000",
        "2 is 2: cosine 1.000",
    ]
    assert run("match_cameras.py", *runs, "--gap", "-1") == ""


def test_follow_events_reads_what_is_written(run, runs):
    assert run("follow_events.py", runs[0] / "events.jsonl", "--seconds", "0").count("north #") == 2


def test_custom_network_becomes_a_bundle(run, tmp_path):
    out = run("custom_network.py", "osnet.onnx", "crops", "--output", tmp_path / "mine.pamtri")
    assert "<Reidentification: 8 vehicles, embeddings 8 x 8>" in out


def test_processes_share_a_bundle(run):
    assert "8 vehicles" in run("processes.py", "crops")


def test_service_answers_a_picture_and_refuses_what_is_none(root, users_folder):
    serve = runpy.run_path(str(root / "examples" / "service.py"))["serve"]
    with Reidentifier.load() as reid, serve(reid, 0) as server:
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}"
        with urllib.request.urlopen(address, (users_folder / "car.jpg").read_bytes()) as answer:
            assert np.isclose(np.linalg.norm(json.load(answer)["embedding"]), 1.0)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address, b"no picture")
        assert refused.value.code == 400
        assert "NoneType" not in json.load(refused.value)["error"]
        refused.value.close()
        server.shutdown()


def test_the_notebook_runs(root, users_folder):
    nbformat = pytest.importorskip("nbformat", reason="notebooks need the dependency group dev")
    nbclient = pytest.importorskip("nbclient", reason="notebooks need the dependency group dev")
    pytest.importorskip("ipykernel", reason="notebooks need the dependency group dev")
    notebook = nbformat.read(root / "examples" / "tour.ipynb", as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(users_folder)}}
    ).execute()
    shown = "".join(json.dumps(cell.get("outputs", [])) for cell in notebook.cells)
    assert "6 vehicles" in shown
    assert "text/html" in shown


def test_every_example_is_listed_and_tried(root):
    listed = set(re.findall(r"^\| \[([\w.]+)\]", (root / "examples" / "README.md").read_text(), re.MULTILINE))
    present = {path.name for path in (root / "examples").iterdir() if path.suffix in (".py", ".ipynb")}
    assert listed == present
    tried = (root / "tests" / "house" / "test_examples.py").read_text()
    assert not [name for name in present if name not in tried]
