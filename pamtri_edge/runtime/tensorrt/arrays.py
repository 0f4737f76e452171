# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays that a caller has on the GPU, whoever made them: CuPy, torch, or anything with either protocol."""

from __future__ import annotations

from typing import Any

from pamtri_edge.arrays import is_device_array
from pamtri_edge.errors import InputError
from pamtri_edge.runtime.tensorrt.device import Gpu


def take_array(cupy: Any, gpu: Gpu, value: Any, what: str) -> Any:
    """Return a caller's array as CuPy's, without a copy, safe to use on CuPy's current stream.

    Arrays of CuPy's own are used as they are: who calls this lets the current stream wait for the one that
    was current for the caller. Others order themselves before the current stream, as their protocol says.

    Args:
        cupy: the module.
        gpu: where the array must be.
        value: anything.
        what: how the error calls it.

    Raises:
        InputError: it is in host memory or on another GPU, or its maker does not hand it over.
    """
    if not is_device_array(value):
        raise InputError(
            f"{what} is a {type(value).__name__} in host memory; expected an array on {gpu.device}."
        )
    try:
        if isinstance(value, cupy.ndarray):
            array = value
        elif hasattr(value, "__dlpack__"):
            array = cupy.from_dlpack(value)
        else:
            array = cupy.asarray(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"{what} ({type(value).__module__}.{type(value).__name__}) cannot be taken over: {error}. Of a "
            "tensor that requires a gradient pass .detach()."
        ) from error
    if array.device.id != gpu.index:
        raise InputError(
            f"{what} is on cuda:{array.device.id}, and the engine runs on {gpu.device}; copy it there, or "
            f"load the bundle with device='cuda:{array.device.id}'."
        )
    return array
