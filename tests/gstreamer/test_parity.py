# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element pamtri gives the embeddings of `Reidentifier.embed_frame`, whatever the format of the frames.

The shipped network runs on both sides. What frames of Y, U, V are as RGB is computed here in real numbers.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentifier
from pamtri_edge.events import read_events
from pamtri_edge.tracks import read_tracks
from planes_of_yuv import Planes, to_planes, to_rgb

pytestmark = pytest.mark.slow
BUNDLE = Path(__file__).parents[2] / "pamtri_edge" / "weights" / "pamtri-lite.pamtri"
CLIP = "suburban_a_640x352"


@dataclass(frozen=True)
class View:
    """How frames are given: their format, and what their Y, U, V mean."""

    form: str
    matrix: str = "bt601"
    site: str = "mpeg2"

    @property
    def rgb(self) -> bool:
        return self.form in ("RGB", "BGR")


# What a format changes it changes on both scenes: all formats on one, and one of each kind on real frames.
VIEWS = {
    "golden crops": (
        View("RGB"),
        View("BGR"),
        View("NV12"),
        View("I420", "bt709", "jpeg"),
        View("NV21", "bt709", "cosited"),
        View("YV12", "smpte240m", "jpeg"),
    ),
    "a clip": (View("RGB"), View("NV12", "bt709")),
}


@dataclass(frozen=True)
class Scene:
    """Frames of one size and the boxes of their vehicles, (N, 4) x1, y1, x2, y2 in pixels."""

    frames: Sequence[Planes]
    boxes: Sequence[NDArray[np.float64]]
    views: Sequence[View]

    def pictures(self, view: View) -> list[NDArray[np.uint8]]:
        """Return the frames as RGB, computed in real numbers."""
        return [to_rgb(planes, view.matrix, view.site) for planes in self.frames]

    def given(self, view: View) -> bytes:
        if not view.rgb:
            return b"".join(planes.packed(view.form) for planes in self.frames)
        order = slice(None, None, 1 if view.form == "RGB" else -1)
        return b"".join(picture[..., order].tobytes() for picture in self.pictures(view))


@pytest.fixture(scope="module")
def reid() -> Reidentifier:
    return Reidentifier.load(BUNDLE, device="cpu", threads=1)


def of_golden_crops() -> Scene:
    """Lay the pictures that are in the bundle beside each other, smaller ones too."""
    pictures = np.load(BUNDLE / "golden.npz")["input/images"]
    frame = np.full((400, 1024, 3), 90, np.uint8)
    boxes = []
    for place, picture in enumerate(pictures):
        left = 256 * place
        frame[:256, left : left + 256] = picture.transpose(1, 2, 0)
        frame[272:400, left + 5 : left + 133] = picture.transpose(1, 2, 0)[::2, ::2]
        boxes += [(left, 0, left + 256, 256), (left + 5, 272, left + 133, 400)]
    return Scene([to_planes(frame)], [np.array(boxes, np.float64)], VIEWS["golden crops"])


def of_a_clip(folder: Path) -> Scene:
    """Take a frame of every four seconds, with the vehicles that are not small."""
    av = pytest.importorskip("av")
    tracks = read_tracks(folder / f"{CLIP}.txt")
    frames, boxes = [], []
    with av.open(str(folder / f"{CLIP}.mp4")) as video:
        for index, frame in enumerate(video.decode(video=0)):
            seen = np.array([vehicle.box for vehicle in tracks.at(index)]).reshape(-1, 4)
            large = seen[(seen[:, 2:] - seen[:, :2]).min(axis=1) >= 32]
            if index % 96 or not len(large):
                continue
            height, width = frame.height, frame.width
            luma, u, v = np.split(
                frame.to_ndarray(format="yuv420p").ravel(), [height * width, height * width * 5 // 4]
            )
            half = (height // 2, width // 2)
            frames.append(Planes(luma.reshape(height, width), u.reshape(half), v.reshape(half)))
            boxes.append(large)
    return Scene(frames, boxes, VIEWS["a clip"])


@pytest.fixture(params=VIEWS)
def scene(request: pytest.FixtureRequest) -> Scene:
    if request.param == "golden crops":
        return of_golden_crops()
    return of_a_clip(request.getfixturevalue("shared_data") / "clips")


def embedded(environment: dict[str, str], folder: Path, scene: Scene) -> dict[View, NDArray[np.float64]]:
    """Return what pamtri says of each box in each view, which one process looks at together.

    Each box is a track of its own: its event has its one view.
    """
    height, width = scene.frames[0].luma.shape
    boxes = [(index, box) for index, several in enumerate(scene.boxes) for box in several]
    rows = [f"{index},{track},{','.join(map(str, box))}" for track, (index, box) in enumerate(boxes)]
    (folder / "tracks.csv").write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    lines = []
    for view in scene.views:
        (folder / view.form).write_bytes(scene.given(view))
        caps = "" if view.rgb else f",colorimetry={view.matrix},chroma-site={view.site}"
        lines.append(
            f"filesrc location={folder}/{view.form} ! "
            f"rawvideoparse format={view.form.lower()} width={width} height={height} ! "
            f"capssetter caps=video/x-raw{caps} ! pamtritracks location={folder}/tracks.csv ! "
            f"pamtri bundle={BUNDLE} threads=1 sync=true ! pamtrisink uri=file:{folder}/{view.form}.jsonl"
        )
    done = subprocess.run(
        ["gst-launch-1.0", "-q", *shlex.split(" ".join(lines))],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = {}
    for view in scene.views:
        events = {event.track_id: event.embedding for event in read_events(folder / f"{view.form}.jsonl")}
        found[view] = np.array([events[track] for track in range(len(boxes))])
    return found


def expected(reid: Reidentifier, scene: Scene, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    parts = zip(pictures, scene.boxes, strict=True)
    return np.concatenate([reid.embed_frame(picture, boxes).embeddings for picture, boxes in parts])


def least_cosine(first: NDArray[np.float64], second: NDArray[np.float32]) -> float:
    return float((first * second).sum(axis=1).min())


def test_embeddings_are_those_of_python_on_the_standards_rgb(
    real: dict[str, str], tmp_path: Path, reid: Reidentifier, scene: Scene
) -> None:
    for view, found in embedded(real, tmp_path, scene).items():
        least = least_cosine(found, expected(reid, scene, scene.pictures(view)))
        assert least >= (0.99999 if view.rgb else 0.9999), view
