# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an export is asked for, and what it tells while it works."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pamtri_edge.arrays import check_choice
from pamtri_edge.bundle import SUFFIX
from pamtri_edge.errors import InputError
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.geometry import Geometry
from pamtri_edge.words import PRECISIONS, SIZE_NAMES, VIAS

if TYPE_CHECKING:  # only for annotations: torch is not needed to state options
    from pamtri_edge.models import PoseSpec, ReidSpec

RETRIEVAL_LOSS: Final = {"fp16": 0.1, "int8": 1.0}
"""Points of mAP that a file of a precision may lose unless told otherwise."""

_ENDINGS: Final = (".pth.tar", ".safetensors", ".pth", ".pt", ".tar", ".ckpt")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What to export, and how.

    Either `model`, or `reid` with `pose` where it needs one, or `network`, with `pose` for keypoints.

    Attributes:
        model: "lite" or "paper": networks of that size, with the trained weights that come with the package
            where it has some, else with drawn ones (tests give specs instead).
        seed: draws weights for `model` even where there are trained ones; None draws with 0 if it must.
        pose: file of the pose network's weights.
        reid: file of the re-identification network's weights.
        network: a re-identification network that was made elsewhere.
        precision: "fp32", "fp16" or "int8".
        geometry: how a crop becomes the pictures.
        flip_test: average the heatmaps with those of the mirror image.
        raw_feature: leave the embedding as the network gives it, not at unit length.
        optimize: rewrite the first convolution of re-identification so that no stack is built; the numbers
            are the same.
        calibration: folder of crops for int8.
        weight_bits: of int8 weights, 7 or 8; None for 7, whose sums do not overflow on x86 processors
            without VNNI, so that a bundle gives the same numbers on every machine.
        retrieval: labeled set, laid out as VeRi, on which a float16 or int8 file may lose only so much.
        retrieval_loss: how many points of mAP; None for 0.1 in float16 and 1 in int8.
        retrieval_pictures: how many of the set's pictures are used, about.
        crops: folder of crops for the comparison with PyTorch.
        colors: names of the color classes; None for VeRi's, if there are as many.
        types: names of the type classes, likewise.
        output: the bundle to write; None for a name after the weights, in the working folder.
        overwrite: replace a bundle of that name.
        staged: also write the two networks apart.
        engine: also make the engine for this machine's GPU, and compare it with PyTorch like the file.
        via: the way to it, one of `VIAS`.
        build: whether an engine may be built; without it one that is already there must fit.
        profile: measure how long each stage takes.
        allow_drift: write the bundle even if the comparison fails.
        parity_crops: how many crops are compared at most.
        calibration_crops: how many crops int8 is calibrated with at most.
    """

    model: str | tuple[PoseSpec, ReidSpec] | None = None
    seed: int | None = None
    pose: Path | None = None
    reid: Path | None = None
    network: ForeignNetwork | None = None
    precision: str = "fp32"
    geometry: Geometry = Geometry.UNIFIED
    flip_test: bool = False
    raw_feature: bool = False
    optimize: bool = True
    calibration: Path | None = None
    weight_bits: int | None = None
    retrieval: Path | None = None
    retrieval_loss: float | None = None
    retrieval_pictures: int = 2000
    crops: Path | None = None
    colors: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    output: Path | None = None
    overwrite: bool = False
    staged: bool = False
    engine: bool = False
    via: str = "tensorrt"
    build: bool = True
    profile: bool = False
    allow_drift: bool = False
    parity_crops: int = 64
    calibration_crops: int = 64

    def __post_init__(self) -> None:
        check_choice(self.precision, PRECISIONS, "precision")
        if isinstance(self.model, str):
            check_choice(self.model, SIZE_NAMES, "model")
        if self.network is not None:
            self._check_network()
        elif (self.model is None) == (self.reid is None and self.pose is None):
            raise InputError(
                "say what to export: either model ('lite' or 'paper'), or the files of the "
                "weights, reid (and pose, where the re-identification network needs it); not both."
            )
        if self.network is None and self.model is None and self.reid is None:
            raise InputError(
                "pose alone gives no embedding; give those of the re-identification network too (--reid)."
            )
        if self.parity_crops < 1 or self.calibration_crops < 1:
            raise InputError("parity_crops and calibration_crops must be at least 1.")
        if self.weight_bits not in (None, 7, 8):
            raise InputError(f"weight_bits={self.weight_bits}: int8 weights have 7 or 8 bits.")
        if self.weight_bits is not None and self.precision != "int8":
            raise InputError(f"weight_bits are those of int8; the precision is {self.precision}.")
        self._check_retrieval()
        self._check_engine()

    @property
    def int8_weight_bits(self) -> int:
        """Bits of int8 weights."""
        return self.weight_bits or 7

    def _check_network(self) -> None:
        """Refuse what belongs to PAMTRI's own networks and would be passed over in silence."""
        given = {
            "--model": self.model is not None,
            "--reid": self.reid is not None,
            "--seed": self.seed is not None,
            "--geometry original": self.geometry is not Geometry.UNIFIED,
            "--flip-test": self.flip_test and self.pose is None,
            "--raw-feature": self.raw_feature,
            "--no-optimize": not self.optimize,
            "--colors": self.colors is not None,
            "--types": self.types is not None,
            "--staged": self.staged,
        }
        if named := [option for option, there in given.items() if there]:
            raise InputError(
                f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} of PAMTRI's own networks; with "
                "--network the file is all there is, but for a --pose beside it: leave out one or the other."
            )
        if self.engine:
            raise InputError(
                "--engine is of PAMTRI's own networks; with --network leave it out: the engine is built when "
                "the bundle is first loaded on a GPU, and checked against its golden crops there."
            )

    def _check_retrieval(self) -> None:
        if self.retrieval is None:
            if self.retrieval_loss is not None:
                raise InputError("retrieval_loss needs a set to measure it on: give retrieval too.")
        elif self.precision not in RETRIEVAL_LOSS:
            raise InputError(
                "retrieval compares a float16 or int8 file with its float32 graph; with precision fp32 they "
                "are the same."
            )
        if not 0.0 <= self.loss_limit <= 100.0:
            raise InputError(f"retrieval_loss is {self.retrieval_loss}; expected points of mAP, 0 to 100.")
        if self.retrieval_pictures < 2:
            raise InputError(f"retrieval_pictures is {self.retrieval_pictures}; expected 2 or more.")

    def _check_engine(self) -> None:
        check_choice(self.via, VIAS, "via")
        if not self.engine and self.via != VIAS[0]:
            raise InputError(f"via {self.via!r} is a way to an engine: give engine (--engine) too.")
        if not self.engine and not self.build:
            raise InputError("there is no engine to build or not to build: give engine (--engine) too.")
        if self.via == "torch-tensorrt" and self.precision == "int8":
            raise InputError(
                "torch-tensorrt compiles the PyTorch network, which has no int8 form; use --precision fp16, "
                "or --via tensorrt."
            )

    @property
    def loss_limit(self) -> float:
        """How many points of mAP the file may lose on `retrieval`."""
        if self.retrieval_loss is not None:
            return self.retrieval_loss
        return RETRIEVAL_LOSS.get(self.precision, 0.0)

    @property
    def final(self) -> Path:
        """The bundle to write."""
        if self.output is not None:
            if self.output.suffix != SUFFIX:
                raise InputError(f"the output is {self.output}; a bundle's name ends in {SUFFIX}.")
            return self.output
        return Path(f"{self.name}{SUFFIX}")

    @property
    def name(self) -> str:
        """The bundle's name without its suffix."""
        if self.output is not None:
            return self.output.name.removesuffix(SUFFIX)
        if isinstance(self.model, str):
            return f"pamtri-{self.model}"
        if self.network is not None:
            return self.network.path.name.removesuffix(".onnx") or "network"
        if self.reid is None:
            return "pamtri-custom"
        ending = next((e for e in _ENDINGS if self.reid.name.endswith(e)), self.reid.suffix)
        return self.reid.name.removesuffix(ending)


@dataclass
class Steps:
    """Follows an export step by step; this one keeps the times and writes to the log.

    Attributes:
        seconds: how long each finished step took, in order.
    """

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Enclose a step.

        Args:
            name: what is being done.
            total: of how many parts it consists; None if that is not known.

        Yields:
            What to call after each part.
        """
        start = time.perf_counter()
        with self.shown(name, total) as advance:
            yield advance
        self.seconds[name] = round(time.perf_counter() - start, 2)
        _log.info("%s: %.1f s", name, self.seconds[name])

    @contextmanager
    def shown(self, name: str, total: int | None) -> Iterator[Callable[[], None]]:
        """Show a step while it runs; this one shows nothing."""
        yield lambda: None
