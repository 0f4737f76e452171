# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The bundle: one folder `NAME.pamtri/` with the typed network, its manifest and its golden results.

`open_bundle` reads one and refuses it unless every file is there, byte for byte. `bundle_writer` writes
one that appears under its final name complete or not at all. The folder `engines/` inside a bundle is a
cache of the machine that runs it and takes no part in the checks.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pamtri_edge.bundle_files import Folder, HeldFile
from pamtri_edge.compiled import decisions
from pamtri_edge.errors import BundleError, ExportError
from pamtri_edge.files.atomic import StagedFolder, previous_of, staged_folder
from pamtri_edge.files.disk import full_temporary_folder
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.golden import GOLDEN_LIMIT, Golden
from pamtri_edge.manifest import (
    GOLDEN_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    POSE_FILE,
    REID_FILE,
    SCHEMA,
    Manifest,
    TensorSpec,
)
from pamtri_edge.manifest_fields import REMEDY

__all__ = [
    "BUNDLE_VARIABLE",
    "GOLDEN_FILE",
    "MANIFEST_FILE",
    "MODEL_FILE",
    "POSE_FILE",
    "REID_FILE",
    "SCHEMA",
    "SHIPPED_BUNDLE",
    "SUFFIX",
    "WEIGHTS_FOLDER",
    "Bundle",
    "BundleWriter",
    "Golden",
    "Manifest",
    "TensorSpec",
    "bundle_writer",
    "cache_folder",
    "default_bundle",
    "open_bundle",
]

BUNDLE_VARIABLE: Final = "PAMTRI_BUNDLE"
"""The environment variable that names another default bundle."""
SUFFIX: Final = ".pamtri"
"""How a bundle's name ends."""
WEIGHTS_FOLDER: Final = Path(__file__).parent / "weights"
"""Trained weights that come with the package, and the bundle made of them."""
SHIPPED_BUNDLE: Final = WEIGHTS_FOLDER / "pamtri-lite.pamtri"
_ENGINES: Final = "engines"
_HELD: Final = (MODEL_FILE, GOLDEN_FILE, POSE_FILE, REID_FILE)
_ATTEMPTS: Final = 5  # a bundle is not overwritten five times in the time that it takes to read it
_MANIFEST_LIMIT: Final = 4 << 20  # of ours: 10 kB
_NETWORK_LIMIT: Final = 2 << 30  # an ONNX file cannot be larger
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its files were all present and unchanged when it was opened.

    Attributes:
        path: the folder.
        manifest: what the bundle says of itself.
    """

    path: Path
    manifest: Manifest
    _held: Mapping[str, HeldFile] = field(default_factory=dict, repr=False, compare=False)

    @property
    def model(self) -> Path:
        """The fused network, an ONNX file."""
        return self.path / MODEL_FILE

    @property
    def staged(self) -> tuple[Path, Path] | None:
        """The pose and re-identification networks of the two-engine path, if the bundle has them."""
        if POSE_FILE in self.manifest.files and REID_FILE in self.manifest.files:
            return self.path / POSE_FILE, self.path / REID_FILE
        return None

    @property
    def engines(self) -> Path:
        """The folder for engines built on this machine; it may not exist, and is safe to delete."""
        return self.path / _ENGINES

    @property
    def replaced(self) -> bool:
        """Whether the networks at their paths are no longer those that were opened and checked."""
        return any(held.replaced for held in self._held.values())

    def network(self) -> bytes:
        """Return the fused network: the bytes whose SHA-256 the manifest has, whatever the path has now.

        Raises:
            BundleError: the file itself was changed since the bundle was opened.
        """
        return self._held[MODEL_FILE].read()

    def golden(self) -> Golden:
        """Read the golden inputs and outputs.

        Raises:
            BundleError: the file is unreadable or disagrees with the manifest.
        """
        source = self.path / GOLDEN_FILE
        golden = Golden.read(self._held[GOLDEN_FILE].read(), source=source)
        golden.check(self.manifest.inputs, self.manifest.outputs, source=source)
        return golden


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Open a bundle, checking the schema, and the presence and SHA-256 of every file.

    A bundle that is overwritten meanwhile is opened again: what comes back is the old one or the new one.

    Args:
        path: the folder `NAME.pamtri`.

    Raises:
        BundleError: what is wrong with which file, and what to do.
    """
    place = Path(path)
    for attempt in range(_ATTEMPTS):
        folder = _open_folder(place)
        try:
            return _read(folder)
        except BundleError:
            if not folder.replaced or attempt == _ATTEMPTS - 1:
                raise
        finally:
            folder.close()
    raise AssertionError("the last attempt returns or raises")


def _open_folder(place: Path) -> Folder:
    try:
        return Folder(place)
    except FileNotFoundError as error:
        raise BundleError(_not_there(place)) from error
    except NotADirectoryError as error:
        raise BundleError(
            f"{place} is not a folder; a bundle is a folder with a {MANIFEST_FILE} in it. "
            "One that came packed (.zip, .tar) is unpacked first."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise BundleError(f"{str(place)!r} cannot be opened ({error}). Check the path.") from error


def _read(folder: Folder) -> Bundle:
    """Read the manifest of an open folder and check all files that it lists."""
    source = folder.path / MANIFEST_FILE
    manifest = Manifest.from_json(folder.text(MANIFEST_FILE, limit=_MANIFEST_LIMIT), source=str(source))
    for name in (MODEL_FILE, GOLDEN_FILE):
        if name not in manifest.files:
            raise BundleError(f"{source} lists no {name}. {REMEDY}")
    held = {}
    for name, digest in manifest.files.items():
        limit = _NETWORK_LIMIT if name.endswith(".onnx") else GOLDEN_LIMIT
        file = folder.check(name, digest, limit=limit)
        if name in _HELD:
            held[name] = file
    return Bundle(folder.path, manifest, held)


def default_bundle(named: str | None = None) -> Path:
    """Return the bundle that is used when none is named.

    It is the one that the environment variable `PAMTRI_BUNDLE` names, else the trained `lite` one that comes
    with the package. Nothing that an export writes changes that.

    Args:
        named: the variable's value, where it is not this process's.
    """
    named = named or os.environ.get(BUNDLE_VARIABLE)
    return Path(named) if named else SHIPPED_BUNDLE


def cache_folder() -> Path | None:
    """Return the user's folder for what can be made again; it may not exist.

    It is `$PAMTRI_CACHE`, else `$XDG_CACHE_HOME/pamtri-edge`, else `~/.cache/pamtri-edge`; None for a user
    without a home.
    """
    try:
        home = str(Path.home())
    except RuntimeError:  # neither HOME nor an entry in the table of users, as in many containers
        home = ""
    own, base = (os.environ.get(name, "") for name in ("PAMTRI_CACHE", "XDG_CACHE_HOME"))
    folder = decisions().cache_folder(own, base, home)
    return None if folder is None else Path(folder)


class BundleWriter:
    """A bundle in the making; see `bundle_writer`.

    Attributes:
        path: the temporary folder; put the bundle's files here.
    """

    def __init__(self, folder: StagedFolder) -> None:
        self._folder = folder
        self.path = folder.path

    def file(self, name: str) -> Path:
        """Return the path for a file of the bundle, its folder made."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self, manifest: Manifest) -> Path:
        """Hash the files, write the manifest last, and give the folder its final name.

        Args:
            manifest: its `files` are filled in here.

        Returns:
            The bundle's final path.

        Raises:
            BundleError: model or golden file missing, or the manifest contradicts itself.
        """
        names = sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())
        # Engines are a cache of this machine: they come and go, and the bundle stays what it is.
        kept = [name for name in names if name != MANIFEST_FILE and not name.startswith(f"{_ENGINES}/")]
        files = {name: sha256_of(self.path / name) for name in kept}
        for name in (MODEL_FILE, GOLDEN_FILE):
            if name not in files:
                raise BundleError(f"the new bundle has no {name}; write it before commit().")
        text = dataclasses.replace(manifest, files=files).to_json()
        (self.path / MANIFEST_FILE).write_text(text, encoding="utf-8")
        open_bundle(self.path).golden()
        return self._folder.publish()


@contextmanager
def bundle_writer(final: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[BundleWriter]:
    """Write a bundle so that it appears whole or not at all.

    Inside the `with` block, write files into `writer.path`, then call `writer.commit(manifest)`. Leaving
    the block without a commit, by whatever exception, leaves nothing behind.

    Args:
        final: the bundle's name, `NAME.pamtri`; missing parent folders are made.
        overwrite: replace a bundle of that name, in one step.

    Raises:
        ExportError: the name is taken (or, with `overwrite`, taken by something that is not a bundle), the
            place cannot be written, or the disk is full.
    """
    target = Path(final)
    taken = os.path.lexists(target)
    if taken and not overwrite:
        raise ExportError(f"{target} exists; choose another name, remove it, or allow overwriting it.")
    if taken and not (target / MANIFEST_FILE).is_file():
        raise ExportError(
            f"{target} exists and is not a bundle, so it is not overwritten; choose another name."
        )
    try:
        with staged_folder(target, overwrite=overwrite) as folder:
            try:
                yield BundleWriter(folder)
            except OSError as error:
                # Here and not outside, because the folder's size is known only while it is there.
                if error.errno in _DISK_FULL:
                    raise ExportError(_disk_full(folder, error)) from error
                raise
    except PermissionError as error:
        raise ExportError(
            f"{error.filename or target} cannot be written ({error.strerror}); "
            f"nothing was left under {target}. Choose another place."
        ) from error
    except FileExistsError as error:
        raise ExportError(f"{error.filename} exists; choose another name for {target}.") from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise ExportError(
                f"disk full: no room for a new folder beside {target}; nothing was left."
            ) from error
        raise


def _not_there(folder: Path) -> str:
    previous = previous_of(Path(os.path.realpath(folder)))
    if previous.is_dir():
        return (
            f"{folder} does not exist: replacing it was interrupted. Put it back: "
            f"mv {shlex.quote(str(previous))} {shlex.quote(str(folder))}"
        )
    name = folder if folder.suffix == SUFFIX else folder.with_name(f"{folder.name}{SUFFIX}")
    return (
        f"{folder} does not exist. Check the path, or make a bundle of the trained weights that come with "
        f"the package: pamtri-export --model lite --output {shlex.quote(str(name))}"
    )


def _disk_full(folder: StagedFolder, error: OSError) -> str:
    written = sum(p.stat().st_size for p in folder.path.rglob("*") if p.is_file())
    free = "unknown"
    with suppress(OSError):
        free = f"{shutil.disk_usage(folder.path).free / 1e6:.0f} MB"
    temporary = full_temporary_folder(error.filename)
    if temporary is not None and not folder.path.is_relative_to(temporary.removesuffix(" (TMPDIR)")):
        return f"no space left on {temporary}; nothing was left under {folder.final}. Free some space there."
    elsewhere = error.filename
    if elsewhere and not Path(os.fsdecode(elsewhere)).is_relative_to(folder.path):
        return f"disk full while writing {elsewhere}; nothing was left under {folder.final}. Free some space."
    return (
        f"disk full: the bundle needs more than the {written / 1e6:.0f} MB written so far at "
        f"{folder.final.parent} (free: {free}); nothing was left. Free some space or choose another place."
    )
