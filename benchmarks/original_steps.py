# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The original's way from picture files to outputs, in steps that can be taken one by one."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import original_repository as repository
import torch
from numpy.typing import NDArray
from original_repository import MEAN, STD, Original
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.models import ReidSpec
from pamtri_edge.pictures import read_picture

Picture = NDArray[np.float32]

SEGMENTS = (
    (5, 15, 16, 17), (5, 6, 12, 15), (6, 10, 11, 12), (23, 33, 34, 35), (23, 24, 30, 33), (24, 28, 29, 30),
    (10, 11, 29, 28), (11, 12, 30, 29), (12, 13, 31, 30), (13, 14, 32, 31), (14, 15, 33, 32),
    (15, 16, 34, 33), (16, 17, 35, 34),
)  # fmt: skip
"""The original's corners; they stand in the middle of a function of its, where nobody can import them."""


@dataclass(frozen=True)
class Step:
    """How far the original's steps are followed.

    Attributes:
        name: short.
        what: in words.
        same: ours does the same, so that only rounding may differ.
        twice: heatmaps and segments are enlarged to the picture's size, then resized to 256x256.
        bytes: values are floored to 1/255.
        files: the original's own programs, with JPEG and CSV files.
    """

    name: str
    what: str
    same: bool = False
    twice: bool = False
    bytes: bool = False
    files: bool = False


STEPS = (
    Step("numbers", "maps as float numbers, enlarged once from 64 to 256: what our graph does", same=True),
    Step(
        "+ double resizing",
        "maps enlarged to the size of the crop, then resized to 256; segments clipped as fillPoly does it",
        twice=True,
    ),
    Step("+ 8 bits", "maps floored to 1/255", twice=True, bytes=True),
    Step(
        "its own files", "the original's programs and loader as they are, JPEG files between them", files=True
    ),
)


@dataclass(frozen=True)
class Posed:
    """What the pose program leaves for the re-identification program.

    Attributes:
        paths: the picture files.
        heatmaps: (N, 36, 64, 64), averaged if there is a flip test.
        keypoints: (N, 36, 3) in pixels of the pictures, confidence.
        output: folder of the pose program's files.
    """

    paths: tuple[Path, ...]
    heatmaps: Tensor
    keypoints: NDArray[np.float32]
    output: Path


@dataclass(frozen=True)
class Described:
    """Outputs of the re-identification network: raw feature (N, D), probabilities, and the keypoints used."""

    feature: Tensor
    color: Tensor
    kind: Tensor
    keypoints: Tensor


def heatmaps(original: Original, network: nn.Module, windows: Tensor, *, flip_test: bool) -> Tensor:
    """Return the heatmaps (N, 36, 64, 64) of windows (N, 3, 256, 256) of 0..255, as `output_preds` does."""
    inputs = torch.stack([repository.normalize(window / 255, MEAN, STD) for window in windows])
    maps: Tensor = network(inputs)
    if not flip_test:
        return maps
    flipped = network(torch.from_numpy(np.flip(inputs.numpy(), 3).copy()))
    pairs = [[k, k + 18] for k in range(18)]
    back = torch.from_numpy(original.transforms.flip_back(flipped.numpy(), pairs).copy())
    back[:, :, :, 1:] = back.clone()[:, :, :, 0:-1]
    return (maps + back) * 0.5


def keypoints(original: Original, maps: Tensor, sizes: Tensor) -> NDArray[np.float32]:
    """Return (N, 36, 3) of the original's `get_final_preds`: pixels of the picture, confidence."""
    centers = (sizes * 0.5).numpy()
    scales = (sizes.amax(dim=1, keepdim=True).expand(-1, 2) / 200 * 1.25).numpy()
    with repository.period():
        places, confidences = original.inference.get_final_preds(
            repository.settings(Path()), maps.numpy().copy(), centers, scales
        )
    return np.concatenate([places, confidences], axis=2).astype(np.float32)


def pose(
    original: Original, network: nn.Module, paths: Sequence[Path], folder: Path, *, flip_test: bool
) -> Posed:
    """Run the pose side from picture files: its data set, its program with files, and the maps as numbers."""
    copies, extents = _copied(paths, folder / "images" / f"image_{repository.IMAGES}")
    names = {path.name: tuple(map(int, size)) for path, size in zip(copies, extents.tolist(), strict=True)}
    dataset = repository.pose_dataset(original, folder, names)
    output = folder / "output"
    repository.write_predictions(original, network, dataset, folder, output, flip_test=flip_test)
    with repository.period():
        inputs = torch.stack([dataset[index][0] for index in range(len(dataset))])
    windows = (inputs * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)) * 255
    maps = heatmaps(original, network, windows.round(), flip_test=flip_test)
    return Posed(copies, maps, keypoints(original, maps, extents), output)


def smooth(original: Original, paths: Sequence[Path], folder: Path) -> Posed:
    """Return what the pose side would leave if its heatmaps were what training aims at.

    That is one Gaussian a keypoint, of deviation 2, here at drawn places. Heatmaps of drawn weights are far
    rougher, and suffer more from being resized and compressed. There are no segments.
    """
    copies, extents = _copied(paths, folder / "images")
    drawn = np.random.default_rng(0)
    cells = np.arange(64)
    places = drawn.uniform(8, 56, (2, len(copies), 36, 1))
    across, down = (np.exp(-((cells - place) ** 2) / 8) for place in places)
    peaks = drawn.uniform(0.6, 1.0, (len(copies), 36, 1, 1))
    maps = torch.from_numpy((peaks * down[..., None] * across[..., None, :]).astype(np.float32))
    output = folder / "output"
    output.mkdir()
    heatmap_folder = output / f"heatmap_{repository.IMAGES}"
    heatmap_folder.mkdir()
    original.vis.save_heatmaps(maps, [path.name for path in copies], str(heatmap_folder))
    found = keypoints(original, maps, extents)
    rows = (
        ",".join([path.name, *(f"{v:.3f}" for v in row.ravel())])
        for path, row in zip(copies, found, strict=True)
    )
    (output / f"pose_{repository.IMAGES}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Posed(copies, maps, found, output)


def _copied(paths: Sequence[Path], folder: Path) -> tuple[tuple[Path, ...], Tensor]:
    """Copy pictures under names in order; return the copies and their widths and heights (N, 2)."""
    folder.mkdir(parents=True)
    copies = tuple(Path(shutil.copy(path, folder / f"{i:04d}.jpg")) for i, path in enumerate(paths))
    sizes = [read_picture(path).shape[1::-1] for path in copies]
    return copies, torch.tensor(sizes, dtype=torch.float32)


def described(original: Original, network: nn.Module, spec: ReidSpec, posed: Posed, step: Step) -> Described:
    """Run the re-identification side on what the pose side left, the pictures taken one after another."""
    rows = _read_rows(posed)
    stacks, vectors = [], []
    for index, row in enumerate(rows):
        if step.files:
            stack, vector = _load(original, spec, posed, index, list(row))
        else:
            stack, vector = _assemble(original, spec, posed, index, row, step)
        stacks.append(stack)
        vectors.append(vector)
    outputs = network(torch.stack(stacks), torch.stack(vectors) if spec.keypoints else None)
    color, kind = (logits.softmax(1) for logits in outputs[1:3]) if spec.multitask else (outputs[0],) * 2
    return Described(outputs[-1], color, kind, torch.tensor(rows).view(-1, 36, 3))


def _read_rows(posed: Posed) -> list[list[float]]:
    with (posed.output / f"pose_{repository.IMAGES}.csv").open(encoding="utf-8", newline="") as file:
        return [[float(value) for value in row[1:]] for row in csv.reader(file)]


def _load(
    original: Original, spec: ReidSpec, posed: Posed, index: int, row: list[float]
) -> tuple[Tensor, Tensor]:
    """Return stack and keypoint vector from the original's loader, which reads the pose program's files."""
    path = posed.paths[index]
    entry = (
        str(path), 0, 0, 0, 0, row,
        str(posed.output / f"heatmap_{repository.IMAGES}" / path.stem),
        str(posed.output / f"segment_{repository.IMAGES}" / path.stem),
    )  # fmt: skip
    loading = original.loading
    transform = loading.Compose_Keypt(
        [
            loading.Resize_Keypt((256, 256)),
            loading.ToTensor_Keypt(),
            loading.Normalize_Keypt(mean=list(MEAN), std=list(STD)),
        ]
    )
    dataset = original.loader.ImageDataset(
        [entry], keyptaware=spec.keypoints, heatmapaware=spec.heatmaps, segmentaware=spec.segments,
        transform=transform, imagesize=(256, 256),
    )  # fmt: skip
    stack, *_, vector = dataset[0]
    return stack, torch.from_numpy(np.asarray(vector)).float()


def _assemble(
    original: Original, spec: ReidSpec, posed: Posed, index: int, row: list[float], step: Step
) -> tuple[Tensor, Tensor]:
    """Return stack and keypoint vector by the same steps in memory, as far as `step` wants them."""
    picture = read_picture(posed.paths[index])
    height, width = picture.shape[:2]
    channels = [np.moveaxis(_resize(picture, 256, 256), 2, 0).astype(np.float32) / 255]
    maps: list[Picture] = []
    if spec.heatmaps:
        maps.extend(posed.heatmaps[index].clamp(0, 1).numpy())
    if spec.segments:
        margin = max(width, height) if step.same else 0
        maps.extend(_segment(original, row, corners, width, height, margin) for corners in SEGMENTS)
    if step.bytes:
        maps = [(np.floor(one * 255) / 255).astype(np.float32) for one in maps]
    if maps and step.twice:
        enlarged = [_resize(_resize(one, width, height), 256, 256) for one in maps]
        channels.append(np.stack(enlarged))
    elif maps:
        small = torch.from_numpy(np.stack(maps)).unsqueeze(0)
        channels.append(functional.interpolate(small, size=(256, 256), mode="bilinear")[0].numpy())
    stack = torch.from_numpy(np.concatenate(channels))
    extra = stack.shape[0] - 3
    stack = repository.normalize(stack, [*MEAN, *[0.449] * extra], [*STD, *[0.226] * extra])
    vector = torch.tensor(row, dtype=torch.float64).view(36, 3)
    vector = vector / torch.tensor([width, height, 1.0], dtype=torch.float64) - 0.5
    return stack, vector.flatten().float()


def _segment(
    original: Original, row: list[float], corners: Sequence[int], width: int, height: int, margin: int
) -> Picture:
    """Return one segment as 64x64 of 0..1: rounded corners, `is_convex`, `cv2.fillPoly`, `cv2.resize`.

    An outline that leaves the picture is drawn otherwise by each version of OpenCV, some of which fill the
    picture's border along it. With a margin around the picture it stays a polygon.
    """
    drawn = np.zeros((height + 2 * margin, width + 2 * margin), np.float32)
    places = [[round(row[3 * k]), round(row[3 * k + 1])] for k in corners]
    sure = all(row[3 * k + 2] >= 0.5 for k in corners)
    if sure and original.vis.is_convex(places):
        cv2.fillPoly(drawn, np.array([places], np.int32) + margin, 1.0)
    return _resize(drawn[margin : margin + height, margin : margin + width], 64, 64)


def _resize(picture: Any, width: int, height: int) -> Any:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
