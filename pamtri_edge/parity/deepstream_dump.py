# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What DeepStream wrote of a run: the network's inputs and outputs, of stock nvinfer or of our element.

nvinfer writes into the folder that it runs in (read in gst-nvinfer 9.1):

- `dump-input-tensor=1`: `ip_tensor_dump.bin`, float32, the first crop of every batch, appended.
- `raw-output-file-write=1`: a file a layer and batch, `gstnvdsinfer_uid-02_layer-NAME_batch-0000000000_
  batchsize-04.bin`, every crop of the batch; its input layers hold nothing.
- `dump-output-tensor=1`: `NAME_op_tensor.bin`, every crop, each as many bytes as an *input* has, of which
  only the first are its own.

`nvpamtri` with `dump-dir` writes a folder of its own, two files a crop: see `docs/deepstream.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.ops.frames import YUV_CONVERSIONS

Floats = NDArray[np.float32]

INPUT_FILE: Final = "ip_tensor_dump.bin"
SCHEMA: Final = 1
_RAW: Final = re.compile(r"gstnvdsinfer_uid-(\d+)_layer-(.+)_batch-(\d+)_batchsize-(\d+)\.bin")
_OWN: Final = re.compile(r"crop-\d+\.json")
_INTERLEAVED: Final = ("rgb", "bgr", "rgba", "bgra")
_DTYPES: Final = ("uint8", "float32")
_LARGEST: Final = 2**32
"""Bytes of a file that is still read whole."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The pixels of a crop as they lay in the surface.

    Attributes:
        planes: of NV12: luma (H, W) and chroma (H/2, W/2, 2), rounded up; else one (H, W, 3), RGB; uint8.
        conversion: of NV12: matrix and range, one of `YUV_CONVERSIONS`; None for RGB.
        crop: left, top, right and bottom of the crop in the planes, which may have more around it.
    """

    planes: tuple[NDArray[np.uint8], ...]
    conversion: str | None
    crop: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Dump:
    """Inputs of the network and what it gave for them.

    Attributes:
        source: for reports.
        inputs: (N, 3, S, S) float32.
        outputs: by name, (M, ...) float32: of the first M inputs; empty where they are not known.
        surfaces: of every input, or empty where the pixels were not written.
        remarks: what could not be used, and why.
    """

    source: str
    inputs: Floats
    outputs: Mapping[str, Floats] = field(default_factory=dict)
    surfaces: tuple[Surface, ...] = ()
    remarks: tuple[str, ...] = ()


def read_dump(folder: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Dump:
    """Read what nvinfer or nvpamtri wrote.

    Args:
        folder: the folder of the files.
        inputs: of the bundle.
        outputs: of the bundle.

    Raises:
        InputError: there is no dump, or it does not fit the bundle.
    """
    if len(inputs) != 1:
        raise InputError(
            "this bundle (geometry 'original') cannot be run by nvinfer, so there is no dump of it."
        )
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the one that DeepStream ran in, or dump-dir's.")
    shape = _shape_of_one(inputs[0])
    own = sorted(path for path in folder.iterdir() if _OWN.fullmatch(path.name))
    if own:
        return _read_own(folder, own, shape, outputs)
    if not (folder / INPUT_FILE).is_file():
        raise InputError(
            f"{folder} holds neither {INPUT_FILE}, which nvinfer writes with dump-input-tensor=1, nor "
            "crop-NUMBER.json, which nvpamtri writes with dump-dir=DIR."
        )
    return _read_nvinfer(folder, shape, outputs)


def _read_nvinfer(folder: Path, shape: tuple[int, ...], outputs: Sequence[TensorSpec]) -> Dump:
    images = _floats(folder / INPUT_FILE)
    size = int(np.prod(shape))
    if not len(images) or len(images) % size:
        raise InputError(
            f"{folder / INPUT_FILE} holds {len(images)} numbers, which is no multiple of {size}, the "
            f"numbers of a crop of {'x'.join(map(str, shape))}: it is of another network, or the run was "
            "cut off. Delete it and run again."
        )
    crops = images.reshape(-1, *shape)
    found, remark = _raw_outputs(folder, len(crops), outputs)
    if not found and remark is None:
        found, remark = _appended_outputs(folder, len(crops), size, outputs)
    remarks = () if remark is None else (remark,)
    return Dump(str(folder), crops, found, remarks=remarks)


def _raw_outputs(
    folder: Path, crops: int, outputs: Sequence[TensorSpec]
) -> tuple[dict[str, Floats], str | None]:
    """Return the first row of every batch: that whose input was written."""
    files: dict[str, dict[int, tuple[Path, int]]] = {}
    engines = set()
    for path in folder.iterdir():
        if match := _RAW.fullmatch(path.name):
            engines.add(match[1])
            files.setdefault(match[2], {})[int(match[3])] = (path, int(match[4]))
    if len(engines) > 1:
        raise InputError(
            f"{folder} holds raw outputs of {len(engines)} engines ({', '.join(sorted(engines))}): "
            "raw-output-file-write=1 is for the one of this bundle alone."
        )
    wanted = {spec.name: spec for spec in outputs if spec.name in files}
    if not wanted:
        return {}, None
    found = {}
    for name, spec in wanted.items():
        batches = files[name]
        if sorted(batches) != list(range(crops)):
            return {}, (
                f"{len(batches)} batches have raw outputs and {crops} an input: the files are of several "
                "runs. The outputs were left out; delete all of them and run again"
            )
        found[name] = np.stack([_first_row(*batches[batch], spec) for batch in range(crops)])
    return found, None


def _first_row(path: Path, batch: int, spec: TensorSpec) -> Floats:
    shape = _shape_of_one(spec)
    size = int(np.prod(shape))
    values = _floats(path)
    if batch < 1 or len(values) != batch * size:
        raise InputError(
            f"{path} holds {len(values)} numbers of float32; expected {batch} x {size}, "
            f"{'x'.join(map(str, shape))} of each crop: it is of another network."
        )
    return values[:size].reshape(shape)


def _appended_outputs(
    folder: Path, crops: int, stride: int, outputs: Sequence[TensorSpec]
) -> tuple[dict[str, Floats], str | None]:
    """Return what `dump-output-tensor` wrote, where every batch held one crop."""
    found = {}
    for spec in outputs:
        path = folder / f"{spec.name}_op_tensor.bin"
        if not path.is_file():
            continue
        shape = _shape_of_one(spec)
        rows, size = _floats(path), int(np.prod(shape))
        if len(rows) != crops * stride:
            return {}, (
                f"{path.name} holds {len(rows) / stride:g} crops and {INPUT_FILE}, which has the first of "
                f"each batch, {crops}. The outputs were left out; set batch-size=1, or "
                "raw-output-file-write=1 in place of dump-output-tensor"
            )
        found[spec.name] = rows.reshape(crops, stride)[:, :size].reshape(crops, *shape).copy()
    if not found:
        return {}, "there are no outputs; raw-output-file-write=1 writes them"
    return found, None


def _shape_of_one(spec: TensorSpec) -> tuple[int, ...]:
    """Return a tensor's shape without the batch."""
    return tuple(side for side in spec.shape[1:] if side is not None)


def _floats(path: Path) -> Floats:
    size = path.stat().st_size
    if size > _LARGEST:
        raise InputError(f"{path} has {size / 2**30:.1f} GiB; a few hundred batches are enough.")
    if size % 4:
        raise InputError(f"{path} has {size} bytes, which are no float32 numbers.")
    return np.fromfile(path, dtype="<f4")


def _read_own(
    folder: Path, texts: Sequence[Path], shape: tuple[int, ...], outputs: Sequence[TensorSpec]
) -> Dump:
    crops = [_own_arrays(path) for path in texts]
    images, surfaces = [], []
    for path, (record, arrays) in zip(texts, crops, strict=True):
        image = arrays.get("images")
        if image is None or image.shape != shape:
            raise InputError(
                f"{path} has {'no images' if image is None else f'images of shape {image.shape}'}; "
                f"expected {shape}."
            )
        images.append(image.astype(np.float32))
        surfaces.append(_surface(path, record, arrays))
    found = {}
    for spec in outputs:
        rows = [arrays.get(spec.name) for _, arrays in crops]
        wanted = _shape_of_one(spec)
        present = [row for row in rows if row is not None]
        if not present:
            continue
        if len(present) != len(rows) or any(row.shape != wanted for row in present):
            raise InputError(f"{folder}: {spec.name} of every crop must have shape {wanted}.")
        found[spec.name] = np.stack([row.astype(np.float32) for row in present])
    known = tuple(surface for surface in surfaces if surface is not None)
    remarks = () if found else ("there are no outputs",)
    return Dump(
        str(folder), np.stack(images), found, known if len(known) == len(images) else (), remarks=remarks
    )


def _own_arrays(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a crop: its record, and the arrays that lie one behind the other in the file beside it."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        content = path.with_suffix(".bin").read_bytes()
        if record["schema"] != SCHEMA:
            raise InputError(f"{path} has schema {record['schema']}; this version reads {SCHEMA}.")
        arrays = {}
        for name, one in record["arrays"].items():
            if one["dtype"] not in _DTYPES:
                raise InputError(f"{path}: {name} is of {one['dtype']}; expected {' or '.join(_DTYPES)}.")
            dtype = np.dtype(one["dtype"]).newbyteorder("<")
            values = np.frombuffer(content, dtype, int(np.prod(one["shape"])), one["offset"])
            arrays[name] = values.reshape(one["shape"])
    except InputError:  # which is a ValueError too
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no crop of dump-dir, or the file beside it is cut off: {error}."
        ) from error
    return record, arrays


def _surface(path: Path, record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Surface | None:
    """Return the pixels that a crop was cut from; None where they were not written."""
    for name in _INTERLEAVED:
        if name in arrays:
            pixels = arrays[name]
            _check_shape(path, name, pixels, (*pixels.shape[:2], len(name)))
            places = [name.index(channel) for channel in "rgb"]
            return Surface((pixels[..., places],), None, _crop(path, record, pixels))
    if "y" not in arrays or "uv" not in arrays:
        return None
    conversion = record.get("conversion")
    if conversion not in YUV_CONVERSIONS:
        raise InputError(
            f"{path}: conversion is {conversion!r}; expected one of {', '.join(YUV_CONVERSIONS)}."
        )
    luma, chroma = arrays["y"], arrays["uv"]
    _check_shape(path, "y", luma, luma.shape[:2])
    _check_shape(path, "uv", chroma, ((luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2, 2))
    return Surface((luma, chroma), conversion, _crop(path, record, luma))


def _check_shape(path: Path, name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.dtype != np.uint8 or values.shape != shape or 0 in shape or len(shape) < 2:
        raise InputError(
            f"{path}: {name} is {values.dtype} of shape {values.shape}, which is no plane of it."
        )


def _crop(path: Path, record: Mapping[str, Any], plane: NDArray[Any]) -> tuple[int, int, int, int]:
    """Return where the crop is in its planes: all of them where nothing is said."""
    height, width = plane.shape[:2]
    crop = record.get("crop", [0, 0, width, height])
    if isinstance(crop, list) and len(crop) == 4 and all(type(number) is int for number in crop):
        left, top, wide, high = crop
        if min(left, top) >= 0 and min(wide, high) >= 1 and left + wide <= width and top + high <= height:
            return left, top, left + wide, top + high
    raise InputError(
        f"{path}: crop is {crop!r}; expected left, top, width, height inside {width} x {height}."
    )
