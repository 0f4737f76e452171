# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What every engine that runs a bundle looks like from above, and what they share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.manifest import TensorSpec

Floats = NDArray[np.float32]


class Backend(Protocol):
    """An engine with a network loaded.

    `run` may be called from several threads at once. Each item of a batch gives the same numbers whatever
    else is in the batch, up to rounding (OpenVINO: exactly).
    """

    @property
    def name(self) -> str:
        """The engine: "openvino", "tensorrt", "torch"."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: "cpu", "cuda", "cuda:N"."""
        ...

    @property
    def arithmetic(self) -> str:
        """What the networks' convolutions are computed in: "fp32", "fp16", "fp16, fp32 sums" or "int8"."""
        ...

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name, float32, for the inputs by name, float32, batch first.

        Args:
            inputs: exactly the network's inputs; any batch size, 0 too.

        Raises:
            InputError: an input is missing, has another shape or dtype, or the backend was closed.
        """
        ...

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        ...


@runtime_checkable
class DeviceBackend(Backend, Protocol):
    """A backend that can leave its results where they were computed."""

    def run_on_device(self, batches: Iterable[Mapping[str, Floats]], count: int) -> dict[str, Any]:
        """Return the outputs of all batches together, as arrays of the device.

        Args:
            batches: inputs by name, as `run` takes them.
            count: how many items the batches hold in all.
        """
        ...


@runtime_checkable
class PictureBackend(DeviceBackend, Protocol):
    """A backend that takes pictures where they are, on the device."""

    def run_pictures(self, batch: Any, *, swap_channels: bool, on_device: bool) -> dict[str, Any]:
        """Return the outputs by name for whole pictures.

        Args:
            batch: (N, H, W, 3) uint8 in CUDA memory, by DLPack or `__cuda_array_interface__`.
            swap_channels: exchange the first and the third channel.
            on_device: leave the outputs on the device; else they come as NumPy arrays.

        Raises:
            InputError: the batch has another form or is elsewhere, or the network needs more than pictures.
        """
        ...


@runtime_checkable
class KeepingBackend(Backend, Protocol):
    """A backend whose compiled network may come from a cache of this machine."""

    def compile_again(self) -> bool:
        """Compile anew what came out of the cache, whose entry is removed; say whether anything did."""
        ...


def is_installed(module: str) -> bool:
    """Tell whether a module seems to be installed, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # an import hook that refuses it, or a module without a spec
        return False


def empty_output(spec: TensorSpec, count: int) -> Floats:
    """Return an array for an output of `count` items, its contents not yet set."""
    return np.empty(shape_of(spec, count), np.float32)


def shape_of(spec: TensorSpec, count: int) -> tuple[int, ...]:
    """Return the shape of an input or output of `count` items."""
    return (count, *(size or 0 for size in spec.shape[1:]))


def closed() -> InputError:
    """Return the error for a backend that is used after `close`."""
    return InputError("the backend was closed; load the bundle again.")


def check_inputs(inputs: Mapping[str, Any], specs: Sequence[TensorSpec]) -> tuple[dict[str, Floats], int]:
    """Return the inputs as contiguous arrays, and the batch size, or say what does not fit.

    Args:
        inputs: what a caller gave to `run`.
        specs: what the network takes.

    Raises:
        InputError: an input is missing, has another shape or dtype, or the batch sizes differ.
    """
    checked: dict[str, Floats] = {}
    for spec in specs:
        array = inputs.get(spec.name)
        expected = f"expected float32 of shape {('N', *spec.shape[1:])}"
        if not isinstance(array, np.ndarray):
            found = "is missing" if array is None else f"is a {type(array).__name__}"
            raise InputError(f"network input {spec.name!r} {found}; {expected}.")
        if array.dtype != np.float32 or array.ndim != len(spec.shape) or array.shape[1:] != spec.shape[1:]:
            raise InputError(
                f"network input {spec.name!r} is {array.dtype} of shape {array.shape}; {expected}."
            )
        checked[spec.name] = np.ascontiguousarray(array)
    if unknown := set(inputs) - set(checked):
        raise InputError(f"the network has no input {sorted(unknown)}; it takes {sorted(checked)}.")
    counts = {array.shape[0] for array in checked.values()}
    if len(counts) != 1:
        raise InputError(f"the network's inputs have different batch sizes: {sorted(counts)}.")
    return checked, counts.pop()
