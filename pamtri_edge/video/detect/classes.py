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

from pamtri_edge.class_names import is_vehicle
from pamtri_edge.errors import InputError

_COCO: Final = {"bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7}
_COCO_91: Final = {"bicycle": 2, "car": 3, "motorcycle": 4, "bus": 6, "truck": 8}
_PUBLISHED: Final = {80: _COCO, 91: _COCO_91}
"""Numbers of COCO's vehicles, by the count of classes of the published networks."""

_SHOWN: Final = 12


@dataclass(frozen=True)
class Classes:
    """The classes of a network, and the wanted ones among them.

    Attributes:
        wanted: numbers of the wanted classes, ascending.
        count: how many the network has; None where it does not say.
        notice: what a user should know about the choice; "" for nothing.
    """

    wanted: tuple[int, ...]
    count: int | None
    notice: str = ""


def choose(
    network: str, asked: Sequence[str] | None, *, names: Mapping[int, str], count: int | None, base: int = 80
) -> Classes:
    """Choose the wanted classes.

    Args:
        network: its name, for messages.
        asked: names or numbers; "all" or none at all for every class; None for the vehicles.
        names: the network's own, by number; empty where it has none.
        count: how many classes it has; None where it does not say.
        base: the published numbering, 80 or 91, that a network goes by that says nothing.

    Raises:
        InputError: a class is unknown, or the network does not say which of its classes are vehicles.
    """
    published = _PUBLISHED.get(count if count is not None else base, {}) if not names else {}
    known = {name.casefold(): number for number, name in names.items()} or dict(published)
    if asked is None:
        return _vehicles(network, names=names, count=count, published=published)
    if not asked or [name.casefold() for name in asked] == ["all"]:
        return Classes(tuple(range(count if count is not None else base)), count)
    limit = count if count is not None else max([*names, base - 1]) + 1
    wanted = [_number(network, name, known=known, names=names, limit=limit) for name in asked]
    return Classes(tuple(sorted(set(wanted))), count)


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


def _vehicles(
    network: str, *, names: Mapping[int, str], count: int | None, published: Mapping[str, int]
) -> Classes:
    if names:
        wanted = sorted(number for number, name in names.items() if is_vehicle(name))
        if not wanted:
            raise InputError(
                f"{network} has classes of which none is named like a vehicle ({_listed(names)}); say "
                "which ones are: --classes, with names or numbers."
            )
        rest = {number: name for number, name in names.items() if number not in wanted}
        notice = f"vehicles are its classes {', '.join(f'{names[n]} ({n})' for n in wanted)}"
        notice += f", not {_listed(rest)}" if rest else ""
        return Classes(tuple(wanted), count, notice)
    if not published:
        raise InputError(
            f"{network} has {count} {'class' if count == 1 else 'classes'} and does not name them (no names "
            "in its metadata): say which are vehicles, by number: --classes "
            f"{'0' if count == 1 else '0,2 for example'} (0 to {(count or 1) - 1}), or 'all'."
        )
    wanted = sorted(published[name] for name in ("car", "bus", "truck"))
    notice = ""
    if count is None:
        numbers = ", ".join(f"{name} ({published[name]})" for name in ("car", "bus", "truck"))
        notice = f"it names no classes: taken as COCO's {numbers}; --classes says otherwise"
    return Classes(tuple(wanted), count, notice)


def _number(
    network: str, name: str, *, known: Mapping[str, int], names: Mapping[int, str], limit: int
) -> int:
    if name.casefold() in known:
        return known[name.casefold()]
    if name.isascii() and name.isdecimal() and int(name) < limit:
        return int(name)
    accepted = _listed(names) if names else ", ".join(known)
    accepted = f"{accepted}, or a number from " if accepted else ""
    raise InputError(f"{name!r} is not a class of {network}; accepted: {accepted}0 to {limit - 1}.")


def _listed(names: Mapping[int, str]) -> str:
    shown = [name for _, name in sorted(names.items())][:_SHOWN]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
