# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many examples of a property are tried where it is not as many as of others."""

from __future__ import annotations

import hypothesis

QUICK = 15
"""Of each property in `make quick`."""


def tries(number: int) -> int:
    """Return the number of examples of a property, or fewer in `make quick`."""
    quick = hypothesis.settings.get_current_profile_name() == "quick"
    return min(number, QUICK) if quick else number
