# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How colors and types are told: accuracy and confusion, by name."""

import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.attributes import attributes

ORDER = ("red", "blue", "white")


def test_accuracy_and_confusion():
    told = attributes(["red", "blue", "blue", "white"], ["red", "red", "blue", "white"], ORDER)
    assert told.classes == ORDER
    assert told.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert (told.count, told.accuracy) == (4, 0.75)
    assert told.balanced == pytest.approx((0.5 + 1 + 1) / 3)
    record = {"accuracy": 0.75, "balanced_accuracy": told.balanced, "count": 4, "classes": list(ORDER)}
    assert told.to_json() == {**record, "confusion": told.confusion.tolist()}, "plain JSON"


def test_pictures_whose_class_nobody_told_do_not_count():
    told = attributes(["red", "blue"], ["red", None], ORDER)
    assert (told.count, told.accuracy, told.classes) == (1, 1.0, ("red",))
    assert attributes(["red"], [None]) is None


def test_a_network_may_have_classes_of_its_own():
    told = attributes(["silver", "red"], ["white", "red"], ORDER)
    assert told.classes == ("red", "white", "silver")
    assert told.accuracy == 0.5
    assert told.balanced == 0.5  # silver is no true class, so it has no share


def test_one_prediction_for_each_picture():
    with pytest.raises(InputError, match="2 predictions for 1 pictures"):
        attributes(["red", "red"], ["red"])
