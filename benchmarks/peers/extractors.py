# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Extractors of other projects, with networks of their own: what compares is their share of the limit."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from peers import Absent, Crops, Setting, Subject

NETWORK = "osnet_x1_0"


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give torchreid's extractor where it is installed, and say what is not measured."""
    name = f"torchreid's extractor, {NETWORK}"
    if find_spec("torchreid") is None:
        yield Absent(name, "torchreid is not installed (pip install torchreid)")
    else:
        yield _torchreid(name)
    yield Absent("BoxMOT's extractor", _not_boxmot())
    yield Absent("DL Streamer", "gvaclassify comes with Intel's system packages, which are not installed")


def _torchreid(name: str) -> Subject:
    from torchreid.utils import FeatureExtractor

    extractor: Any = FeatureExtractor(model_name=NETWORK, device="cpu", verbose=False)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        extractor.model(torch.zeros(1, 3, 256, 128))

    def call(crops: Crops) -> object:
        return extractor(list(crops))

    return Subject(name, call, "fp32", float(counter.get_total_flops()), limit="fp32")


def _not_boxmot() -> str:
    if find_spec("boxmot") is None:
        return "boxmot is not installed (pip install boxmot)"
    return "its extractor downloads weights when it is made, which a benchmark does not"
