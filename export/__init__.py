# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From weights to a bundle: export, precision, rules, parity.

`export_bundle` does what `pamtri-export` does. Importing this package loads neither torch nor onnx; its
torch-free modules (`options`, `deepstream`) work on a base install.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["ExportOptions", "ExportResult", "ParityError", "export_bundle", "plan_export"]

if TYPE_CHECKING:
    from pamtri_edge.export.bundle_export import ExportResult, export_bundle, plan_export
    from pamtri_edge.export.options import ExportOptions
    from pamtri_edge.export.report import ParityError


_HOMES = {
    "ExportOptions": "options",
    "ParityError": "report",
    **dict.fromkeys(("ExportResult", "export_bundle", "plan_export"), "bundle_export"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
