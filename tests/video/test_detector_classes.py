# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.video.detect.classes import classes_of, parsed_names

VISDRONE = {0: "pedestrian", 1: "people", 2: "bicycle", 3: "car", 4: "van", 5: "truck"}
VISDRONE |= {6: "tricycle", 7: "awning-tricycle", 8: "bus", 9: "motor"}


@pytest.mark.parametrize(
    "text",
    [
        "{0: 'person', 1: 'car'}",
        '{"0": "person", "1": "car"}',
        "['person', 'car']",
        "person,car",
        "person\ncar\n",
        '{"person": 0, "car": 1}',
        '{"names": ["person", "car"]}',
        '[{"id": 0, "name": "person"}, {"id": 1, "name": "car"}]',
        "- person\n- car",
        "0: person\n1: 'car'",
    ],
)
def test_names_are_read_in_the_forms_in_which_programs_write_them(text: str) -> None:
    assert parsed_names(text) == {0: "person", 1: "car"}


@pytest.mark.parametrize("text", ["", "{", "7", "None", "null", "{'a': 'car'}", "\x00\x01"])
def test_what_holds_no_names_gives_none(text: str) -> None:
    assert parsed_names(text) == {}


def wanted(asked, **about):
    return classes_of("a.onnx", **about).wanted("a.onnx", asked)


def test_the_vehicles_of_a_network_that_names_its_classes_are_taken() -> None:
    classes = classes_of("a.onnx", names=VISDRONE, count=10)
    assert classes.wanted("a.onnx", None) == (3, 4, 5, 8)
    assert "car (3), van (4), truck (5), bus (8), not pedestrian, people" in classes.notice


def test_names_and_numbers_may_be_mixed_and_repeated() -> None:
    assert wanted(("9", "CAR", "3"), names=VISDRONE, count=10) == (3, 9)
    assert wanted(("truck", "0"), names={}, count=80) == (0, 7)
    assert wanted(("ŠKODA", "STRASSE", "007"), names={3: "škoda", 5: "straße"}, count=9) == (3, 5, 7)
    assert wanted((), names={}, count=3) == wanted(("All",), names={}, count=3) == (0, 1, 2)


def test_of_two_classes_of_one_name_the_last_is_taken() -> None:
    assert wanted(("car",), names={0: "car", 1: "Car"}, count=2) == (1,)


def test_published_networks_have_their_known_numbers() -> None:
    assert wanted(None, names={}, count=80) == (2, 5, 7)
    assert wanted(None, names={}, count=91) == (3, 6, 8)
    unsaid = classes_of("a.onnx", names={}, count=None, base=91)
    assert unsaid.wanted("a.onnx", None) == (3, 6, 8)
    assert "names no classes: taken as COCO's car (3), bus (6), truck (8)" in unsaid.notice


@pytest.mark.parametrize(
    ("asked", "names", "count", "message"),
    [
        (("tram",), {}, 80, r"'tram' is not a class of a\.onnx; accepted: bicycle, car, .* 0 to 79"),
        (("tram",), VISDRONE, 10, r"accepted: pedestrian, people, .* 0 to 9"),
        (("10",), VISDRONE, 10, r"'10' is not a class"),
        (("-1",), {}, 80, r"'-1' is not a class"),
        (("99999999999999999999",), {}, 80, r"'9{20}' is not a class"),
        (("\udcff",), {}, 80, r"'.udcff' is not a class"),
        (None, {}, 1, r"has 1 class and does not name .*--classes 0 \(0 to 0\)"),
        (None, {0: "ship", 1: "plane"}, 2, r"none is named like a vehicle \(ship, plane\)"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    asked: tuple[str, ...] | None, names: dict[int, str], count: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        wanted(asked, names=names, count=count)
