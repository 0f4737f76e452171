# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Frames to cut crops from: RGB, RGBA or NV12, on the host or in CUDA memory.

NV12 is, row after row, a plane of luma (H, W) and one of chroma pairs (H / 2, W / 2, 2) or, the same bytes,
(H / 2, W); or both in one array (3 H / 2, W), as OpenCV has it. `kernels/include/pamtri/pixels.hpp` says how
it becomes RGB. Where nobody says which matrix its source used, the height does: BT.709 for high definition,
BT.601 below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _native
from pamtri_edge.arrays import check_choice, check_picture, is_device_array
from pamtri_edge.errors import InputError
from pamtri_edge.ops.checks import check_array
from pamtri_edge.ops.device import DeviceArray, described
from pamtri_edge.ops.tasks import constants

PixelFormat = Literal["rgb", "rgba", "nv12"]
Conversion = Literal["auto", "bt601", "bt709", "bt601-full", "bt709-full"]

_FORMS: Final = {"rgb": "kRgb", "rgba": "kRgba", "nv12": "kNv12"}
_CONVERSIONS: Final = {
    "bt601": "kBt601",
    "bt709": "kBt709",
    "bt601-full": "kBt601Full",
    "bt709-full": "kBt709Full",
}
_KR_KB: Final = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
YUV_CONVERSIONS: Final = (*_KR_KB, *(f"{name}-full" for name in _KR_KB))
"""Matrix and range of frames in `rgb_of_sited_nv12`."""
_BITS: Final = 20


@dataclass(frozen=True)
class DeviceFrame:
    """A frame in CUDA memory whose form is known to be right.

    Attributes:
        planes: the pixels, or luma and chroma.
        width: in pixels.
        height: in pixels.
        form: as `pixels.hpp` calls it.
        conversion: likewise.
        pointers: addresses of the planes' first pixels; 0 for a second plane that there is not.
        pitches: bytes from one row of a plane to the next.
    """

    planes: tuple[DeviceArray, ...]
    pointers: tuple[int, int]
    pitches: tuple[int, int]
    width: int
    height: int
    form: str
    conversion: str = "kBt601"

    def describe(self, source: Any, rectangle: NDArray[np.int32], size: int) -> None:
        """Fill in a `CropSource` for a rectangle that is resized to a square."""
        x1, y1, x2, y2 = (int(edge) for edge in rectangle)
        source["pixels"], source["chroma"] = self.pointers
        source["pitch"], source["chroma_pitch"] = self.pitches
        source["x"], source["y"], source["width"], source["height"] = x1, y1, x2 - x1, y2 - y1
        source["scale_x"] = 1.0 / (size / (x2 - x1))
        source["scale_y"] = 1.0 / (size / (y2 - y1))


def is_device_frame(frame: Any) -> bool:
    """Tell whether a frame, or a plane of it, is in CUDA memory."""
    return any(is_device_array(plane) for plane in (frame if isinstance(frame, (tuple, list)) else (frame,)))


def settled(conversion: str, height: int) -> str:
    """Return which conversion "auto" means for a frame of so many lines; another is what it is."""
    if conversion != "auto":
        return conversion
    return "bt709" if height > constants()["kMostStandardLines"] else "bt601"


def host_frame(frame: Any, pixel_format: str, conversion: str) -> NDArray[np.uint8]:
    """Return a frame on the host as (H, W, 3) RGB (or BGR, where "rgb" or "rgba" is in truth that).

    Raises:
        InputError: it is not of the format.
    """
    check_choice(pixel_format, tuple(_FORMS), "pixel_format")
    check_choice(conversion, get_args(Conversion), "conversion")
    if pixel_format == "rgb":
        return check_picture(frame, "the frame")
    if pixel_format == "rgba":
        pixels = check_array(frame, "the frame", ("H", "W", 4), np.uint8)
        return check_picture(pixels[..., :3], "the frame")
    luma, chroma = _nv12_planes(frame)
    form = ("H/2", "W/2", 2) if getattr(chroma, "ndim", 2) == 3 else ("H/2", "W")
    luma = check_array(luma, "luma", ("H", "W"), np.uint8)
    chroma = check_array(chroma, "chroma", form, np.uint8)
    _check_nv12(luma.shape, chroma.shape)
    return rgb_of_nv12(luma, chroma, settled(conversion, luma.shape[0]))


def device_frame(
    cupy: Any, frame: Any, pixel_format: str, conversion: str = "auto", what: str = "the frame"
) -> DeviceFrame:
    """Return a frame in CUDA memory; its rows may be further apart than they are long.

    Raises:
        InputError: it is not of the format, or partly on the host.
    """
    check_choice(pixel_format, tuple(_FORMS), "pixel_format")
    check_choice(conversion, get_args(Conversion), "conversion")
    if pixel_format != "nv12":
        return _interleaved(described(cupy, frame, what, "out"), pixel_format, what)
    planes: tuple[DeviceArray, ...]
    if isinstance(frame, (tuple, list)):
        first, second = _nv12_planes(frame)
        luma = described(cupy, first, "luma", "chroma")
        chroma = described(cupy, second, "chroma", "luma")
        if luma.device != chroma.device:
            raise InputError(f"luma is on GPU {luma.device}, chroma on GPU {chroma.device}; expected one.")
        planes, place, pitch = (luma, chroma), chroma.pointer, chroma.strides[0] if chroma.strides else 0
        luma_shape, chroma_shape = luma.shape, chroma.shape
        inner = (2, 1) if len(chroma_shape) == 3 else (1,)
        _check_bytes(chroma, "chroma", "expected (H / 2, W / 2, 2) or (H / 2, W) uint8", inner)
    else:
        luma = described(cupy, frame, what, "out")
        luma_shape, chroma_shape = _split_shape(luma.shape, what)
        planes, pitch = (luma,), luma.strides[0]
        place = luma.pointer + luma_shape[0] * pitch
    _check_nv12(luma_shape, chroma_shape)
    _check_bytes(luma, "luma", "expected (H, W) uint8", (1,))
    return DeviceFrame(
        planes,
        (luma.pointer, place),
        (luma.strides[0], pitch),
        luma_shape[1],
        luma_shape[0],
        _FORMS[pixel_format],
        _CONVERSIONS[settled(conversion, luma_shape[0])],
    )


def device_pictures(cupy: Any, crops: Any) -> list[DeviceFrame]:
    """Return RGB pictures in CUDA memory: a sequence of (H, W, 3) arrays, or one (N, H, W, 3) array.

    Raises:
        InputError: a picture is of another form, or on the host.
    """
    if isinstance(crops, (list, tuple)):
        beside = next((i for i, crop in enumerate(crops) if is_device_array(crop)), None)
        where = "out" if beside is None else f"crop {beside}"
        arrays = [described(cupy, crop, f"crop {i}", where) for i, crop in enumerate(crops)]
        return [_interleaved(array, "rgb", f"crop {i}") for i, array in enumerate(arrays)]
    batch = described(cupy, crops, "the batch", "out")
    if len(batch.shape) != 4:
        raise InputError(
            f"the batch has shape {batch.shape}; expected (N, H, W, 3) uint8 or a list of crops."
        )
    one = replace(batch, shape=batch.shape[1:], strides=batch.strides[1:])
    first = _interleaved(one, "rgb", "the batch")
    steps = (index * batch.strides[0] for index in range(batch.shape[0]))
    return [replace(first, planes=(batch,), pointers=(batch.pointer + step, 0)) for step in steps]


def rgb_of_nv12(luma: NDArray[np.uint8], chroma: NDArray[np.uint8], conversion: str) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB of NV12 planes, in the arithmetic of `pixels.hpp`."""
    black, factors = _factors(conversion)
    pairs = chroma.reshape(luma.shape[0] // 2, luma.shape[1] // 2, 2).astype(np.int32) - 128
    u, v = np.moveaxis(pairs.repeat(2, axis=0).repeat(2, axis=1), -1, 0)
    base = (luma.astype(np.int32) - black) * factors[0] + (1 << (_BITS - 1))
    channels = (base + factors[1] * v, base + factors[3] * v + factors[2] * u, base + factors[4] * u)
    rgb: NDArray[np.uint8] = np.clip(np.stack(channels, axis=-1) >> _BITS, 0, 255).astype(np.uint8)
    return rgb


def rgb_of_sited_nv12(
    luma: NDArray[np.uint8], chroma: NDArray[np.uint8], conversion: str
) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB of NV12 planes as `nvpamtri` reads them: chroma on the first column, interpolated.

    Args:
        luma: (H, W).
        chroma: (H / 2, W / 2, 2), rounded up.
        conversion: one of `YUV_CONVERSIONS`.
    """
    red, blue = _KR_KB[conversion.removesuffix("-full")]
    rgb = np.empty((*luma.shape, 3), np.uint8)
    full = conversion.endswith("-full")
    _native.planar_to_rgb(luma, chroma[..., 0], chroma[..., 1], rgb, red, blue, full, True, False)
    return rgb


def _check_nv12(luma: tuple[int, ...], chroma: tuple[int, ...]) -> None:
    """Raise unless two shapes are those of NV12 planes."""
    if len(luma) != 2 or 0 in luma:
        raise InputError(f"luma has shape {luma}; expected (H, W) uint8.")
    height, width = luma
    if height % 2 or width % 2:
        raise InputError(f"the NV12 frame is {width} x {height} pixels; expected even numbers.")
    if chroma not in ((height // 2, width), (height // 2, width // 2, 2)):
        raise InputError(
            f"chroma has shape {chroma}; expected ({height // 2}, {width // 2}, 2) or "
            f"({height // 2}, {width}) beside luma of {luma}."
        )


def _interleaved(pixels: DeviceArray, pixel_format: str, what: str) -> DeviceFrame:
    channels = 3 if pixel_format == "rgb" else 4
    accepted = f"expected (H, W, {channels}) uint8 for pixel_format={pixel_format!r}"
    if len(pixels.shape) != 3 or pixels.shape[2] != channels or 0 in pixels.shape:
        raise InputError(f"{what} has shape {pixels.shape}; {accepted}.")
    _check_bytes(pixels, what, accepted, (channels, 1))
    height, width, _ = pixels.shape
    return DeviceFrame(
        (pixels,), (pixels.pointer, 0), (pixels.strides[0], 0), width, height, _FORMS[pixel_format]
    )


def _nv12_planes(frame: Any) -> tuple[Any, Any]:
    if isinstance(frame, (tuple, list)):
        if len(frame) != 2:
            raise InputError(f"an NV12 frame of {len(frame)} planes; expected luma and chroma.")
        return frame[0], frame[1]
    whole = check_array(frame, "the frame", ("3H/2", "W"), np.uint8)
    (height, _), _ = _split_shape(whole.shape, "the frame")
    return whole[:height], whole[height:]


def _split_shape(shape: tuple[int, ...], what: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the shapes of luma and chroma in one array."""
    if len(shape) != 2 or 0 in shape or shape[0] % 3:
        raise InputError(
            f"{what} has shape {shape}; expected (3 H / 2, W) uint8 for pixel_format='nv12', or the pair "
            "of planes (luma, chroma)."
        )
    height = shape[0] // 3 * 2
    return (height, shape[1]), (shape[0] // 3, shape[1])


def _check_bytes(plane: DeviceArray, what: str, accepted: str, inner: tuple[int, ...]) -> None:
    if plane.dtype != np.uint8:
        raise InputError(f"{what} has dtype {plane.dtype.name}; {accepted}.")
    if plane.strides[1:] != inner or not 0 <= plane.strides[0] < 2**31:
        raise InputError(
            f"{what} has strides {plane.strides}; {accepted} whose pixels lie side by side (rows may lie "
            "apart)."
        )


def _factors(conversion: str) -> tuple[int, tuple[int, int, int, int, int]]:
    """Return black and the factors of luma, V in red, U and V in green, U in blue, in units of 2^-20."""
    red, blue = _KR_KB[conversion.removesuffix("-full")]
    green = 1.0 - red - blue
    full = conversion.endswith("-full")
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    exact = (
        luma,
        chroma * 2 * (1 - red),
        -chroma * 2 * blue * (1 - blue) / green,
        -chroma * 2 * red * (1 - red) / green,
        chroma * 2 * (1 - blue),
    )
    factors = tuple(round(value * (1 << _BITS)) for value in exact)
    return 0 if full else 16, (factors[0], factors[1], factors[2], factors[3], factors[4])
