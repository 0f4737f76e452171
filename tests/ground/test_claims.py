# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Folders that one process at a time writes to, and what killed processes leave in them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import staged_file, staged_folder, sweep, temporary_beside
from pamtri_edge.files.claims import LOCK_FILE, Claim
from pamtri_edge.files.owners import Owner, from_token, this_process

PROGRAM = """
import sys, time
from pathlib import Path
from pamtri_edge.files.atomic import staged_file, staged_folder
from pamtri_edge.files.claims import Claim
folder = Path(sys.argv[1])
with Claim(folder), staged_file(folder / "a.txt") as file, staged_folder(folder / "b") as staged:
    file.write_text("half")
    (staged.path / "part").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


@contextmanager
def other_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that has claimed the folder, with `rtsp://me:sec/secret@10.0.0.5` in its command."""
    command = [sys.executable, "-c", PROGRAM, str(folder), "rtsp://me:sec/secret@10.0.0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refuse_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_a_second_process_is_told_who_writes_and_the_folder_of_a_killed_one_is_taken_over(
    tmp_path, monkeypatch, locks
):
    with other_process(tmp_path) as process:
        if not locks:
            refuse_locks(monkeypatch)
        with pytest.raises(InputError) as caught:
            Claim(tmp_path)
        said = str(caught.value)
        assert f"another process (process {process.pid}: " in said
        assert "rtsp://***@10.0.0.5" in said
        assert "secret" not in said
        assert len(said.splitlines()) == 1
    with Claim(tmp_path):
        assert (tmp_path / LOCK_FILE).exists()
    assert not (tmp_path / LOCK_FILE).exists()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    with other_process(tmp_path):
        mine = temporary_beside(tmp_path / "mine")
        mine.write_text("half")
        before = set(names_in(tmp_path))
        sweep(tmp_path)
        assert set(names_in(tmp_path)) == before
        assert len(before) == 4
    with staged_folder(tmp_path / "c"):
        pass
    assert {name for name in names_in(tmp_path) if name != LOCK_FILE} == {mine.name}


def test_temporary_names_of_other_programs_and_of_busy_machines_stay(tmp_path):
    elsewhere = Owner(1, 1, "abcdef" if this_process().place != "abcdef" else "fedcba").token
    names = [".a.12345678.tmp", f".b.{elsewhere}-12345678.tmp", "c.tmp", ".d.1-2.tmp"]
    for name in names:
        (tmp_path / name).write_text("theirs")
    sweep(tmp_path)
    assert sorted(names_in(tmp_path)) == sorted(names)
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(tmp_path / names[1], (long_ago, long_ago))
    sweep(tmp_path)
    assert sorted(names_in(tmp_path)) == sorted(set(names) - {names[1]})


@pytest.mark.parametrize("name", ["n" * 255, "ä" * 127, os.fsdecode(b"\xff" * 200)])
def test_a_temporary_name_is_short_enough_whatever_the_final_one(tmp_path, name):
    with staged_file(tmp_path / name) as part:
        part.write_text("whole")
    assert names_in(tmp_path) == [name]


def test_a_process_with_the_number_of_another_is_not_taken_for_it():
    me = this_process()
    assert not me.gone
    assert from_token(me.token) == me
    assert Owner(me.pid, me.start + 1, me.place).gone
    assert not Owner(me.pid, me.start + 1, "000000").gone, "nothing is known of other machines"
    assert from_token("1-2-3") is None


def test_a_lock_whose_text_is_damaged_is_that_of_nobody(tmp_path, monkeypatch):
    refuse_locks(monkeypatch)
    for text in ("", "[" * 3000, "[]", json.dumps({"owner": 7}), "\x00"):
        (tmp_path / LOCK_FILE).write_text(text)
        Claim(tmp_path).release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match=r"the output folder .*absent cannot be written: No such file"):
        Claim(tmp_path / "absent")
    (tmp_path / LOCK_FILE).symlink_to("/dev/zero")
    with pytest.raises(InputError, match="cannot be written"):
        Claim(tmp_path)


def test_a_claim_may_be_given_back_twice_and_taken_again(tmp_path):
    first = Claim(tmp_path)
    with pytest.raises(InputError, match=r"another process \(this process: "):
        Claim(tmp_path)
    first.release()
    first.release()
    Claim(tmp_path).release()
    assert names_in(tmp_path) == []


def test_a_full_disk_leaves_no_lock(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", refuse)
        with pytest.raises(InputError, match="cannot be written: No space left"):
            Claim(tmp_path)
    assert not list(tmp_path.iterdir())
    Claim(tmp_path).release()


def refuse(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
