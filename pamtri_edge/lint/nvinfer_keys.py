# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of gst-nvinfer's configuration, DeepStream 6.3 to 9.2, and of its sections for classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pamtri_edge.lint.vocabulary import Key, table

PROPERTY: Final = "property"
CLASS_ATTRS: Final = "class-attrs-"

PROPERTY_KEYS: Final[Mapping[str, Key]] = {
    # which engine this is, and on what it works
    **table(
        ones="gie-unique-id",
        counts="interval input-object-min-width input-object-min-height input-object-max-width "
        "input-object-max-height gpu-id",
        ints="operate-on-gie-id secondary-reinfer-interval use-dla-core",
        lists="operate-on-class-ids filter-out-class-ids",
        flags="crop-objects-to-roi-boundary enable-dla",
    ),
    "process-mode": Key("int", choices=(1, 2)),
    # the network
    **table(
        ones="batch-size",
        counts="workspace-size stabilize-buffer-count",
        flags="force-implicit-batch-dim strongly-typed warmup-engine",
        texts="output-blob-names output-io-formats layer-device-precision dynamic-properties",
        files="onnx-file",
        places="model-engine-file int8-calib-file",
    ),
    "network-mode": Key("int", choices=(0, 1, 2, 3)),
    "network-type": Key("int", choices=(0, 1, 2, 3, 100)),
    "infer-dims": Key("ints", count=3),
    "network-input-order": Key("int", choices=(0, 1)),
    # networks in forms that TensorRT 10 no longer reads
    **table(
        ints="uff-input-order",
        flags="is-classifier enable-dbscan",
        texts="uff-input-blob-name tlt-model-key",
        files="model-file proto-file uff-file",
        places="tlt-encoded-model custom-network-config",
    ),
    "input-dims": Key("ints", count=4),
    "uff-input-dims": Key("ints", count=4),
    # what the network is fed
    **table(
        flags="maintain-aspect-ratio symmetric-padding input-tensor-from-meta",
        floats="net-scale-factor",
        files="mean-file",
    ),
    "model-color-format": Key("int", choices=(0, 1, 2)),
    "offsets": Key("floats"),
    "scaling-filter": Key("int", choices=(0, 1, 2, 3, 4, 5, 6)),
    "scaling-compute-hw": Key("int", choices=(0, 1, 2)),
    # what comes out
    **table(
        counts="tensor-meta-pool-size max-gpu-mem-per num-detected-classes",
        ints="parse-func",
        flags="output-tensor-meta disable-output-host-copy auto-inc-mem output-instance-mask "
        "classifier-async-mode",
        floats="classifier-threshold segmentation-threshold",
        texts="classifier-type engine-create-func-name parse-bbox-func-name "
        "parse-bbox-instance-mask-func-name parse-classifier-func-name parse-segmentation-func-name",
        files="labelfile-path custom-lib-path",
    ),
    "cluster-mode": Key("int", choices=(0, 1, 2, 3, 4)),
    "segmentation-output-order": Key("int", choices=(0, 1)),
    # for looking into it
    **table(
        flags="raw-output-file-write dump-input-tensor dump-output-tensor overwrite-input-tensor "
        "overwrite-output-tensor",
        files="ip-tensor-file",
    ),
    "op-tensor-files": Key("files"),
}
"""Of `[property]`."""

CLASS_KEYS: Final[Mapping[str, Key]] = table(
    counts="group-threshold minBoxes roi-top-offset roi-bottom-offset detected-min-w detected-min-h "
    "detected-max-w detected-max-h topk",
    floats="threshold pre-cluster-threshold post-cluster-threshold eps dbscan-min-score nms-iou-threshold",
    colors="border-color bg-color",
)
"""Of `[class-attrs-all]` and `[class-attrs-N]`."""

NETWORK_KEYS: Final = (
    "onnx-file",
    "model-engine-file",
    "tlt-encoded-model",
    "custom-network-config",
    "engine-create-func-name",
    "uff-file",
    "model-file",
)
"""Keys that say which network is run; one of them is needed."""
