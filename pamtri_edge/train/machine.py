# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What of this machine a training uses."""

from __future__ import annotations

import re
from typing import Final

import cv2
import torch

from pamtri_edge.errors import InputError

_DEVICE: Final = re.compile(r"cpu|cuda(:\d{1,3})?", re.ASCII)


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
