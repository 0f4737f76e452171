# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The keys of gst-nvinfer's configuration, DeepStream 6.3 to 9.2, and of its sections for classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pamtri_edge.lint.vocabulary import Key

PROPERTY: Final = "property"
CLASS_ATTRS: Final = "class-attrs-"

_INT: Final = Key("int")
_COUNT: Final = Key("int", least=0)
_FLAG: Final = Key("bool")
_FLOAT: Final = Key("float")
_TEXT: Final = Key("text")
_FILE: Final = Key("file")

PROPERTY_KEYS: Final[Mapping[str, Key]] = {
    # which engine this is, and on what it works
    "gie-unique-id": Key("int", least=1),
    "process-mode": Key("int", choices=(1, 2)),
    "operate-on-gie-id": _INT,
    "operate-on-class-ids": Key("ints"),
    "filter-out-class-ids": Key("ints"),
    "interval": _COUNT,
    "secondary-reinfer-interval": _INT,
    "input-object-min-width": _COUNT,
    "input-object-min-height": _COUNT,
    "input-object-max-width": _COUNT,
    "input-object-max-height": _COUNT,
    "crop-objects-to-roi-boundary": _FLAG,
    "gpu-id": _COUNT,
    "enable-dla": _FLAG,
    "use-dla-core": _INT,
    # the network
    "onnx-file": _FILE,
    "model-engine-file": Key("place"),
    "int8-calib-file": Key("place"),
    "batch-size": Key("int", least=1),
    "network-mode": Key("int", choices=(0, 1, 2, 3)),
    "network-type": Key("int", choices=(0, 1, 2, 3, 100)),
    "infer-dims": Key("ints", count=3),
    "network-input-order": Key("int", choices=(0, 1)),
    "force-implicit-batch-dim": _FLAG,
    "workspace-size": _COUNT,
    "output-blob-names": _TEXT,
    "output-io-formats": _TEXT,
    "layer-device-precision": _TEXT,
    "strongly-typed": _FLAG,
    "warmup-engine": _FLAG,
    "dynamic-properties": _TEXT,
    "stabilize-buffer-count": _COUNT,
    # networks in forms that TensorRT 10 no longer reads
    "model-file": _FILE,
    "proto-file": _FILE,
    "uff-file": _FILE,
    "uff-input-order": _INT,
    "input-dims": Key("ints", count=4),
    "uff-input-dims": Key("ints", count=4),
    "uff-input-blob-name": _TEXT,
    "tlt-encoded-model": Key("place"),
    "tlt-model-key": _TEXT,
    "custom-network-config": Key("place"),
    "is-classifier": _FLAG,
    "enable-dbscan": _FLAG,
    # what the network is fed
    "model-color-format": Key("int", choices=(0, 1, 2)),
    "net-scale-factor": _FLOAT,
    "offsets": Key("floats"),
    "mean-file": _FILE,
    "maintain-aspect-ratio": _FLAG,
    "symmetric-padding": _FLAG,
    "scaling-filter": Key("int", choices=(0, 1, 2, 3, 4, 5, 6)),
    "scaling-compute-hw": Key("int", choices=(0, 1, 2)),
    "input-tensor-from-meta": _FLAG,
    # what comes out
    "output-tensor-meta": _FLAG,
    "disable-output-host-copy": _FLAG,
    "tensor-meta-pool-size": _COUNT,
    "auto-inc-mem": _FLAG,
    "max-gpu-mem-per": _COUNT,
    "output-instance-mask": _FLAG,
    "labelfile-path": _FILE,
    "num-detected-classes": _COUNT,
    "cluster-mode": Key("int", choices=(0, 1, 2, 3, 4)),
    "classifier-async-mode": _FLAG,
    "classifier-threshold": _FLOAT,
    "classifier-type": _TEXT,
    "segmentation-threshold": _FLOAT,
    "segmentation-output-order": Key("int", choices=(0, 1)),
    "custom-lib-path": _FILE,
    "engine-create-func-name": _TEXT,
    "parse-func": _INT,
    "parse-bbox-func-name": _TEXT,
    "parse-bbox-instance-mask-func-name": _TEXT,
    "parse-classifier-func-name": _TEXT,
    "parse-segmentation-func-name": _TEXT,
    # for looking into it
    "raw-output-file-write": _FLAG,
    "dump-input-tensor": _FLAG,
    "dump-output-tensor": _FLAG,
    "overwrite-input-tensor": _FLAG,
    "overwrite-output-tensor": _FLAG,
    "ip-tensor-file": _FILE,
    "op-tensor-files": Key("files"),
}
"""Of `[property]`."""

CLASS_KEYS: Final[Mapping[str, Key]] = {
    "threshold": _FLOAT,
    "pre-cluster-threshold": _FLOAT,
    "post-cluster-threshold": _FLOAT,
    "eps": _FLOAT,
    "group-threshold": _COUNT,
    "minBoxes": _COUNT,
    "dbscan-min-score": _FLOAT,
    "roi-top-offset": _COUNT,
    "roi-bottom-offset": _COUNT,
    "detected-min-w": _COUNT,
    "detected-min-h": _COUNT,
    "detected-max-w": _COUNT,
    "detected-max-h": _COUNT,
    "border-color": Key("floats", count=4),
    "bg-color": Key("floats", count=4),
    "nms-iou-threshold": _FLOAT,
    "topk": _COUNT,
}
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
