# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of synthetic vehicles share."""

from __future__ import annotations

import sys
from pathlib import Path

# Processes that draw are told where modules lie, and import the fake renderer by its name.
sys.path.insert(0, str(Path(__file__).parent))
