# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The ONNX file that an engine is made of: its bytes, and whether its inputs and outputs can be ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.bundle_files import read_regular
from pamtri_edge.errors import BundleError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.onnx_wire import refuse_outside_weights

Content = Callable[[], bytes]
"""Gives the bytes of a network; called again when a forked process makes its engine anew."""

_LIMIT: Final = 2 << 30  # an ONNX file cannot be larger
REMEDY: Final = "Export the bundle again with pamtri-export."


def network_bytes(model: Path, content: Content | None) -> bytes:
    """Return the bytes of a network that carries its own weights.

    Args:
        model: the ONNX file, for errors, and to read where there is no `content`.
        content: gives the bytes that were checked.

    Raises:
        BundleError: it cannot be read, or keeps weights in other files.
    """
    found = read_regular(model, limit=_LIMIT) if content is None else content()
    refuse_outside_weights(found, model)
    return found


def check_specs(model: Path, what: str, specs: Iterable[TensorSpec]) -> None:
    """Refuse a network whose tensors have open sizes behind the batch, or none at all.

    Args:
        model: the ONNX file, for the error.
        what: "input" or "output".
        specs: what the engine found in it.

    Raises:
        BundleError: a tensor has another form than (N, fixed sizes).
    """
    for spec in specs:
        if not spec.shape or None in spec.shape[1:] or spec.shape[0] is not None:
            raise BundleError(
                f"{model}: {what} {spec.name!r} has shape {spec.shape}; expected ('N', ...) with fixed sizes "
                f"behind the batch. {REMEDY}"
            )


def broken(model: Path, engine: str, error: BaseException) -> BundleError:
    """Return the error for a network that an engine can load but not compute."""
    return BundleError(
        f"{model} cannot be computed by {engine} ({last_line(error)}): it is not a network that "
        f"pamtri-export writes. {REMEDY}"
    )


def last_line(error: BaseException) -> str:
    """Return the line of an engine's many that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else repr(error)
