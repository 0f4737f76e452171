# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What kind a file is by its first bytes, whatever its name says.

For messages about files that are of another kind than was expected, pictures and networks above all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PEEK: Final = 512
"""How many of the first bytes are enough."""

_NO_PICTURE: Final = (
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\x00\x05\x16\x07", "a macOS resource file (AppleDouble)"),
    (b"version https://git-lfs", "a pointer of Git LFS to a file that was not fetched"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"PK\3\4", "a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"ID3", "an MP3"),
)
_PICTURES: Final = (
    (b"GIF8", "a GIF"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"II\xbc\x01", "a JPEG XR"),
    (b"8BPS", "a Photoshop file"),
    (b"v/1\x01", "an OpenEXR"),
    (b"#?RADIANCE", "a Radiance HDR"),
    (b"qoif", "a QOI"),
    (b"DDS ", "a DDS"),
    (b"\0\0\1\0", "an icon"),
    (b"icns", "an icon"),
    *((b"P%d%c" % (kind, blank), "a PNM (PPM, PGM, PBM)") for kind in range(1, 8) for blank in b"\n\r\t "),
)
_BOXED: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "an HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF"),
}
_MARKUP: Final = (
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    (b"data:", "a data address (base64)"),
)


def kind_of_picture(start: bytes) -> str | None:
    """Return which kind of picture, among those that are not read here, begins so; None for none."""
    if start[4:8] == b"ftyp" and start[8:12] in _BOXED:
        return _BOXED[start[8:12]]
    return next((kind for begin, kind in _PICTURES if start.startswith(begin)), None)


def kind_of_other(start: bytes) -> str | None:
    """Return what begins so and is neither picture nor video; None where that is not known."""
    found = next((kind for begin, kind in _NO_PICTURE if start.startswith(begin)), None)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return found or next((kind for begin, kind in _MARKUP if text.startswith(begin)), None)


def is_video(start: bytes) -> bool:
    """Tell whether a file begins as the usual videos do: MP4, MOV, Matroska, WebM, AVI, MPEG, FLV."""
    return (
        (start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and start[8:12] not in _BOXED)
        or start.startswith((b"\x1aE\xdf\xa3", b"FLV\1", b"\0\0\1\xba", b"\0\0\1\xb3", b"0&\xb2u"))
        or (start[:4] == b"RIFF" and start[8:12] == b"AVI ")
        or (start[:1] == b"G" and start[188:189] == b"G" and start[376:377] == b"G")
    )


ONNX: Final = "a network in ONNX form"
PYTORCH: Final = "a file of PyTorch"
PICKLE: Final = "a pickle, as PyTorch and others write it"
SAFETENSORS: Final = "weights as safetensors"
OPENVINO: Final = "a network of OpenVINO (XML)"
TFLITE: Final = "a network of TensorFlow Lite"
_TAR: Final = "a tar archive"

_NETWORKS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = tuple(
    (re.compile(start, re.DOTALL), kind)
    for start, kind in (
        (rb"PK\x03\x04.{26,300}?FB.\x00Z", PYTORCH),  # its way to align what it packs
        (rb"\x80[\x02-\x05]", PICKLE),
        (rb".{8}\{\"", SAFETENSORS),
        (rb"[fp]trt", "a TensorRT engine, bound to one GPU"),
        (rb".{4}TFL3", TFLITE),
        (rb"\x89HDF", "a file of Keras (HDF5)"),
        (rb"\s*<\?xml", OPENVINO),
        (rb".{257}ustar", _TAR),
        (rb"\x08[\x01-\x1f][\x12\x1a\x22\x2a\x32\x3a\x42]", ONNX),
    )
)
_UNPACK: Final = "Unpack it, and give the file in it."
_REMEDIES: Final = {
    _TAR: _UNPACK,
    **{kind_of_other(start): _UNPACK for start in (b"PK\3\4", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf\x27\x1c")},
    kind_of_other(b"<html"): "Download the file itself, not the page that offers it.",
    kind_of_other(b"version https://git-lfs"): "Fetch it: git lfs pull, or download the file itself.",
}


def network_kind(path: Path) -> tuple[str, str] | None:
    """Return what a file is, and what to do with it where that is the same for all; None where unknown.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(PEEK)
    kind = next((kind for pattern, kind in _NETWORKS if pattern.match(start)), None) or kind_of_other(start)
    return None if kind is None else (kind, _REMEDIES.get(kind, ""))
