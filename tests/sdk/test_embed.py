# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentification, Reidentifier, arrays, given, reidentifier, samples
from pamtri_edge.errors import EngineError, InputError
from pamtri_edge.geometry import window_matrix

Micro = Callable[..., Path]
Crops = list[NDArray[np.uint8]]
ARRAYS = ("embeddings", "color_probs", "type_probs", "keypoints", "quality")


@pytest.fixture(scope="module", params=["openvino", "torch"])
def reid(request: pytest.FixtureRequest, micro_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(micro_bundle, backend=request.param, threads=2) as reid:
        yield reid


@pytest.fixture(scope="module")
def crops() -> Crops:
    return samples.crops(7)


def stretched(crops: Crops) -> NDArray[np.float32]:
    """Return the crops as the network sees them."""
    resized = [cv2.resize(crop, (256, 256), interpolation=cv2.INTER_LINEAR) for crop in crops]
    return np.stack(resized).transpose(0, 3, 1, 2).astype(np.float32)


def assert_same(one: Reidentification, other: Reidentification, near: float) -> None:
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=near, err_msg=name)
    assert one.colors == other.colors
    assert one.types == other.types


def test_the_network_sees_the_stretched_crop(
    reid: Reidentifier, crops: Crops, micro_bundle: Path, compute: Callable[..., Mapping[str, Any]]
) -> None:
    meant = compute(micro_bundle, {"images": stretched(crops)})
    found = reid.embed(crops)
    np.testing.assert_allclose(found.embeddings, meant["embedding"], atol=1e-5)
    np.testing.assert_allclose(found.color_probs, meant["color"], atol=1e-5)
    np.testing.assert_allclose(found.keypoints, meant["keypoints"], atol=1e-5)
    np.testing.assert_allclose(found.quality, meant["quality"][:, 0], atol=1e-5)
    assert all(getattr(found, name).dtype == np.float32 for name in ARRAYS)
    for found_names, names, chances in (
        (found.colors, reid.manifest.colors, meant["color"]),
        (found.types, reid.manifest.types, meant["type"]),
    ):
        assert found_names == [names[at] for at in chances.argmax(axis=1)]


def test_the_original_geometry_gets_its_window_and_the_size_of_the_crop(
    original_bundle: Path, crops: Crops, compute: Callable[..., Mapping[str, Any]]
) -> None:
    windows = [cv2.warpAffine(c, window_matrix(c.shape[1], c.shape[0]), (256, 256)) for c in crops]
    inputs = {
        "images": stretched(crops),
        "pose_images": np.stack(windows).transpose(0, 3, 1, 2).astype(np.float32),
        "crop_size": np.array([(c.shape[1], c.shape[0]) for c in crops], np.float32),
    }
    meant = compute(original_bundle, inputs)
    with Reidentifier.load(original_bundle) as reid:
        found = reid.embed(crops)
        mirrored = reid.embed([crop[..., ::-1] for crop in crops], color_order="bgr")
    np.testing.assert_allclose(found.embeddings, meant["embedding"], atol=1e-5)
    np.testing.assert_allclose(found.keypoints, meant["keypoints"], atol=1e-5)
    np.testing.assert_allclose(found.quality, [c.shape[0] * c.shape[1] / 65536 for c in crops], rtol=1e-5)
    assert_same(mirrored, found, 1e-6)


@pytest.mark.parametrize("batch", [[], (), np.zeros((0, 64, 64, 3), np.uint8), np.zeros(0, np.uint8)])
def test_an_empty_batch_gives_empty_arrays(reid: Reidentifier, batch: Any) -> None:
    found = reid.embed(batch)
    assert len(found) == 0
    assert found.embeddings.shape == (0, 16)
    assert found.color_probs is not None
    assert found.color_probs.shape == (0, 4)
    assert found.keypoints is not None
    assert found.keypoints.shape == (0, 36, 3)
    assert found.quality is not None
    assert found.quality.shape == (0,)
    assert found.colors == found.types == []


def test_a_list_and_an_array_are_the_same_batch(reid: Reidentifier, rng: np.random.Generator) -> None:
    batch = rng.integers(0, 256, (4, 40, 60, 3), dtype=np.uint8)
    assert_same(reid.embed(batch), reid.embed(list(batch)), 0)


def test_bgr_pictures_give_what_their_rgb_gives(reid: Reidentifier, crops: Crops) -> None:
    turned = [np.ascontiguousarray(crop[..., ::-1]) for crop in crops]
    found = reid.embed(turned, color_order="bgr")
    assert_same(found, reid.embed(crops), 0 if reid.backend.name == "openvino" else 1e-6)
    assert np.abs(reid.embed(turned).embeddings - found.embeddings).max() > 0.01


def test_a_crop_gives_the_same_alone_and_in_a_batch(reid: Reidentifier, crops: Crops) -> None:
    together = reid.embed(crops).embeddings
    alone = [reid.embed([crop]).embeddings[0] for crop in crops]
    np.testing.assert_allclose(together, alone, atol=1e-5 if reid.backend.name == "torch" else 0)


def test_a_long_batch_is_prepared_in_pieces(
    reid: Reidentifier, crops: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = reid.embed(crops)
    run, sizes = reid.backend.run, []

    def recorded(inputs: Mapping[str, Any]) -> dict[str, Any]:
        sizes.append(len(inputs["images"]))
        return run(inputs)

    monkeypatch.setattr(reid.backend, "run", recorded)
    assert len(reid.embed([crops[0]] * (reidentifier.CHUNK + 1))) == reidentifier.CHUNK + 1
    assert sizes == [reidentifier.CHUNK, 1]
    monkeypatch.setattr(reidentifier, "CHUNK", 3)
    assert_same(reid.embed(crops), whole, 1e-6)
    assert sizes[2:] == [3, 3, 1]


@pytest.mark.parametrize("form", [list, tuple, np.stack])
def test_every_crop_is_looked_at_once(
    micro_bundle: Path, crops: Crops, monkeypatch: pytest.MonkeyPatch, form: Callable[[Crops], Any]
) -> None:
    look, seen = arrays.check_picture, []

    def counted(picture: Any, what: str) -> NDArray[np.uint8]:
        seen.append(what)
        return look(picture, what)

    monkeypatch.setattr(arrays, "check_picture", counted)
    monkeypatch.setattr(given, "check_picture", counted)
    batch = form([np.resize(crop, (9, 7, 3)) for crop in crops])
    with Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid:
        seen.clear()
        reid.embed(batch)
    of_one_form = isinstance(batch, np.ndarray)  # then the first tells of all
    assert seen == [f"crop {index}" for index in range(1 if of_one_form else 7)]


def test_several_threads_may_embed_at_once(reid: Reidentifier, crops: Crops) -> None:
    batches = [crops[at : at + 1 + at % 3] for at in range(5)] * 6
    alone = [reid.embed(batch) for batch in batches]
    with ThreadPoolExecutor(6) as pool:
        for found, meant in zip(pool.map(reid.embed, batches), alone, strict=True):
            assert_same(found, meant, 1e-6)


def test_a_single_pixel_is_a_crop(reid: Reidentifier) -> None:
    pixel = np.full((1, 1, 3), (10, 200, 30), np.uint8)
    flat = np.full((256, 256, 3), (10, 200, 30), np.uint8)
    assert_same(reid.embed([pixel]), reid.embed([flat]), 1e-6)


GOOD = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\).*COLOR_GRAY2RGB"),
        (np.ones((8, 8, 3), np.float32), "dtype float32 with values 1..1"),
        ("nothing.jpg", "nothing.jpg"),
        (None, "is None, which cv2.imread gives"),
        (7, "is an int"),
        (b"\xff\xd8", r"is bytes; .*PIL\.Image\.open"),
    ],
)
def test_a_crop_that_is_none_is_named(reid: Reidentifier, bad: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"crop 1.*{said}"):
        reid.embed([GOOD, bad])


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (GOOD, "a single picture; pass a list"),
        ("car.jpg", "a single picture; pass a list"),
        (None, "the batch is None, which cv2.imread gives"),
        (np.zeros((1, 3, 256, 256), np.float32), "crop 0"),
        (np.array(["a.jpg", "b.jpg"]), r"shape \(2,\).*embed\(paths\.tolist\(\)\)"),
    ],
)
def test_a_batch_that_is_none_is_refused(reid: Reidentifier, batch: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        reid.embed(batch)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"color_order": "hsv"}, "color_order is 'hsv'; accepted: 'rgb', 'bgr'"),
        ({"output": "cupy"}, "output is 'cupy'; accepted: 'numpy', 'device'"),
        ({"output": "device"}, "use output='numpy', or load with device='cuda'"),
    ],
)
def test_options_that_do_not_exist_are_refused(
    reid: Reidentifier, options: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        reid.embed([GOOD], **options)


def test_results_may_stay_on_the_device(
    micro_bundle: Path, crops: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    with Reidentifier.load(micro_bundle, backend="torch") as reid:
        meant = reid.embed(crops)
        monkeypatch.setattr(reid.backend, "device", "cuda")  # all but the device itself is as with CUDA
        monkeypatch.setattr(reidentifier, "CHUNK", 3)
        found = reid.embed(crops, output="device")
        assert isinstance(found.embeddings, torch.Tensor)
        assert len(reid.embed([], output="device")) == 0
    assert_same(found, meant, 1e-6)


@pytest.mark.parametrize(
    ("outputs", "lacking"),
    [
        (("embedding",), {"color_probs", "type_probs", "colors", "types", "keypoints", "quality"}),
        (("embedding", "color", "type"), {"keypoints", "quality"}),
        (("embedding", "keypoints", "quality"), {"color_probs", "type_probs", "colors", "types"}),
    ],
)
def test_what_a_variant_lacks_is_none(
    micro: Micro, crops: Crops, outputs: tuple[str, ...], lacking: set[str]
) -> None:
    with Reidentifier.load(micro(outputs=outputs)) as reid:
        for batch in (crops[:2], []):
            found = reid.embed(batch)
            optional = ("color_probs", "type_probs", "colors", "types", "keypoints", "quality")
            assert {name for name in optional if getattr(found, name) is None} == lacking


@pytest.mark.parametrize(("value", "said"), [(0.0, "zero length"), (np.nan, "values that are not finite")])
def test_an_embedding_that_is_no_direction_is_refused_with_its_picture(
    micro_bundle: Path, crops: Crops, monkeypatch: pytest.MonkeyPatch, value: float, said: str
) -> None:
    with Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid:
        run = reid.backend.run

        def spoiled(inputs: Any) -> Any:
            outputs = run(inputs)
            outputs["embedding"][1] = value
            return outputs

        monkeypatch.setattr(reid.backend, "run", spoiled)
        with pytest.raises(EngineError, match=f"an embedding of {said} for picture 1 of 3"):
            reid.embed(crops[:3])
