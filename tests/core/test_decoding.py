# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes, scores and classes of what a detector gives, as its layout says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.video.detect.decoding import BoxForm, Column, Dense, Picked, Reader

SIZE = (32, 64)  # cells of stride 16 in two rows of four, of stride 32 in one row of two


def rows(*given: tuple[float, ...]) -> np.ndarray:
    return np.array([given], np.float32)


FORMS = {
    BoxForm.CORNERS: ((10, 4, 30, 20), (10, 4, 30, 20)),
    BoxForm.CENTERS: ((20, 12, 20, 16), (10, 4, 30, 20)),
    BoxForm.UNIT_CENTERS: ((0.5, 0.5, 0.25, 0.5), (24, 8, 40, 24)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("transposed", [False, True])
def test_numbers_become_corners_in_every_form(form, transposed):
    box, corners = FORMS[form]
    output = rows((*box, 0.25, 0.75), (*box, 0.1, 0.2), (*box, 0.9, 0.5))
    layout = Dense(SIZE, form, 2, transposed=transposed)
    found = Reader(layout).read([output.transpose(0, 2, 1) if transposed else output], [0, 1], 0.5)
    assert found.boxes.tolist() == [list(corners)] * 2
    assert found.scores == pytest.approx([0.9, 0.75])
    assert found.classes.tolist() == [0, 1]


def test_cells_are_counted_row_by_row_and_grid_by_grid():
    output = np.zeros((1, 10, 6), np.float32)
    output[0, 6] = (0.5, 0.25, np.log(2.0), np.log(0.5), 0.5, 0.5)  # row 1, column 2 of stride 16
    output[0, 9] = (0.5, 0.5, 0, 0, 1, 0.5)  # column 1 of stride 32
    layout = Dense(SIZE, BoxForm.CELLS, 1, objectness=True, strides=(16, 32))
    found = Reader(layout).read([output], [0], 0.1)
    assert found.boxes == pytest.approx(np.array([[32, 0, 64, 32], [24, 16, 56, 24]]))
    assert found.scores.tolist() == [0.5, 0.25]
    with pytest.raises(InputError, match=r"of shape \(1, 9, 6\); expected 10 cells, as its layout says"):
        Reader(layout).read([output[:, 1:]], [0], 0.1)


def test_logits_go_through_the_logistic_function_before_they_are_multiplied():
    layout = Dense(SIZE, BoxForm.CORNERS, 1, objectness=True, logits=True)
    found = Reader(layout).read([rows((0, 0, 1, 1, np.log(3.0), np.log(4.0)))], [0], 0.1)
    assert found.scores == pytest.approx([0.75 * 0.8], abs=1e-6)


def test_scores_may_be_an_output_of_their_own_with_one_more_class():
    layout = Dense(SIZE, BoxForm.CORNERS, 2, boxes_output=1, scores_output=0)
    found = Reader(layout).read([rows((0.6, 0.1, 0.9)), rows((1, 2, 3, 4))], [0, 1], 0.5)
    assert (found.boxes.tolist(), found.classes.tolist()) == ([[1, 2, 3, 4]], [0])


def test_a_thousand_of_the_surest_go_on_and_equals_keep_their_order():
    scores = np.concatenate([np.full(1500, 0.5), [0.9]])
    output = np.stack([np.arange(1501), *[np.zeros(1501)] * 3, scores], axis=1)[None]
    found = Reader(Dense(SIZE, BoxForm.CORNERS, 1)).read([output.astype(np.float32)], [0], 0.1)
    assert found.boxes[:, 0].tolist() == [1500, *range(999)]


PICKED = Picked(SIZE, BoxForm.CORNERS, Column(0, 0), Column(0, 4), Column(0, 5), classes=6)


def test_picked_detections_count_where_class_and_score_are_wanted():
    output = rows((1, 1, 2, 2, 0.9, 2), (3, 3, 4, 4, 0.8, 5), (5, 5, 6, 6, 0.7, 2), (7, 7, 8, 8, 0.2, 2))
    found = Reader(PICKED).read([output], [2], 0.3)
    assert found.boxes[:, 0].tolist() == [1, 5]
    assert Reader(PICKED).read([output[:, :0]], [2], 0.3).boxes.shape == (0, 4)
    assert Reader(PICKED).read([np.concatenate([output, output * 0])], [2, 5], 0.3).classes.tolist() == [
        2,
        5,
        2,
    ]


def test_rows_of_other_pictures_of_a_batch_do_not_count():
    output = rows((0, 1, 1, 2, 2, 0.9, 2), (1, 3, 3, 4, 4, 0.8, 2))[0]
    layout = replace(PICKED, box=Column(0, 1), score=Column(0, 5), label=Column(0, 6), image=Column(0, 0))
    assert Reader(layout).read([output], [2], 0.3).boxes.tolist() == [[1, 1, 2, 2]]


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (1, 1), (9, 2), (-1, 0)])
def test_a_count_says_how_many_rows_are_detections(count, kept):
    layout = Picked(SIZE, BoxForm.CORNERS, Column(1), Column(2), Column(3), count=0)
    outputs = [
        np.array([[count]]),
        rows((1, 1, 2, 2), (3, 3, 4, 4)),
        np.array([[0.9, 0.8]]),
        np.array([[2, 2]]),
    ]
    assert len(Reader(layout).read(outputs, [2], 0.3).scores) == kept


@pytest.mark.parametrize(
    ("layout", "outputs", "wanted", "message"),
    [
        (Dense(SIZE, BoxForm.CORNERS, 3), [(1, 5, 6)], [0], r"shape \(1, 5, 6\); expected rows of 7 numbers"),
        (Dense(SIZE, BoxForm.CORNERS, 3), [(7,)], [0], r"shape \(7\)"),
        (Dense(SIZE, BoxForm.CORNERS, 3), [(1, 5, 7)], [3], "class 3 is wanted of 3; expected 0 to 2"),
        (Dense(SIZE, BoxForm.CORNERS, 3), [(1, 5, 7)], [-1], "class -1 is wanted"),
        (Dense(SIZE, BoxForm.CORNERS, 3, boxes_output=1), [(1, 5, 7)], [0], "has 1 output; .* number 1"),
        (Dense(SIZE, BoxForm.CORNERS, 3, scores_output=1), [(1, 5, 4), (1, 4, 3)], [0], "scores of 4"),
        (PICKED, [(1, 5, 5)], [0], "rows of 6 numbers"),
        (replace(PICKED, score=Column(1)), [(1, 5, 6), (1, 4)], [0], "5 boxes, 4 scores and 5 classes"),
        (replace(PICKED, objectness=Column(1)), [(1, 5, 6), (1, 4)], [0], "5 scores and 4 numbers beside"),
    ],
)  # fmt: skip
def test_outputs_of_another_shape_are_refused(layout, outputs, wanted, message):
    with pytest.raises(InputError, match=message):
        Reader(layout).read([np.zeros(shape, np.float32) for shape in outputs], wanted, 0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "sparse"}, r'decoder\.kind is "sparse"; expected one of dense, picked'),
        ({"size": [0, 64]}, r"decoder\.size is \[0, 64\]; expected a list of 2 whole numbers from 1"),
        ({"classes": 0}, r"decoder\.classes is 0; expected a whole number from 1"),
        ({"form": "cells"}, r"decoder\.strides is \[\]"),
        ({"strides": [8]}, r"decoder\.strides is \[8\]"),
        ({"form": "cells", "size": [16384, 16384], "strides": [1]}, "grids of 4194304 cells at most"),
        ({"logits": 1}, r"decoder\.logits is 1; expected true or false"),
        ({"scores_output": -1}, r"decoder\.scores_output is -1"),
        ({"anchors": 3}, r"a field decoder\.anchors, which is not known here"),
    ],
)
def test_a_description_that_is_none_is_refused_with_its_field(change, message):
    description = Dense(SIZE, BoxForm.CORNERS, 3).description() | change
    with pytest.raises(InputError, match=message):
        _core.Decoder(json.dumps(description))


def test_a_description_without_a_field_or_of_no_json_is_refused():
    with pytest.raises(InputError, match=r"has no field decoder\.size"):
        _core.Decoder('{"kind": "dense"}')
    for text in ("", "[", "[]", "7", "{}"):
        with pytest.raises(InputError):
            _core.Decoder(text)
