# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled decisions, for modules that also serve a checkout that is not built."""

from __future__ import annotations

from types import ModuleType

from pamtri_edge.errors import MissingDependencyError


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
