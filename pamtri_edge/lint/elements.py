# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The properties of the elements that lint knows, as pipelines of Service Maker set them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROPERTIES: Final[Mapping[str, frozenset[str]]] = {
    element: frozenset(f"name parent qos {own}".split())
    for element, own in {
        "nvinfer": "batch-size clip-object-outside-roi config-file-path crop-objects-to-roi-boundary "
        "dynamic-properties filter-out-class-ids gpu-id infer-on-class-ids infer-on-gie-id "
        "input-tensor-meta interval model-engine-file output-instance-mask output-tensor-meta process-mode "
        "raw-output-file-write strongly-typed unique-id",
        "nvdspostprocess": "gpu-id postprocesslib-config-file postprocesslib-name preprocessor-support",
        "nvtracker": "compute-hw display-tracking-id gpu-id input-tensor-meta ll-config-file ll-lib-file "
        "operate-on-class-ids sub-batch-err-recovery-trial-cnt sub-batches tensor-meta-gie-id "
        "tracker-height tracker-width tracking-id-reset-mode tracking-surface-type user-meta-pool-size",
        "nvmsgconv": "comp-id config debug-payload-dir dummy-payload embedding-filter frame-interval "
        "msg2p-lib msg2p-newapi multiple-payloads payload-type",
    }.items()
}
"""By element; others have more than a list here could keep up with."""

NVINFER_KEYS: Final[Mapping[str, str]] = {
    "batch-size": "batch-size",
    "model-engine-file": "model-engine-file",
    "unique-id": "gie-unique-id",
    "process-mode": "process-mode",
    "infer-on-gie-id": "operate-on-gie-id",
    "infer-on-class-ids": "operate-on-class-ids",
    "interval": "interval",
    "output-tensor-meta": "output-tensor-meta",
    "input-tensor-meta": "input-tensor-from-meta",
    "strongly-typed": "strongly-typed",
    "gpu-id": "gpu-id",
}
"""Properties of nvinfer that replace a key of its file."""

FILES: Final[Mapping[str, str]] = {
    "nvinfer": "config-file-path",
    "nvdspostprocess": "postprocesslib-config-file",
    "nvtracker": "ll-config-file",
    "nvmsgconv": "config",
    "filesrc": "location",
}
"""The property that names a file which must be there."""

LIBRARIES: Final[Mapping[str, str]] = {
    "nvdspostprocess": "postprocesslib-name",
    "nvtracker": "ll-lib-file",
    "nvmsgbroker": "proto-lib",
}
"""The property that names a library; one without a slash is looked for by the system's loader."""
