# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The result of `embed` as a sequence, in a notebook, as dictionaries, and in a file."""

from __future__ import annotations

import dataclasses
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentification, Reidentifier, gallery, samples, similarity
from pamtri_edge.errors import InputError
from pamtri_edge.manifest_fields import Matching
from pamtri_edge.reidentification import concatenate

ARRAYS = ("embeddings", "color_probs", "type_probs", "keypoints", "quality")
SUGGESTED = Matching(threshold=1, false_match_rate=0.01, true_match_rate=0.5, set="street")


@pytest.fixture(scope="module")
def reid(micro_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(micro_bundle, backend="openvino", threads=2) as reid:
        yield reid


@pytest.fixture(scope="module")
def found(reid: Reidentifier) -> Reidentification:
    return reid.embed(samples.crops(5))


@pytest.fixture
def named(found: Reidentification) -> Reidentification:
    names = ("a.jpg", "b.jpg", "<c>.jpg", "\udce9.jpg", "ü.jpg")
    return dataclasses.replace(found, names=names, matching=SUGGESTED)


def alike(one: Reidentification, other: Reidentification) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def test_it_is_a_sequence_of_vehicles(found: Reidentification) -> None:
    assert found.colors is not None
    assert len(list(found)) == len(found) == 5
    one = found[1]
    assert one.color == found.colors[1]
    assert np.array_equal(one.embedding, found.embeddings[1])
    assert one.quality == pytest.approx(found.quality[1])  # type: ignore[index]
    assert np.array_equal(found[-1].embedding, found[4].embedding)
    assert repr(one).startswith(f"<Vehicle: {one.color} {one.type}, quality 0.")
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"there is no vehicle {index} among 5 vehicles"):
            found[index]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -2), [4, 2, 0]),
        (slice(9, 12), []),
        ([0, -1], [0, 4]),
        ([], []),
        (np.array([False, True, False, True, False]), [1, 3]),
    ],
)
def test_a_part_of_it_is_a_result_too(named: Reidentification, key: Any, rows: list[int]) -> None:
    part = named[key]
    assert np.array_equal(part.embeddings, named.embeddings[rows])
    assert np.array_equal(part.keypoints, named.keypoints[rows])  # type: ignore[index]
    assert part.names == tuple((named.names or ())[row] for row in rows)
    assert part.embedding_space == named.embedding_space


@pytest.mark.parametrize("key", ["a", 1.5, [0.5], [[0]], None, np.array([True])])
def test_other_keys_are_refused_in_words(found: Reidentification, key: Any) -> None:
    with pytest.raises(InputError, match=r"expected (a whole number, a slice|as many)"):
        found[key]
    with pytest.raises(IndexError, match="no vehicle 7"):
        found[[0, 7]]


def test_files_give_the_vehicles_their_names(reid: Reidentifier, tmp_path: Path) -> None:
    crop = samples.crops(1)[0]
    cv2.imwrite(str(tmp_path / "a.png"), crop)
    assert reid.embed([tmp_path / "a.png"]).names == (str(tmp_path / "a.png"),)
    assert reid.embed([tmp_path / "a.png", crop]).names is None
    assert reid.embed([]).names is None


def test_a_notebook_gets_a_table_without_foreign_markup(named: Reidentification) -> None:
    table = named._repr_html_()
    assert table.count("<tr>") == 6
    assert "&lt;c&gt;.jpg" in table
    assert "<c>" not in table
    many = concatenate([named] * 5)
    assert "and 5 more" in many._repr_html_()


def test_dictionaries_are_what_json_knows(named: Reidentification) -> None:
    first = json.loads(json.dumps(named.to_dicts()))[0]
    assert first["name"] == "a.jpg"
    assert first["color"]["label"] == named[0].color
    assert first["color"]["probability"] == max(first["color"]["all"].values())
    assert len(first["embedding"]) == 16
    assert np.shape(first["keypoints"]) == (36, 3)


def test_what_is_saved_is_loaded_to_the_bit(named: Reidentification, tmp_path: Path) -> None:
    path = tmp_path / "out.npz"
    path.write_bytes(b"older")
    assert named.save(path) == path
    again = Reidentification.load(path)
    assert alike(again, named)
    assert (again.names, again.matching, again.embedding_space) == (
        named.names,
        named.matching,
        named.embedding_space,
    )
    assert list(again.color_names or ()) == list(named.color_names or ())
    assert similarity(again, named).diagonal() == pytest.approx(np.ones(5))
    assert [one.name for one in tmp_path.iterdir()] == ["out.npz"]
    with np.load(path) as plain:
        assert np.array_equal(plain["embeddings"], named.embeddings)


def test_a_result_without_attributes_or_vehicles_is_saved_too(
    reid: Reidentifier, found: Reidentification, tmp_path: Path
) -> None:
    bare = dataclasses.replace(
        found,
        color_probs=None,
        type_probs=None,
        keypoints=None,
        quality=None,
        color_names=None,
        type_names=None,
    )
    for name, one in (("bare", bare), ("none", reid.embed([]))):
        again = Reidentification.load(one.save(tmp_path / f"{name}.npz"))
        assert len(again) == len(one)
        assert (again.keypoints is None) == (one.keypoints is None)
    assert repr(bare[0]) == "<Vehicle: no attributes, embedding of 16>"


def test_a_file_that_cannot_be_written_is_told(named: Reidentification, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in \.npz"):
        named.save(tmp_path / "out.pkl")
    with pytest.raises(InputError, match="cannot be written: No such file"):
        named.save(tmp_path / "nowhere" / "out.npz")


Spoil = Callable[[dict[str, NDArray[Any]]], object]


def _about(**changes: Any) -> Spoil:
    def spoil(arrays: dict[str, NDArray[Any]]) -> None:
        arrays["about"] = np.array(json.dumps({**json.loads(str(arrays["about"])), **changes}))

    return spoil


def _nan(arrays: dict[str, NDArray[Any]]) -> None:
    arrays["quality"][2] = np.nan


def _zero(arrays: dict[str, NDArray[Any]]) -> None:
    arrays["embeddings"][3] = 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda arrays: arrays.pop("embeddings"), "lacks 'about' or 'embeddings'"),
        (lambda arrays: arrays.pop("about"), "lacks 'about' or 'embeddings'"),
        (lambda arrays: arrays.update(extra=np.zeros(3)), "holds 'extra', which no result has"),
        (lambda arrays: arrays.update(embeddings=np.zeros((5, 4, 4))), "embeddings has shape"),
        (lambda arrays: arrays.update(embeddings=np.zeros((5, 0))), "for 5 embeddings"),
        (lambda arrays: arrays.update(quality=np.zeros(4)), r"quality has shape \(4,\) for 5"),
        (lambda arrays: arrays.update(keypoints=np.zeros((5, 36, 2))), "keypoints has shape"),
        (lambda arrays: arrays.update(embeddings=np.ones((5, 4), int)), "of int64"),
        (lambda arrays: arrays.update(names=np.array(["a"])), "names has shape"),
        (lambda arrays: arrays.update(names=np.zeros(5)), "names has shape"),
        (lambda arrays: arrays.update(about=np.zeros(3)), "'about' is no text"),
        (lambda arrays: arrays.update(about=np.array("[" * 60000)), "no file of results"),
        (_nan, "quality holds NaN"),
        (_zero, "embedding 3 is zero"),
        (_about(format="x"), "another kind of file"),
        (_about(schema=2), "its schema is 2; this release reads 1"),
        (_about(color_names=["red"]), "color_names are not the names"),
        (_about(color_names=None), "color_names are not the names"),
        (_about(type_names=["a", "b", "\x1b[31m"]), "type_names are not the names"),
        (_about(embedding_space=["x"]), "embedding_space is no text"),
        (_about(matching={"threshold": 0.5}), "no suggestion of a threshold"),
        (_about(matching={**dataclasses.asdict(SUGGESTED), "threshold": float("nan")}), "no suggestion"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(
    named: Reidentification, tmp_path: Path, spoil: Spoil, said: str
) -> None:
    with np.load(named.save(tmp_path / "good.npz")) as good:
        arrays = dict(good)
    spoil(arrays)
    np.savez(tmp_path / "bad.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=said):
        Reidentification.load(tmp_path / "bad.npz")


def test_a_pickle_and_a_bomb_are_refused_unread(named: Reidentification, tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", embeddings=np.array([{"a": 1}], object), about=np.array("{}"))
    with pytest.raises(InputError, match="holds object, not numbers"):
        Reidentification.load(tmp_path / "p.npz")
    np.savez_compressed(
        tmp_path / "b.npz", embeddings=np.zeros((1 << 20, 8), np.float32), about=np.array("{}")
    )
    with pytest.raises(InputError, match="its arrays have more than 1 MiB"):
        Reidentification.load(tmp_path / "b.npz")


def test_what_is_no_such_file_is_one_sentence(named: Reidentification, tmp_path: Path) -> None:
    path = named.save(tmp_path / "good.npz")
    content = path.read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("no archive")
    os.mkfifo(tmp_path / "pipe.npz")
    for name, said in (
        ("cut", "no file of results"),
        ("empty", r"is empty \(0 bytes\)"),
        ("text", "no file of results"),
        ("pipe", "is a pipe; expected a regular file"),
        ("none", "cannot be read: No such file"),
    ):
        with pytest.raises(InputError, match=said):
            Reidentification.load(tmp_path / f"{name}.npz")
    with pytest.raises(InputError, match=r"^\S* is a folder; expected a regular file\.$"):
        Reidentification.load(tmp_path)


def test_similarity_is_the_cosine_of_each_with_each(found: Reidentification) -> None:
    cosines = similarity(found[:2], found)
    assert cosines.shape == (2, 5)
    assert cosines[1, 1] == pytest.approx(1.0)
    assert cosines[0, 1] == pytest.approx(found[0].embedding @ found[1].embedding, abs=1e-6)
    assert np.array_equal(similarity(found), similarity(found, found))
    assert similarity(found[:0], found).shape == (0, 5)


def test_results_of_different_spaces_do_not_compare(found: Reidentification) -> None:
    other = dataclasses.replace(found, embedding_space="sha256:other")
    unknown = dataclasses.replace(found, embedding_space=None)
    for call in (similarity, gallery.match):
        with pytest.raises(InputError, match="of different spaces"):
            call(found, other)
        with pytest.raises(InputError, match="does not say which weights"):
            call(found, unknown)
    with pytest.raises(InputError, match="different embedding spaces"):
        concatenate([found, other])
    with pytest.raises(InputError, match="have keypoints, others do not"):
        concatenate([found, dataclasses.replace(found, keypoints=None)])
    with pytest.raises(InputError, match="no results to join"):
        concatenate([])
    with pytest.raises(InputError, match=r"expected a list of them: concatenate"):
        concatenate(found)


def test_a_result_on_the_device_is_saved_from_the_host(found: Reidentification, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(getattr(found, name)) for name in ARRAYS}
    device = dataclasses.replace(found, **tensors)
    assert alike(Reidentification.load(device.save(tmp_path / "t.npz")), found)
    assert alike(device[[1, 2]].to_numpy(), found[[1, 2]])
    assert gallery.match(device, found).of_first(3) is not None


def test_a_file_takes_no_more_memory_than_it_has_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no archive")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="is no file of results"):
            Reidentification.load(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
