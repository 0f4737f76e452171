# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fused networks as one module of PyTorch: eager, and compiled by its inductor."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import which

import torch

from pamtri_edge.models import Pamtri
from peers import Absent, Crops, Setting, Subject
from peers.counting import networks, operations
from peers.glue import batch_of


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give eager rows; compiled ones come from `compiled_subjects`, since that takes minutes."""
    for size in ("paper", "lite"):
        name = f"{size}, PyTorch eager"
        if setting.only not in name:
            continue
        module = Pamtri(*networks(size), optimize=False).eval()
        yield Subject(name, _called(module), "fp32", operations(size), limit="fp32")


def compiled_subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give rows compiled by inductor, one graph a batch size."""
    for size in ("paper", "lite"):
        name = f"{size}, PyTorch compiled"
        if setting.only not in name:
            continue
        if which("g++") is None and which("clang++") is None:
            yield Absent(name, "torch.compile needs a C++ compiler")
            continue
        setting.announce(f"compiling {name} ...")
        module = torch.compile(Pamtri(*networks(size), optimize=False).eval(), dynamic=False)
        yield Subject(name, _called(module), "fp32", operations(size), limit="fp32")


def _called(module: object):  # type: ignore[no-untyped-def]
    @torch.inference_mode()
    def call(crops: Crops) -> object:
        return module(torch.from_numpy(batch_of(crops)))  # type: ignore[operator]

    return call
