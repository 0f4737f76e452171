# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A compiled network that was kept gives the same bits; whatever is wrong with it costs time alone."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.runtime import compiled_cache, create_backend
from pamtri_edge.runtime.compiled_cache import CompiledKey, compiled_key
from pamtri_edge.runtime.openvino import OpenVinoBackend

Pictures = NDArray[np.float32]
KEY = CompiledKey("network", "library", "properties", "processor")


@pytest.fixture
def folder(kept_folder: Path) -> Path:
    return kept_folder


def loaded(model: Path, **options: Any) -> OpenVinoBackend:
    backend = create_backend(model, backend="openvino", keep=True, **options)
    assert isinstance(backend, OpenVinoBackend)
    return backend


def was_kept(backend: OpenVinoBackend) -> bool:
    return backend._engine is not None and backend._engine.kept is not None


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_second_load_gives_the_same_bits(
    models: dict[str, Path], folder: Path, pictures: Pictures, precision: str
) -> None:
    without = create_backend(models[precision], backend="openvino")
    assert not files(folder)
    first, second = loaded(models[precision]), loaded(models[precision])
    assert (was_kept(first), was_kept(second)) == (False, True)
    meant = without.run({"images": pictures})["embedding"]
    for backend in (first, second):
        assert backend.arithmetic == without.arithmetic
        np.testing.assert_array_equal(backend.run({"images": pictures})["embedding"], meant)


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "shortened": changed(lambda content: content[:-1]),
    "lengthened": changed(lambda content: content + b" "),
    "emptied": changed(lambda content: b""),
    "a flipped bit": changed(lambda content: bytes([content[0] ^ 1]) + content[1:]),
    "another record": changed(lambda content: content.replace(b'"format": 1', b'"format": 2')),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_not_used_and_is_replaced(
    models: dict[str, Path], folder: Path, pictures: Pictures, damage: str
) -> None:
    meant = loaded(models["fp32"]).run({"images": pictures})["embedding"]
    (path,) = files(folder)
    DAMAGE[damage](path)
    again = loaded(models["fp32"])
    assert not was_kept(again)
    np.testing.assert_array_equal(again.run({"images": pictures})["embedding"], meant)
    assert was_kept(loaded(models["fp32"]))
    assert files(folder) == [path]


def test_the_file_of_another_network_is_not_used(
    models: dict[str, Path], folder: Path, pictures: Pictures
) -> None:
    loaded(models["int8"])
    (other,) = files(folder)
    meant = loaded(models["fp32"]).run({"images": pictures})["embedding"]
    (mine,) = set(files(folder)) - {other}
    mine.write_bytes(other.read_bytes())
    again = loaded(models["fp32"])
    assert not was_kept(again)
    np.testing.assert_array_equal(again.run({"images": pictures})["embedding"], meant)


@pytest.mark.parametrize("broken", ["the cache is a file", "its folder is a file", "a folder has the name"])
def test_a_place_that_cannot_be_written_costs_time_alone(
    models: dict[str, Path], folder: Path, pictures: Pictures, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    if broken == "the cache is a file":
        folder.parent.write_text("")
    elif broken == "its folder is a file":
        folder.parent.mkdir()
        folder.write_text("")
    else:
        loaded(models["fp32"])
        (path,) = files(folder)
        path.unlink()
        (path / "inside").mkdir(parents=True)
    backend = loaded(models["fp32"])
    assert not was_kept(backend)
    assert len(backend.run({"images": pictures})["embedding"]) == len(pictures)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_finished_leaves_nothing(
    models: dict[str, Path], folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(compiled_cache, "_record", refuse)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            loaded(models["fp32"])
    else:
        assert not was_kept(loaded(models["fp32"]))
    assert not files(folder)


def test_a_disk_that_fills_up_while_openvino_writes_leaves_nothing(
    models: dict[str, Path], folder: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    class Full(compiled_cache._Stream):
        def __init__(self, file: Any) -> None:
            def write(content: bytes) -> int:
                calls.append(len(content))
                if len(calls) > 2:
                    raise OSError(errno.ENOSPC, "full")
                return int(file.write(content))

            names = ("seek", "tell", "read")
            super().__init__(
                SimpleNamespace(write=write, **{name: getattr(file, name) for name in names})  # type: ignore
            )

    monkeypatch.setattr(compiled_cache, "_Stream", Full)
    backend = loaded(models["fp32"])
    assert len(calls) > 2
    assert not files(folder)
    assert len(backend.run({"images": pictures})["embedding"]) == len(pictures)


def test_several_at_once_leave_one_whole_file(models: dict[str, Path], folder: Path) -> None:
    threads = [threading.Thread(target=loaded, args=(models["fp32"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(folder)) == 1
    assert was_kept(loaded(models["fp32"]))


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(CompiledKey)])
def test_whatever_it_depends_on_is_in_its_name(folder: Path, field: str) -> None:
    compiled_cache.keep_compiled(KEY, lambda stream: stream.write(b"compiled"))
    assert compiled_cache.read_compiled(KEY) == b"compiled"
    assert compiled_cache.read_compiled(dataclasses.replace(KEY, **{field: "other"})) is None


def test_the_key_knows_network_build_properties_and_what_limits_the_processor(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {compiled_key(b"one", "2026.4", {"NUM_STREAMS": 1})}
    known.add(compiled_key(b"two", "2026.4", {"NUM_STREAMS": 1}))
    known.add(compiled_key(b"one", "2026.5", {"NUM_STREAMS": 1}))
    known.add(compiled_key(b"one", "2026.4", {"NUM_STREAMS": 2}))
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    known.add(compiled_key(b"one", "2026.4", {"NUM_STREAMS": 1}))
    assert len(known) == 5
    assert None not in known


def test_threads_are_kept_apart(models: dict[str, Path], folder: Path) -> None:
    assert not was_kept(loaded(models["fp32"], threads=1))
    assert not was_kept(loaded(models["fp32"], threads=2))
    assert was_kept(loaded(models["fp32"], threads=1))


@pytest.mark.parametrize(("value", "kept"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_the_cache_can_be_turned_off(
    models: dict[str, Path], folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, kept: bool
) -> None:
    monkeypatch.setenv("PAMTRI_NO_CACHE", value)
    loaded(models["fp32"])
    assert bool(files(folder)) == kept
    assert was_kept(loaded(models["fp32"])) == kept


def test_a_user_without_a_home_has_no_cache(
    models: dict[str, Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_cache, "cache_folder", lambda: None)
    assert not was_kept(loaded(models["fp32"]))
    assert not was_kept(loaded(models["fp32"]))


def test_a_small_network_is_not_worth_a_file() -> None:
    assert compiled_key(bytes(1000), "2026.4", {}) is None


def test_a_full_cache_loses_what_was_not_used_for_longest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_cache, "MOST_BYTES", 9000)
    keys = [dataclasses.replace(KEY, network=str(at)) for at in range(4)]
    for at, key in enumerate(keys[:3]):
        compiled_cache.keep_compiled(key, lambda stream: stream.write(bytes(500)))
        os.utime(folder / f"{key.digest}.compiled", (at, at))
    assert compiled_cache.read_compiled(keys[0]) is not None  # used again
    compiled_cache.keep_compiled(keys[3], lambda stream: stream.write(bytes(500)))
    assert [compiled_cache.read_compiled(key) is not None for key in keys] == [True, False, True, True]


def test_what_is_larger_than_the_cache_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_cache, "MOST_BYTES", 9000)
    compiled_cache.keep_compiled(KEY, lambda stream: stream.write(bytes(9000)))
    assert not files(folder)


@pytest.mark.parametrize(("owner", "trusted"), [(0, True), (os.geteuid(), True), (4_000_000, False)])
def test_only_what_this_user_or_root_wrote_is_run(owner: int, trusted: bool) -> None:
    assert compiled_cache._may_trust(SimpleNamespace(st_uid=owner)) == trusted  # type: ignore[arg-type]
