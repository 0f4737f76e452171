# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What of pamtri-edge itself is in place: the compiled operations and the default bundle."""

from __future__ import annotations

from functools import partial

from pamtri_edge.bundle import BUNDLE_VARIABLE, default_bundle, open_bundle
from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.isolated import ask
from pamtri_edge.doctor.machine import Machine
from pamtri_edge.errors import PamtriError


def native(machine: Machine) -> Finding:
    """Tell whether the compiled operations are in use."""
    found = partial(Finding, "native", "Compiled operations")
    remedy = "apt install g++, then reinstall: pip install --force-reinstall --no-deps pamtri-edge"
    answer = ask(machine, "native")
    if answer.failure:
        return found("unusable", f"import {answer.failure}", remedy)
    if answer.value["implementation"] != "native":
        return found("missing", "not built; the slower NumPy ones stand in", remedy, answer.value)
    return found("ok", "built", facts=answer.value)


def bundle(machine: Machine) -> Finding:
    """Open the bundle that is used where none is named."""
    found = partial(Finding, "bundle", "Default bundle")
    named = machine.environ.get(BUNDLE_VARIABLE)
    path = default_bundle(named)
    remedy = "pip install --force-reinstall --no-deps pamtri-edge"
    if named:
        remedy = f"let {BUNDLE_VARIABLE} name a bundle, or unset it to use the one that comes along"
    if not path.exists():
        return found("missing", f"none at {path}", remedy, {"path": str(path)})
    try:
        manifest = open_bundle(path).manifest
    except PamtriError as error:
        return found("unusable", str(error), remedy, {"path": str(path)})
    trained = "" if manifest.trained else "untrained: its embeddings do not tell vehicles apart"
    kind = f"{manifest.name} {manifest.precision}, {manifest.geometry.value} geometry"
    facts = {"path": str(path), "trained": manifest.trained, "embedding_space": manifest.embedding_space}
    return found("ok", joined([kind, trained, str(path)]), facts=facts)
