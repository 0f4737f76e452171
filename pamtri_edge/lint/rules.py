# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The rules by name: what each is for. The names stand in reports, and do not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RULES: Final[Mapping[str, str]] = {
    "syntax": "The file can be parsed.",
    "twice": "No key is given twice.",
    "unknown-key": "Every key is one that the element or application reads.",
    "unknown-group": "Every group is one that the element or application reads.",
    "value": "Every value is of the type and in the range that its key takes.",
    "missing-group": "The groups that must be there are there.",
    "missing-key": "The keys that must be there are there.",
    "missing-file": "Files that are named are there.",
    "no-network": "A configuration of nvinfer names a network.",
    "class-out-of-range": "Sections for classes belong to classes that the detector has.",
    "reinfer-ignored": "No re-inference interval where the type of network makes nvinfer pass over it.",
    "interval-ignored": "A secondary engine is slowed down by the key that it reads.",
    "async-tensors": "No asynchronous mode where tensor meta is wanted.",
    "host-copy": "Tensors that are handed on are copied to the host.",
    "fixed-pool": "The pool of output tensors can grow.",
    "parser-without-library": "A parser's function comes with its library.",
    "dump-tensors": "Tensors are not written to files in every batch.",
    "overwrite-tensors": "Tensors are not replaced by those of files.",
    "raw-output": "Raw outputs are not written to files in every batch.",
    "process-mode": "A secondary engine works on objects, not on whole frames.",
    "network-type": "The type of network suits the bundle.",
    "tensor-meta": "The bundle's outputs are handed on as tensor meta.",
    "labels-of-tensors": "nvinfer's own parser does not take the embedding for class probabilities.",
    "scale": "Pixels are scaled as the graph expects them.",
    "offsets": "Nothing is subtracted that the graph subtracts itself.",
    "mean-file": "No mean picture is subtracted.",
    "color-format": "Channels come in the graph's order.",
    "input-size": "Dimensions and their order are those of the graph.",
    "aspect-ratio": "Crops are stretched, as the network learned them.",
    "scaling-filter": "Crops are scaled with the filter that the bundle was compared with.",
    "input-from-meta": "The engine cuts its crops itself.",
    "batch-size": "Batches are no larger than the engine's profile allows.",
    "precision": "The precision that is named is the one that the bundle is typed in.",
    "weak-typing": "The engine keeps the types of the file.",
    "output-names": "Outputs that are named are outputs of the graph.",
    "labels": "The label file has the bundle's classes.",
    "geometry": "The graph is one that stock nvinfer can feed.",
    "bundle": "The bundle that is named can be opened.",
    "unique-id": "Engines have ids of their own.",
    "operate-on": "Engines work on the objects of an engine that there is.",
    "no-tracker": "A tracker stands before an engine that looks at vehicles now and then.",
    "batch-of-sources": "The muxer's batch holds a frame of every source.",
    "embedding-lost": "Embeddings reach the broker.",
    "source-name": "Groups of sources are numbered.",
    "edges": "Edges join nodes that there are.",
    "node": "Nodes have a type and a name of their own.",
}
