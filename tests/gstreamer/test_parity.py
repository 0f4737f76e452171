# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element pamtri gives the embeddings of `Reidentifier.embed_frame`, whatever the format of the frames.

The shipped network runs on both sides. What frames of Y, U, V are as RGB is computed here in real numbers.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentifier
from pamtri_edge.events import read_events
from planes_of_yuv import Planes, to_planes, to_rgb

pytestmark = pytest.mark.slow
BUNDLE = Path(__file__).parents[2] / "pamtri_edge" / "weights" / "pamtri-lite.pamtri"


@dataclass(frozen=True)
class View:
    """How frames are given: their format, and what their Y, U, V mean."""

    form: str
    matrix: str = "bt601"
    site: str = "mpeg2"

    @property
    def rgb(self) -> bool:
        return self.form in ("RGB", "BGR")

    def picture(self, planes: Planes) -> NDArray[np.uint8]:
        """Return a frame as RGB, computed in real numbers."""
        return to_rgb(planes, self.matrix, self.site)

    def given(self, planes: Planes) -> bytes:
        """Return a frame as it is given."""
        if not self.rgb:
            return planes.packed(self.form)
        order = slice(None, None, 1 if self.form == "RGB" else -1)
        return self.picture(planes)[..., order].tobytes()


VIEWS = (
    View("RGB"),
    View("BGR"),
    View("NV12"),
    View("I420", "bt709", "jpeg"),
    View("NV21", "bt709", "cosited"),
    View("YV12", "smpte240m", "jpeg"),
)


def golden_crops() -> tuple[Planes, NDArray[np.float64]]:
    """Lay the pictures that are in the bundle beside each other, smaller ones too.

    Returns:
        The frame; and the boxes of its vehicles, (N, 4) x1, y1, x2, y2 in pixels.
    """
    pictures = np.load(BUNDLE / "golden.npz")["input/images"]
    frame = np.full((400, 1024, 3), 90, np.uint8)
    boxes = []
    for place, picture in enumerate(pictures):
        left = 256 * place
        frame[:256, left : left + 256] = picture.transpose(1, 2, 0)
        frame[272:400, left + 5 : left + 133] = picture.transpose(1, 2, 0)[::2, ::2]
        boxes += [(left, 0, left + 256, 256), (left + 5, 272, left + 133, 400)]
    return to_planes(frame), np.array(boxes, np.float64)


def embedded(
    environment: dict[str, str], folder: Path, frame: Planes, boxes: NDArray[np.float64]
) -> dict[View, NDArray[np.float64]]:
    """Return what pamtri says of each box in each view, which one process looks at together.

    Each box is a track of its own: its event has its one view.
    """
    height, width = frame.luma.shape
    rows = [f"0,{track},{','.join(map(str, box))}" for track, box in enumerate(boxes)]
    (folder / "tracks.csv").write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    lines = []
    for view in VIEWS:
        (folder / view.form).write_bytes(view.given(frame))
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
    for view in VIEWS:
        events = {event.track_id: event.embedding for event in read_events(folder / f"{view.form}.jsonl")}
        found[view] = np.array([events[track] for track in range(len(boxes))])
    return found


def test_embeddings_are_those_of_python_on_the_standards_rgb(real: dict[str, str], tmp_path: Path) -> None:
    frame, boxes = golden_crops()
    with Reidentifier.load(BUNDLE, device="cpu", threads=1) as reid:
        for view, found in embedded(real, tmp_path, frame, boxes).items():
            expected = reid.embed_frame(view.picture(frame), boxes).embeddings
            least = (found * expected).sum(axis=1).min()
            assert least >= (0.99999 if view.rgb else 0.9999), view
