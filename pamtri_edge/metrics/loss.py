# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a narrower precision costs in retrieval: the record of it that a manifest keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pamtri_edge.errors import InputError

FORM: Final = (
    'an object with "set", "vehicles", "queries", "gallery", "fp32_map" and "map" (0 to 1), "loss" and '
    '"limit" (points of mAP), and lists of names "float_groups" and "float_layers"'
)
"""How a record looks, in words."""


@dataclass(frozen=True, kw_only=True)
class RetrievalLoss:
    """How well a file finds the vehicles of a labeled set again, beside its own float32 graph.

    Attributes:
        set: name of the set.
        vehicles: how many the queries show.
        queries: how many pictures were looked for.
        gallery: in how many pictures they were looked for.
        fp32_map: mAP of the float32 graph, 0 to 1.
        map: mAP of the file, 0 to 1.
        loss: points of mAP that the file lost, 100 times their difference; below 0 where it gained.
        limit: how many points it may lose.
        float_groups: groups of layers that stay in float32 in an int8 file because of what they lost
            there, in the order in which they were chosen.
        float_layers: weights of these layers by the networks' names.
    """

    set: str
    vehicles: int
    queries: int
    gallery: int
    fp32_map: float
    map: float
    loss: float
    limit: float
    float_groups: tuple[str, ...] = ()
    float_layers: tuple[str, ...] = ()

    @property
    def failure(self) -> str | None:
        """What is wrong, in words; None if the file loses no more than it may."""
        if self.loss <= self.limit:
            return None
        tried = f" with {', '.join(self.float_groups)} in float32" if self.float_groups else ""
        return (
            f"retrieval on {self.set}, mAP falls from {self.fp32_map:.2%} to {self.map:.2%}{tried}: "
            f"{self.loss:.2f} points (limit {self.limit:g})"
        )

    @staticmethod
    def from_record(value: Any) -> RetrievalLoss:
        """Read the record as JSON gives it; entries that it does not know are ignored.

        Raises:
            InputError: it is not as `FORM` says.
        """
        if not isinstance(value, Mapping) or not isinstance(value.get("set"), str):
            raise InputError(f"expected {FORM}.")
        return RetrievalLoss(
            set=value["set"],
            vehicles=_count(value, "vehicles"),
            queries=_count(value, "queries"),
            gallery=_count(value, "gallery"),
            fp32_map=_number(value, "fp32_map", 0.0, 1.0),
            map=_number(value, "map", 0.0, 1.0),
            loss=_number(value, "loss", -100.0, 100.0),
            limit=_number(value, "limit", 0.0, 100.0),
            float_groups=_names(value, "float_groups"),
            float_layers=_names(value, "float_layers"),
        )


def _count(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{name} is {value!r}; expected {FORM}.")
    return value


def _number(record: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = record.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}; expected {FORM}.")
    return float(value)


def _names(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = record.get(name)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InputError(f"{name} is {value!r}; expected {FORM}.")
    return tuple(value)
