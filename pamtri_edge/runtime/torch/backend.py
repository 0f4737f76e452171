# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's own file, run by torch a node at a time.

It computes what the file says in the types the file has: float16 nodes in float16, quantized tensors
rounded to integers. So it serves where OpenVINO is not wanted, and as the check of a typed file on any
machine, on the CPU and with CUDA. On a CPU float16 nodes add up in float32, as GPUs do, and round their
results (see `nodes.half`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.errors import BundleError, InputError, MissingDependencyError
from pamtri_edge.runtime.backend import Floats, check_inputs, closed, empty_output, shape_of
from pamtri_edge.runtime.forking import computing
from pamtri_edge.runtime.network_file import REMEDY, Content, broken, check_specs

try:
    from pamtri_edge.runtime.torch.graph import Graph, read_graph
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
        threads: CPU threads; this is torch's setting for the whole process. None leaves it alone. A forked
            process computes on one thread: the others are not there after a fork.
        native_half: on a CPU, give float16 nodes to the processor's own half arithmetic; slow without any.
        content: gives the file's bytes; None reads `model`.

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
        self,
        model: Path,
        *,
        device: str = "cpu",
        threads: int | None = None,
        native_half: bool = False,
        content: Content | None = None,
    ) -> None:
        if device.startswith("cuda"):
            _check_cuda(device)
            torch.backends.cudnn.allow_tf32 = False  # float32 nodes are computed in float32, here too
        elif threads is not None:
            torch.set_num_threads(threads)
        self.device = device
        self._target = torch.device(device)
        self._model = model
        self._process = os.getpid()
        emulated = self._target.type == "cpu" and not native_half
        self._graph: Graph | None = read_graph(
            model, device=self._target, native_half=not emulated, content=content
        )
        check_specs(model, "input", self._graph.inputs)
        check_specs(model, "output", self._graph.outputs)
        self.arithmetic = self._graph.arithmetic
        if emulated and self.arithmetic == "fp16":
            self.arithmetic = EMULATED_HALF

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        arrays, count = check_inputs(inputs, self._loaded().inputs)
        results = {spec.name: empty_output(spec, count) for spec in self._loaded().outputs}
        for part, tensors in self._parts(arrays, count):
            for name, tensor in tensors.items():
                results[name][part] = tensor.cpu().numpy()
        return results

    def run_on_device(self, batches: Iterable[Mapping[str, Floats]], count: int) -> dict[str, Tensor]:
        """Return the outputs of all batches together as tensors; see `DeviceBackend.run_on_device`."""
        results = {
            spec.name: torch.empty(shape_of(spec, count), device=self._target)
            for spec in self._loaded().outputs
        }
        at = 0
        for inputs in batches:
            arrays, size = check_inputs(inputs, self._loaded().inputs)
            for part, tensors in self._parts(arrays, size):
                for name, tensor in tensors.items():
                    results[name][at + part.start : at + part.stop] = tensor
            at += size
        return results

    def _parts(self, arrays: Mapping[str, Floats], count: int) -> Iterator[tuple[slice, dict[str, Tensor]]]:
        """Run a batch in parts; give each part's place in the batch and its outputs."""
        graph = self._loaded()
        self._threads_after_fork()
        batch = _BATCH[self._target.type]
        for start in range(0, count, batch):
            part = slice(start, min(start + batch, count))
            with computing(), torch.inference_mode():
                given = {
                    name: torch.tensor(array[part], device=self._target) for name, array in arrays.items()
                }
                outputs = self._computed(graph, given, part.stop - part.start)
            yield part, outputs

    def _computed(self, graph: Graph, given: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Run the graph; what it gives has the forms that its file states."""
        try:
            outputs = graph.run(given)
        except Exception as error:  # of whatever kind torch's functions raise for arguments from a file
            raise broken(self._model, "torch", error) from error
        for spec in graph.outputs:
            if outputs[spec.name].shape != (count, *spec.shape[1:]):
                found = tuple(outputs[spec.name].shape)
                raise BundleError(
                    f"{self._model} gives {spec.name!r} of shape {found} for {count} pictures; it states "
                    f"{('N', *spec.shape[1:])}. {REMEDY}"
                )
        return outputs

    def _threads_after_fork(self) -> None:
        """Compute on this thread alone in a forked process: OpenMP would wait for threads left behind."""
        if os.getpid() != self._process and self._target.type == "cpu":
            torch.set_num_threads(1)
            self._process = os.getpid()

    def _loaded(self) -> Graph:
        if self._graph is None:
            raise closed()
        return self._graph

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        self._graph = None


def _check_cuda(device: str) -> None:
    if not torch.cuda.is_available():
        raise InputError(
            f"device {device!r} needs CUDA, and this torch ({torch.__version__}) sees none. "
            "Use device='cpu', or install a CUDA build of torch: see pytorch.org."
        )
    _, _, index = device.partition(":")
    if index and int(index) >= torch.cuda.device_count():
        raise InputError(f"device {device!r} is not there; torch sees {torch.cuda.device_count()} of them.")
