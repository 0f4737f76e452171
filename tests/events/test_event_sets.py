# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Large files of events are read side by side, and give what they give one after the other."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from pamtri_edge import spawned
from pamtri_edge.errors import InputError
from pamtri_edge.events import Event, FrameCounts
from pamtri_edge.matching import sets as event_sets
from pamtri_edge.matching.rules import Rules, Seen


def write(path, camera, tracks):
    event = {
        "start_s": 0.0, "end_s": 1.0, "start_utc": None, "end_utc": None, "frames": FrameCounts(5, 1),
        "below_gate": False, "box": (0, 0, 9, 9), "color": None, "type": None, "embedding": (0.6, 0.8),
        "keypoints": None, "quality": None, "embedding_space": "sha256:1234", "bundle": "small",
    }  # fmt: skip
    path.write_text(
        "".join(Event(camera=camera, track_id=t, **event).to_json() + "\n" for t in range(tracks))
    )
    return path


@pytest.fixture
def side_by_side(monkeypatch):
    monkeypatch.setattr(event_sets, "_LARGE", 0)
    monkeypatch.setattr(event_sets, "available_processors", lambda: 2)


def test_files_come_back_in_their_order(tmp_path, side_by_side):
    paths = [write(tmp_path / "north.jsonl", "north", 3), write(tmp_path / "south.jsonl", "south", 1)]
    found = event_sets.read_event_sets(paths)
    for path, one in zip(paths, found, strict=True):
        alone = event_sets.read_event_set(path)
        assert one.seen == alone.seen
        np.testing.assert_array_equal(one.embeddings.vectors, alone.embeddings.vectors)


def test_a_file_that_is_refused_is_refused_in_the_same_words(tmp_path, side_by_side):
    paths = [write(tmp_path / "north.jsonl", "north", 3), tmp_path / "absent.jsonl"]
    with pytest.raises(InputError) as alone:
        event_sets.read_event_set(paths[1])
    with pytest.raises(InputError) as beside:
        event_sets.read_event_sets(paths)
    assert str(beside.value) == str(alone.value)


def test_a_machine_without_shared_memory_reads_one_after_the_other(tmp_path, side_by_side, monkeypatch):
    def missing(*_given, **_named):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(spawned, "ProcessPoolExecutor", missing)
    with pytest.raises(spawned.ProcessError, match=r"/dev/shm is missing, full or read-only\. Mount it"):
        spawned.spawned(2, print)
    paths = [write(tmp_path / f"{name}.jsonl", name, 2) for name in ("north", "south")]
    assert [len(one.seen) for one in event_sets.read_event_sets(paths)] == [2, 2]


def test_a_pair_may_be_one_vehicle_where_every_rule_says_so():
    def seen(start_s, color):
        return Seen("north", 1, start_s, False, color, None)

    rules = Rules(window=(0.0, 5.0), same_color=True)
    allowed = rules.allowed([seen(0, "red")], [seen(1, "red"), seen(1, "blue"), seen(9, "red")])
    assert allowed(slice(None), slice(None)).tolist() == [[True, False, False]]
