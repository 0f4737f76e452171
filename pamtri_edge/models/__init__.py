# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of PAMTRI in torch, their sizes, their weights, and the fused module."""

from pamtri_edge.models.checkpoints import (
    checkpoint_metadata,
    load_pose,
    load_reid,
    save_checkpoint,
    weights_id,
)
from pamtri_edge.models.densenet import DENSENET121, DENSENET201, DenseSpec
from pamtri_edge.models.efficientnet import LITES, LiteSpec
from pamtri_edge.models.hrnet import PoseNet, PoseSpec
from pamtri_edge.models.multitask import ReidNet, ReidSpec
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.models.seeded import seeded
from pamtri_edge.models.sizes import SIZES, TINY, TINY_LITE, with_lite

__all__ = [
    "DENSENET121",
    "DENSENET201",
    "LITES",
    "SIZES",
    "TINY",
    "TINY_LITE",
    "DenseSpec",
    "LiteSpec",
    "Pamtri",
    "PoseNet",
    "PoseSpec",
    "ReidNet",
    "ReidSpec",
    "checkpoint_metadata",
    "load_pose",
    "load_reid",
    "save_checkpoint",
    "seeded",
    "weights_id",
    "with_lite",
]
