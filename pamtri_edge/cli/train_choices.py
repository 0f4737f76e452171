# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The words that the training commands choose between."""

from __future__ import annotations

from enum import Enum


class Model(str, Enum):
    """Networks of a named size."""

    LITE = "lite"
    PAPER = "paper"


class Backbone(str, Enum):
    """Backbones of the re-identification network."""

    DENSENET121 = "densenet121"
    DENSENET201 = "densenet201"
    LITE0 = "efficientnet-lite0"
    LITE2 = "efficientnet-lite2"


class Recipes(str, Enum):
    """Named recipes."""

    PAPER = "paper"
    CODE = "code"
    COMPACT = "compact"


class Precision(str, Enum):
    """Arithmetic of the network."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Embed(str, Enum):
    """Pose channels of the stack."""

    NONE = "none"
    HEATMAPS = "heatmaps"
    SEGMENTS = "segments"
    BOTH = "both"


class Loss(str, Enum):
    """What tells vehicles apart."""

    BOTH = "both"
    XENT = "xent"
    HTRI = "htri"
    CENTER = "center"
    BATCH_ALL = "batch-all"
    BATCH_SAMPLE = "batch-sample"
    GSTE = "gste"


class PoseSource(str, Enum):
    """Where the pose comes from."""

    NET = "net"
    TRUTH = "truth"
    BOTH = "both"
