# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The small bundle, for every test of this room."""

from small_bundle import bundle_path, golden, manifest, write

__all__ = ["bundle_path", "golden", "manifest", "write"]
