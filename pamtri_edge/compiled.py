# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The package's compiled modules: where they are, and what is said where they are not."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from pamtri_edge.errors import MissingDependencyError

_PACKAGE: Final = __name__.partition(".")[0]
_COMPILED: Final = ("_core", "_native", "_render", "_sinks")


def seek_compiled(path: list[str]) -> None:
    """Let the installed package serve a Python that was started in a checkout.

    There Python finds the checkout's sources first, which have no compiled modules beside them.

    Args:
        path: the package's `__path__`, which becomes the installed one's folder.
    """
    if find_spec(f"{_PACKAGE}._core") is not None:
        return
    installed = PathFinder.find_spec("_core", [f"{entry}/{_PACKAGE}" for entry in sys.path if entry])
    if installed is not None and installed.origin is not None:
        path[:] = [str(Path(installed.origin).parent)]
    else:
        sys.meta_path.append(_Unbuilt(path[0]))


class _Unbuilt(MetaPathFinder):
    """Says what to do where a compiled module is asked for and nobody else has found it."""

    def __init__(self, sources: str) -> None:
        self._sources = sources

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name in {f"{_PACKAGE}.{module}" for module in _COMPILED}:
            raise MissingDependencyError(
                f"{name} is compiled and was not built for this Python: {self._sources} holds sources alone. "
                "Install pamtri-edge first: pip install . in its checkout, or make test."
            )


def decisions() -> ModuleType:
    """Return the module `pamtri_edge._core`.

    Raises:
        MissingDependencyError: the package was installed without compiled code, or it cannot be loaded.
    """
    try:
        from pamtri_edge import _core
    except MissingDependencyError:
        raise
    except ImportError as error:
        raise MissingDependencyError(
            f"the compiled decisions, pamtri_edge._core, cannot be loaded ({error}); "
            "install pamtri-edge from a wheel, or build it: pip install ."
        ) from error
    return _core
