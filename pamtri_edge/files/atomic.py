# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Folders and files that appear whole or not at all: written beside their final name, then renamed to it."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pamtri_edge.files.owners import TOKEN, from_token, this_process

_NO_REPLACE: Final = 1  # RENAME_NOREPLACE of linux/fs.h
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
_HERE: Final = -100  # AT_FDCWD of fcntl.h
_TEMPORARY: Final = re.compile(rf"\..*\.(?P<owner>{TOKEN})-[0-9a-f]{{8}}\.tmp", re.DOTALL)
_LONGEST_NAME: Final = 255  # bytes
_FORGOTTEN_S: Final = 24 * 3600.0
_UNSUPPORTED: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


class StagedFolder:
    """A folder under a temporary name beside its final one.

    Attributes:
        path: the temporary folder; write here.
        final: where `publish` puts it.
    """

    def __init__(self, path: Path, final: Path, *, overwrite: bool) -> None:
        self.path = path
        self.final = final
        self._overwrite = overwrite

    def publish(self) -> Path:
        """Flush everything to disk and give the folder its final name.

        A kill at any moment leaves the old folder, the new one, or nothing where there was nothing;
        never a part. (On file systems without an atomic exchange a kill between two renames leaves the
        old folder as `previous_of(final)`.)

        Returns:
            The final path.

        Raises:
            FileExistsError: the final name is taken and `overwrite` was not given.
        """
        flush_tree(self.path)
        if self._overwrite and self.final.exists():
            _exchange(self.path, self.final)
        else:
            _rename_new(self.path, self.final)
        _flush(self.final.parent)
        return self.final


@contextmanager
def staged_folder(final: Path, *, overwrite: bool = False) -> Iterator[StagedFolder]:
    """Give a temporary folder beside `final`; leave nothing of it unless it was published.

    Args:
        final: the name that the folder gets at `publish()`. Missing parents are made (and removed again
            if nothing is published). A symbolic link is followed.
        overwrite: replace what is there.

    Raises:
        FileExistsError: the name is taken and `overwrite` is False.
    """
    final = Path(os.path.realpath(final))
    if not overwrite and os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    made = make_parents(final.parent)
    try:
        sweep(final.parent)
        path = temporary_beside(final)
        path.mkdir()  # not mkdtemp, which would make the finished folder private to this user
        try:
            yield StagedFolder(path, final, overwrite=overwrite)
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        for folder in made:  # deepest first; rmdir refuses the ones in use
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def staged_file(final: Path, *, flush: bool = True, keep: Path | None = None) -> Iterator[Path]:
    """Give a temporary name beside `final`; what was written there takes the final name at the end.

    A reader sees the old content or the new. After an error nothing is left of it.

    Args:
        final: the name that the file gets.
        flush: write it through to the disk first, so that a power cut leaves the old content or the new
            too; for many small files, of which none matters alone, this takes too long.
        keep: another name for what had the final one.
    """
    temporary = temporary_beside(final)
    try:
        yield temporary
        publish(temporary, final, flush=flush, keep=keep)
    finally:
        temporary.unlink(missing_ok=True)


def publish(draft: Path, final: Path, *, flush: bool = True, keep: Path | None = None) -> None:
    """Give a file that was written under another name its final one: for drafts that outlive a block.

    Args:
        draft: a whole file on the same file system.
        final: the name that it gets.
        flush: see `staged_file`.
        keep: see `staged_file`; a kill in between leaves the old file under this name alone.
    """
    if flush:
        _flush(draft)
    if keep is not None and final.exists():
        final.replace(keep)
    draft.replace(final)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; see `staged_file`.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    with staged_file(path) as temporary:
        temporary.write_bytes(content)


def temporary_beside(final: Path) -> Path:
    """Return a hidden name beside `final` that says which process it belongs to; see `sweep`."""
    end = f".{this_process().token}-{secrets.token_hex(4)}.tmp"
    start = os.fsencode(final.name)[: _LONGEST_NAME - len(end) - 1].decode(errors="ignore")
    return final.with_name(f".{start}{end}")


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes left in a folder.

    Those of processes on other machines are removed when nothing in them has changed for a day.
    """
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - names suffice
            match = _TEMPORARY.fullmatch(name)
            owner = from_token(match["owner"]) if match else None
            path = folder / name
            if owner is None or not (owner.gone or (owner.elsewhere and _is_forgotten(path))):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()


def _is_forgotten(path: Path) -> bool:
    paths = [path]
    for folder, _, names in os.walk(path):
        paths += [Path(folder), *(Path(folder) / name for name in names)]
    with suppress(OSError):
        return time.time() - max(one.lstat().st_mtime for one in paths) > _FORGOTTEN_S
    return False


def previous_of(final: Path) -> Path:
    """Return where the old folder waits while the new one takes its name, where no exchange is possible."""
    return final.with_name(f".{final.name}.previous")


def flush_tree(root: Path) -> None:
    """Write every file and folder below `root` through to the disk."""
    for folder, _, names in os.walk(root):
        for name in names:
            _flush(Path(folder) / name)
        _flush(Path(folder))


def _exchange(new: Path, final: Path) -> None:
    """Put `new` in the place of `final`; the old folder is then under the name of `new`."""
    if _rename_with(new, final, _EXCHANGE):
        return
    previous = previous_of(final)
    shutil.rmtree(previous, ignore_errors=True)
    os.rename(final, previous)  # noqa: PTH104 - Path.rename hides which of the two names is meant
    try:
        os.rename(new, final)  # noqa: PTH104
    except BaseException:
        if not final.exists():
            os.rename(previous, final)  # noqa: PTH104
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _rename_new(new: Path, final: Path) -> None:
    if _rename_with(new, final, _NO_REPLACE):
        return
    if os.path.lexists(final):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    os.rename(new, final)  # noqa: PTH104


def _rename_with(old: Path, new: Path, flags: int) -> bool:
    """Rename with Linux's flags; False where the system or the file system does not know them."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(old), _HERE, os.fsencode(new), flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(new))


def _renameat2() -> Callable[..., int] | None:
    with suppress(OSError, AttributeError):
        function = ctypes.CDLL(None, use_errno=True).renameat2
        function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
        function.restype = ctypes.c_int
        return function
    return None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_parents(folder: Path) -> list[Path]:
    """Make a folder and its parents where they are missing; return those that were new, deepest first."""
    missing = []
    at = folder
    while not at.exists():
        missing.append(at)
        at = at.parent
    folder.mkdir(parents=True, exist_ok=True)
    return missing
