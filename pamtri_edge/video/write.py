# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The output folder of a run, and what lies in it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.events.tables import FORMATS
from pamtri_edge.files.atomic import make_parents, staged_file, sweep
from pamtri_edge.files.claims import LOCK_FILE, Claim

EVENTS_FILE: Final = "events.jsonl"
VIDEO_FILE: Final = "annotated.mp4"
SUMMARY_FILE: Final = "summary.json"
CROPS_FOLDER: Final = "crops"
ANNOTATED_FOLDER: Final = "annotated"

_FOR_PEOPLE: Final = (cv2.IMWRITE_JPEG_QUALITY, 92)
_FOR_PROGRAMS: Final = (  # crops are embedded again, where a vehicle of 40 pixels needs its colors
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run did.

    Attributes:
        complete: False where it was interrupted, the source ended early or something failed.
        reason: why it is not complete; None where it is.
        source: the video, without passwords.
        camera: name of the camera.
        bundle: name of the bundle.
        embedding_space: id of the weights.
        trained: False for seeded weights, whose results mean nothing.
        frames: frames that were read.
        lost_frames: frames that could not be decoded or came too fast.
        video_s: seconds of video up to the last frame.
        tracks: tracks that were seen, without the too short ones.
        events: events written.
        below_gate: events of which no view passed the gate.
        below_gate_reasons: how many of these events have each reason, in words of `events.GATE_REASONS`.
        embedded_views: views that went through the network.
        short_tracks: tracks dropped because they were seen too briefly.
        unseen_tracks: tracks without an event because no part of them was inside the frame.
        unfinished_tracks: tracks without an event because of an interruption.
        elapsed_s: seconds that the run took.
        frames_per_second: frames divided by that.
    """

    complete: bool
    reason: str | None
    source: str
    camera: str
    bundle: str
    embedding_space: str
    trained: bool
    frames: int
    lost_frames: int
    video_s: float
    tracks: int
    events: int
    below_gate: int
    embedded_views: int
    short_tracks: int
    unseen_tracks: int
    unfinished_tracks: int
    elapsed_s: float
    frames_per_second: float
    below_gate_reasons: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        return {"schema": 1, **asdict(self)}


class OutputFolder:
    """The folder that a run writes to: checked at once, so that nothing is computed in vain.

    Args:
        path: the folder; made, with its parents, if it is not there.
        overwrite: replace what an earlier run left in it; other files stay.

    Attributes:
        path: the folder.
        events: the file of events.
        video: the annotated video.
        crops: the folder of best crops, as they were cut: for programs.
        annotated: the folder of the same crops with pose and caption: for people.
        summary: the summary.

    Raises:
        InputError: it exists and is not empty, is no folder, or cannot be written.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self.events = self.path / EVENTS_FILE
        self.video = self.path / VIDEO_FILE
        self.crops = self.path / CROPS_FOLDER
        self.annotated = self.path / ANNOTATED_FOLDER
        self.summary = self.path / SUMMARY_FILE
        self._overwrite = overwrite
        self._claim: Claim | None = None
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"the output {self.path} is a file; expected a folder, or a new name.")
        try:
            self._refuse_full()
            self._made = make_parents(self.path)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise InputError(f"the output folder {self.path} cannot be written: {error.strerror}.") from error

    def claim(self) -> None:
        """Keep other processes out of the folder until `release`.

        Raises:
            InputError: one is writing to it, or has written to it since the folder was opened.
        """
        self._claim = self._claim or Claim(self.path)
        try:
            self._refuse_full()
        except InputError:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the folder."""
        if self._claim is not None:
            self._claim.release()
        self._claim = None

    def leave(self) -> None:
        """Take away the folder, and parents made for it, where nothing was written: what was refused."""
        for folder in self._made:
            with suppress(OSError):  # rmdir refuses the ones in use
                folder.rmdir()

    def clear(self) -> None:
        """Remove what an earlier run left, be it whole or killed; other files stay.

        Raises:
            InputError: it cannot be removed.
        """
        sweep(self.path)
        try:
            tables = [self.events.with_suffix(f".{name}") for name in FORMATS]
            for path in (*tables, self.video, self.summary):
                path.unlink(missing_ok=True)
            for folder in (self.crops, self.annotated):
                folder.mkdir(exist_ok=True)
                sweep(folder)
                for path in folder.glob("*.jpg"):
                    if path.stem.isdecimal():
                        path.unlink()
        except OSError as error:
            raise InputError(f"{self.path} cannot be cleared of an earlier run: {error.strerror}.") from error

    def write_crop(self, track_id: int, picture: NDArray[np.uint8]) -> Path:
        """Write a track's best crop, (H, W, 3) uint8 RGB as it was cut, as JPEG; return its path.

        Raises:
            InputError: it cannot be written.
        """
        return _write_jpeg(self.crops / f"{track_id}.jpg", picture, _FOR_PROGRAMS)

    def write_annotated(self, track_id: int, picture: NDArray[np.uint8]) -> Path:
        """Write a track's picture for people, (H, W, 3) uint8 RGB, as JPEG; return its path.

        Raises:
            InputError: it cannot be written.
        """
        return _write_jpeg(self.annotated / f"{track_id}.jpg", picture, _FOR_PEOPLE)

    def write_summary(self, summary: Summary) -> Path:
        """Write the summary; return its path.

        Raises:
            InputError: it cannot be written.
        """
        text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False) + "\n"
        return _write_whole(self.summary, text.encode())

    def _refuse_full(self) -> None:
        if self._overwrite or not self.path.is_dir():
            return
        if any(path.name != LOCK_FILE for path in self.path.iterdir()):
            raise InputError(
                f"the output folder {self.path} exists and is not empty; "
                "give another name, or --overwrite (in Python overwrite=True) to replace an earlier run."
            )


def _write_jpeg(path: Path, picture: NDArray[np.uint8], how: Sequence[int]) -> Path:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, how)
    return _write_whole(path, data.tobytes())


def _write_whole(path: Path, data: bytes) -> Path:
    """Write a file that appears whole or not at all."""
    try:
        with staged_file(path, flush=False) as part:
            part.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return path
