# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of nvdspostprocess with NVIDIA's library: its YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pamtri_edge.lint.nvinfer_keys import CLASS_KEYS as NVINFER_CLASS_KEYS
from pamtri_edge.lint.nvinfer_keys import PROPERTY_KEYS as NVINFER_KEYS
from pamtri_edge.lint.vocabulary import Key

_SHARED: Final = (
    "gpu-id process-mode num-detected-classes gie-unique-id labelfile-path cluster-mode "
    "output-instance-mask is-classifier classifier-threshold classifier-type segmentation-threshold "
    "segmentation-output-order parse-classifier-func-name parse-bbox-func-name "
    "parse-bbox-instance-mask-func-name output-blob-names operate-on-class-ids filter-out-class-ids"
)

PROPERTY_KEYS: Final[Mapping[str, Key]] = {
    **{name: NVINFER_KEYS[name] for name in _SHARED.split()},
    "network-type": Key("int", choices=(0, 1, 2, 3, 4)),
    "preprocessor-support": Key("bool"),
    "release-tensor-meta": Key("bool"),
}
"""Of `property:`; network type 4 is a pose of a person."""

CLASS_KEYS: Final[Mapping[str, Key]] = {
    **{name: key for name, key in NVINFER_CLASS_KEYS.items() if name != "threshold"},
    "min-score": Key("float"),
    "classifier-threshold": Key("float"),
}
"""Of `class-attrs-all:` and `class-attrs-N:`."""
