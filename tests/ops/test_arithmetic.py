# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The arithmetic that CPU and GPU share, compiled for the CPU, against NumPy and OpenCV."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.ops import frames, tasks

HEADERS = tasks.KERNELS / "include"

STRUCTS = {
    "SegmentsTask": tasks.segments_task(),
    "StackTask": tasks.stack_task(),
    "CropTask": tasks.crop_task(),
}

_LIBRARY = """
#include <cstddef>

#include "pamtri/decode.hpp"
#include "pamtri/pixels.hpp"
#include "pamtri/stack.hpp"
#include "pamtri/tasks.hpp"

extern "C" {

void to_floats(const pamtri::Half* halves, int count, float* out) {
    for (int i = 0; i < count; ++i) out[i] = pamtri::to_float(halves[i]);
}

void to_halves(const float* values, int count, pamtri::Half* out) {
    for (int i = 0; i < count; ++i) out[i] = pamtri::to_half(values[i]);
}

void convert(const unsigned char* luma, const unsigned char* chroma, int width, int height,
             int conversion, unsigned char* out) {
    const pamtri::Surface surface{luma, chroma, width, width, 0, 0};
    const pamtri::ConversionRule rule = pamtri::conversion_rule(conversion);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x, out += 3) {
            const pamtri::Rgb pixel = pamtri::pixel_at<pamtri::kNv12>(surface, rule, x, y);
            out[0] = static_cast<unsigned char>(pixel.red);
            out[1] = static_cast<unsigned char>(pixel.green);
            out[2] = static_cast<unsigned char>(pixel.blue);
        }
    }
}
}
"""


def _layout() -> dict[str, str]:
    """Return what C++ has to say of sizes, places and constants, by name."""
    expressions = {name: f"int(pamtri::{name})" for name in tasks.constants()}
    for name, struct in STRUCTS.items():
        expressions[name] = f"sizeof(pamtri::{name})"
        for field in struct.names or ():
            expressions[f"{name}.{field}"] = f"offsetof(pamtri::{name}, {field})"
    return expressions


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    folder = tmp_path_factory.mktemp("arithmetic")
    source, target = folder / "arithmetic.cpp", folder / "libarithmetic.so"
    layout = f"const long long layout[]{{{', '.join(_layout().values())}}};"
    source.write_text(f'{_LIBRARY}extern "C" const long long layout[];\n{layout}\n')
    flags = ["-std=c++17", "-O2", "-ffp-contract=off", "-fsanitize=undefined", "-fno-sanitize-recover"]
    flags += ["-static-libubsan", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    command = [compiler, *flags, f"-I{HEADERS}", "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(target))


def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def halves_of(library: ctypes.CDLL, values: NDArray[np.float32]) -> NDArray[np.float16]:
    out = np.empty(values.shape, np.float16)
    library.to_halves(pointer(values), values.size, pointer(out))
    return out


def test_every_half_becomes_the_float_it_is(library: ctypes.CDLL) -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    floats = np.empty(65536, np.float32)
    library.to_floats(pointer(halves), 65536, pointer(floats))

    expected = halves.astype(np.float32)
    same = floats.view(np.uint32) == expected.view(np.uint32)
    assert (same | (np.isnan(floats) & np.isnan(expected))).all()
    back = halves_of(library, floats)
    assert (np.isnan(halves) | (back.view(np.uint16) == halves.view(np.uint16))).all()
    assert np.isnan(back[np.isnan(halves)]).all()


def test_what_lies_between_two_halves_is_rounded_to_the_nearest_and_to_even(library: ctypes.CDLL) -> None:
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middles = (halves[:-1] + halves[1:]) / 2
    values = np.concatenate([middles, np.nextafter(middles, 0), np.nextafter(middles, np.inf)])
    values = np.concatenate([values, [65519.996, 65520, 65536, 1e30, np.inf, 2**-25, 2.0**-26]])
    values = np.concatenate([values, -values]).astype(np.float32)

    with np.errstate(over="ignore"):
        expected = values.astype(np.float16)
    np.testing.assert_array_equal(halves_of(library, values).view(np.uint16), expected.view(np.uint16))


def every_pixel() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return NV12 planes with every luma beside many pairs of chroma, the extremes among them."""
    levels = np.array([0, 1, 15, 16, 17, 64, 127, 128, 129, 200, 239, 240, 241, 254, 255], np.uint8)
    u, v = (grid.ravel() for grid in np.meshgrid(levels, levels))
    luma = np.arange(256, dtype=np.uint8)[:, None].repeat(2 * len(u), axis=1)
    chroma = np.stack([u, v], axis=1)[None].repeat(128, axis=0)
    return np.ascontiguousarray(luma), np.ascontiguousarray(chroma)


@pytest.mark.parametrize("conversion", ["bt601", "bt709", "bt601-full", "bt709-full"])
def test_nv12_becomes_rgb_by_the_standards(library: ctypes.CDLL, conversion: frames.Conversion) -> None:
    luma, chroma = every_pixel()
    height, width = luma.shape
    rgb = np.empty((height, width, 3), np.uint8)
    number = tasks.constants()[frames._CONVERSIONS[conversion]]
    library.convert(pointer(luma), pointer(chroma), width, height, number, pointer(rgb))

    np.testing.assert_array_equal(rgb, frames.rgb_of_nv12(luma, chroma, conversion))
    # In real numbers, from the standards' definitions alone: Y' = Kr R' + Kg G' + Kb B', and
    # Cb = (B' - Y') / (2 (1 - Kb)), Cr = (R' - Y') / (2 (1 - Kr)).
    kr, kb = (0.299, 0.114) if "601" in conversion else (0.2126, 0.0722)
    pairs = chroma.repeat(2, axis=0).repeat(2, axis=1).astype(np.float64) - 128
    if conversion.endswith("full"):
        y, cb, cr = luma / 255, pairs[..., 0] / 255, pairs[..., 1] / 255
    else:
        y = (luma.astype(np.float64) - 16) / 219
        cb, cr = pairs[..., 0] / 224, pairs[..., 1] / 224
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    exact = np.clip(np.stack([red, green, blue], axis=-1) * 255, 0, 255)
    assert np.abs(rgb - exact).max() <= 0.5002


@pytest.mark.parametrize(
    ("height", "meant"), [(480, "bt601"), (576, "bt601"), (720, "bt709"), (1080, "bt709")]
)
def test_a_source_that_names_no_matrix_has_that_of_its_height(height: int, meant: frames.Conversion) -> None:
    frame = np.random.default_rng(4).integers(0, 256, (height * 3 // 2, 16), np.uint8)
    box = np.array([[0, 0, 16, 16]], np.int32)

    found, expected = (
        ops.crop(frame, box, size=16, pixel_format="nv12", **named) for named in ({}, {"conversion": meant})
    )
    other = ops.crop(frame, box, size=16, pixel_format="nv12", conversion=meant + "-full")  # type: ignore[arg-type]

    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, other)


def test_the_first_conversion_is_opencvs_within_a_level_from_black_on(library: ctypes.CDLL) -> None:
    luma, chroma = every_pixel()
    whole = np.concatenate([luma, chroma.reshape(128, -1)])
    expected = cv2.cvtColor(whole, cv2.COLOR_YUV2RGB_NV12)
    rgb = np.empty(expected.shape, np.uint8)
    library.convert(pointer(luma), pointer(chroma), luma.shape[1], luma.shape[0], 0, pointer(rgb))
    # OpenCV's constants have three decimals, and what is below black counts as black there.
    assert np.abs(rgb.astype(int) - expected)[16:].max() == 1


def test_structs_are_laid_out_as_the_compiler_does(library: ctypes.CDLL) -> None:
    expected = dict(tasks.constants())
    for name, struct in STRUCTS.items():
        expected[name] = struct.itemsize
        assert struct.fields is not None
        expected.update({f"{name}.{field}": place[1] for field, place in struct.fields.items()})

    found = (ctypes.c_longlong * len(_layout())).in_dll(library, "layout")

    assert dict(zip(_layout(), found, strict=True)) == expected
    assert {"kDecodeThreads", "kBandRows", "kMostCrops", "kPixels", "kNv12", "kBt709Full"} <= set(expected)
