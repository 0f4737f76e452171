# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri synth` as a user meets it: options, messages, exit codes, signals."""

import json
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from in_process import run_in_process
from pamtri_edge.cli.synth import app
from pamtri_edge.processors import available_processors
from pamtri_edge.synth.dataset import contact, generate
from pamtri_edge.synth.dataset.generate import Generated
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.traffic import videos as traffic
from pamtri_edge.synth.traffic.plan import TrafficPlan
from pamtri_edge.words import Split

FAKES = Path(__file__).resolve().parents[1] / "synth"
call = partial(run_in_process, app)

SMALL = ["--identities", "6", "--images", "60", "--size", "32"]


@pytest.fixture
def fakes(monkeypatch):
    """Have pictures drawn by the fake renderer, here and in the processes that are started."""
    monkeypatch.syspath_prepend(str(FAKES))
    import synth_fakes

    monkeypatch.setitem(generate.generate.__kwdefaults__, "open_studio", synth_fakes.FakeStudio)
    return synth_fakes


def test_a_data_set_ends_with_a_table_and_where_it_is(fakes, tmp_path):
    code, out, err = call(*SMALL, "--processes", 1, "--output", tmp_path / "data")
    assert code == 0
    said = " ".join(out.split())
    assert "train 60 images of 6 vehicles by 20 cameras, 6 colors, 6 types" in said
    assert re.search(r"drawn 60 in [\d.]+ s, [\d.]+ a second", said)
    assert f"Wrote {tmp_path / 'data'}" in said
    assert re.search(r"60/60 images .* [\d.]+/s", err)
    assert (tmp_path / "data" / "manifest.json").exists()


def test_the_same_command_again_finds_it_done(fakes, tmp_path):
    call(*SMALL, "--processes", 1, "--output", tmp_path / "data")
    code, out, _ = call(*SMALL, "--processes", 2, "--output", tmp_path / "data")
    assert code == 0
    assert "none: the data set was complete" in out


def words(given):
    """Return options of the names of fields, with their values."""
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]


def test_options_reach_the_plan(monkeypatch, tmp_path):
    seen = {}

    def record(plan, folder, **options):
        seen.update(plan=plan, folder=folder, **options)
        return Generated(folder, {"counts": {}}, 0)

    monkeypatch.setattr(generate, "generate", record)
    same = {"identities": 20, "images": 800, "seed": 7, "cameras": 9, "size": 128, "supersampling": 1}
    same |= {"models": 5, "queries": 2, "vehicle_offset": 1000, "camera_offset": 50}
    options = ["--split", "test", "--camera", "uniform", "--backgrounds", "streets", "--mesh", "meshes"]
    options += ["--formats", "veri, coco", "--masks", "--processes", 3, "--overwrite"]
    assert call(*words(same), *options, "--output", tmp_path)[0] == 0
    assert seen["plan"] == SynthPlan(
        **same,
        split=Split.TEST,
        prior="uniform",
        backgrounds=Path("streets"),
        meshes=Path("meshes"),
        formats=("veri", "coco"),
        masks=True,
    )
    assert (seen["folder"], seen["processes"], seen["overwrite"]) == (tmp_path, 3, True)
    call("--output", tmp_path)
    assert seen["plan"] == SynthPlan()
    assert seen["processes"] == available_processors()


def test_without_an_output_the_way_is_shown():
    code, _, err = call("--identities", 20)
    assert code == 2
    assert "say where to: --output FOLDER" in " ".join(err.split())


def test_a_mistake_is_one_line(fakes, tmp_path):
    code, out, err = call("--identities", 20, "--images", 3, "--output", tmp_path / "data")
    assert (code, out) == (1, "")
    assert err.startswith("error: 3 images cannot show 20 identities")
    assert not (tmp_path / "data").exists()


SCRIPT = """
import sys
sys.path.insert(0, {fakes!r})
if __name__ == "__main__":
    import synth_fakes
    from pamtri_edge import console
    from pamtri_edge.cli.synth import app
    from pamtri_edge.synth.dataset import generate
    generate.generate.__kwdefaults__["open_studio"] = synth_fakes.SlowStudio
    console.guarded(app)
"""


@pytest.mark.slow
def test_a_terminated_run_says_so_and_the_same_command_goes_on(fakes, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT.format(fakes=str(FAKES)))
    folder = tmp_path / "data"
    arguments = [*SMALL, "--output", str(folder)]
    command = [sys.executable, str(script), *arguments, "--processes", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        end = time.monotonic() + 20
        while not list(folder.glob(".synth/jobs/*.json")):
            assert time.monotonic() < end
            time.sleep(0.02)
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "Traceback" not in err
    assert "interrupted: what was done is kept; the same command goes on" in err
    code, out, _ = call(*arguments, "--processes", 1)
    assert code == 0
    assert "were there" in out
    assert json.loads((folder / "manifest.json").read_text())["counts"]["train"]["images"] == 60


def test_contact_sheets_are_listed(monkeypatch, tmp_path):
    seen = {}

    def write(folder, draw, *, families, sheets, tile, on_progress):
        seen.update(folder=folder, draw=draw, families=families, sheets=sheets, tile=tile)
        on_progress(3, 3)
        return [folder / "grid.png"]

    monkeypatch.setattr(contact, "write_sheets", write)
    monkeypatch.setattr(contact, "painter", lambda **options: options)
    code, out, err = call(
        "contact", "--output", tmp_path, "--sheet", "grid", "--seed", 4, "--camera", "uniform", "--tile", 99
    )
    assert code == 0
    assert str(tmp_path / "grid.png") in out
    assert "3/3 pictures" in err
    assert seen["draw"] == {"seed": 4, "prior": "uniform"}
    assert seen["sheets"] == ("grid",)
    assert seen["tile"] == 99
    assert len(seen["families"]) >= 10


def test_scenes_are_listed(monkeypatch, tmp_path):
    seen = {}

    def write(plan, folder, *, on_progress):
        seen.update(plan=plan, folder=folder)
        on_progress(2, 2)
        return [folder / "camera-a.mp4", folder / "identities.csv"]

    monkeypatch.setattr(traffic, "write_traffic", write)
    given = {"vehicles": 3, "cameras": 4, "seconds": 5.0, "fps": 25.0, "width": 320, "height": 180}
    given |= {"seed": 9, "supersampling": 1}
    code, out, _ = call("scene", "--output", tmp_path, *words(given))
    assert code == 0
    assert str(tmp_path / "identities.csv") in out
    assert seen["plan"] == TrafficPlan(**given)
