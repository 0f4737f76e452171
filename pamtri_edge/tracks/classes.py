# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The classes that track files number or name, and which of them are vehicles."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pamtri_edge.class_names import is_vehicle, words, words_of
from pamtri_edge.tracks.lines import data_lines
from pamtri_edge.tracks.rows import Rows

_OTHER_WORDS: Final = words(
    """animal bicycle bicyclist bike biker crowd cyclist distractor dontcare face human ignore ignored
    ignoredregion light man misc motor motorbike motorcycle motorcyclist occluder pedestrian people person
    plate pole region reflection rider roadsign scooter sign sitting train trafficlight trafficsign
    tricycle twowheeler wheeler woman"""
)
_PLURAL: Final = re.compile(r"\w+[^\Wus]s")  # cars and buses, not bus and glass
_ANY: Final = "all"


@dataclass(frozen=True)
class ClassList:
    """What the classes of a file mean.

    Attributes:
        title: how messages say by what a file's classes are read.
        names: name of each class, by the number or label that the file writes; a label may lack.
        vehicles: numbers or labels of the vehicles.
    """

    title: str
    names: Mapping[int | str, str]
    vehicles: frozenset[int | str]


def _numbered(title: str, names: str, *, start: int, vehicles: str) -> ClassList:
    listed: dict[int | str, str] = dict(enumerate(names.split(", "), start))
    wanted = vehicles.split(", ")
    return ClassList(title, listed, frozenset(n for n, name in listed.items() if name in wanted))


MOTCHALLENGE: Final = _numbered(
    "as MOTChallenge's classes",
    "pedestrian, person on vehicle, car, bicycle, motorcycle, non-motorized vehicle, static person, "
    "distractor, occluder, occluder on the ground, full occluder, reflection, crowd",
    start=1,
    vehicles="car",
)
VISDRONE: Final = _numbered(
    "as VisDrone's classes",
    "ignored region, pedestrian, people, bicycle, car, van, truck, tricycle, awning-tricycle, bus, "
    "motorcycle, others",
    start=0,
    vehicles="car, van, truck, bus",
)
UAVDT: Final = _numbered("as UAVDT's classes", "car, truck, bus", start=1, vehicles="car, truck, bus")
COCO: Final = _numbered(
    "as COCO's classes",
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, "
    "stop sign, parking meter, bench",
    start=0,
    vehicles="car, bus, truck",
)
_COCO_CLASSES: Final = 80


def classes_for_scores(rows: Rows) -> bool:
    """Take the scores of a file without classes as classes, where they can be nothing else; tell whether.

    Some trackers were changed to write the class in the place of the confidence: small whole numbers, more
    than one of them, and the same for all boxes of a track.
    """
    scores = np.array(rows.scores)
    if rows.labels or len(scores) == 0 or not np.isfinite(scores).all():
        return False
    numbers = np.unique(scores)
    small = numbers[0] >= 0 and 1 < numbers[-1] < _COCO_CLASSES and (numbers == np.round(numbers)).all()
    if not small or len(numbers) < 2:
        return False
    pairs = np.unique(np.stack([np.array(rows.ids, np.float64), scores], axis=1), axis=0)
    if len(pairs) != len(np.unique(np.array(rows.ids))) or len(scores) < 2 * len(pairs):
        return False
    for row, score in enumerate(rows.scores):
        rows.classify(row, int(score))
    rows.scores = array("d", [math.nan]) * len(scores)
    return True


def named_classes(title: str, names: Mapping[int | str, str]) -> ClassList:
    """Return the list of classes that are known by name.

    Vehicles are the names that say so. Where none does, all that say nothing else are.
    """
    sure = frozenset(key for key, name in names.items() if is_vehicle(name))
    unknown = frozenset(key for key, name in names.items() if not _is_other(name))
    return ClassList(title, names, sure or unknown)


def listed_classes(path: Path, *, first: int) -> ClassList:
    """Return the list of classes that the lines of a file name, the first of which has a number."""
    names = (text for _, text in data_lines(path))
    return named_classes(f"by the lines of {path}", dict(enumerate(names, first)))


def found_classes(rows: Rows) -> ClassList | None:
    """Return what the classes in the rows of a file mean; None if that is not known, or there are none."""
    if any(isinstance(label, str) for label in rows.labels):
        return named_classes("by their names", {label: str(label) for label in rows.labels})
    return _numbered_classes(rows) if rows.labels else None


def _numbered_classes(rows: Rows) -> ClassList | None:
    """Tell from the rows of a file of the MOT family which list its class numbers are of.

    VisDrone has ten columns, the last two whole flags of truncation and occlusion, and a score of 0 or 1.
    MOTChallenge's ground truth has flags of 0 or 1 as scores and a visibility from 0 to 1 behind the class;
    it is about pedestrians (1) or cars (3). Flags that are all 1 say nothing; then the more frequent class
    decides. All else from 0 to 79 is taken as COCO's. None for numbers that fit no list.
    """
    kinds = np.array(rows.kinds, np.int64)
    has = kinds >= 0
    numbers = np.array([int(label) for label in rows.labels], np.int64)[kinds[has]]
    scores = np.array(rows.scores)[has]
    tails = np.array(rows.tails).reshape(-1, 2)[has]
    flags = bool(np.isin(scores, (0.0, 1.0)).all())
    low, high = int(numbers.min()), int(numbers.max())
    truncated, occluded = np.isin(tails[:, 0], (0.0, 1.0)), np.isin(tails[:, 1], (0.0, 1.0, 2.0))
    if flags and low >= 0 and high <= 11 and truncated.all() and occluded.all():
        return VISDRONE
    visible = bool(((tails[:, 0] >= 0) & (tails[:, 0] <= 1)).all())
    if flags and visible and low >= 1 and high <= 13:
        telling = bool((scores != 1).any() or (tails[:, 0] != 1).any())
        of_mot, coco_cars = int(np.isin(numbers, (1, 3)).sum()), int((numbers == 2).sum())
        if of_mot and (telling or of_mot >= coco_cars):
            return MOTCHALLENGE
    return COCO if low >= 0 and high < _COCO_CLASSES else None


def _is_other(name: str) -> bool:
    return not is_vehicle(name) and any(word in _OTHER_WORDS or word == "on" for word in words_of(name))


def choose_classes(
    found: Iterable[int | str], known: ClassList | None, wanted: Iterable[str] | None
) -> tuple[frozenset[int | str], bool, list[str]]:
    """Choose the classes that are used.

    Args:
        found: the classes of the file, as it writes them.
        known: what they mean; None if that is not known.
        wanted: names or the file's own numbers, or "all"; None takes the vehicles, or all classes where
            what they mean is not known.

    Returns:
        Those that are used, as the file writes them; whether rows without a class are used too; and the
        classes that were asked for, and are neither in the list nor in the file.
    """
    found = list(found)
    asked = None if wanted is None else [one.strip() for one in wanted if one.strip()]
    if asked is not None and any(one.lower() == _ANY for one in asked):
        return frozenset(found), True, []
    if not asked:
        return frozenset(found) if known is None else known.vehicles, True, []
    names: dict[int | str, str] = dict(known.names) if known is not None else {}
    names.update({label: str(label) for label in found if label not in names})
    labels: set[int | str] = set()
    unknown = []
    for one in asked:
        hits = {label for label, name in names.items() if one == str(label) or _words(one) == _words(name)}
        labels |= hits
        unknown += [] if hits else [one]
    return frozenset(labels), False, unknown


def class_words(label: int | str, known: ClassList | None) -> str:
    """Return how messages call a class: "class 7 (static person)" or "class 'Pedestrian'"."""
    if isinstance(label, str):
        return f"class {label if len(label) <= 40 else label[:37] + '...'!r}"
    name = None if known is None else known.names.get(label)
    return f"class {label}" + (f" ({name})" if name else "")


def _words(name: str) -> list[str]:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    found = re.sub(r"[\W_]+", " ", text).split()
    singular = [
        word[: -2 if word.endswith(("ses", "xes")) else -1] if _PLURAL.fullmatch(word) else word
        for word in found
    ]
    return ["motorcycle" if word in ("motorbike", "motor") else word for word in singular]
