# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From the rows of a file to its tracks: classes are chosen, doubles told apart, what is left out is said."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.printable import counted
from pamtri_edge.tracks.classes import ClassList, choose_classes, class_words, found_classes
from pamtri_edge.tracks.rows import EARLY, UNREADABLE, Count, Rows
from pamtri_edge.tracks.sets import TrackSet

_log = logging.getLogger(__name__)

_IGNORED: Final = "of score 0"
_FEW: Final = 5  # doubles that any file may have
_MOST_CLASSES: Final = 6  # named in a message
_NEARLY_ALL: Final = 0.98

Mask = NDArray[np.bool_]


def collect(
    rows: Rows,
    wanted: Iterable[str] | None,
    known: ClassList | None = None,
    *,
    flagged: bool = False,
    corners: bool = False,
) -> TrackSet:
    """Return the tracks of a file; log a line of what was left out.

    Args:
        rows: what was read.
        wanted: see `choose_classes`.
        known: what its classes mean; None has it told by what they are.
        flagged: scores may be flags, of which 0 marks a row that is to be ignored.
        corners: boxes stood as x, y, width, height, so that corners in their place are to be noticed.

    Raises:
        SourceError: no row can be used, or most cannot be read; the message names the first line that
            is wrong, and what is wrong with it.
        InputError: classes are wanted, and the file has none.
    """
    if not len(rows) and not rows.skipped:
        raise SourceError(f"{rows.path} holds no tracks: not one box was found in it.")
    known = known or found_classes(rows)
    unread = rows.skipped.get(UNREADABLE, Count())
    readable = len(rows) + sum(count.rows for count in rows.skipped.values()) - unread.rows
    if unread.rows > readable:
        raise SourceError(
            f"{unread.first}. {unread.rows} of {counted(unread.rows + readable, 'row')} of {rows.path} "
            "cannot be read as tracks."
        )
    left_out = {reason: count.rows for reason, count in rows.skipped.items()}
    frames = np.array(rows.frames, np.int64) - rows.first_frame
    early = frames < 0
    left_out[EARLY] = int(early.sum())
    used = ~early
    if flagged:
        scores = np.array(rows.scores)
        # Flags are 0 or 1. Among confidences a 0 is of a box that the tracker put where nothing was detected.
        if np.isin(scores[used], (0.0, 1.0)).all() and (scores[used] == 1.0).any():
            zero = used & (scores == 0.0)
            left_out[_IGNORED] = int(zero.sum())
            used &= ~zero
    usual = used.copy()
    used, of_classes = _of_classes(rows, known, wanted, used)
    left_out.update(of_classes)
    left_out = {reason: count for reason, count in left_out.items() if count}
    if not used.any():
        raise SourceError(_nothing(rows, left_out, early, usual, known))
    if left_out:
        total = readable + unread.rows
        _log.warning("%s: %s", rows.path, _summary(rows, left_out, total, known if of_classes else None))
    ids = _told_apart(rows, frames, np.array(rows.ids, np.uint64), usual, used)
    used = _without_doubles(rows, frames, ids, used)
    boxes = np.array(rows.boxes, np.float64).reshape(-1, 4)[used]
    if not rows.relative and _are_parts(boxes):
        rows.relative = True
        _log.warning(
            "%s: the boxes are read as parts of the picture, from 0 to 1, not as pixels; the first is (%s)",
            rows.path, ", ".join(f"{value:g}" for value in boxes[0]),
        )  # fmt: skip
    elif corners and _are_corners(frames[used], ids[used], boxes):
        _log.warning(
            "%s: the boxes look like x1, y1, x2, y2; expected are x, y, width, height. Give x2 - x1 "
            "and y2 - y1 in place of the last two",
            rows.path,
        )
    return TrackSet(
        rows.path, frames[used], ids[used], boxes, first_frame=rows.first_frame, relative=rows.relative
    )


def _of_classes(
    rows: Rows, known: ClassList | None, wanted: Iterable[str] | None, used: Mask
) -> tuple[Mask, dict[str, int]]:
    """Return which rows are of the classes wanted, and how many of each other class are not."""
    wanted = None if wanted is None else tuple(wanted)
    if wanted and not rows.labels and len(rows):
        raise InputError(
            f"{rows.path} holds no classes, so that --classes {','.join(wanted)} cannot be obeyed; leave it "
            "out, or give tracks with a class column."
        )
    kinds = np.array(rows.kinds, np.int64)
    labels, unclassed, unknown = choose_classes(rows.labels, known, wanted)
    if unknown:
        _log.warning(
            "%s has no class %s; it has %s",
            rows.path, ", ".join(unknown), _listed(rows, known, kinds),
        )  # fmt: skip
    if known is None and len(rows.labels) > 1 and wanted is None:
        _log.warning(
            "%s: what its classes mean is not known, so all are used: %s. Choose with --classes",
            rows.path, _listed(rows, known, kinds),
        )  # fmt: skip
    left_out = {}
    keep = np.append([label in labels for label in rows.labels], unclassed).astype(bool)
    for code in np.flatnonzero(~keep[:-1]).tolist():
        if count := int((used & (kinds == code)).sum()):
            left_out[f"of {class_words(rows.labels[code], known)}"] = count
    if not unclassed:
        left_out["without a class"] = int((used & (kinds < 0)).sum())
    return used & keep[kinds], {reason: count for reason, count in left_out.items() if count}


def _listed(rows: Rows, known: ClassList | None, kinds: NDArray[np.int64]) -> str:
    counts = np.bincount(kinds[kinds >= 0], minlength=len(rows.labels))
    order = np.argsort(-counts, kind="stable")[:_MOST_CLASSES].tolist()
    words = [f"{class_words(rows.labels[k], known)}: {counts[k]}" for k in order]
    return ", ".join(words) + (", ..." if len(rows.labels) > _MOST_CLASSES else "")


def _summary(rows: Rows, left_out: dict[str, int], total: int, known: ClassList | None) -> str:
    """Return one line of what was left out and why."""
    count = sum(left_out.values())
    reasons = [f"{rows_} {reason}" for reason, rows_ in list(left_out.items())[: 2 * _MOST_CLASSES]]
    are = "is" if count == 1 else "are"
    text = f"{count} of {counted(total, 'row')} {are} left out: {', '.join(reasons)}"
    if known is not None:
        text += f"; classes are read {known.title}; --classes takes others, or all"
    first = next((one.first for one in rows.skipped.values() if one.first), "")
    return text + (f" (first: {first})" if first else "")


def _nothing(rows: Rows, left_out: dict[str, int], early: Mask, usual: Mask, known: ClassList | None) -> str:
    """Say why there is not one row to use."""
    first = next((one.first for one in rows.skipped.values() if one.first), "")
    if early.any() and not usual.any():
        row = int(early.argmax())
        first = (
            f"{rows.where(row)}: frame {rows.frames[row]}, where the first frame is {rows.first_frame}; "
            "frames from 0 are read with --first-frame 0"
        )
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    advice = ""
    if usual.any():  # the classes alone are in the way
        by = "" if known is None else f" Classes are read {known.title};"
        advice = f"{by} --classes takes others: names, the file's own numbers, or all."
    return f"{rows.path} holds no tracks that can be used: {reasons}.{advice}" + (
        f" First: {first}." if first else ""
    )


def _told_apart(
    rows: Rows, frames: NDArray[np.int64], ids: NDArray[np.uint64], usual: Mask, used: Mask
) -> NDArray[np.uint64]:
    """Give ids that a tracker numbered within each class their own numbers; the first class keeps its.

    One id twice in a frame, of two classes, shows that it did. Of the rows, `usual` may show it, and those
    in `used` are numbered.
    """
    kinds = np.array(rows.kinds, np.int64)
    places = np.flatnonzero(usual)
    ranked = places[np.lexsort((kinds[places], ids[places], frames[places]))]
    again = (np.diff(frames[ranked]) == 0) & (ids[ranked][1:] == ids[ranked][:-1])
    before, after = ranked[:-1][again], ranked[1:][again]
    proof = kinds[before] != kinds[after]
    if not proof.any():
        return ids
    pairs: dict[tuple[int, int], int] = {}
    taken = set(np.unique(ids).tolist())
    given: set[int] = set()
    following = max(taken) + 1 if max(taken) < 2**63 else 1
    result: NDArray[np.uint64] = ids.copy()
    for row in np.flatnonzero(used).tolist():
        key = (int(ids[row]), int(kinds[row]))
        if key not in pairs:
            pairs[key] = key[0]
            if key[0] in given:
                while following in taken:
                    following += 1
                pairs[key] = following
                taken.add(following)
            given.add(key[0])
        result[row] = pairs[key]
    new = [given_id for (track, _), given_id in pairs.items() if given_id != track]
    if not new:
        return ids
    row = int(after[proof][0])
    _log.warning(
        "%s: ids are counted within each class (track %d twice in one frame at %s); tracks of another "
        "class got ids of their own, from %d on",
        rows.path, ids[row], rows.where(row), min(new),
    )  # fmt: skip
    return result


def _without_doubles(rows: Rows, frames: NDArray[np.int64], ids: NDArray[np.uint64], used: Mask) -> Mask:
    """Leave one box a track and frame: the surest, or the first."""
    places = np.flatnonzero(used)
    scores = np.nan_to_num(np.array(rows.scores)[places], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    order = np.lexsort((places, -scores, ids[places], frames[places]))
    ranked = places[order]
    again = (np.diff(frames[ranked]) == 0) & (ids[ranked][1:] == ids[ranked][:-1])
    if not again.any():
        return used
    gone = ranked[1:][again]
    row = int(gone.min())
    if len(gone) > max(len(places) / 2, _FEW):
        raise SourceError(
            f"{rows.path} repeats tracks within a frame in {len(gone)} of {len(places)} rows (first: "
            f"{rows.where(row)}, track {ids[row]} again in frame {rows.frames[row]}); expected are the "
            "tracks of one video, in the columns frame, id, x, y, width, height."
        )
    _log.warning(
        "%s: a track has one box a frame, but %d more %s found (first: %s, track %d again in frame %d); "
        "the one with the highest score is used, or the first",
        rows.path, len(gone), "was" if len(gone) == 1 else "were", rows.where(row), ids[row],
        rows.frames[row],
    )  # fmt: skip
    kept: Mask = used.copy()
    kept[gone] = False
    return kept


def _are_parts(boxes: NDArray[np.float64]) -> bool:
    """Tell whether boxes, (N, 4) x1, y1, x2, y2, are in parts of the picture: no vehicle has one pixel."""
    return _share(((boxes > -0.5) & (boxes < 1.5)).all(axis=1)) >= _NEARLY_ALL


def _are_corners(frames: NDArray[np.int64], ids: NDArray[np.uint64], boxes: NDArray[np.float64]) -> bool:
    """Tell whether what was read as width and height moves with x and y, and is always beyond them.

    Width and height of a vehicle that moves change little; its right and lower edge change as its left and
    upper edge do.

    Args:
        frames: (N,) frames.
        ids: (N,) track ids.
        boxes: (N, 4) x1, y1, x2, y2, which stood as x, y, width, height.
    """
    first, second = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if _share((second > first).all(axis=1)) < _NEARLY_ALL:
        return False
    order = np.lexsort((frames, ids))
    step = ids[order][1:] == ids[order][:-1]
    moved = np.abs(np.diff(first[order], axis=0)[step]).sum()
    changed = np.abs(np.diff(second[order], axis=0)[step]).sum()
    between = np.abs(np.diff((second - first)[order], axis=0)[step]).sum()
    return bool(moved > 0 and changed > 0.5 * moved and between < 0.7 * changed)


def _share(holds: Any) -> float:
    return float(np.mean(holds)) if np.size(holds) else 0.0
