# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO, imported so that it tells nobody.

`import openvino` starts the package openvino-telemetry, which writes an id of the user under HOME (and fails
where there is no home) and sends an event to a server, from a process of its own. OpenVINO also works without
that package: it then takes a stand-in that does nothing. This module is the one place that imports OpenVINO.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pamtri_edge.errors import MissingDependencyError

_TELEMETRY: Final = "openvino_telemetry"


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Let nobody import openvino-telemetry for a while; a program's own use of it is as before afterwards."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_telemetry(name)}
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # makes an import of it fail
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(hidden)


def load_openvino() -> Any:
    """Return the module `openvino`.

    Raises:
        MissingDependencyError: it is not installed, or cannot be imported.
    """
    try:
        with without_telemetry():
            import openvino
    except ImportError as error:
        raise MissingDependencyError(
            f"OpenVINO cannot be imported ({error}); install it: pip install openvino"
        ) from error
    return openvino


def _is_telemetry(name: str) -> bool:
    return name == _TELEMETRY or name.startswith(f"{_TELEMETRY}.")
