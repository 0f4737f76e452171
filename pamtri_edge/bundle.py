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
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.atomic import StagedFolder, previous_of, staged_folder
from pamtri_edge.disk import full_temporary_folder
from pamtri_edge.errors import BundleError, ExportError
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

__all__ = [
    "DEFAULT_BUNDLE",
    "GOLDEN_FILE",
    "MANIFEST_FILE",
    "MODEL_FILE",
    "POSE_FILE",
    "REID_FILE",
    "SCHEMA",
    "SHIPPED_BUNDLE",
    "WEIGHTS_FOLDER",
    "Bundle",
    "BundleWriter",
    "Golden",
    "Manifest",
    "TensorSpec",
    "bundle_writer",
    "cached_bundle",
    "default_bundle",
    "open_bundle",
]

DEFAULT_BUNDLE: Final = "pamtri-lite.pamtri"
WEIGHTS_FOLDER: Final = Path(__file__).parent / "weights"
"""Trained weights that come with the package, and the bundle made of them."""
SHIPPED_BUNDLE: Final = WEIGHTS_FOLDER / DEFAULT_BUNDLE
_ENGINES: Final = "engines"
_BLOCK: Final = 1 << 20
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_UNREADABLE: Final = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error
)  # fmt: skip
_MEND: Final = "Copy the bundle again from where it came, or export it again with pamtri-export."

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Golden:
    """A few crops as the graph takes them, and what it gave for them.

    Attributes:
        inputs: the graph's inputs by name, (G, ...) float32.
        expected: outputs of the exported file itself, by name; the self-test compares with these.
        reference: outputs of the fp32 network in PyTorch, by name; what the export was judged by.
    """

    inputs: Arrays
    expected: Arrays
    reference: Arrays

    def save(self, path: Path) -> None:
        """Write the arrays to an .npz file; pictures that hold only bytes are stored as bytes."""
        groups = {"input": self.inputs, "expected": self.expected, "reference": self.reference}
        arrays = {
            f"{group}/{name}": _as_bytes(array) if group == "input" else array
            for group, members in groups.items()
            for name, array in members.items()
        }
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @staticmethod
    def load(path: Path) -> Golden:
        """Read the arrays of an .npz file; everything comes back as float32.

        Raises:
            BundleError: the file is not of that form.
        """
        groups: dict[str, Arrays] = {"input": {}, "expected": {}, "reference": {}}
        try:
            # Opened here because np.load leaves the file open when it is no archive.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                for key in archive.files:
                    group, _, name = key.partition("/")
                    groups[group][name] = archive[key].astype(np.float32)
        except _UNREADABLE as error:
            raise BundleError(f"{path} holds no golden arrays ({error!r}). {_MEND}") from error
        if not groups["input"] or not groups["expected"]:
            raise BundleError(f"{path} lacks golden inputs or golden outputs. {_MEND}")
        return Golden(groups["input"], groups["expected"], groups["reference"])


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its files were all present and unchanged when it was opened.

    Attributes:
        path: the folder.
        manifest: what the bundle says of itself.
    """

    path: Path
    manifest: Manifest

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

    def golden(self) -> Golden:
        """Read the golden inputs and outputs.

        Raises:
            BundleError: the file is unreadable or disagrees with the manifest.
        """
        path = self.path / GOLDEN_FILE
        golden = Golden.load(path)
        _check_arrays(path, "input", golden.inputs, self.manifest.inputs)
        _check_arrays(path, "expected", golden.expected, self.manifest.outputs)
        return golden


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Open a bundle, checking the schema, and the presence and SHA-256 of every file.

    Args:
        path: the folder `NAME.pamtri`.

    Raises:
        BundleError: what is wrong with which file, and what to do.
    """
    folder = Path(path)
    if not folder.exists():
        raise BundleError(_not_there(folder))
    if not folder.is_dir():
        raise BundleError(f"{folder} is a file; a bundle is a folder with a {MANIFEST_FILE} in it.")
    source = folder / MANIFEST_FILE
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST_FILE}. {_MEND}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{source} cannot be read ({error}). {_MEND}") from error
    manifest = Manifest.from_json(text, source=str(source))
    for name in (MODEL_FILE, GOLDEN_FILE):
        if name not in manifest.files:
            raise BundleError(f"{source} lists no {name}. {_MEND}")
    for name, digest in manifest.files.items():
        _check_file(folder / name, digest)
    return Bundle(folder, manifest)


def default_bundle() -> Path:
    """Return the bundle that is used when none is named: the cached one if there is one, else the shipped."""
    cached = cached_bundle()
    return cached if cached.exists() or not SHIPPED_BUNDLE.exists() else SHIPPED_BUNDLE


def cached_bundle() -> Path:
    """Return where a user's own default bundle lies; it may not exist.

    It is `pamtri-lite.pamtri` in `$PAMTRI_CACHE`, else in `$XDG_CACHE_HOME/pamtri-edge`, else in
    `~/.cache/pamtri-edge`.
    """
    if cache := os.environ.get("PAMTRI_CACHE"):
        return Path(cache) / DEFAULT_BUNDLE
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "pamtri-edge" / DEFAULT_BUNDLE


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
        Bundle(self.path, Manifest.from_json(text)).golden()
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
        ExportError: the name is taken (or, with `overwrite`, taken by something that is no bundle), the
            place cannot be written, or the disk is full.
    """
    target = Path(final)
    taken = os.path.lexists(target)
    if taken and not overwrite:
        raise ExportError(f"{target} exists; choose another name, remove it, or allow overwriting it.")
    if taken and not (target / MANIFEST_FILE).is_file():
        raise ExportError(f"{target} exists and is no bundle, so it is not overwritten; choose another name.")
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


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in blocks."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def _check_file(path: Path, digest: str) -> None:
    try:
        found = sha256_of(path)
    except FileNotFoundError as error:
        raise BundleError(f"{path} is missing, though the manifest lists it. {_MEND}") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). {_MEND}") from error
    if found != digest:
        raise BundleError(
            f"{path} was changed or damaged: its SHA-256 is {found[:12]}..., "
            f"the manifest says {digest[:12]}.... {_MEND}"
        )


def _check_arrays(path: Path, group: str, arrays: Mapping[str, Any], specs: tuple[TensorSpec, ...]) -> None:
    counts = set()
    for spec in specs:
        if spec.name not in arrays:
            raise BundleError(f"{path} lacks {group}/{spec.name}, which the manifest names. {_MEND}")
        shape = arrays[spec.name].shape
        if len(shape) != len(spec.shape) or shape[1:] != spec.shape[1:] or shape[0] < 1:
            raise BundleError(
                f"{path}: {group}/{spec.name} has shape {shape}; the manifest says "
                f"{('N', *spec.shape[1:])}, N at least 1. {_MEND}"
            )
        counts.add(shape[0])
    if len(counts) > 1:
        raise BundleError(f"{path}: the {group} arrays have {sorted(counts)} rows, not one count. {_MEND}")


def _as_bytes(array: NDArray[Any]) -> NDArray[Any]:
    stored = np.clip(array, 0, 255).astype(np.uint8)
    return stored if np.array_equal(stored, array) else array


def _not_there(folder: Path) -> str:
    previous = previous_of(Path(os.path.realpath(folder)))
    if previous.is_dir():
        return f"{folder} is not there: replacing it was interrupted. Put it back: mv '{previous}' '{folder}'"
    return f"{folder} is not there. Check the path, or make a bundle: pamtri-export --output {folder}"


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
