# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Extractors of other projects, with a network of their own: what compares is their share of the limit.

Both run OSNet. Its weights are drawn and lie in a file, since without one either extractor downloads some.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from peers import Absent, Crops, Setting, Subject

NETWORK = "osnet_x1_0"
SIDES = (256, 128)
"""Height and width that both resize to."""


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give the extractors that are installed, and say what is not measured."""
    folder = Path(setting.stack.enter_context(tempfile.TemporaryDirectory()))
    for package, make in (("torchreid", _torchreid), ("boxmot", _boxmot)):
        name = f"{package}'s extractor, {NETWORK}"
        if setting.only not in name:
            continue
        if find_spec(package) is None:
            yield Absent(name, f"{package} is not installed (pip install {package})")
            continue
        try:
            call, network = make(folder)
        except Exception as error:  # of another project, in whatever state it is installed
            yield Absent(name, f"{package} cannot be used: {type(error).__name__}: {error}")
            continue
        yield Subject(name, call, "fp32", _operations(network), limit="fp32")
    yield Absent("DL Streamer", "gvaclassify comes with Intel's system packages, which are not installed")


Made = tuple[Callable[[Crops], object], torch.nn.Module]


def _torchreid(folder: Path) -> Made:
    package = "torchreid.reid" if find_spec("torchreid.reid") else "torchreid"  # it moved in 1.4
    models, utils = (import_module(f"{package}.{part}") for part in ("models", "utils"))
    weights = folder / "torchreid.pt"
    torch.save(models.build_model(NETWORK, num_classes=1, pretrained=False).state_dict(), weights)
    extractor: Any = utils.FeatureExtractor(
        model_name=NETWORK, model_path=str(weights), device="cpu", verbose=False
    )
    return lambda crops: extractor(list(crops)), extractor.model


def _boxmot(folder: Path) -> Made:
    registry = import_module("boxmot.reid.core.registry").ReIDModelRegistry
    weights = folder / f"{NETWORK}_market1501.pt"  # it takes the network's name from the file's
    classes = registry.get_nr_classes(weights)
    network = registry.build_model(NETWORK, weights, num_classes=classes, pretrained=False, use_gpu=False)
    torch.save({"state_dict": network.state_dict()}, weights)
    extractor = import_module("boxmot.reid.core.runtime").ReID(weights, device="cpu")
    return lambda crops: extractor(list(crops)), extractor.model.model


def _operations(network: torch.nn.Module) -> float:
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network(torch.zeros(1, 3, *SIDES))
    return float(counter.get_total_flops())
