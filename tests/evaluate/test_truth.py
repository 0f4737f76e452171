# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of two cameras against the truth."""

from types import SimpleNamespace

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.truth import judge, read_identities
from pamtri_edge.gallery import Match, Matches

TRUTH = {("a", 1): "red car", ("a", 2): "bus", ("b", 1): "bus", ("b", 2): "red car", ("b", 3): "van"}


def events(camera, *tracks):
    return [SimpleNamespace(camera=camera, track_id=track) for track in tracks]


def matches(cosines, *pairs):
    array = np.array(cosines, np.float32)
    return Matches(
        tuple(Match(a, b, float(array[a, b])) for a, b in pairs),
        None,
        None,
        array,
        np.eye(array.shape[1], dtype=np.float32),
    )


def test_matches_are_right_or_wrong_and_retrieval_is_measured():
    found = matches([[0.2, 0.9, 0.1], [0.3, 0.1, 0.8]], (0, 1), (1, 2))
    verdict = judge(found, events("a", 1, 2), events("b", 1, 2, 3), TRUTH)
    assert (verdict.right, verdict.correct, verdict.wrong, verdict.common) == ((True, False), 1, 1, 2)
    # the red car is found first, the bus second behind the van
    assert verdict.retrieval.rank(1) == 0.5
    assert verdict.retrieval.mAP == pytest.approx((1 + 1 / 2) / 2)
    assert verdict.to_json()["mAP"] == verdict.retrieval.mAP


def test_tracks_that_the_truth_does_not_know_are_neither():
    found = matches([[0.9, 0.1], [0.1, 0.9]], (0, 0), (1, 1))
    verdict = judge(found, events("a", 1, 77), events("b", 2, 3), TRUTH)
    assert verdict.right == (True, None)
    assert verdict.retrieval.skipped == 1


def test_without_a_common_vehicle_there_is_no_retrieval():
    verdict = judge(matches([[0.9]], (0, 0)), events("a", 1), events("b", 3), TRUTH)
    assert (verdict.right, verdict.common, verdict.retrieval) == ((False,), 0, None)
    assert verdict.to_json() == {"correct": 0, "wrong": 1, "common": 0, "mAP": None, "rank1": None}


def test_a_camera_that_the_truth_does_not_know_is_an_error():
    with pytest.raises(InputError, match="the truth knows no track of 'c'; it has the cameras 'a', 'b'"):
        judge(matches([[0.9]]), events("c", 1), events("b", 3), TRUTH)


@pytest.fixture
def identities(tmp_path):
    def write(text):
        path = tmp_path / "identities.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_identities(path)

    return write


@pytest.mark.parametrize(
    "text",
    [
        "camera,track_id,identity,color\na,1,4,red\nb,3,4,red\n",
        "\ufeffCamera;Track_ID;Identity\r\na;1;4\r\n\r\nb;3;4\r\n",
        "identity\tcamera\ttrack_id\n4\ta\t1.0\n4\tb\t3.0\n",
        '"camera", "track_id", "identity"\na, 1, 4\nb, 3, 4\n',
    ],
    ids=["more columns", "Excel's", "tabs, floats", "blanks"],
)
def test_a_file_of_identities_is_read_as_tables_are_saved(identities, text):
    assert identities(text) == {("a", 1): "4", ("b", 3): "4"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "camera,track,identity\na,1,4\n",
            "no column track_id; its first line is .* expected is one with camera, track_id",
        ),
        ("", "no column camera, track_id, identity"),
        ("camera,track_id,identity\n", "names no track"),
        ("camera,track_id,identity\na,one,4\n", "identities.csv:2: found 'a', 'one', '4'"),
        ("camera,track_id,identity\na,1\n", "csv:2: found 'a', '1', ''"),
        ("camera,track_id,identity\na,1,4\na,1,5\n", "csv:3: track 1 of a has been named before"),
        (b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(identities, text, words):
    with pytest.raises(InputError, match=words):
        identities(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_identities("none.csv")
