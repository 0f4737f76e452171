# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Result files: `results/NAME-DATE-TIME.json`, one a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pamtri_edge import console

RESULTS = Path(__file__).parent / "results"


def save_result(name: str, record: Mapping[str, Any]) -> Path:
    """Write the figures of a run, with its date, and say where they are."""
    now = datetime.now(timezone.utc)
    path = RESULTS / f"{name}-{now:%Y-%m-%d-%H%M%S}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"date": f"{now:%Y-%m-%d}", **record}, indent=2) + "\n")
    console.out.print(f"written: {path}")
    return path
