# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The original pipeline in eager PyTorch: the row that all others are compared with."""

from __future__ import annotations

from collections.abc import Iterator

from reference.original_pipeline import OriginalPipeline

from peers import Absent, Setting, Subject
from peers.counting import networks, operations, pose_operations

BASELINE = "original, eager"


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give the pipeline as it is, and without what is its choice and not PyTorch's fault."""
    pose, reid = networks("paper")
    once = operations("paper")
    yield Subject(
        BASELINE, OriginalPipeline(pose, reid), "fp32", once + pose_operations("paper"), limit="fp32"
    )
    plain = OriginalPipeline(pose, reid, flip_test=False, files=False)
    yield Subject(f"{BASELINE}, no flip test, no files", plain, "fp32", once, limit="fp32")
