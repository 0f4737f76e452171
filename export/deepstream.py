# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The folder `deepstream/` of a bundle: configuration for stock gst-nvinfer, written from the manifest.

Keys and their meaning: gst-nvinfer of DeepStream 7.1 to 9.x. A key that an older release does not know is
reported by it and ignored, so nothing here depends on one.
"""

from __future__ import annotations

import shlex
from typing import Final

from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.manifest import MODEL_FILE, Manifest
from pamtri_edge.nvinfer import BATCH, NETWORK_MODES, UNREACHED_THRESHOLD, unsupported

FOLDER: Final = "deepstream"
CONFIG: Final = "nvinfer.txt"
LABELS: Final = "labels.txt"
NOTE: Final = "README.txt"

REINFER_INTERVAL: Final = 30
"""Frames after which a tracked vehicle is looked at again; it is sooner if its box grew by a fifth."""

LEAST_PROBABLE: Final = 0.3
"""Probability that a color or a type needs to become a label."""

_PARSER_FUNCTION: Final = "NvDsInferParseCustomPamtri"  # of pipelines/nvinfer/parse.cpp

MIN_SIDE: Final = 32
"""Vehicles with a shorter side, in pixels, are passed over."""


def files(manifest: Manifest) -> dict[str, str]:
    """Return the texts of the folder by file name.

    Args:
        manifest: of the bundle that the folder belongs to.
    """
    reason = unsupported(manifest.inputs)
    if reason is not None:
        return {NOTE: f"There is no nvinfer configuration here: {reason}\n"}
    return inference(manifest, "..")


def inference(manifest: Manifest, bundle: str, *, parser: str = "") -> dict[str, str]:
    """Return nvinfer's configuration and the labels that it names, by file name.

    Args:
        manifest: of a bundle that stock nvinfer can feed.
        bundle: path from the configuration's folder to the bundle.
        parser: path of the library that makes the labels, from there; "" for nobody.
    """
    texts = {CONFIG: _config(manifest, bundle, parser)}
    labels = [";".join(names) for names in (manifest.colors, manifest.types) if names]
    if labels:
        texts[LABELS] = "\n".join(labels) + "\n"
    return texts


def engine_name(manifest: Manifest) -> str:
    """Return how the configuration calls the engine built from this bundle."""
    return f"{manifest.name}_b{BATCH}_{manifest.precision}.engine"


def _config(manifest: Manifest, bundle: str, parser: str) -> str:
    engine = f"{bundle}/engines/{engine_name(manifest)}"
    model = f"{bundle}/{MODEL_FILE}"
    place = f"{FOLDER}/{CONFIG}" if bundle == ".." else CONFIG
    shape = f"3x{IMAGE_SIZE}x{IMAGE_SIZE}"
    outputs = ", ".join(spec.name for spec in manifest.outputs)
    labels = f"labelfile-path={LABELS}\n" if manifest.colors or manifest.types else ""
    classes = (
        "color and type classes are in that tensor meta, as probabilities"
        if labels
        else "this network tells neither color nor type"
    )
    precise = " --noTF32" if manifest.precision == "fp32" else ""
    return f"""\
# gst-nvinfer configuration of bundle {manifest.name}; generated, paths are relative to this file.
# Use it as a secondary engine behind a detector and a tracker:
#   nvinfer config-file-path=.../{place}
#
# Build the engine on the device that runs it, once ({manifest.precision} is typed into the ONNX file, hence
# --stronglyTyped and no --fp16 or --int8):
#   mkdir -p {bundle}/engines
#   trtexec --onnx={model} --stronglyTyped{precise} --saveEngine={shlex.quote(engine)} \\
#     --minShapes=images:1x{shape} --optShapes=images:{BATCH}x{shape} --maxShapes=images:{BATCH}x{shape}
# Without that file nvinfer builds an engine itself, weakly typed before DeepStream 9, and its numbers
# are then no longer those of `pamtri verify`.
#
# Results, float32, as NVDSINFER_TENSOR_OUTPUT_META on each vehicle that was looked at in the frame (between
# two looks nvinfer repeats nothing of it: keep the last one by track id):
#   {outputs}

[property]
gie-unique-id=2
# 2: the vehicles that another engine found, not whole frames
process-mode=2
# any detector; name one with its gie-unique-id, and its vehicle classes with operate-on-class-ids=0;1;...
operate-on-gie-id=-1

onnx-file={model}
model-engine-file={engine}
batch-size={BATCH}
infer-dims=3;{IMAGE_SIZE};{IMAGE_SIZE}
# only names the precision to nvinfer; 0 fp32, 1 int8, 2 fp16
network-mode={NETWORK_MODES[manifest.precision]}
# DeepStream 9 and later take the precision from the file; older releases ignore this key
strongly-typed=1

# the graph takes RGB of 0..255, stretched, and normalizes by itself
model-color-format=0
net-scale-factor=1
maintain-aspect-ratio=0
# bilinear
scaling-filter=1
input-object-min-width={MIN_SIDE}
input-object-min-height={MIN_SIDE}

# a classifier, because nvinfer looks at every vehicle in every frame with other types (100)
network-type=1
secondary-reinfer-interval={REINFER_INTERVAL}
# tensor meta is not attached in asynchronous mode
classifier-async-mode=0
output-tensor-meta=1
{_labels_made(parser if labels else "", classes)}{labels}"""


def _labels_made(parser: str, classes: str) -> str:
    if not parser:
        return f"""\
# nvinfer's own parser would take the embedding for class probabilities; nothing passes this threshold.
# {classes[0].upper()}{classes[1:]}.
classifier-threshold={UNREACHED_THRESHOLD}
"""
    return f"""\
# color and type as labels: what is less probable than this gets none
classifier-threshold={LEAST_PROBABLE}
classifier-type=vehicle
# built by make in its folder
custom-lib-path={parser}
parse-classifier-func-name={_PARSER_FUNCTION}
"""
