# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Recipes from files: TOML with the fields of a recipe, and tables for what belongs together in it.

    base = "compact"        # the named recipe that the others change
    rate = 2e-4
    sizes = [[0.0, 128]]

    [loss]
    kind = "both"
    smoothing = 0.1

    [augment.light]
    hue = 10.0

A field that a recipe lacks, or a value of another kind, is refused with its line.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.files.text import text_lines
from pamtri_edge.train.recipes import Recipe

Some = TypeVar("Some", bound=Recipe)

_BASE: Final = "base"
_LONGEST: Final = 2**16  # characters of a line
_WORDS: Final = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}


def chosen_recipe(name: str, named: Mapping[str, Some]) -> Some:
    """Return a named recipe, or that of a file.

    Args:
        name: a name, or a file that ends in `.toml`.
        named: the recipes that have a name.

    Raises:
        InputError: there is neither, or the file is no recipe; its line is named.
    """
    if name in named:
        return named[name]
    if not name.endswith(".toml"):
        raise InputError(
            f"there is no recipe {name}; take {', '.join(named)}, or a file of one's own, NAME.toml."
        )
    return read_recipe(Path(name), named)


def read_recipe(path: Path, named: Mapping[str, Some], *, above: tuple[Path, ...] = ()) -> Some:
    """Return the recipe of a file; its name is that of the file.

    Args:
        path: the file. Its `base` is a named recipe, or another file: a path as seen from this one.
        named: the recipes that have a name.
        above: files whose base this one is.

    Raises:
        InputError: it cannot be read, does not fit a recipe, or files are each other's base.
    """
    lines = text_lines(path, expected="a recipe as TOML", longest=_LONGEST, error=InputError)
    found = _File(path, "".join(line for _, line in lines))
    table = found.parsed()
    base = found.base(table.pop(_BASE, None), named, above)
    try:
        recipe: Some = dataclasses.replace(found.changed(base, table, ()), name=path.stem)
    except InputError as error:
        raise InputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    return recipe


@dataclasses.dataclass(frozen=True)
class _File:
    path: Path
    text: str

    def parsed(self) -> dict[str, Any]:
        try:
            import tomllib  # type: ignore[import-not-found, unused-ignore]
        except ModuleNotFoundError:  # Python 3.10
            try:
                import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]
            except ModuleNotFoundError as error:
                raise MissingDependencyError(
                    "a recipe in a file needs tomli on this Python: pip install 'pamtri-edge[train]'."
                ) from error
        try:
            return dict(tomllib.loads(self.text))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{self.path} is no TOML: {error}.") from error
        except RecursionError:
            raise InputError(f"{self.path} is nested too deep for a recipe.") from None

    def base(self, name: Any, named: Mapping[str, Some], above: tuple[Path, ...]) -> Some:
        """Return the recipe that this one changes."""
        if name in named:
            return named[name]
        if not isinstance(name, str) or not name.endswith(".toml"):
            given = "does not say which" if name is None else f"says {name!r}"
            names = ", ".join(named)
            self.refuse(
                (_BASE,), f'a recipe changes another, base = "NAME" ({names}, or NAME.toml); it {given}.'
            )
        other = (self.path.parent / name).resolve()
        if other in (*above, self.path.resolve()):
            self.refuse((_BASE,), f"{name} changes this recipe, so this one cannot change it.")
        return read_recipe(other, named, above=(*above, self.path.resolve()))

    def changed(self, spec: Any, table: Mapping[str, Any], place: tuple[str, ...]) -> Any:
        """Return a specification with the fields that a table gives."""
        hints = get_type_hints(type(spec))
        fields = [field.name for field in dataclasses.fields(spec) if (*place, field.name) != ("name",)]
        values = {}
        for key, value in table.items():
            where = (*place, key)
            if key not in fields:
                what = f"[{'.'.join(place)}]" if place else "a recipe"
                self.refuse(where, f"{what} has no field {key!r}; it has {', '.join(fields)}.")
            present = getattr(spec, key)
            if dataclasses.is_dataclass(present):
                if not isinstance(value, dict):
                    self.refuse(where, f"{key} is a table, [{'.'.join(where)}].")
                values[key] = self.changed(present, value, where)
            else:
                values[key] = self.typed(value, hints[key], where)
        try:
            return dataclasses.replace(spec, **values)
        except InputError as error:
            last = next(reversed(values))
            self.refuse((*place, last), str(error))

    def typed(self, value: Any, hint: Any, where: tuple[str, ...]) -> Any:
        """Return a value as the kind that a field is of."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return value if value in arguments else self._among(where, value, arguments)
        if origin in (Union, types.UnionType):
            return self.typed(value, next(one for one in arguments if one is not type(None)), where)
        if origin is tuple:
            if not isinstance(value, list):
                self.refuse(where, f"{where[-1]} = {value!r}: expected a list.")
            kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
            if len(kinds) != len(value):
                self.refuse(where, f"{where[-1]}: {value!r} has {len(value)} entries, not {len(kinds)}.")
            return tuple(self.typed(one, kind, where) for one, kind in zip(value, kinds, strict=True))
        if isinstance(hint, type) and issubclass(hint, Enum):
            names = tuple(member.value for member in hint)
            return hint(value) if value in names else self._among(where, value, names)
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if hint is float and isinstance(value, float) and not math.isfinite(value):
            self.refuse(where, f"{where[-1]} = {value}: expected a finite number.")
        if type(value) is not hint:
            self.refuse(where, f"{where[-1]} = {value!r}: expected {_WORDS.get(hint, str(hint))}.")
        return value

    def _among(self, where: tuple[str, ...], value: Any, names: tuple[Any, ...]) -> NoReturn:
        self.refuse(where, f"{where[-1]} = {value!r}: expected {', '.join(map(repr, names))}.")

    def refuse(self, where: tuple[str, ...], why: str) -> NoReturn:
        """Raise an error that names the line of a field."""
        line = self._line(where)
        raise InputError(f"{self.path}{'' if line is None else f', line {line}'}: {why}")

    def _line(self, where: tuple[str, ...]) -> int | None:
        """Return the line that gives a field: as `key =` in its table, dotted, or as a table's name."""
        table: tuple[str, ...] = ()
        for number, text in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[\s*([\w.\s\"-]+?)\s*\]", text):
                table = _names(header[1])
                if table == where:
                    return number
            elif (key := re.match(r"\s*([\w.\"-]+)\s*=", text)) and (*table, *_names(key[1])) == where:
                return number
        return None


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip('"') for part in dotted.split("."))
