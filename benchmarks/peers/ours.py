# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our bundles, as `Reidentifier.embed` runs them, and their two networks apart."""

from __future__ import annotations

from collections.abc import Iterator

from bundles import EVERYTHING, provide
from staged import StagedPipeline

from pamtri_edge import Reidentifier
from peers import Absent, Setting, Subject
from peers.counting import operations

FUSED = (
    ("paper", "fp32"),
    ("paper", "int8"),
    ("lite", "fp32"),
    ("lite", "int8"),
)
"""Not fp16: OpenVINO computes it in fp32 on a processor, so it is the row above."""
STAGED = (("paper", ""), ("paper", EVERYTHING), ("lite", ""))


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give the fused networks in each precision."""
    for size, precision in FUSED:
        if setting.only not in f"{size} {precision}":
            continue
        path = provide(
            setting.bundles, size, precision, staged=precision == "int8", announce=setting.announce
        )
        reid = setting.stack.enter_context(Reidentifier.load(path, threads=setting.threads))
        arithmetic = reid.backend.arithmetic
        yield Subject(
            f"{size} {precision}", reid.embed, arithmetic, operations(size), limit=_limit(arithmetic)
        )


def staged_subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give the two-engine path, with the share of the compiled operations between the networks."""
    for size, variant in STAGED:
        name = f"{size} int8, two engines{', with segments' if variant else ''}"
        if setting.only not in name:
            continue
        path = provide(setting.bundles, size, "int8", variant=variant, staged=True, announce=setting.announce)
        staged = setting.stack.enter_context(StagedPipeline(path, threads=setting.threads))
        yield Subject(name, staged, staged.arithmetic, operations(size), limit="int8", share=staged.share)


def _limit(arithmetic: str) -> str:
    return "int8" if arithmetic == "int8" else "fp32"
