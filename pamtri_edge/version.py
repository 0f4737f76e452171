# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The version of the package, which files that it writes name too."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
