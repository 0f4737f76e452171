# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The original PAMTRI's way from a crop to an embedding, in eager PyTorch: the baseline of the benchmarks.

The original is two programs that meet on disk. This is an independent implementation of what the two do to
one batch of vehicle images, step by step and in the same order (github.com/NVlabs/PAMTRI, commit 25564bb):

1. the crop is warped into a square window 1.25 times its longer side, black outside;
2. pose runs on the window and on its mirror image, and the heatmaps are averaged;
3. `get_final_preds` finds the peaks in NumPy, with a loop over joints for the quarter offset;
4. each of the 36 heatmaps is cut to 8 bits and written as a JPEG file of OpenCV's default quality;
5. each is read back, stretched over the crop, and stacked behind RGB; the stack is stretched to 256x256;
6. re-identification runs on the stack and the keypoints.

It is kinder to the original than the original is: the picture is not read from a file a second time, no
debugging pictures are drawn, and no CSV files join the programs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge.models import PoseNet, ReidNet

SIZE = 256
CELLS = 64
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
EXTRA_MEAN = 0.449
EXTRA_STD = 0.226
WINDOW = 1.25

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Described:
    """What the original knows of a batch at its end.

    Attributes:
        feature: (N, D) float32, not of unit length.
        color: (N, C) float32 logits.
        type: (N, T) float32 logits.
        keypoints: (N, 36, 3) float64 x, y in crop pixels, confidence.
        heatmaps: (N, 36, 64, 64) float32, averaged over the flip test.
    """

    feature: Tensor
    color: Tensor
    type: Tensor
    keypoints: NDArray[np.float64]
    heatmaps: Tensor


class OriginalPipeline:
    """Pose and re-identification (keypoints, heatmaps, attributes) as the original joins them.

    Args:
        pose: a pose network in eval mode.
        reid: a re-identification network in eval mode, with keypoints, heatmaps and attribute heads.
        flip_test: pose sees the mirror image too. The original does.
        files: heatmaps pass through JPEG files. The original's do. Without, they are stretched to 256x256
            once, as float32: no 8-bit cut, no compression, no second resizing.
    """

    def __init__(self, pose: PoseNet, reid: ReidNet, *, flip_test: bool = True, files: bool = True) -> None:
        spec = reid.spec
        if not (spec.keypoints and spec.heatmaps and spec.multitask) or spec.segments:
            raise ValueError("the baseline is keypoints + heatmaps + attributes, without segments.")
        self.pose = pose
        self.reid = reid
        self.flip_test = flip_test
        self.files = files

    def __call__(self, crops: Sequence[Picture]) -> Described:
        """Describe a batch of (H, W, 3) uint8 RGB crops."""
        with torch.no_grad():
            windows = torch.from_numpy(np.stack([_normalized(_window(crop)) for crop in crops]))
            heatmaps = self._heatmaps(windows)
            keypoints = final_predictions(heatmaps.numpy(), crops)
            stacks = torch.from_numpy(np.stack(self._stacks(crops, heatmaps)))
            vectors = torch.from_numpy(
                np.stack([_vector(k, c) for k, c in zip(keypoints, crops, strict=True)])
            )
            _, color, kind, feature = self.reid(stacks, vectors)
        return Described(feature, color, kind, keypoints, heatmaps)

    def _heatmaps(self, windows: Tensor) -> Tensor:
        heatmaps: Tensor = self.pose(windows)
        if not self.flip_test:
            return heatmaps
        mirrored = self.pose(windows.flip(3)).flip(3)
        swapped = torch.cat([mirrored[:, 18:], mirrored[:, :18]], dim=1)
        swapped[..., 1:] = swapped.clone()[..., :-1]
        return (heatmaps + swapped) * 0.5

    def _stacks(self, crops: Sequence[Picture], heatmaps: Tensor) -> list[NDArray[np.float32]]:
        if not self.files:
            return [_direct_stack(crop, maps) for crop, maps in zip(crops, heatmaps.numpy(), strict=True)]
        stacks = []
        for crop, maps in zip(crops, heatmaps, strict=True):
            with tempfile.TemporaryDirectory(prefix="heatmaps-") as folder:
                write_heatmaps(Path(folder), maps)
                stacks.append(_stack_from_files(Path(folder), crop))
        return stacks


def final_predictions(heatmaps: NDArray[np.float32], crops: Sequence[Picture]) -> NDArray[np.float64]:
    """Find the keypoints (N, 36, 3) in crop pixels: `get_final_preds` with post-processing."""
    count, joints = heatmaps.shape[:2]
    flat = heatmaps.reshape(count, joints, -1)
    index = flat.argmax(axis=2)
    confidence = flat.max(axis=2)
    points = np.stack([index % CELLS, index // CELLS], axis=2).astype(np.float64)
    points *= (confidence > 0)[:, :, None]
    for n in range(count):
        for joint in range(joints):
            x, y = points[n, joint].astype(int)
            if 1 < x < CELLS - 1 and 1 < y < CELLS - 1:
                map_ = heatmaps[n, joint]
                slope = np.array([map_[y, x + 1] - map_[y, x - 1], map_[y + 1, x] - map_[y - 1, x]])
                points[n, joint] += np.sign(slope) * 0.25
    for n, crop in enumerate(crops):
        height, width = crop.shape[:2]
        scale = WINDOW * max(width, height) / CELLS
        points[n] = (points[n] - CELLS / 2) * scale + (width / 2, height / 2)
    return np.concatenate([points, confidence[:, :, None]], axis=2)


def write_heatmaps(folder: Path, heatmaps: Tensor) -> None:
    """Write (36, 64, 64) heatmaps as the files 00.jpg .. 35.jpg, values cut (not rounded) to 8 bits."""
    for index, map_ in enumerate(heatmaps.mul(255).clamp(0, 255).byte().numpy()):
        cv2.imwrite(str(folder / f"{index:02d}.jpg"), map_)


def _stack_from_files(folder: Path, crop: Picture) -> NDArray[np.float32]:
    height, width = crop.shape[:2]
    channels = [crop]
    for path in sorted(folder.glob("*.jpg")):
        map_ = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        channels.append(cv2.resize(map_, (width, height))[:, :, None])
    stack = cv2.resize(np.concatenate(channels, axis=2), (SIZE, SIZE)).astype(np.float32) / 255
    mean = np.full(stack.shape[2], EXTRA_MEAN, np.float32)
    std = np.full(stack.shape[2], EXTRA_STD, np.float32)
    mean[:3], std[:3] = MEAN, STD
    return np.ascontiguousarray(((stack - mean) / std).transpose(2, 0, 1))


def _direct_stack(crop: Picture, heatmaps: NDArray[np.float32]) -> NDArray[np.float32]:
    rgb = _normalized(cv2.resize(crop, (SIZE, SIZE)))
    maps = [cv2.resize(map_, (SIZE, SIZE)) for map_ in heatmaps.clip(0, 1)]
    return np.concatenate([rgb, (np.stack(maps) - EXTRA_MEAN) / EXTRA_STD]).astype(np.float32)


def _window(crop: Picture) -> Picture:
    height, width = crop.shape[:2]
    scale = SIZE / (WINDOW * max(width, height))
    matrix = np.array([[scale, 0, SIZE / 2 - scale * width / 2], [0, scale, SIZE / 2 - scale * height / 2]])
    return cv2.warpAffine(crop, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _normalized(picture: Picture) -> NDArray[np.float32]:
    scaled = (picture.astype(np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _vector(keypoints: NDArray[np.float64], crop: Picture) -> NDArray[np.float32]:
    height, width = crop.shape[:2]
    return (keypoints / (width, height, 1) - 0.5).reshape(-1).astype(np.float32)
