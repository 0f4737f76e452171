# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Track ids that are names, such as "car_7" or a UUID, as the numbers that a track has here."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.tracks.lines import is_number
from pamtri_edge.tracks.rows import brief, track_number

_log = logging.getLogger(__name__)

_NONE: Final = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-"})
"""What tables have in the place of an id that is missing."""


class Identities:
    """Tells the number of a track by the id that a file writes.

    Numbers stay as they are. Where the first id is none, ids are names, and get numbers from 1 on in the
    order in which they come.

    Args:
        path: the file, for messages.
        ids: its ids, as written.
    """

    def __init__(self, path: Path, ids: Iterable[str]) -> None:
        self._path = path
        self._numbers: dict[str, int] | None = None
        for cell in ids:
            if cell.casefold() not in _NONE:
                self._numbers = None if is_number(cell) else {}
                return

    def number(self, cell: str) -> int | None:
        """Return the number of an id; None where it stands for none.

        Raises:
            BadRowError: ids are numbers, and this is none.
        """
        if cell.casefold() in _NONE:
            return None
        if self._numbers is None:
            return track_number(cell)
        if not self._numbers:
            _log.warning(
                "%s: track ids are names; their numbers are from 1 on, as they come: %s is 1",
                self._path, brief(cell),
            )  # fmt: skip
        return self._numbers.setdefault(cell, len(self._numbers) + 1)
