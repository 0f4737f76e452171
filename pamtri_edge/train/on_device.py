# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""All pictures of a set held on the device as bytes, and augmented there: for a GPU that threads cannot feed.

41,000 pictures take 8 GB. The same specification of augmentation applies as on the CPU; what is drawn
differs. Compression is imitated by quantizing the cosine transform of 8x8 blocks, as JPEG does, without its
halved color resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pamtri_edge.datasets.data_set import DataSet, crop_of
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.train.augment import AugmentSpec, drawn_box, erase, move_keypoints, stretched
from pamtri_edge.train.loader import Pictures, Position, planned
from pamtri_edge.train.photometry import Degradation, blur_kernel
from pamtri_edge.train.sampler import Sampler
from pamtri_edge.vehicle import NUM_KEYPOINTS

_SALT: Final = 29
_KERNEL: Final = 25  # holds the widest blur of a 512 pixel picture
_GRAY: Final = (0.299, 0.587, 0.114)
_LUMA: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantization of brightness at quality 50, table K.1 of JPEG; color is quantized by it doubled."""


class DeviceLoader:
    """Gives the batches of `loader.Loader`, from pictures that wait on the device.

    Args:
        data: the pictures; all are decoded and stretched to 256 pixels here.
        sampler: which make a batch.
        spec: what happens to them.
        device: where they wait.
        seed: another seed, other augmentation.
        workers: threads that decode.

    Raises:
        InputError: a picture cannot be decoded.
    """

    def __init__(
        self,
        data: DataSet,
        sampler: Sampler,
        spec: AugmentSpec,
        *,
        device: torch.device,
        seed: int = 0,
        workers: int = 2,
    ) -> None:
        self._sampler = sampler
        self._spec = spec
        self._seed = seed
        self._device = device
        self._store = torch.empty((len(data), IMAGE_SIZE, IMAGE_SIZE, 3), dtype=torch.uint8, device=device)
        self._keypoints = np.zeros((len(data), NUM_KEYPOINTS, 3), np.float32)

        def read(index: int) -> NDArray[np.uint8]:
            picture, keypoints = crop_of(data, index, 0, IMAGE_SIZE)
            if keypoints is not None:
                self._keypoints[index] = keypoints
            return stretched(picture, IMAGE_SIZE)

        with ThreadPoolExecutor(workers) as pool:
            for index, picture in enumerate(pool.map(read, range(len(data)))):
                self._store[index] = torch.from_numpy(picture).to(device)

    def batches(self, start: Position, size: Callable[[int], int]) -> Generator[Pictures, None, None]:
        """Yield batches without end; see `Loader.batches`."""
        for number, (at, indices) in enumerate(planned(self._sampler, start)):
            rng = np.random.default_rng([self._seed, _SALT, at.epoch, at.batch])
            stored = self._store[torch.from_numpy(indices).to(self._device)]
            pictures, keypoints, gray = augment_batch(
                stored, self._keypoints[indices], self._spec, rng, size=size(number)
            )
            yield Pictures(at.after(), indices, pictures, keypoints, gray)


def augment_batch(
    pictures: Tensor,
    keypoints: NDArray[np.float32],
    spec: AugmentSpec,
    rng: np.random.Generator,
    *,
    size: int,
) -> tuple[Tensor, NDArray[np.float32], NDArray[np.bool_]]:
    """Return pictures changed as may happen to crops, on the device that they are on.

    Args:
        pictures: (N, H, W, 3) uint8 RGB.
        keypoints: (N, 36, 3) x, y in crop units and visibility.
        spec: what may happen.
        rng: where all chance comes from.
        size: side of the results.

    Returns:
        (N, size, size, 3) uint8, their keypoints, and (N,) whose color was taken away.
    """
    count, device = len(pictures), pictures.device
    boxes = [drawn_box(spec, rng) for _ in range(count)]
    moved = np.stack(
        [
            move_keypoints(points, box, mirrored=flip)
            for points, (box, flip) in zip(keypoints, boxes, strict=True)
        ]
    )
    planes = pictures.permute(0, 3, 1, 2).to(torch.float32)
    images = _warped(planes, np.stack([box for box, _ in boxes]), size)
    if spec.light.colors:
        matrices = _on(np.stack([spec.light.matrix(rng) for _ in range(count)]), device)
        images = torch.einsum("nij,njhw->nihw", matrices, images)
    images = images.round().clamp(0, 255)
    if spec.light.exposes:
        tables = _on(np.stack([spec.light.table(rng)[:, 0] for _ in range(count)]), device)
        images = torch.gather(tables.transpose(1, 2), 2, images.flatten(2).long()).view_as(images)
    gray = rng.random(count) < spec.gray
    if gray.any():
        weights = torch.tensor(_GRAY, device=device).view(1, 3, 1, 1)
        level = (images * weights).sum(dim=1, keepdim=True).expand_as(images)
        images = torch.where(_on(gray, device).bool().view(-1, 1, 1, 1), level, images)
    images = _degraded(images, spec.degradation, rng)
    out = images.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    for place in np.flatnonzero(rng.random(count) < spec.erase):
        erase(out[int(place)], spec.erase_area, rng)
    return out, moved, gray


def _warped(images: Tensor, boxes: NDArray[np.float64], size: int) -> Tensor:
    """Resample by maps (N, 2, 3) of crop units: bilinear, reflected at the border."""
    while images.shape[-1] >= 2 * size:
        images = functional.avg_pool2d(images, 2)
    square = np.concatenate([boxes, np.tile([[[0.0, 0.0, 1.0]]], (len(boxes), 1, 1))], axis=1)
    back = np.linalg.inv(square)[:, :2]
    linear, shift = back[:, :, :2], back[:, :, 2]
    theta = np.concatenate([linear, (linear.sum(axis=2) + 2 * shift - 1.0)[:, :, None]], axis=2)
    grid = functional.affine_grid(
        _on(theta, images.device), [len(images), 3, size, size], align_corners=False
    )
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _degraded(images: Tensor, spec: Degradation, rng: np.random.Generator) -> Tensor:
    count, side = len(images), images.shape[-1]
    chosen = np.flatnonzero(rng.random(count) < spec.blur)
    if len(chosen):
        kernels = np.zeros((len(chosen), _KERNEL, _KERNEL), np.float32)
        for kernel in kernels:
            drawn = blur_kernel(side, rng)
            edge = (_KERNEL - len(drawn)) // 2
            kernel[edge : edge + len(drawn), edge : edge + len(drawn)] = drawn
        images = _replaced(images, chosen, lambda some: _filtered(some, _on(kernels, images.device)))
    for place in np.flatnonzero(rng.random(count) < spec.low_resolution):
        small = max(4, round(side * rng.uniform(spec.smallest, 0.7)))
        one = functional.interpolate(images[place : place + 1], size=(small, small), mode="area")
        enlarged = functional.interpolate(one, size=(side, side), mode="bilinear", align_corners=False)
        images = images.index_copy(0, torch.tensor([int(place)], device=images.device), enlarged)
    chosen = np.flatnonzero(rng.random(count) < spec.noise)
    if len(chosen):
        levels = _on(rng.uniform(0.2, 1.0, len(chosen)) * spec.noise_level, images.device)
        generator = torch.Generator(images.device).manual_seed(int(rng.integers(2**31)))
        shape = (len(chosen), 4, side, side)
        drawn_noise = torch.randn(shape, generator=generator, device=images.device) * 0.5**0.5
        noise = (drawn_noise[:, :3] + drawn_noise[:, 3:]) * levels.view(-1, 1, 1, 1)
        images = _replaced(images, chosen, lambda some: some + noise)
    chosen = np.flatnonzero(rng.random(count) < spec.compression)
    if len(chosen):
        qualities = rng.integers(spec.quality, 81, len(chosen))
        images = _replaced(images, chosen, lambda some: _compressed(some, qualities))
    return images


def _filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolve each picture (N, 3, H, W) with its own kernel (N, K, K)."""
    edge = kernels.shape[-1] // 2
    padded = functional.pad(images, (edge,) * 4, mode="reflect").flatten(0, 1)
    weights = kernels.repeat_interleave(3, dim=0).unsqueeze(1)
    return functional.conv2d(padded.unsqueeze(0), weights, groups=len(weights))[0].view_as(images)


def _compressed(images: Tensor, qualities: NDArray[np.int64]) -> Tensor:
    """Quantize the cosine transform of 8x8 blocks of pictures (N, 3, H, W), H and W multiples of 8."""
    device = images.device
    scale = np.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities) / 100
    luma = np.maximum(1.0, np.array(_LUMA) * scale[:, None, None])
    steps = _on(np.stack([luma, 2 * luma, 2 * luma], axis=1), device)[:, :, None, None]
    mix = torch.tensor([_GRAY, (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813)], device=device)
    cosine = _on(_cosine_transform(), device)
    count, _, height, width = images.shape
    mixed = torch.einsum("ij,njhw->nihw", mix, images - 128.0)
    blocks = mixed.view(count, 3, height // 8, 8, width // 8, 8).transpose(3, 4)
    quantized = (cosine @ blocks @ cosine.t() / steps).round() * steps
    back = (cosine.t() @ quantized @ cosine).transpose(3, 4).reshape(images.shape)
    return torch.einsum("ij,njhw->nihw", torch.linalg.inv(mix), back) + 128.0


def _cosine_transform() -> NDArray[np.float64]:
    """Return the orthonormal matrix (8, 8) of the discrete cosine transform."""
    row, column = np.mgrid[0:8, 0:8]
    matrix = np.cos(np.pi * (2 * column + 1) * row / 16) / 2
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix, np.float64)


def _replaced(images: Tensor, chosen: NDArray[np.int64], change: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the pictures with some of them changed."""
    places = torch.from_numpy(chosen).to(images.device)
    return images.index_copy(0, places, change(images[places]))


def _on(array: NDArray[np.generic], device: torch.device) -> Tensor:
    return torch.from_numpy(np.asarray(array, np.float32)).to(device)
