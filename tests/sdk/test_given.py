# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `embed` and `embed_frame` take as a picture beside arrays."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentification, Reidentifier, gallery, reidentifier, samples
from pamtri_edge.errors import InputError

BOXES = [[5, 5, 40, 40]]


@pytest.fixture(scope="module")
def reid(micro_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(micro_bundle, backend="openvino", threads=2) as reid:
        yield reid


@pytest.fixture
def crops(tmp_path: Path) -> list[NDArray[np.uint8]]:
    """Two RGB crops, which also lie in a.png and b.png."""
    crops = samples.crops(2)
    for name, crop in zip("ab", crops, strict=True):
        cv2.imwrite(str(tmp_path / f"{name}.png"), crop[..., ::-1])
    return crops


def same(one: Reidentification, other: Reidentification) -> bool:
    return bool(np.abs(one.embeddings - other.embeddings).max() < 1e-6)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_files_are_taken_whatever_order_arrays_have(
    reid: Reidentifier, crops: list[NDArray[np.uint8]], tmp_path: Path, order: str
) -> None:
    expected = reid.embed(crops)
    array = crops[1] if order == "rgb" else np.ascontiguousarray(crops[1][..., ::-1])
    assert same(reid.embed([tmp_path / "a.png", str(tmp_path / "b.png")], color_order=order), expected)
    assert same(reid.embed([str(tmp_path / "a.png"), array], color_order=order), expected)
    framed = reid.embed_frame(tmp_path / "b.png", BOXES, color_order=order)
    assert same(framed, reid.embed_frame(crops[1], BOXES))


def test_many_files_are_read_a_part_at_a_time(
    reid: Reidentifier, crops: list[NDArray[np.uint8]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reidentifier, "CHUNK", 2)
    paths = [tmp_path / "a.png", tmp_path / "b.png"] * 3
    assert same(reid.embed(paths), reid.embed(crops * 3))
    with pytest.raises(InputError, match=r"crop 6: .*none\.png"):
        reid.embed([*paths, tmp_path / "none.png"])


def test_pictures_of_pillow_are_taken(reid: Reidentifier, crops: list[NDArray[np.uint8]]) -> None:
    image = pytest.importorskip("PIL.Image")
    for order in ("rgb", "bgr"):
        found = reid.embed([image.fromarray(crop) for crop in crops], color_order=order)
        assert same(found, reid.embed(crops))
    gray = image.fromarray(crops[0]).convert("L")
    assert same(reid.embed([gray]), reid.embed([np.array(gray.convert("RGB"))]))
    with pytest.raises(InputError, match=r"crop 0 is a picture of Pillow in mode 'I;16'; expected 8 bits"):
        reid.embed([image.fromarray(np.zeros((8, 8), np.uint16))])
    with pytest.raises(InputError, match=r"a single picture; pass a list"):
        reid.embed(gray)
    data = cv2.imencode(".jpg", crops[0])[1].tobytes()
    cut, closed = image.open(io.BytesIO(data[: len(data) // 2])), image.open(io.BytesIO(data))
    closed.close()
    for broken in (cut, closed):
        with pytest.raises(InputError, match=r"crop 0 is a picture of Pillow that cannot be decoded"):
            reid.embed([broken])


@pytest.mark.parametrize(
    ("suffix", "orientation"), [*(("jpg", turn) for turn in range(1, 9)), ("png", 6), ("tif", 6), ("webp", 6)]
)
def test_a_photograph_is_upright_whether_pillow_opens_it_or_its_path_is_given(
    reid: Reidentifier, tmp_path: Path, suffix: str, orientation: int
) -> None:
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    image.fromarray(samples.crops(1)[0]).save(
        path, exif=exif, **({"lossless": True} if suffix == "webp" else {})
    )
    with image.open(path) as opened:
        found = reid.embed([path, opened, opened.convert("RGB")]).embeddings
    assert np.abs(found - found[0]).max() < (0.02 if suffix == "jpg" else 1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_what_is_see_through_counts_with_its_stored_colors(
    reid: Reidentifier, crops: list[NDArray[np.uint8]], tmp_path: Path, suffix: str
) -> None:
    image = pytest.importorskip("PIL.Image")
    alpha = np.full(crops[0].shape[:2], 255, np.uint8)
    alpha[:, ::2] = 0
    path = tmp_path / f"a.{suffix}"
    lossless = {"lossless": True, "exact": True} if suffix == "webp" else {}
    image.fromarray(np.dstack([crops[0], alpha])).save(path, **lossless)
    with image.open(path) as opened:
        assert same(reid.embed([path, opened]), reid.embed([crops[0], crops[0]]))


def test_a_view_that_repeats_pixels_takes_no_more_than_a_picture_may_have(reid: Reidentifier) -> None:
    with pytest.raises(InputError, match=r"crop 0 has 20,000 x 20,000 pixels; at most 134,217,728"):
        reid.embed([np.broadcast_to(np.uint8(7), (20_000, 20_000, 3))])
    with pytest.raises(MemoryError):
        reid.embed(np.broadcast_to(np.uint8(7), (2**40, 8, 8, 3)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr"])
def test_pillows_modes_of_8_bits_become_rgb(
    reid: Reidentifier, crops: list[NDArray[np.uint8]], mode: str
) -> None:
    image = pytest.importorskip("PIL.Image")
    palette = mode in ("P", "PA")
    picture = image.fromarray(crops[0]).convert("P").convert(mode) if palette else image.fromarray(crops[0])
    picture = picture.convert(mode)
    assert same(reid.embed([picture]), reid.embed([np.array(picture.convert("RGB"))]))


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_pillows_modes_of_more_bits_are_refused(reid: Reidentifier, mode: str) -> None:
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(InputError, match=f"in mode '{mode}'; expected 8 bits a channel"):
        reid.embed([image.new(mode, (40, 30))])


def test_files_that_are_no_pictures_are_named(reid: Reidentifier, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(cv2.imencode(".png", samples.crops(1)[0])[1].tobytes()[:99])
    for name, said in (
        ("empty.jpg", r"crop 0: .*empty\.jpg is empty \(0 bytes\)"),
        ("text.jpg", r"crop 0: .*text\.jpg is something else, not a picture"),
        ("cut.png", r"crop 0: .*cut\.png is a damaged PNG"),
        ("none.jpg", r"crop 0: there is no picture .*none\.jpg"),
        (".", r"crop 0: .* is a folder"),
    ):
        with pytest.raises(InputError, match=said):
            reid.embed([tmp_path / name])


def test_tensors_on_the_host_are_taken(reid: Reidentifier, crops: list[NDArray[np.uint8]]) -> None:
    torch = pytest.importorskip("torch")
    assert same(reid.embed([torch.from_numpy(crop) for crop in crops]), reid.embed(crops))
    batch = np.stack([crops[0], crops[0][::-1]])
    assert same(reid.embed(torch.from_numpy(batch)), reid.embed(batch))
    one = torch.from_numpy(crops[0])
    assert same(reid.embed_frame(one, BOXES), reid.embed_frame(crops[0], BOXES))
    boxes = torch.tensor(BOXES, dtype=torch.float32, requires_grad=True)
    assert same(reid.embed_frame(one, boxes), reid.embed_frame(crops[0], BOXES))
    for tensor, said in (
        (one.permute(2, 0, 1), r"looks channel-first; transpose it"),
        (one / 255, r"Values 0\.\.1 become bytes"),
        ((one / 255).requires_grad_(), r"Values 0\.\.1 become bytes"),
        (one.to(torch.bfloat16), r"a tensor of torch\.bfloat16 that NumPy cannot read"),
        (one.to_sparse(), r"that NumPy cannot read"),
        (one.to("meta"), r"Unknown device type|that NumPy cannot read"),
    ):
        with pytest.raises(InputError, match=said):
            reid.embed([tensor])


def test_two_results_of_embed_can_be_matched_as_they_are(
    reid: Reidentifier, crops: list[NDArray[np.uint8]]
) -> None:
    found = gallery.match(reid.embed(crops), reid.embed(crops[::-1]), threshold=-1.0)
    assert {(pair.first, pair.second) for pair in found.pairs} == {(0, 1), (1, 0)}


def test_a_result_and_the_reidentifier_are_shown_in_a_line(
    reid: Reidentifier, crops: list[NDArray[np.uint8]]
) -> None:
    found = reid.embed(crops)
    assert found.colors is not None
    assert found.types is not None
    first = f"{found.colors[0]} {found.types[0]}"
    assert repr(found).startswith(f"<Reidentification: 2 vehicles ({first}, ")
    assert repr(found).endswith("embeddings 2 x 16>")
    assert repr(reid.embed(crops[:1])).startswith("<Reidentification: 1 vehicle (")
    assert repr(reid.embed([])) == "<Reidentification: 0 vehicles, embeddings 0 x 16>"
    space = re.escape(reid.manifest.embedding_space[:19])
    assert re.fullmatch(
        rf"<Reidentifier: .*\.pamtri, space {space}, openvino on cpu, \w+ arithmetic>", repr(reid)
    )
