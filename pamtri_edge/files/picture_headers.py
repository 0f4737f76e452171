# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a picture file says of itself before a pixel is decoded: its kind, its size, and whether it is whole.

OpenCV takes memory for whatever size a header claims, and fills what a file cut short lacks with gray.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

EOI: Final = b"\xff\xd9"
"""The marker that ends a JPEG."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_IEND: Final = b"\0\0\0\0IEND\xaeB`\x82"

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that a picture's size follows: the start of a frame, whatever its coding."""

_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
"""Those of them whose scans bring pixels instead of coefficients."""

_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a segment behind them."""

_AFTER_SCAN: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""What ends a scan: a marker that is neither a stuffed byte nor a restart."""

_COEFFICIENTS: Final = 64

_EXTRA_SAMPLES: Final = 338
"""The tag by which a TIFF says what its channels behind the colors are."""

_SEPARATE_ALPHA: Final = 2
"""There: how opaque a pixel is, beside colors that do not depend on it."""


@dataclass(frozen=True)
class Header:
    """What a picture file says of itself.

    Attributes:
        kind: "JPEG", "PNG", "BMP", "TIFF" or "WebP".
        width: pixels, as stored: an EXIF orientation may turn the picture.
        height: likewise.
        whole: whether nothing is known to be missing.
        content: the file without what stands behind the picture's end, with the mark of its end, and such
            that its colors are decoded as they are stored, whatever an alpha channel says.
        ended: whether that mark was there.
    """

    kind: str
    width: int
    height: int
    whole: bool
    content: bytes
    ended: bool = True


def read_header(content: bytes) -> Header | None:
    """Return what a picture file says of itself; None for a file of another kind.

    A side of 0 pixels stands for a header that is cut short or makes no sense.
    """
    for begins, read in _KINDS:
        if begins(content):
            return read(content)
    return None


@dataclass
class _Jpeg:
    """What has been seen of a JPEG so far."""

    width: int = 0
    height: int = 0
    missing: dict[int, set[int]] = field(default_factory=dict)
    """Per component the coefficients of which some bits are still to come."""
    scans: int = 0
    end: int | None = None


def _read_jpeg(content: bytes) -> Header:
    seen = _walk_jpeg(content)
    whole = seen.scans > 0 and not any(seen.missing.values())
    body = content[: seen.end] if seen.end is not None else _without_padding(content)
    return Header("JPEG", seen.width, seen.height, whole, body + EOI, ended=seen.end is not None)


def _walk_jpeg(content: bytes) -> _Jpeg:
    seen = _Jpeg()
    at = 2
    while at + 4 <= len(content) or content[at : at + 2] == EOI:
        if content[at] != 0xFF:  # libjpeg looks for the next marker too
            at = content.find(b"\xff", at)
            if at < 0:
                break
        marker = content[at + 1] if at + 1 < len(content) else 0
        if marker == 0xFF or marker in _ALONE or marker == 0:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == EOI[1]:
            seen.end = at
            break
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + length]
        at += 2 + length
        if marker in _FRAMES and len(segment) >= 6:
            seen.height, seen.width = struct.unpack_from(">HH", segment, 1)
            components = b"" if marker in _LOSSLESS else segment[6 : 6 + 3 * segment[5] : 3]
            seen.missing = {component: set(range(_COEFFICIENTS)) for component in components}
        elif marker == 0xDA:
            _note_scan(seen, segment)
            found = _AFTER_SCAN.search(content, at)
            if found is None:
                break
            at = found.start(1) - 1
    return seen


def _without_padding(content: bytes) -> bytes:
    """Take off what is no data: zeros, which a power cut leaves at the end of a file, and half a marker."""
    body = content.rstrip(b"\0")
    if not body.endswith(b"\xff"):
        return body
    return body + b"\0" if len(body) < len(content) else body[:-1]


def _note_scan(seen: _Jpeg, segment: bytes) -> None:
    """Take off what a scan brings: of a progressive picture some coefficients, and some of their bits."""
    count = segment[0] if segment else 0
    if len(segment) < 4 + 2 * count:
        return
    seen.scans += 1
    first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
    if bits & 0x0F == 0:  # no lower bits are to come
        for component in segment[1 : 1 + 2 * count : 2]:
            seen.missing.get(component, set()).difference_update(range(first, last + 1))


def _read_png(content: bytes) -> Header:
    width, height = struct.unpack_from(">II", content, 16) if len(content) >= 24 else (0, 0)
    end, intact, data = len(_PNG), True, []
    ended = False
    for kind, start, body in _chunks(content):
        if kind == b"IDAT":
            data.append(body)
        end = start + len(body) + 4
        # A name that begins with a capital is of a chunk that no picture can do without.
        if kind[:1].isupper():
            intact &= int.from_bytes(content[end - 4 : end], "big") == zlib.crc32(body, zlib.crc32(kind))
        if kind == b"IEND":
            ended = True
            break
    if ended:
        return Header("PNG", width, height, intact, content[:end])
    return Header("PNG", width, height, intact and _inflates(data), content[:end] + _IEND, ended=False)


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield the name, the place and the body of every whole chunk of a PNG."""
    at = len(_PNG)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if at + 12 + length > len(content):
            return
        yield content[at + 4 : at + 8], at + 8, content[at + 8 : at + 8 + length]
        at += 12 + length


def _inflates(data: list[bytes]) -> bool:
    """Tell whether compressed data reach their own end."""
    stream = zlib.decompressobj()
    try:
        for part in data:
            while part and not stream.eof:
                stream.decompress(part, 1 << 20)
                part = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def _read_bmp(content: bytes) -> Header:
    width = height = 0
    if len(content) >= 26:
        old = int.from_bytes(content[14:18], "little") == 12
        width, height = struct.unpack_from("<HH" if old else "<ii", content, 18)
    return Header("BMP", abs(width), abs(height), True, content)


def _read_webp(content: bytes) -> Header:
    width = height = 0
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X" and len(body) == 10:
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
    elif kind == b"VP8 " and len(body) == 10:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
    elif kind == b"VP8L" and len(body) >= 5:
        packed = int.from_bytes(body[1:5], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    whole = int.from_bytes(content[4:8], "little") + 8 <= len(content)
    return Header("WebP", width, height, whole, content)


def _read_tiff(content: bytes) -> Header:
    order = "<" if content[:2] == b"II" else ">"
    big = content[2:4] in (b"\x2b\0", b"\0\x2b")
    separate = None
    sides = {256: 0, 257: 0}
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), content, at)
        at += 8 if big else 2
        for entry in range(at, at + min(count, 4096) * (20 if big else 12), 20 if big else 12):
            tag, kind = struct.unpack_from(order + "HH", content, entry)
            if tag in sides:
                form = {1: "B", 3: "H", 16: "Q"}.get(kind, "I")
                (sides[tag],) = struct.unpack_from(order + form, content, entry + (12 if big else 8))
            elif (tag, kind) == (_EXTRA_SAMPLES, 3):
                (sample,) = struct.unpack_from(order + "H", content, entry + (12 if big else 8))
                separate = entry + (12 if big else 8) if sample == _SEPARATE_ALPHA else None
    except (struct.error, OverflowError):  # a place behind the end of the file
        sides = {256: 0, 257: 0}
    if separate is not None:  # so that libtiff leaves the colors alone, which it would multiply by it
        content = content[:separate] + bytes(2) + content[separate + 2 :]
    return Header("TIFF", sides[256], sides[257], True, content)


_KINDS: Final[tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Header]], ...]] = (
    (lambda content: content[:3] == b"\xff\xd8\xff", _read_jpeg),
    (lambda content: content[:8] == _PNG, _read_png),
    (lambda content: content[:2] == b"BM", _read_bmp),
    (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _read_webp),
    (lambda content: content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _read_tiff),
)
