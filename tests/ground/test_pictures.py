# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Picture files: which are found in a folder, what is read of them, and which are refused."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import samples
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import MOST_PIXELS, check_pictures, list_pictures, picture_size, read_picture

EOI = b"\xff\xd9"
WAYS: dict[str, list[int]] = {
    "baseline": [],
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "restarts": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2],
    "full chroma": [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
}


@pytest.fixture(scope="module")
def crop() -> NDArray[np.uint8]:
    return samples.crops(1)[0]


def encoded(picture: NDArray[Any], suffix: str, options: list[int] | None = None) -> bytes:
    """Return the bytes of a picture file; `picture` is gray, RGB or RGB with alpha."""
    if picture.ndim == 3:
        picture = picture[..., [2, 1, 0, *range(3, picture.shape[2])]]
    done, content = cv2.imencode(suffix, picture, options or [])
    assert done
    return bytes(content)


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_every_kind_is_read_as_rgb_of_its_own_size(tmp_path, crop, suffix):
    path = saved(tmp_path / f"a{suffix}", encoded(crop, suffix))
    picture = read_picture(path)
    assert picture_size(path) == (crop.shape[1], crop.shape[0])
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    if suffix != ".jpg":
        assert np.abs(picture.astype(int) - crop).mean() < (3 if suffix == ".webp" else 0.01)


def test_gray_alpha_and_sixteen_bits_become_rgb_of_eight(tmp_path, crop):
    gray = crop[..., 1]
    alpha = np.dstack([crop, np.full(gray.shape, 9, np.uint8)])
    deep = crop.astype(np.uint16) * 257
    np.testing.assert_array_equal(
        read_picture(saved(tmp_path / "g.png", encoded(gray, ".png"))), np.dstack([gray] * 3)
    )
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "a.png", encoded(alpha, ".png"))), crop)
    for suffix in (".png", ".tiff"):
        np.testing.assert_array_equal(
            read_picture(saved(tmp_path / f"d{suffix}", encoded(deep, suffix))), crop
        )


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"\xff\xfe.JPG", "страница.jpg".encode(), b"a\nb\x1b[2J.jpg"]
)
def test_a_name_may_be_any_bytes(tmp_path, crop, name):
    path = tmp_path / os.fsdecode(name)
    saved(path, encoded(crop, ".jpg"))
    assert list_pictures(tmp_path) == [path]
    assert read_picture(path).shape == crop.shape


@pytest.mark.parametrize(
    ("name", "shown"), [(b"caf\xe9.png", r"caf\xe9.png"), (b"\x1b[2J.png", r"\x1b[2J.png")]
)
def test_an_error_spells_out_what_cannot_be_printed_of_a_name(tmp_path, name, shown):
    with pytest.raises(InputError) as caught:
        read_picture(saved(tmp_path / os.fsdecode(name), b"text"))
    assert shown in str(caught.value)
    str(caught.value).encode()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


HUGE = {
    "png": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)),
    "jpg": b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 65_000, 65_000) + b"\x03" + bytes(9) + EOI,
    "bmp": b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 100_000, -100_000, 1, 24) + bytes(24),
    "tif": b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 256, 4, 1, 100_000, 257, 4, 1, 100_000),
    "webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\x9f\x86\x01\x9f\x86\x01",
}


@pytest.mark.parametrize("suffix", HUGE)
def test_a_header_that_claims_too_many_pixels_is_refused_before_memory_is_taken(tmp_path, suffix):
    path = saved(tmp_path / f"a.{suffix}", HUGE[suffix])
    for look in (read_picture, picture_size):
        with pytest.raises(
            InputError, match=rf"a\.{suffix} claims [\d,]+ x [\d,]+ pixels; at most {MOST_PIXELS:,}"
        ):
            look(path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kept", [0.4, 0.7, 0.98])
@pytest.mark.parametrize("behind", [b"", bytes(5000), EOI], ids=["nothing", "zeros", "an end"])
def test_a_jpeg_that_was_cut_short_is_refused(tmp_path, crop, way, kept, behind):
    content = encoded(crop, ".jpg", WAYS[way])
    if way == "progressive" and behind == EOI:
        kept = min(kept, 0.7)  # less of the last pass costs nothing but the finest shades, and nothing tells
    path = saved(tmp_path / "cut.jpg", content[: int(kept * len(content))] + behind)
    with pytest.raises(InputError, match=r"cut\.jpg is a damaged JPEG"):
        read_picture(path)
    if behind != EOI:  # else only decoding tells
        with pytest.raises(InputError, match=r"cut\.jpg is a damaged JPEG"):
            check_pictures([path])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(64, 48), (17, 33), (1, 1), (240, 320)])
def test_a_whole_jpeg_is_read_though_its_end_mark_is_lost_or_something_follows(tmp_path, crop, way, shape):
    content = encoded(np.ascontiguousarray(cv2.resize(crop, shape[::-1])), ".jpg", WAYS[way])
    expected = read_picture(saved(tmp_path / "whole.jpg", content))
    for name, other in {
        "lost": content[:-2],
        "half": content[:-1],
        "padded": content + bytes(700),
        "followed": content + b"camera notes" * 900 + content[: len(content) // 2],
    }.items():
        np.testing.assert_array_equal(read_picture(saved(tmp_path / f"{name}.jpg", other)), expected)


def test_the_decoder_does_not_complain_of_a_whole_jpeg_with_an_even_corner(tmp_path, crop, capfd):
    crop = cv2.resize(crop, (84, 67))
    crop[40:, 40:] = (101, 102, 100)
    read_picture(saved(tmp_path / "road.jpg", encoded(crop, ".jpg")))
    assert capfd.readouterr().err == ""


def test_a_jpeg_of_one_color_is_no_damaged_one(tmp_path):
    for level in (0, 128, 255):
        path = saved(tmp_path / f"{level}.jpg", encoded(np.full((40, 50, 3), level, np.uint8), ".jpg"))
        assert (read_picture(path) == level).all()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
@pytest.mark.parametrize("kept", [0.01, 0.5, 0.97])
def test_other_kinds_that_were_cut_short_are_refused(tmp_path, crop, suffix, kept):
    content = encoded(crop, suffix)
    path = saved(tmp_path / f"cut{suffix}", content[: max(12, int(kept * len(content)))])
    with pytest.raises(InputError, match=rf"cut\{suffix} (is a damaged|cannot be decoded)"):
        read_picture(path)


def test_a_png_is_refused_where_its_checksums_do_not_hold_and_read_where_only_its_end_is_lost(tmp_path, crop):
    content = encoded(crop, ".png")
    changed = bytearray(content)
    changed[len(content) // 2] ^= 0x10
    with pytest.raises(InputError, match="is a damaged PNG"):
        read_picture(saved(tmp_path / "changed.png", bytes(changed)))
    np.testing.assert_array_equal(read_picture(saved(tmp_path / "lost.png", content[:-12])), crop)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (bytes(900), "is nothing but zeros, not a picture; expected JPEG, PNG, BMP, TIFF or WebP"),
        (b"GIF89a" + bytes(90), "is a GIF, which is not read here; expected JPEG, .* Convert it"),
        (b"\0\0\0\x18ftypheic" + bytes(90), "is an HEIC, which is not read here"),
        (b"\0\0\0\x0cJXL \r\n" + bytes(90), "is a JPEG XL, which is not read here"),
        (b"P6\n4 4\n255\n" + bytes(48), "is a PNM"),
        (b"\0\0\0\x18ftypisom" + bytes(90), "is a video, not a picture"),
        (b"\xef\xbb\xbf\n<HTML>" + bytes(90), "is a web page, not a picture"),
        (b"\x00\x05\x16\x07" + bytes(90), "AppleDouble"),
    ],
)
def test_a_file_that_is_no_picture_is_called_what_it_is(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read_picture(saved(tmp_path / "a.jpg", content))


def test_pipes_devices_folders_and_absent_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    for path, said in (
        (tmp_path / "pipe.jpg", "is a pipe; expected a picture file"),
        (Path("/dev/zero"), "is a device; expected a picture file"),
        (tmp_path / "folder.jpg", r" is a folder; expected a picture file \([^.]*\)\.$"),
        (Path("https://host/a.jpg"), r"^https://host/.* is an address; .* Fetch it first\.$"),
        (tmp_path / "absent.jpg", "there is no picture"),
        (tmp_path / "loop.jpg", "cannot be read"),
        (tmp_path / "x\0.jpg", "cannot be read"),
    ):
        with pytest.raises(InputError, match=said):
            read_picture(path)


def test_a_photograph_is_turned_upright(tmp_path, crop):
    content = encoded(crop, ".jpg")
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    exif = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    plain = read_picture(saved(tmp_path / "a.jpg", content))
    turned = read_picture(saved(tmp_path / "b.jpg", content[:2] + segment + content[2:]))
    np.testing.assert_array_equal(turned, np.rot90(plain, -1))


def test_a_folder_gives_its_pictures_by_name_and_leaves_out_what_is_hidden_or_of_another_kind(tmp_path, crop):
    for name in ("b.JPG", "a.png", "10.jpeg", "2.TIFF"):
        saved(tmp_path / name, b"content")
    for name in ("._a.png", ".DS_Store", ".hidden.jpg", "labels.csv", "Thumbs.db"):
        saved(tmp_path / name, b"content")
    (tmp_path / "more.jpg").mkdir()
    (tmp_path / "loop.png").symlink_to("loop.png")  # one bad picture, not a bad folder
    said: list[str] = []
    names = [path.name for path in list_pictures(tmp_path, say=said.append)]
    assert names == ["10.jpeg", "2.TIFF", "a.png", "b.JPG", "loop.png"]
    assert len(said) == 1
    assert said[0].endswith("2 hidden files; 3 files of other kinds (.csv, .db); 1 folder, not looked into.")


def test_a_folder_without_pictures_says_what_it_holds_instead(tmp_path):
    saved(tmp_path / "._a.jpg", b"content")
    with pytest.raises(InputError, match=r"holds no pictures; .* Skipped: 1 hidden file\."):
        list_pictures(tmp_path)
    with pytest.raises(InputError, match="there is no folder of pictures"):
        list_pictures(tmp_path / "absent")
    with pytest.raises(InputError, match="there is no folder of pictures"):
        list_pictures(tmp_path / "._a.jpg")


def test_a_jpeg_may_be_decoded_at_half_size_where_that_will_do(tmp_path, crop):
    path = saved(tmp_path / "a.jpg", encoded(cv2.resize(crop, (256, 256)), ".jpg"))
    assert read_picture(path, least=128).shape == (128, 128, 3)
    assert read_picture(path, least=160).shape == (256, 256, 3)


def test_a_picture_that_only_looks_whole_is_named(tmp_path):
    start = b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03\x01\x11\0\x02\x11\0\x03\x11\0"
    scan = b"\xff\xda\x00\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0"
    path = saved(tmp_path / "a.jpg", start + scan + b"no tables" * 9 + EOI)
    assert picture_size(path) == (16, 16)
    with pytest.raises(InputError, match=r"a\.jpg cannot be decoded: the JPEG file is damaged"):
        read_picture(path)


def test_what_is_no_picture_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            read_picture(tmp_path / "a.png")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
