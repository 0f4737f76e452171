# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamtri_edge.bundle import Manifest, bundle_writer, open_bundle
from pamtri_edge.errors import BundleError, ExportError
from pamtri_edge.files import atomic

Write = Callable[..., Path]


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def raising(error: BaseException | type[BaseException]) -> Callable[[Path], object]:
    def fail(folder: Path) -> None:
        raise error

    return fail


def test_nothing_but_the_bundle_is_left_beside_it(bundle_path: Path) -> None:
    assert names(bundle_path.parent) == ["small.pamtri"]


def test_missing_parent_folders_are_made(write: Write, tmp_path: Path) -> None:
    assert open_bundle(write(tmp_path / "a" / "b" / "x.pamtri")).manifest.name == "small"


def test_others_may_read_the_bundle(bundle_path: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    assert bundle_path.stat().st_mode & 0o777 == 0o777 & ~mask


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt, SystemExit, ExportError])
def test_an_interruption_leaves_nothing(
    write: Write, tmp_path: Path, interruption: type[BaseException]
) -> None:
    with pytest.raises(interruption):
        write(tmp_path / "new" / "x.pamtri", before_commit=raising(interruption))
    assert names(tmp_path) == []


def test_leaving_without_a_commit_leaves_nothing(tmp_path: Path) -> None:
    with bundle_writer(tmp_path / "x.pamtri") as writer:
        writer.file("model.onnx").write_bytes(b"half")
    assert names(tmp_path) == []


def test_a_parent_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with bundle_writer(tmp_path / "models" / "x.pamtri"):
        pass
    assert names(tmp_path) == ["models"]


def test_a_name_that_is_taken_is_refused(bundle_path: Path, write: Write) -> None:
    with pytest.raises(ExportError, match=r"small\.pamtri exists"):
        write(bundle_path, model=b"another")
    assert open_bundle(bundle_path).model.read_bytes() == b"a network"


def test_a_name_taken_while_writing_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"x\.pamtri exists"):
        write(tmp_path / "x.pamtri", before_commit=lambda _: (tmp_path / "x.pamtri").mkdir())
    assert names(tmp_path) == ["x.pamtri"]
    assert names(tmp_path / "x.pamtri") == []


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "two renames"])
def test_overwriting_puts_the_new_bundle_in_the_place_of_the_old(
    bundle_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    (bundle_path / "engines").mkdir()
    write(bundle_path, model=b"another", overwrite=True)
    assert open_bundle(bundle_path).model.read_bytes() == b"another"
    assert not (bundle_path / "engines").exists()
    assert names(bundle_path.parent) == ["small.pamtri"]


def test_overwriting_may_also_find_nothing(write: Write, tmp_path: Path) -> None:
    open_bundle(write(tmp_path / "x.pamtri", overwrite=True))


def test_a_failed_overwrite_keeps_the_old_bundle(bundle_path: Path, write: Write) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(bundle_path, model=b"new", overwrite=True, before_commit=raising(KeyboardInterrupt))
    assert open_bundle(bundle_path).model.read_bytes() == b"a network"
    assert names(bundle_path.parent) == ["small.pamtri"]


def test_overwriting_through_a_link_replaces_what_it_names(
    bundle_path: Path, write: Write, tmp_path: Path
) -> None:
    link = tmp_path / "latest.pamtri"
    link.symlink_to(bundle_path)
    write(link, model=b"another", overwrite=True)
    assert link.is_symlink()
    assert open_bundle(bundle_path).model.read_bytes() == b"another"
    assert names(tmp_path) == ["latest.pamtri", "small.pamtri"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_bundle_is_never_overwritten(tmp_path: Path, write: Write, kind: str) -> None:
    target = tmp_path / "holiday"
    kept = target
    if kind == "folder":
        target.mkdir()
        kept = target / "photo.jpg"
    kept.write_bytes(b"precious")
    with pytest.raises(ExportError, match="is not a bundle, so it is not overwritten"):
        write(target, overwrite=True)
    assert kept.read_bytes() == b"precious"


def test_an_interrupted_exchange_by_two_renames_can_be_mended(bundle_path: Path) -> None:
    bundle_path.rename(atomic.previous_of(bundle_path))
    with pytest.raises(BundleError, match=r"Put it back: mv .*small\.pamtri\.previous .*small\.pamtri"):
        open_bundle(bundle_path)


def test_a_second_rename_that_fails_puts_the_old_bundle_back(
    bundle_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    rename = os.rename
    calls = []

    def second_fails(old: Path, new: Path) -> None:
        calls.append(new)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(KeyboardInterrupt):
        write(bundle_path, model=b"another", overwrite=True)
    assert open_bundle(bundle_path).model.read_bytes() == b"a network"
    assert names(bundle_path.parent) == ["small.pamtri"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_how_much_it_took_and_leaves_nothing(
    write: Write, tmp_path: Path, code: int
) -> None:
    full = raising(OSError(code, os.strerror(code)))
    with pytest.raises(ExportError, match=r"disk full: .*more than the 3 MB .* at .*nothing was left"):
        write(tmp_path / "x.pamtri", model=bytes(3_000_000), before_commit=full)
    assert names(tmp_path) == []


def test_a_disk_full_in_another_place_names_that_place(write: Write, tmp_path: Path) -> None:
    full = raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/elsewhere"))
    with pytest.raises(ExportError, match="disk full while writing /tmp/elsewhere"):
        write(tmp_path / "x.pamtri", before_commit=full)


def test_a_disk_that_fills_up_at_the_last_flush_leaves_nothing(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "flush_tree", raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    with pytest.raises(ExportError, match="disk full"):
        write(tmp_path / "x.pamtri")
    assert names(tmp_path) == []


def test_a_disk_without_room_for_a_new_folder_is_told(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = Path.mkdir

    def full(folder: Path, *args: Any, **options: Any) -> None:
        if folder.suffix == ".tmp":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        mkdir(folder, *args, **options)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(ExportError, match=r"disk full: no room for a new folder beside .*x\.pamtri"):
        write(tmp_path / "new" / "x.pamtri")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, write: Write) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="cannot be written"):
        write(tmp_path / "x.pamtri")


def test_a_permission_error_is_told_in_a_sentence(write: Write, tmp_path: Path) -> None:
    refused = raising(PermissionError(errno.EACCES, "Permission denied", "x.onnx"))
    with pytest.raises(
        ExportError, match=r"x\.onnx cannot be written \(Permission denied\); nothing was left"
    ):
        write(tmp_path / "x.pamtri", before_commit=refused)


@pytest.mark.parametrize("lacking", ["model.onnx", "golden.npz"])
def test_a_bundle_without_network_or_golden_file_is_not_committed(
    write: Write, tmp_path: Path, lacking: str
) -> None:
    with pytest.raises(BundleError, match=f"has no {lacking}"):
        write(tmp_path / "x.pamtri", before_commit=lambda folder: (folder / lacking).unlink())
    assert names(tmp_path) == []


def test_a_manifest_that_contradicts_itself_is_not_committed(
    write: Write, tmp_path: Path, manifest: Manifest
) -> None:
    with pytest.raises(BundleError, match="embedding_dim is 9"):
        write(tmp_path / "x.pamtri", manifest=dataclasses.replace(manifest, embedding_dim=9))
    assert names(tmp_path) == []


def test_a_killed_process_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import os, signal, sys
        from pamtri_edge.bundle import bundle_writer
        with bundle_writer(sys.argv[1]) as writer:
            writer.file("model.onnx").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "x.pamtri")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "x.pamtri").exists()
