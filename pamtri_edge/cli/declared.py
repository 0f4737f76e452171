# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Options that are declared once, as the fields of a frozen dataclass, for commands that have many of them.

    @dataclass(frozen=True, kw_only=True)
    class Options:
        output: Annotated[Path, typer.Option(help="Where it goes.")]
        rate: Annotated[float | None, typer.Option(help="Instead of the recipe's."), Changes("rate")] = None

    @app.command()
    @declared(Options)
    def train(options: Options) -> None: ...

Classes of options may inherit from each other; those of the last base come first in the help.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, get_type_hints

Options = TypeVar("Options")
Spec = TypeVar("Spec")


class Changes(NamedTuple):
    """Marks an option that, where it is given, comes before a key of a recipe.

    Attributes:
        key: the field, dotted where it is one of a table: `loss.kind`.
        read: makes the field's value of the option's.
    """

    key: str
    read: Callable[[Any], Any] = lambda value: value


def declared(
    options: type[Options], recipe: object = None
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Have a function of one argument, options, be a command that takes each of them.

    Args:
        options: declares them.
        recipe: gives the defaults of those that change one of its keys; None leaves them as declared.
    """
    hints = get_type_hints(options, include_extras=True)
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(options)  # type: ignore[arg-type]
    parameters = []
    for field in fields:
        default = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        for mark in _marks(hints[field.name]) if recipe is not None else ():
            default = getattr(recipe, mark.key)
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(field.name, kind, default=default, annotation=hints[field.name]))

    def decorate(function: Callable[[Options], None]) -> Callable[..., None]:
        def command(**given: Any) -> None:
            function(options(**given))

        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__annotations__ = {field.name: hints[field.name] for field in fields}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return decorate


def changed(recipe: Spec, options: Any) -> Spec:
    """Return a recipe with what `options` give of it; None stands for nothing."""
    hints = get_type_hints(type(options), include_extras=True)
    table: dict[str, Any] = {}
    for name, hint in hints.items():
        value = getattr(options, name)
        table.update({mark.key: mark.read(value) for mark in _marks(hint) if value is not None})
    result: Spec = _replaced(recipe, table)
    return result


def _marks(hint: Any) -> list[Changes]:
    return [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Changes)]


def _replaced(spec: Any, table: dict[str, Any]) -> Any:
    """Return a specification with values by dotted keys, all of a table at once: they may need each other."""
    inner: dict[str, dict[str, Any]] = {}
    values: dict[str, Any] = {}
    for key, value in table.items():
        first, _, rest = key.partition(".")
        if rest:
            inner.setdefault(first, {})[rest] = value
        else:
            values[first] = value
    tables = {first: _replaced(getattr(spec, first), rest) for first, rest in inner.items()}
    return dataclasses.replace(spec, **values, **tables)
