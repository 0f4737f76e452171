# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Picture files: the one place that lists and reads them.

Python reads the bytes, whatever the file's name is made of; the header is checked before memory is taken for
the pixels; a file that was cut short is refused instead of being filled up with gray.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Set
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.addresses import redact
from pamtri_edge.arrays import MOST_PIXELS
from pamtri_edge.errors import InputError
from pamtri_edge.files.kinds import PEEK, is_video, kind_of_other, kind_of_picture
from pamtri_edge.files.picture_headers import EOI, Header, read_header
from pamtri_edge.files.quiet import decoding
from pamtri_edge.files.regular import open_descriptor
from pamtri_edge.printable import counted, printable

SUFFIXES: Final = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""What the names of picture files end in, in small or capital letters."""

MOST_BYTES: Final = 2**30
"""Size of the largest file that is read as a picture."""

_KINDS: Final = "JPEG, PNG, BMP, TIFF or WebP"

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.]+:/+[^/]")  # as a Path has it: with one stroke

_STRIP: Final = 8  # pixels of a block of a JPEG

_FILLED: Final = (128, 64)
"""What stands in for missing blocks of a JPEG: the middle gray, which CMYK turns into the second."""


def list_pictures(folder: Path, *, say: Callable[[str], None] | None = None) -> list[Path]:
    """Return the picture files directly in a folder, in the order of their names.

    Names that begin with a dot are skipped: macOS puts a `._a.jpg` that is no picture beside each `a.jpg` on
    foreign disks. Folders and files with other suffixes are skipped too.

    Args:
        folder: where to look.
        say: is told how many files were skipped, if any were.

    Raises:
        InputError: there is no such folder, it cannot be read, or no picture is in it.
    """
    try:
        with os.scandir(folder) as entries:
            names = {entry.name: _is_folder(entry) for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"there is no folder of pictures {printable(folder)}; expected one with a picture a file."
        ) from None
    except OSError as error:
        raise InputError(f"the folder {printable(folder)} cannot be read: {error.strerror}.") from error
    pictures = [
        name
        for name, is_folder in names.items()
        if not is_folder and not name.startswith(".") and name.lower().endswith(SUFFIXES)
    ]
    hidden = [name for name in names if name.startswith(".") and name.lower().endswith(SUFFIXES)]
    folders = [name for name, is_folder in names.items() if is_folder and not name.startswith(".")]
    skipped = _skipped(len(hidden), names.keys() - {*hidden, *folders, *pictures}, len(folders))
    if not pictures:
        raise InputError(
            f"the folder {printable(folder)} holds no pictures; expected files ending in "
            f"{', '.join(SUFFIXES)}.{f' {skipped}' if skipped else ''}"
        )
    if say is not None and skipped:
        say(f"{printable(folder)}: {skipped}")
    return [folder / name for name in sorted(pictures)]


def read_picture(path: Path, *, least: int | None = None) -> NDArray[np.uint8]:
    """Decode a picture file.

    Gray and palette pictures become RGB, CMYK is converted, 16 bits are cut to the upper 8. An alpha
    channel is dropped: what is see-through counts with the colors that are stored for it. The EXIF
    orientation of a photograph is applied: what a viewer shows upright is upright here. Of several pictures
    in a file the first is taken.

    Args:
        path: the file.
        least: a smaller decoding will do as long as both sides have this many pixels (JPEG decodes at half
            size, without aliasing, in a third of the time).

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: it cannot be read, is no picture of a kind known here, is damaged or cut short, or has
            more than `MOST_PIXELS`.
    """
    header = _checked(path)
    flag = cv2.IMREAD_COLOR
    smaller = least is not None and least <= 128 and header.kind == "JPEG"
    if smaller and min(header.width, header.height) >= 2 * (least or 0):
        flag = cv2.IMREAD_REDUCED_COLOR_2
    picture = _decode(header.content, flag)
    if picture is None:
        raise InputError(
            f"{printable(path)} cannot be decoded: the {header.kind} file is damaged, or of a variety that "
            "OpenCV does not know. Replace it, save it anew, or take it out of its folder."
        )
    if header.kind == "JPEG" and _lacks_rows(header, picture, flag):
        raise _cut_short(path, header)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height of a picture without decoding it, as stored (before any EXIF orientation).

    Raises:
        InputError: as `read_picture`, as far as can be told without decoding.
    """
    header = _looked_at(path)
    return header.width, header.height


def check_pictures(paths: Iterable[Path]) -> None:
    """Look at every picture without decoding it, so that a bad one is found before hours of work.

    Raises:
        InputError: some cannot be read; the first are named.
    """
    bad: list[str] = []
    for path in paths:
        try:
            _looked_at(path)
        except InputError as error:
            bad.append(str(error))
    if bad:
        more = f"\n... and {len(bad) - 5} more pictures." if len(bad) > 5 else ""
        raise InputError("\n".join(bad[:5]) + more)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether a name is a folder's; a link that leads nowhere is left to the reader, which says so."""
    try:
        return entry.is_dir()
    except OSError:  # a loop of links, or a target behind a folder that may not be entered
        return False


def _skipped(hidden: int, others: Set[str], folders: int) -> str:
    """Say in a sentence what was left out of a list of pictures; nothing where nothing was."""
    endings = Counter(sorted(os.path.splitext(name)[1].lower() for name in others))  # noqa: PTH122 - no path
    del endings[""]
    shown = [printable(ending) for ending, _ in endings.most_common(3)] + ["..."] * (len(endings) > 3)
    parts = []
    if hidden:
        parts.append(counted(hidden, "hidden file"))
    if others:
        kinds = f" ({', '.join(shown)})" if shown else ""
        parts.append(counted(len(others), "file of another kind", "files of other kinds") + kinds)
    if folders:
        parts.append(f"{counted(folders, 'folder')}, not looked into")
    return f"Skipped: {'; '.join(parts)}." if parts else ""


def _looked_at(path: Path) -> Header:
    """Return the header of a whole picture file; decode it only where the mark of its end is missing."""
    header = _checked(path)
    if not header.ended:
        read_picture(path)
    return header


def _checked(path: Path) -> Header:
    """Return the header of a picture file that may be decoded."""
    content = _read_bytes(path)
    header = read_header(content)
    if header is None:
        raise _of_another_kind(path, content)
    if header.width * header.height > MOST_PIXELS:
        raise InputError(
            f"{printable(path)} claims {header.width:,} x {header.height:,} pixels; at most {MOST_PIXELS:,} "
            "are accepted. Make it smaller, or take it out of its folder."
        )
    if not header.whole or header.width < 1 or header.height < 1:
        raise _cut_short(path, header)
    return header


def _read_bytes(path: Path) -> bytes:
    try:
        descriptor = open_descriptor(path, error=InputError, expected=f"a picture file ({_KINDS})")
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if facts.st_size > MOST_BYTES:
                raise InputError(
                    f"{printable(path)} has {facts.st_size:,} bytes; a picture file of at most "
                    f"{MOST_BYTES:,} is expected."
                )
            content = file.read(facts.st_size)  # no more: memory is taken for as much as is asked for
    except FileNotFoundError:
        if _ADDRESS.match(str(path)):
            raise InputError(
                f"{redact(str(path).replace(':/', '://', 1))} is an address; expected a picture file at this "
                "machine. Fetch it first."
            ) from None
        raise InputError(f"there is no picture {printable(path)}; expected a file ({_KINDS}).") from None
    except OSError as error:
        raise InputError(f"the picture {printable(path)} cannot be read: {error.strerror}.") from error
    if not content:
        raise InputError(f"{printable(path)} is empty (0 bytes); replace it or take it out of its folder.")
    return content


def _decode(content: bytes, flag: int) -> NDArray[np.uint8] | None:
    """Return a picture as OpenCV has it, BGR; None where it cannot be decoded."""
    try:
        with decoding():
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    except cv2.error:
        return None
    return None if picture is None or picture.size == 0 else np.asarray(picture, np.uint8)


def _lacks_rows(header: Header, picture: NDArray[np.uint8], flag: int) -> bool:
    """Tell whether a JPEG's data end before its last block.

    If they do, more data behind them change the picture; behind the last block nothing is looked at. This is
    tried where there is reason to, since the decoder then complains on stderr: the mark of the end is
    missing, or the last block is of that gray which blocks without data get.
    """
    if header.ended and not _ends_gray(picture, turned=b"Exif\0" in header.content[:4096]):
        return False
    more = b"".join(_NOISE + bytes((0xFF, 0xD0 + number)) for number in range(8)) + _NOISE
    other = _decode(header.content[: -len(EOI)] + more + EOI, flag)
    return other is None or not np.array_equal(picture, other)


_NOISE: Final = bytes(37 * index % 251 for index in range(1, 65))
"""Data that no picture goes on with; restart markers between them begin any section that is missing."""


def _ends_gray(picture: NDArray[np.uint8], *, turned: bool) -> bool:
    """Tell whether the last pixels are the gray of missing data; of a turned picture at any corner."""
    # Of the last block, behind which is nothing to be seen; colors of the block before it reach into it.
    last = (2 + (picture.shape[1] - 1) % _STRIP) // 2
    ends = [picture[-1, -last:]]
    if turned:
        ends = [picture[row, column].reshape(1, 3) for row in (0, -1) for column in (0, -1)]
    return any(
        bool((end == end[0]).all())
        and any(bool((np.abs(end[0].astype(np.int16) - gray) <= 2).all()) for gray in _FILLED)
        for end in ends
    )


def _cut_short(path: Path, header: Header) -> InputError:
    return InputError(
        f"{printable(path)} is a damaged {header.kind}: the file is cut short or was changed. Copy it again, "
        "or take it out of its folder."
    )


def _of_another_kind(path: Path, content: bytes) -> InputError:
    picture = kind_of_picture(content)
    if picture is not None:
        return InputError(
            f"{printable(path)} is {picture}, which is not read here; expected {_KINDS}. Convert it, or "
            "take it out of its folder."
        )
    kind = kind_of_other(content[:PEEK]) or ("a video" if is_video(content[:PEEK]) else None)
    if kind is None:
        kind = "something else" if content.strip(b"\0") else "nothing but zeros"
    return InputError(
        f"{printable(path)} is {kind}, not a picture; expected {_KINDS}. Replace it or take it out of its "
        "folder."
    )
