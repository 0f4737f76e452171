# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks from a file: which vehicle is where in which frame.

Read are the MOT family (MOTChallenge, its results, CVAT's export, VisDrone: `mot.py`), KITTI's labels as
DeepStream writes them or as its tracking benchmark has them (`kitti.py`), Ultralytics' folders of labels
(`ultralytics.py`), the XML of UA-DETRAC and of CVAT's videos (`xml_file.py`), and JSON (`json_file.py`):
COCO's, Scalabel's, Label Studio's, and objects with keys of known names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.printable import counted, printable
from pamtri_edge.tracks import kitti, ultralytics
from pamtri_edge.tracks.json_file import is_json, read_json_tracks
from pamtri_edge.tracks.lines import first_lines
from pamtri_edge.tracks.mot import GROUND_TRUTH, read_mot
from pamtri_edge.tracks.rows import LATEST_FRAME
from pamtri_edge.tracks.sets import TrackBox, TrackSet
from pamtri_edge.tracks.xml_file import is_cvat, read_cvat, read_detrac

__all__ = ["TrackBox", "TrackSet", "read_tracks"]

_ACCEPTED: Final = (
    "a MOTChallenge file (frame,id,x,y,w,h,...), a folder as DeepStream's kitti-track-output-dir or "
    "Ultralytics' save_txt writes it, KITTI's tracking labels, the XML of UA-DETRAC or of CVAT's videos, or "
    "JSON with frames, track ids and boxes"
)
_LABELS_FOLDER: Final = "labels"
_CVAT_FILE: Final = "annotations.xml"
_DETECTIONS: Final = Path("det", "det.txt")
_FILES: Final = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml")
_PEEK: Final = 32  # files of a folder that are looked into: frames without a box are empty
_NAMED: Final = 8

Streams = dict[str, list[tuple[int, Path]]]


def read_tracks(
    path: str | Path,
    *,
    stream: str | None = None,
    classes: Iterable[str] | None = None,
    first_frame: int | None = None,
) -> TrackSet:
    """Read tracks; the layout is told from the path and its first lines.

    Rows that mark something to be ignored, boxes without a size and rows that cannot be read are left out;
    one logged line counts them by reason. Where a file gives one id to two classes of a frame, each class
    gets its own track. Boxes in parts of the picture come as a `TrackSet` with `relative`.

    Args:
        path: the file or folder.
        stream: for a folder with several streams, the beginning of the file names, such as "00_001".
        classes: names or the file's own numbers of the classes to use, or "all"; None uses vehicles, or all
            classes where the file has none or what they mean is not known.
        first_frame: number of the video's first frame in the file; None takes the layout's own, or 0 where
            there is a frame 0.

    Raises:
        SourceError: the path does not exist, holds no tracks that can be used, or is no track file; the
            message names the first wrong line, what was found and what is accepted.
        InputError: classes are given, and the file has none; or the first frame is beyond any video.
    """
    if first_frame is not None and abs(first_frame) > LATEST_FRAME:
        raise InputError(f"the first frame is {first_frame}; expected a number up to {LATEST_FRAME}.")
    path = Path(path)
    classes = None if classes is None else tuple(classes)
    try:
        if path.is_dir():
            return _read_folder(path, stream, classes, first_frame)
        exists = os.path.lexists(path)
    except (OSError, ValueError) as error:
        raise SourceError(f"{str(path)!r} cannot be read: {error}.") from error
    if not exists:
        raise SourceError(f"there is no track file or folder {path}; expected {_ACCEPTED}.")
    if stream is not None:
        raise SourceError(f"{path} is one file of tracks; choosing a stream is for folders of many.")
    return _read_file(path, classes, first_frame)


def _read_file(path: Path, classes: tuple[str, ...] | None, first_frame: int | None) -> TrackSet:
    if is_json(path):
        return read_json_tracks(path, classes=classes, first_frame=first_frame)
    lines = first_lines(path)
    if lines and lines[0].startswith("<"):
        read_xml = read_cvat if is_cvat(lines) else read_detrac
        return read_xml(path, classes=classes, first_frame=first_frame)
    if kitti.is_benchmark(lines):
        return kitti.read_benchmark(path, classes=classes, first_frame=first_frame)
    if kitti.is_frame(lines):
        raise SourceError(f"{path} holds KITTI's labels of a single frame; give its folder, {path.parent}.")
    if ultralytics.NAME.fullmatch(path.name) and ultralytics.looks_like_labels(lines) and "," not in lines[0]:
        raise SourceError(f"{path} holds YOLO's labels of a single frame; give its folder, {path.parent}.")
    return read_mot(path, classes=classes, first_frame=first_frame)


def _read_folder(
    folder: Path, stream: str | None, classes: tuple[str, ...] | None, first_frame: int | None
) -> TrackSet:
    for file in (folder / "gt" / GROUND_TRUTH, folder / GROUND_TRUTH):
        if file.is_file():
            return read_mot(file, classes=classes, first_frame=first_frame)
    for file in (folder / _CVAT_FILE, folder / _DETECTIONS):
        if file.is_file():
            return _read_file(file, classes, first_frame)
    streams, labels = _streams(folder)
    if not streams and not labels and (folder / _LABELS_FOLDER).is_dir():
        return _read_folder(folder / _LABELS_FOLDER, stream, classes, first_frame)
    if streams and not labels and _holds_labels(streams):
        labels = streams  # of pictures, whose names are numbers
    if labels and _holds_sequences(labels):
        labels = {}
    if labels and (not streams or _holds_labels(labels)):
        files = _chosen(folder, labels, stream)
        return ultralytics.read_labels(folder, files, classes=classes, first_frame=first_frame)
    if not streams:
        raise SourceError(
            f"the folder {folder} holds no track files; expected one a frame, such as 00_000_000123.txt "
            "(DeepStream's kitti-track-output-dir) or street_123.txt (Ultralytics' save_txt). "
            f"{_beside(folder)}"
        )
    sequences = _sequences(streams)
    if len(sequences) == 1:
        return kitti.read_benchmark(sequences[0], classes=classes, first_frame=first_frame)
    if sequences:
        raise SourceError(
            f"the folder {folder} holds {len(sequences)} sequences of KITTI's tracking benchmark; give one "
            f"as a file, such as {sequences[0]}."
        )
    files = _chosen(folder, streams, stream)
    return kitti.read_deepstream(folder, files, classes=classes, first_frame=first_frame)


def _streams(folder: Path) -> tuple[Streams, Streams]:
    """Return the files of a folder by stream and frame, as DeepStream names them and as Ultralytics does."""
    deepstream: Streams = {}
    labels: Streams = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if match := kitti.NAME.fullmatch(entry.name):
                name = match["stream"].rstrip("_")
                deepstream.setdefault(name, []).append((int(match["frame"]), Path(entry.path)))
            if match := ultralytics.NAME.fullmatch(entry.name):
                labels.setdefault(match["stream"], []).append((int(match["frame"]), Path(entry.path)))
    return deepstream, labels


def _holds_sequences(labels: Streams) -> bool:
    """Tell whether files that are named as labels of frames are whole sequences, such as MOT17-02.txt."""
    found = _begins(path for listed in labels.values() for _, path in listed)
    return any("," in line for line in found) and not ultralytics.looks_like_labels(found)


def _beside(folder: Path) -> str:
    """Say what of a folder could be given instead."""
    names = sorted(
        path.name + "/" * path.is_dir() for path in folder.iterdir() if not path.name.startswith(".")
    )
    names = [name for name in names if name.endswith(("/", *_FILES))]
    if not names:
        return "A single file of tracks is given as a file."
    listed = ", ".join(printable(name) for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"It holds {listed}: give the file or folder of the one video."


def _sequences(streams: Streams) -> list[Path]:
    """Return the files that are whole sequences of KITTI's benchmark, if the first ones are."""
    files = [path for listed in streams.values() for _, path in sorted(listed)]
    return files if kitti.is_benchmark(_begins(files[:_PEEK])) else []


def _holds_labels(labels: Streams) -> bool:
    """Tell by what is in the files that could be either's whether they are Ultralytics' labels."""
    files = [path for listed in labels.values() for _, path in sorted(listed)[:_PEEK]]
    return ultralytics.looks_like_labels(_begins(files[:_PEEK]))


def _begins(files: Iterable[Path]) -> list[str]:
    """Return the first line of the first file that has one; nothing where none has."""
    return next((lines for path in files if (lines := first_lines(path, 1))), [])


def _chosen(folder: Path, streams: Streams, stream: str | None) -> list[tuple[int, Path]]:
    if stream is None and len(streams) == 1:
        (stream,) = streams
    if stream is None or stream not in streams:
        names = sorted(streams)
        listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        raise SourceError(
            f"the folder {folder} holds {counted(len(streams), 'stream')} ({listed}); "
            + ("choose one with --stream." if stream is None else f"{stream!r} is none of them.")
        )
    return sorted(streams[stream])
