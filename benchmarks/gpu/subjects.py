# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured end to end: plain PyTorch in its several forms, our paths, and the original's."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from reference.original_pipeline import OriginalPipeline
from reference.plain_pytorch import PlainPyTorch
from torch import Tensor, nn

from gpu.staged_torch import StagedTorch, as_it_is
from pamtri_edge.models import Pamtri, PoseNet, ReidNet

EAGER, COMPILED, OURS, ORIGINAL = "eager", "compiled", "ours", "original"
Outputs = tuple[Tensor, ...]
_FP16: Final = "fp16"
_FP32: Final = "fp32 (TF32)"
"""Torch lets convolutions of float32 use tensor cores in TF32 unless told otherwise."""


@dataclass(frozen=True)
class Setting:
    """What all subjects of a batch size share.

    Attributes:
        pose: the pose network in float32, on the host.
        reid: the re-identification network, likewise.
        crops: (N, 256, 256, 3) uint8 RGB on the device.
        bundle: gives the bundle for TensorRT, exporting it if need be.
    """

    pose: PoseNet
    reid: ReidNet
    crops: Tensor
    bundle: Callable[[], Path]

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.crops.device

    @property
    def rehearsal(self) -> bool:
        """Whether that is no GPU."""
        return self.device.type != "cuda"

    @property
    def half(self) -> torch.dtype:
        """Half precision; in a rehearsal float32, since a CPU is slow at half."""
        return torch.float32 if self.rehearsal else torch.float16

    def networks(self, *, half: bool, channels_last: bool = False) -> tuple[PoseNet, ReidNet]:
        """Return copies of both networks on the device."""
        dtype = self.half if half else torch.float32
        layout = torch.channels_last if channels_last else torch.contiguous_format
        pose, reid = copy.deepcopy(self.pose), copy.deepcopy(self.reid)
        for network in (pose, reid):
            network.to(self.device, dtype).to(memory_format=layout)  # type: ignore[call-overload]
        return pose, reid


@dataclass
class Subject:
    """One row of the table, ready to run.

    Attributes:
        call: describes the setting's crops and returns the outputs, which the next call may overwrite.
        arithmetic: what its networks compute in.
        comparable: its outputs are those of plain PyTorch, up to rounding.
        holds: what must live as long as it.
        note: what has to be said of it.
    """

    call: Callable[[], Any]
    arithmetic: str
    comparable: bool = True
    holds: list[Any] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Recipe:
    """How a subject is made.

    Attributes:
        name: as the table calls it.
        kind: `EAGER`, `COMPILED`, `OURS` or `ORIGINAL`.
        make: makes it; may take minutes, and may raise.
    """

    name: str
    kind: str
    make: Callable[[Setting], Subject]


PLAIN_FP32: Final = "PyTorch, eager, fp32 (TF32)"


def recipes() -> Iterator[Recipe]:
    """Yield what is measured, in the table's order."""
    yield Recipe(PLAIN_FP32, EAGER, lambda setting: _plain(setting, half=False))
    yield Recipe("PyTorch, eager, fp16", EAGER, lambda setting: _plain(setting, half=True))
    yield Recipe(
        "PyTorch, eager, fp16, NHWC",
        EAGER,
        lambda setting: _plain(setting, half=True, channels_last=True),
    )
    yield Recipe("PyTorch, compiled, fp16", COMPILED, _compiled_plain)
    yield Recipe("our module, compiled, fp16", COMPILED, _compiled_fused)
    yield Recipe("ours: staged", OURS, lambda setting: _staged(setting, compiled=False))
    yield Recipe("ours: staged, compiled", OURS, lambda setting: _staged(setting, compiled=True))
    yield Recipe(
        "ours: stem rewritten, compiled",
        OURS,
        lambda setting: _staged(setting, compiled=True, rewritten=True),
    )
    yield Recipe("ours: TensorRT", OURS, _tensorrt)
    yield Recipe("the original", ORIGINAL, lambda setting: _original(setting, whole=True))
    yield Recipe("the original, no files", ORIGINAL, lambda setting: _original(setting, whole=False))


def make(recipe: Recipe, setting: Setting) -> tuple[Subject, float]:
    """Make a subject and let it run once; return it and the seconds that this took."""
    start = time.perf_counter()
    # CUDA graphs of torch.compile have had trouble with inference mode; the others are quicker in it.
    quietly = torch.no_grad() if recipe.kind == COMPILED else torch.inference_mode()
    with quietly:
        subject = recipe.make(setting)
        subject.call()
    subject.call = quietly(subject.call)
    return subject, time.perf_counter() - start


def compiler(setting: Setting, **options: Any) -> Callable[..., Any]:
    """Return `torch.compile` for fixed shapes; in a rehearsal it only traces."""
    options = {"backend": "eager"} if setting.rehearsal else options
    return lambda function: torch.compile(function, dynamic=False, fullgraph=True, **options)


def _plain(setting: Setting, *, half: bool, channels_last: bool = False) -> Subject:
    networks = setting.networks(half=half, channels_last=channels_last)
    module = PlainPyTorch(*networks, channels_last=channels_last).to(setting.device)
    return Subject(lambda: module(setting.crops), _FP16 if half else _FP32)


def _compiled_plain(setting: Setting) -> Subject:
    return _graphed(setting, PlainPyTorch(*setting.networks(half=True)).to(setting.device))


def _compiled_fused(setting: Setting) -> Subject:
    class Fused(nn.Module):
        """Our fused module from 8-bit crops on."""

        def __init__(self) -> None:
            super().__init__()
            self.module = Pamtri(copy.deepcopy(setting.pose), copy.deepcopy(setting.reid)).to(setting.device)
            if not setting.rehearsal:
                self.module.half_networks()

        def forward(self, crops: Tensor) -> Outputs:
            outputs: Outputs = self.module(crops.permute(0, 3, 1, 2).to(torch.float32))
            return outputs

    return _graphed(setting, Fused())


def _graphed(setting: Setting, module: nn.Module) -> Subject:
    """Compile with `mode="reduce-overhead"`; say so if it did not become CUDA graphs."""
    from torch._dynamo.utils import counters

    skipped = int(counters["inductor"]["cudagraph_skips"])
    run = compiler(setting, mode="reduce-overhead")(module)
    for _ in range(3):  # compiled, warmed up, captured
        run(setting.crops)
    subject = Subject(lambda: run(setting.crops), _FP16)
    if int(counters["inductor"]["cudagraph_skips"]) > skipped:
        subject.note = "torch refused to capture CUDA graphs"
    return subject


def _staged(setting: Setting, *, compiled: bool, rewritten: bool = False) -> Subject:
    path = staged_path(setting, compiled=compiled, rewritten=rewritten)
    return Subject(lambda: path(setting.crops), _FP16)


def staged_path(setting: Setting, *, compiled: bool, rewritten: bool = False) -> StagedTorch:
    """Return our two-engine path with both networks in half precision."""
    pose, reid = setting.networks(half=True, channels_last=True)
    return StagedTorch(
        pose,
        reid,
        len(setting.crops),
        compile_network=compiler(setting) if compiled else as_it_is,
        rewritten=rewritten,
    )


def _tensorrt(setting: Setting) -> Subject:
    from pamtri_edge import Reidentifier
    from pamtri_edge.ops.driver import load_cupy
    from pamtri_edge.runtime.tensorrt.device import find_gpu
    from pamtri_edge.runtime.tensorrt.library import load_library

    cupy = load_cupy()
    library = load_library(compute=find_gpu(cupy, "cuda").compute)  # before a bundle is exported for it
    reid = Reidentifier.load(setting.bundle(), device="cuda", backend="tensorrt")
    engine: Any = reid.backend
    crops = cupy.from_dlpack(setting.crops)

    def call() -> Any:  # CuPy's current stream is the default one, which is torch's too
        return engine.run_pictures(crops, swap_channels=False, on_device=True)

    note = f"{library.title}, {engine.mode}; its golden outputs are checked"
    return Subject(call, engine.arithmetic, comparable=False, holds=[reid], note=note)


def _original(setting: Setting, *, whole: bool) -> Subject:
    pose, reid = setting.networks(half=False)
    pipeline = OriginalPipeline(
        _Elsewhere(pose),  # type: ignore[arg-type]
        _Elsewhere(reid),  # type: ignore[arg-type]
        flip_test=whole,
        files=whole,
    )
    crops = list(setting.crops.cpu().numpy())
    note = "networks on the GPU, the rest on the host"
    return Subject(lambda: pipeline(crops), _FP32, comparable=False, note=note)


class _Elsewhere:
    """A network on the device for a program that has its tensors on the host."""

    def __init__(self, network: PoseNet | ReidNet) -> None:
        self._network = network
        self.spec = network.spec

    def __call__(self, *tensors: Tensor) -> Any:
        device = next(self._network.parameters()).device
        found = self._network(*(tensor.to(device) for tensor in tensors))
        return found.cpu() if isinstance(found, Tensor) else tuple(one.cpu() for one in found)
