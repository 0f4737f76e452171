# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The event of a tracked vehicle: what it holds, its files and tables."""

from pamtri_edge.events.event import (
    GATE_REASONS,
    Attribute,
    Event,
    EventWriter,
    FrameCounts,
    parse_utc,
    read_events,
    to_protobuf,
    utc_text,
)

__all__ = [
    "GATE_REASONS",
    "Attribute",
    "Event",
    "EventWriter",
    "FrameCounts",
    "parse_utc",
    "read_events",
    "to_protobuf",
    "utc_text",
]
