# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's own file, run by torch a node at a time.

It computes what the file says in the types the file has: float16 nodes in float16, quantized tensors
rounded to integers. So it serves where OpenVINO is not wanted, and as the check of a typed file on any
machine, on the CPU and with CUDA. On a CPU float16 nodes add up in float32, as GPUs do, and round their
results (see `nodes.half`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.runtime.backend import Floats, check_inputs, empty_output

try:
    from pamtri_edge.runtime.graph import Graph, read_graph
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise MissingDependencyError(
        f"the torch backend needs the onnx package ({error}); install it: pip install 'pamtri-edge[torch]'"
    ) from error

EMULATED_HALF: Final = "fp16, fp32 sums"
"""Arithmetic of float16 nodes on a CPU: values are rounded to halves, products of them summed in float32."""

_BATCH: Final[Mapping[str, int]] = {"cpu": 4, "cuda": 32}
"""How many items go through the network at once: more costs memory and gains little."""


class TorchBackend:
    """Runs a bundle's network with torch.

    On a CUDA device it switches TF32 off for the convolutions of the whole process.

    Args:
        model: the ONNX file.
        device: "cpu", "cuda" or "cuda:N".
        threads: CPU threads; this is torch's setting for the whole process. None leaves it alone.
        native_half: on a CPU, give float16 nodes to the processor's own half arithmetic; slow without any.

    Attributes:
        name: "torch".
        device: as given.
        arithmetic: how the file's convolutions are typed: "fp32", "fp16", or "int8" (quantized to int8,
            accumulated in floating point); `EMULATED_HALF` where halves are added up in float32.

    Raises:
        BundleError: the file is unreadable or holds an operator that is not supported.
        InputError: there is no such CUDA device.
    """

    name: Final = "torch"

    def __init__(
        self, model: Path, *, device: str = "cpu", threads: int | None = None, native_half: bool = False
    ) -> None:
        if device.startswith("cuda"):
            _check_cuda(device)
            torch.backends.cudnn.allow_tf32 = False  # float32 nodes are computed in float32, here too
        elif threads is not None:
            torch.set_num_threads(threads)
        self.device = device
        self._target = torch.device(device)
        emulated = self._target.type == "cpu" and not native_half
        self._graph: Graph | None = read_graph(model, device=self._target, native_half=not emulated)
        self.arithmetic = self._graph.arithmetic
        if emulated and self.arithmetic == "fp16":
            self.arithmetic = EMULATED_HALF

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        arrays, count = self._checked(inputs)
        results = {spec.name: empty_output(spec, count) for spec in self._loaded().outputs}
        for part, tensors in self._parts(arrays, count):
            for name, tensor in tensors.items():
                results[name][part] = tensor.cpu().numpy()
        return results

    def run_on_device(self, batches: Iterable[Mapping[str, Floats]], count: int) -> dict[str, Tensor]:
        """Return the outputs of all batches together as tensors; see `DeviceBackend.run_on_device`."""
        results = {
            spec.name: torch.empty((count, *(size or 0 for size in spec.shape[1:])), device=self._target)
            for spec in self._loaded().outputs
        }
        at = 0
        for inputs in batches:
            arrays, size = self._checked(inputs)
            for part, tensors in self._parts(arrays, size):
                for name, tensor in tensors.items():
                    results[name][at + part.start : at + part.stop] = tensor
            at += size
        return results

    def _parts(self, arrays: Mapping[str, Floats], count: int) -> Iterator[tuple[slice, dict[str, Tensor]]]:
        """Run a batch in parts; give each part's place in the batch and its outputs."""
        graph = self._loaded()
        batch = _BATCH[self._target.type]
        for start in range(0, count, batch):
            part = slice(start, min(start + batch, count))
            with torch.inference_mode():
                given = {
                    name: torch.tensor(array[part], device=self._target) for name, array in arrays.items()
                }
                outputs = graph.run(given)
            yield part, outputs

    def _checked(self, inputs: Mapping[str, Floats]) -> tuple[dict[str, Floats], int]:
        return check_inputs(inputs, self._loaded().inputs)

    def _loaded(self) -> Graph:
        if self._graph is None:
            raise InputError("the backend was closed; load the bundle again.")
        return self._graph

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        self._graph = None


def _check_cuda(device: str) -> None:
    if not torch.cuda.is_available():
        raise InputError(
            f"device {device!r} needs CUDA, and this torch ({torch.__version__}) sees none. "
            "Use device='cpu', or install a CUDA build of torch: https://pytorch.org/get-started/locally/"
        )
    _, _, index = device.partition(":")
    if index and int(index) >= torch.cuda.device_count():
        raise InputError(f"device {device!r} is not there; torch sees {torch.cuda.device_count()} of them.")
