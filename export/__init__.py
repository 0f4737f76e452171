# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From weights to a bundle: export, precision, rules, parity.

`export_bundle` does what `pamtri-export` does. Importing this package loads neither torch nor onnx; its
torch-free modules (`verify`, `embedding_sets`, `pictures`, `deepstream`) work on a base install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["ExportOptions", "ExportResult", "ParityError", "export_bundle", "plan_export"]

if TYPE_CHECKING:
    from pamtri_edge.export.bundle_export import ExportResult, export_bundle, plan_export
    from pamtri_edge.export.options import ExportOptions
    from pamtri_edge.export.report import ParityError


def __getattr__(name: str) -> Any:
    if name == "ExportOptions":
        from pamtri_edge.export.options import ExportOptions

        return ExportOptions
    if name == "ParityError":
        from pamtri_edge.export.report import ParityError

        return ParityError
    if name in ("export_bundle", "plan_export", "ExportResult"):
        from pamtri_edge.export import bundle_export

        return getattr(bundle_export, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
