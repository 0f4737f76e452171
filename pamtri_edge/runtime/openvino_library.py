# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO, imported so that it tells nobody, and made to compile where a CPU is short of registers.

`import openvino` starts the package openvino-telemetry, which writes an id of the user under HOME (and fails
where there is no home) and sends an event to a server, from a process of its own. OpenVINO also works without
that package: it then takes a stand-in that does nothing. This module is the one place that imports OpenVINO.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pamtri_edge.errors import MissingDependencyError

_log = logging.getLogger(__name__)

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


def compile_for_cpu(core: Any, network: Any, properties: Mapping[str, Any]) -> Any:
    """Return OpenVINO's compiled model, for the CPU.

    Where a CPU has too few registers for what OpenVINO fuses, as those without AVX-512 have for some graphs,
    nothing is fused. The same is done by `compile_for_cpu` in pipelines/engines/openvino_compile.hpp.

    Raises:
        Exception: of whatever kind OpenVINO and its binding raise: it cannot compile the network.
    """
    try:
        return core.compile_model(network, "CPU", dict(properties))
    except RuntimeError as error:
        if "snippet" not in str(error):
            raise
        _log.info("OpenVINO fuses nothing here: it has too few registers for what it would fuse")
        return core.compile_model(network, "CPU", {**properties, "SNIPPETS_MODE": "DISABLE"})


def _is_telemetry(name: str) -> bool:
    return name == _TELEMETRY or name.startswith(f"{_TELEMETRY}.")
