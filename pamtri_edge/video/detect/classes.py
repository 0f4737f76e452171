# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which of a detector's classes are vehicles."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pamtri_edge import _core
from pamtri_edge.class_names import is_vehicle
from pamtri_edge.printable import counted

_COCO: Final = {"bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7}
_COCO_91: Final = {"bicycle": 2, "car": 3, "motorcycle": 4, "bus": 6, "truck": 8}
_PUBLISHED: Final = {80: _COCO, 91: _COCO_91}
"""Numbers of COCO's vehicles, by the count of classes of the published networks."""

_SHOWN: Final = 12


@dataclass(frozen=True)
class Classes:
    """The classes of a network.

    Attributes:
        names: by number, those that are known: its own, or those of the published network that it is.
        all: how many "all" are.
        limit: numbers from 0 to below this may be asked for.
        vehicles: numbers of the vehicles, ascending; None where it does not say which are.
        refusal: why it does not, for who asks for no class; "" where it does.
        notice: what a user should know about the vehicles; "" for nothing.
    """

    names: dict[int, str]
    all: int
    limit: int
    vehicles: tuple[int, ...] | None
    refusal: str = ""
    notice: str = ""

    def wanted(self, network: str, asked: Sequence[str] | None) -> tuple[int, ...]:
        """Return the numbers of the wanted classes, ascending.

        Args:
            network: its name, for messages.
            asked: names or numbers; "all" or none at all for every class; None for the vehicles.

        Raises:
            InputError: a class is unknown, or the network does not say which of its classes are vehicles.
        """
        names = None if asked is None else [_shown(name) for name in asked]
        return tuple(
            _core.wanted_classes(
                _shown(network), names, self.names, self.all, self.limit, self.vehicles, self.refusal
            )
        )


def classes_of(network: str, *, names: Mapping[int, str], count: int | None, base: int = 80) -> Classes:
    """Return the classes of a network, and which of them are vehicles.

    Args:
        network: its name, for messages.
        names: the network's own, by number; empty where it has none.
        count: how many classes it has; None where it does not say.
        base: the published numbering, 80 or 91, that a network goes by that says nothing.
    """
    every = base if count is None else count
    limit = max([*names, base - 1]) + 1 if count is None else count
    if names:
        known = {number: _shown(name) for number, name in names.items()}
        return Classes(known, every, limit, *_own_vehicles(network, known))
    published = _PUBLISHED.get(every, {})
    known = {number: name for name, number in published.items()}
    if not known:
        refusal = (
            f"{network} has {counted(every, 'class', 'classes')} and does not name them (no names in its "
            "metadata): say which are vehicles, by number: --classes "
            f"{'0' if every == 1 else '0,2 for example'} (0 to {every - 1}), or 'all'."
        )
        return Classes(known, every, limit, None, refusal)
    notice = ""
    if count is None:
        numbers = ", ".join(f"{name} ({published[name]})" for name in ("car", "bus", "truck"))
        notice = f"it names no classes: taken as COCO's {numbers}; --classes says otherwise"
    vehicles = tuple(sorted(published[name] for name in ("car", "bus", "truck")))
    return Classes(known, every, limit, vehicles, notice=notice)


def by_number(asked: Sequence[str] | None) -> bool:
    """Tell whether classes are asked for without any name: by numbers, or all of them."""
    if asked is None:
        return False
    return [name.casefold() for name in asked] == ["all"] or all(
        name.isascii() and name.isdecimal() for name in asked
    )


def parsed_names(text: str) -> dict[int, str]:
    """Return class names by number from metadata: a dict or list, in Python's or JSON's form, or one a line.

    Empty where the text is none of these.
    """
    for parse in (json.loads, ast.literal_eval):
        try:
            return _named(parse(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
    if set(text) & set("{}[]\x00"):
        return {}
    parts = [part.strip() for part in re.split(r"[,;\n]", text)]
    # YAML and label files: "- car", "2: car" or "2 car", of which "4 wheeler" alone is no number and name.
    parts = [part.removeprefix("- ").strip(" '\"") for part in parts if part]
    numbered = [re.fullmatch(r"(\d+)\s*[:\s]\s*(.+)", part) for part in parts]
    if [int(match[1]) for match in numbered if match is not None] == list(range(len(parts))):
        parts = [match[2].strip(" '\"") for match in numbered if match is not None]
    return dict(enumerate(parts))


def _named(value: object) -> dict[int, str]:
    """Return the names in what a text was read as: by number, in order, or numbers by name.

    Raises:
        ValueError, TypeError: there are none in it.
    """
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(inner := next(iter(value.values())), (Mapping, list, tuple)):
            return _named(inner)
        if all(isinstance(key, str) and not key.strip().isdecimal() for key in value):
            return {int(number): name for name, number in value.items() if not isinstance(number, bool)}
        return {int(number): str(name) for number, name in value.items()}
    if not isinstance(value, (list, tuple)):
        return {}
    if value and all(isinstance(one, Mapping) and "name" in one for one in value):
        return {int(one.get("id", number)): str(one["name"]) for number, one in enumerate(value)}
    return {number: str(name) for number, name in enumerate(value)}


def _own_vehicles(network: str, names: Mapping[int, str]) -> tuple[tuple[int, ...] | None, str, str]:
    """Return the vehicles by their names, or why there are none, and what a user should know."""
    wanted = tuple(sorted(number for number, name in names.items() if is_vehicle(name)))
    if not wanted:
        refusal = (
            f"{network} has classes of which none is named like a vehicle ({_listed(names)}); say "
            "which ones are: --classes, with names or numbers."
        )
        return None, refusal, ""
    rest = {number: name for number, name in names.items() if number not in wanted}
    notice = f"vehicles are its classes {', '.join(f'{names[n]} ({n})' for n in wanted)}"
    return wanted, "", notice + (f", not {_listed(rest)}" if rest else "")


def _shown(text: str) -> str:
    """Return a text without what is no character: UTF-8 has no room for it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _listed(names: Mapping[int, str]) -> str:
    shown = [name for _, name in sorted(names.items())][:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
