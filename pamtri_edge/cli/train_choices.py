# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The backbones that `pamtri train frozen` chooses between."""

from __future__ import annotations

from enum import Enum


class Backbone(str, Enum):
    """Backbones of the paper's widths."""

    DENSENET121 = "densenet121"
    DENSENET201 = "densenet201"
