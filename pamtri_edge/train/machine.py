# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What of this machine a training uses: the device, threads, and the arithmetic of its processor."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import cv2
import torch
from torch import Tensor

from pamtri_edge.errors import InputError
from pamtri_edge.models import operators
from pamtri_edge.words import TrainPrecision

_DEVICE: Final = re.compile(r"cpu|cuda(:\d{1,3})?", re.ASCII)
_TYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_BF16_FLAGS: Final = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def chosen_device(name: str) -> str:
    """Return torch's name of a device; `auto` is the GPU where torch has one.

    Raises:
        InputError: it is something else than these, or a GPU is asked for and torch has none.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not _DEVICE.fullmatch(name):
        raise InputError(f"--device {name}: expected auto, cpu, cuda or cuda:N.")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"--device {name}: torch finds no CUDA device; try `pamtri doctor`.")
    return name


def use_threads(count: int | None) -> None:
    """Have torch compute with so many threads; None leaves it as it is.

    OpenCV keeps to one: pictures are prepared by several threads already.
    """
    cv2.setNumThreads(1)
    if count is not None:
        torch.set_num_threads(count)


def resolved(precision: TrainPrecision, device: torch.device) -> TrainPrecision:
    """Return fp32, bf16 or fp16; `auto` becomes what the device computes fastest in.

    Raises:
        InputError: fp16 is asked for on a CPU, where its gradients would vanish unscaled.
    """
    if precision == "fp16" and device.type != "cuda":
        raise InputError("fp16 training needs a CUDA device; on a CPU use bf16, fp32 or auto.")
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    # What the processor multiplies in hardware.
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return "bf16" if any(capabilities.get(flag) for flag in _BF16_FLAGS) else "fp32"


def computing(precision: TrainPrecision, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which the network computes: torch's autocast, or nothing for fp32."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=_TYPES[precision])


def network_input(pictures: Tensor, precision: TrainPrecision) -> Tensor:
    """Return pictures (N, S, S, 3) uint8 as normalized RGB (N, 3, S, S), channels last in memory."""
    images = operators.normalize_rgb(pictures.permute(0, 3, 1, 2).to(torch.float32))
    return images.to(_TYPES[precision])
