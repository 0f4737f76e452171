# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentifier, reidentifier
from pamtri_edge.errors import InputError

BOXES = [(10, 20, 110, 80), (0, 0, 320, 200), (5, 5, 6, 6), (200, 100, 320, 190)]


@pytest.fixture(scope="module")
def reid(micro_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(micro_bundle, threads=2) as reid:
        yield reid


@pytest.fixture(scope="module")
def frame() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (200, 320, 3), dtype=np.uint8)


def cut(frame: NDArray[np.uint8], boxes: Any) -> list[NDArray[np.uint8]]:
    return [frame[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes]


@pytest.mark.parametrize("geometry", ["unified", "original"])
def test_boxes_give_what_their_crops_give(
    micro_bundle: Path, original_bundle: Path, frame: NDArray[np.uint8], geometry: str
) -> None:
    with Reidentifier.load(micro_bundle if geometry == "unified" else original_bundle) as reid:
        found, meant = reid.embed_frame(frame, BOXES), reid.embed(cut(frame, BOXES))
    np.testing.assert_array_equal(found.embeddings, meant.embeddings)
    np.testing.assert_array_equal(found.color_probs, meant.color_probs)
    np.testing.assert_array_equal(found.quality, meant.quality)
    assert found.types == meant.types


def test_keypoints_come_back_in_frame_pixels(reid: Reidentifier, frame: NDArray[np.uint8]) -> None:
    found = reid.embed_frame(frame, BOXES).keypoints
    units = reid.embed(cut(frame, BOXES)).keypoints
    assert found is not None
    assert units is not None
    for row, (x1, y1, x2, y2) in enumerate(BOXES):
        np.testing.assert_allclose(found[row, :, 0], x1 + units[row, :, 0] * (x2 - x1), rtol=1e-5)
        np.testing.assert_allclose(found[row, :, 1], y1 + units[row, :, 1] * (y2 - y1), rtol=1e-5)
        np.testing.assert_array_equal(found[row, :, 2], units[row, :, 2])


def test_a_box_past_the_frame_is_clipped_and_rounded_outward(
    reid: Reidentifier, frame: NDArray[np.uint8]
) -> None:
    found = reid.embed_frame(frame, [(-50.5, 10.6, 99.2, 900)])
    np.testing.assert_array_equal(found.embeddings, reid.embed([frame[10:200, 0:100]]).embeddings)


def test_the_nvinfer_rule_cuts_even_rectangles(reid: Reidentifier, frame: NDArray[np.uint8]) -> None:
    found = reid.embed_frame(frame, [(11, 21, 110, 80)], crop_rule="nvinfer")
    np.testing.assert_array_equal(found.embeddings, reid.embed([frame[22:80, 12:110]]).embeddings)


def test_bgr_frames_give_what_their_rgb_gives(reid: Reidentifier, frame: NDArray[np.uint8]) -> None:
    turned = np.ascontiguousarray(frame[..., ::-1])
    np.testing.assert_array_equal(
        reid.embed_frame(turned, BOXES, color_order="bgr").embeddings,
        reid.embed_frame(frame, BOXES).embeddings,
    )


def test_many_boxes_are_prepared_in_pieces(
    reid: Reidentifier, frame: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reid.embed_frame(frame, BOXES)
    monkeypatch.setattr(reidentifier, "CHUNK", 3)
    found = reid.embed_frame(frame, BOXES)
    np.testing.assert_array_equal(found.embeddings, whole.embeddings)
    np.testing.assert_array_equal(found.keypoints, whole.keypoints)


@pytest.mark.parametrize("boxes", [[], np.zeros((0, 4))])
def test_no_boxes_give_empty_arrays(reid: Reidentifier, frame: NDArray[np.uint8], boxes: Any) -> None:
    found = reid.embed_frame(frame, boxes)
    assert len(found) == 0
    assert found.keypoints is not None
    assert found.keypoints.shape == (0, 36, 3)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((50, 10, 40, 60), "empty or inverted"),
        ((10, 60, 40, 10), "empty or inverted"),
        ((10, 10, 10, 60), "empty or inverted"),
        ((400, 10, 500, 60), "outside the 320x200 frame"),
        ((10, -60, 40, -10), "outside the 320x200 frame"),
        ((10, 10, np.nan, 60), "not finite"),
        ((10, 10, np.inf, 60), "not finite"),
    ],
)
def test_a_box_that_is_none_is_named(
    reid: Reidentifier, frame: NDArray[np.uint8], box: tuple[float, ...], said: str
) -> None:
    with pytest.raises(InputError, match=f"box 1, .*{said}"):
        reid.embed_frame(frame, [BOXES[0], box])


@pytest.mark.parametrize("boxes", [[10, 20, 30, 40], [(1, 2, 3)], np.zeros((2, 2, 4))])
def test_boxes_of_another_shape_are_refused(reid: Reidentifier, frame: NDArray[np.uint8], boxes: Any) -> None:
    with pytest.raises(InputError, match=r"expected \(N, 4\)"):
        reid.embed_frame(frame, boxes)


@pytest.mark.parametrize("bad", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), np.float32), None])
def test_a_frame_that_is_none_is_refused(reid: Reidentifier, bad: Any) -> None:
    with pytest.raises(InputError, match="the frame"):
        reid.embed_frame(bad, BOXES)


@pytest.mark.parametrize(
    "options", [{"crop_rule": "square"}, {"color_order": "gray"}], ids=lambda options: next(iter(options))
)
def test_options_that_do_not_exist_are_refused(
    reid: Reidentifier, frame: NDArray[np.uint8], options: dict[str, str]
) -> None:
    (name,) = options
    with pytest.raises(InputError, match=f"{name} is '{options[name]}'; accepted"):
        reid.embed_frame(frame, BOXES, **options)
