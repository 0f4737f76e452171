# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays in CUDA memory, whosever they are: CuPy's, PyTorch's, or another library's.

An array is taken as its address, shape and strides; nothing is copied, and nothing waits. PyTorch is never
imported here: who has a tensor has it loaded.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from pamtri_edge.arrays import is_device_array
from pamtri_edge.errors import InputError
from pamtri_edge.ops.checks import fits, shape_of

Library = Literal["cupy", "torch", "other"]

_TORCH_TYPES: Final = ("float16", "float32", "uint8", "int32")


@dataclass(frozen=True)
class DeviceArray:
    """An array in CUDA memory.

    Attributes:
        pointer: address of the first value; 0 if there is none.
        shape: lengths of its axes.
        dtype: of its values.
        strides: bytes from one value to the next along each axis.
        device: number of the GPU.
        library: whose it is.
        ready: handle of the stream on which its values are complete; None if they are, or if its library
            does not say.
        writable: whether it may be written.
        owner: the object, which holds the memory.
    """

    pointer: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    device: int
    library: Library
    ready: int | None
    writable: bool
    owner: Any

    @property
    def contiguous(self) -> bool:
        """Whether the values lie side by side in C order."""
        return 0 in self.shape or all(
            length == 1 or stride == wanted
            for length, stride, wanted in zip(
                self.shape, self.strides, _packed(self.shape, self.dtype.itemsize), strict=True
            )
        )

    @property
    def end(self) -> int:
        """The address behind the last value, of an array whose strides are not negative."""
        if 0 in self.shape:
            return self.pointer
        last = sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        return self.pointer + last + self.dtype.itemsize


def is_torch(value: object) -> bool:
    """Tell whether a value is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def described(cupy: Any, value: Any, what: str, beside: str) -> DeviceArray:
    """Return a CUDA array as its facts, or say why it is none.

    Args:
        cupy: the module.
        value: anything.
        what: how the error calls it.
        beside: the argument in CUDA memory that makes this one have to be there, too.

    Raises:
        InputError: host memory, or another thing; a masked array; a dtype that NumPy does not know.
    """
    if not is_device_array(value):
        if isinstance(value, np.ndarray) or is_torch(value):
            raise InputError(
                f"{what} is in host memory, but {beside} is in CUDA memory; expected both in one: copy "
                f"{what} to the device (cupy.asarray), or {beside} to the host."
            )
        raise InputError(f"{what} is a {type(value).__name__}; expected an array in CUDA memory.")
    if is_torch(value):
        return _of_torch(value, what)
    if isinstance(value, cupy.ndarray):
        return DeviceArray(
            int(value.data.ptr) if value.size else 0,
            tuple(value.shape),
            np.dtype(value.dtype),
            tuple(value.strides),
            int(value.device.id),
            "cupy",
            int(cupy.cuda.get_current_stream(int(value.device.id)).ptr),
            True,
            value,
        )
    interface = getattr(value, "__cuda_array_interface__", None)
    if interface is None:  # DLPack: its producer lets CuPy's current stream wait for it
        return described(cupy, cupy.from_dlpack(value), what, beside)
    return _of_interface(cupy, interface, value, what)


def check_device_array(
    array: DeviceArray,
    what: str,
    form: Sequence[str | int],
    dtypes: Sequence[str],
    lead: DeviceArray,
    *,
    dense: bool = True,
) -> DeviceArray:
    """Return an array that has a form, one of some dtypes and the device of another, or say what differs.

    Args:
        array: the array.
        what: how the error calls it.
        form: the shape, as `checks.check_array` takes it.
        dtypes: names of the dtypes that are accepted.
        lead: the array whose device it must be on.
        dense: whether its values must lie side by side.

    Raises:
        InputError: another shape, dtype, device, or values apart.
    """
    accepted = f"expected {shape_of(form)} {' or '.join(dtypes)}"
    if not fits(array.shape, form):
        raise InputError(f"{what} has shape {array.shape}; {accepted}.")
    if array.dtype.name not in dtypes:
        raise InputError(f"{what} has dtype {array.dtype.name}; {accepted}: convert it first.")
    if array.device != lead.device:
        raise InputError(
            f"{what} is on GPU {array.device}, and the operation runs on GPU {lead.device}; expected all "
            "arrays of a call on one: copy it there first."
        )
    if dense and not array.contiguous:
        raise InputError(
            f"{what} has strides {array.strides}, so its values lie apart; {accepted} in C order: make it "
            "so first (cupy.ascontiguousarray, or .contiguous() of a tensor)."
        )
    if array.pointer % array.dtype.itemsize:
        raise InputError(f"{what} begins at an address that no {array.dtype.name} may have.")
    return array


def check_device_out(
    out: DeviceArray, shape: tuple[int, ...], dtypes: Sequence[str], lead: DeviceArray, *inputs: DeviceArray
) -> DeviceArray:
    """Return the array that takes a result, or say why it cannot.

    Raises:
        InputError: it is not writable, of another form, dtype or device, or shares memory with an input.
    """
    check_device_array(out, "out", shape, dtypes, lead)
    if not out.writable:
        raise InputError("out is read-only; expected an array that can be written.")
    if any(out.pointer < other.end and other.pointer < out.end for other in inputs if math.prod(other.shape)):
        raise InputError("out shares memory with an input; give it memory of its own.")
    return out


def _of_torch(tensor: Any, what: str) -> DeviceArray:
    torch = sys.modules["torch"]
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in _TORCH_TYPES:
        raise InputError(f"{what} has dtype {name}; expected one of {', '.join(_TORCH_TYPES)}.")
    device = int(tensor.device.index)
    return DeviceArray(
        int(tensor.data_ptr()),
        tuple(tensor.shape),
        np.dtype(name),
        tuple(stride * tensor.element_size() for stride in tensor.stride()),
        device,
        "torch",
        int(torch.cuda.current_stream(device).cuda_stream),
        True,
        tensor,
    )


def _of_interface(cupy: Any, interface: dict[str, Any], owner: Any, what: str) -> DeviceArray:
    """Read version 3 of the CUDA array interface, or an older one, which names no stream."""
    if interface.get("mask") is not None:
        raise InputError(f"{what} is a masked array; fill in its values first.")
    dtype = np.dtype(interface["typestr"])
    shape = tuple(int(length) for length in interface["shape"])
    strides = interface.get("strides")
    pointer, read_only = interface["data"]
    stream = interface.get("stream")
    device = int(cupy.cuda.runtime.getDevice())
    if pointer:  # the interface does not say which GPU; the runtime knows
        device = int(cupy.cuda.runtime.pointerGetAttributes(int(pointer)).device)
    return DeviceArray(
        int(pointer or 0),
        shape,
        dtype,
        _packed(shape, dtype.itemsize) if strides is None else tuple(int(stride) for stride in strides),
        device,
        "other",
        None if stream is None else int(stream),
        not read_only,
        owner,
    )


def _packed(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the strides of an array in C order."""
    return tuple(itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
