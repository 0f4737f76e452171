# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The words that commands, recipe files and the library share, each list of them once.

A list that nothing but its words is known of is a `Literal`; one whose members mean something of their own,
or that an option takes several of, is an enumeration. Nothing here imports torch, so that `--help` is quick.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, get_args

Size = Literal["lite", "paper"]
"""Networks of a named size; see `models.sizes`."""

SIZE_NAMES: Final[tuple[Size, ...]] = get_args(Size)

DenseBackbone = Literal["densenet121", "densenet201"]
"""Backbones of the re-identification network of the paper's widths."""

Backbone = Literal[DenseBackbone, "efficientnet-lite0", "efficientnet-lite2"]
"""All its backbones."""

RecipeName = Literal["paper", "code", "compact"]
"""Recipes that come along; see `train.recipes`."""

TrainPrecision = Literal["auto", "fp32", "bf16", "fp16"]
"""Arithmetic of a training."""

FilePrecision = Literal["fp32", "fp16", "int8"]
"""How the two networks are typed in a file."""

PRECISIONS: Final[tuple[FilePrecision, ...]] = get_args(FilePrecision)

ColorOrder = Literal["rgb", "bgr"]
"""The order of a picture's, or a network's, channels."""

COLOR_ORDERS: Final[tuple[ColorOrder, ...]] = get_args(ColorOrder)

ChannelLayout = Literal["nchw", "nhwc"]
"""Where the colors stand in the shape of a network's input."""

BenchFormat = Literal["text", "json"]
"""How `pamtri bench` prints what it measured."""

LintFormat = Literal["text", "json", "sarif"]
"""How `pamtri lint` prints its findings."""

LAYOUTS: Final[tuple[ChannelLayout, ...]] = get_args(ChannelLayout)

Via = Literal["tensorrt", "torch-tensorrt"]
"""Ways to an engine: TensorRT's parser reads the ONNX file, or torch-tensorrt compiles the PyTorch module."""

VIAS: Final[tuple[Via, ...]] = get_args(Via)

EmbeddingFormat = Literal["list", "base64"]
"""How an embedding is written: numbers in a list, or base64 of little-endian float16 (a quarter as long)."""

SinkFormat = Literal["json", "protobuf"]
"""How a sink encodes an event: a JSON object, or DeepStream's protobuf message `nv.Frame`."""

Unreadable = Literal["stop", "skip"]
"""What becomes of pictures that cannot be read."""

Metric = Literal["cosine", "euclidean", "bhattacharyya"]
"""`cosine`: 1 - cosine, as events are compared. `euclidean`: squared, as the original ranks its features,
which it leaves as long as they are. `bhattacharyya`: 1 - the coefficient of the features as distributions,
negative parts cut off: what the paper's feature baseline uses."""

METRICS: Final[tuple[Metric, ...]] = get_args(Metric)

Rule = Literal["paper", "legacy"]
"""When a keypoint is correct: as the paper says, or as the original's code computes it."""

RULES: Final[tuple[Rule, ...]] = get_args(Rule)

Scaling = Literal["imagenet", "symmetric", "unit", "bytes"]
"""What an ONNX network takes: RGB less ImageNet's mean over its deviation, -1..1, 0..1, or 0..255."""

SCALINGS: Final[tuple[Scaling, ...]] = get_args(Scaling)

Sheet = Literal["grid", "keypoints", "identities"]
"""Contact sheets, by the names of their files: families by colors; keypoints and segments over vehicles; a
vehicle a row, a camera a column."""

SHEETS: Final[tuple[Sheet, ...]] = get_args(Sheet)

SheetName = Literal["all", Sheet]
"""A contact sheet, or all of them."""


class Baseline(str, Enum):
    """Simple features that a network must beat; see `evaluate.baselines`."""

    THUMBNAIL = "thumbnail"
    HISTOGRAM = "histogram"
    RGB_HISTOGRAM = "rgb-histogram"
    FACT = "fact"


class Split(str, Enum):
    """What a data set is for."""

    TRAIN = "train"
    """One part, `train`."""

    TEST = "test"
    """Two parts: `query`, and the gallery `test`. Its vehicles are shaped as none of a `train` split."""


class PoseChannels(str, Enum):
    """Pose channels of the stack."""

    NONE = "none"
    HEATMAPS = "heatmaps"
    SEGMENTS = "segments"
    BOTH = "both"

    @property
    def heatmaps(self) -> bool:
        """Whether heatmaps are among them."""
        return self in (PoseChannels.HEATMAPS, PoseChannels.BOTH)

    @property
    def segments(self) -> bool:
        """Whether segments are among them."""
        return self in (PoseChannels.SEGMENTS, PoseChannels.BOTH)


class PoseSource(str, Enum):
    """Where the pose comes from that re-identification is trained with."""

    NET = "net"
    """A trained pose network, as in use; it does not change."""

    TRUTH = "truth"
    """The known keypoints, blurred as a pose network would."""

    BOTH = "both"
    """The truth while the pictures are small, then the network: it knows vehicles at their full size alone,
    and would cost as much as all else if small pictures were enlarged for it."""


class ReidLoss(str, Enum):
    """What tells vehicles apart: the paper's loss and the rivals of its Table 3."""

    BOTH = "both"
    """Identity cross-entropy and batch-hard triplets: the paper's."""

    XENT = "xent"
    """Identity cross-entropy alone."""

    HTRI = "htri"
    """Batch-hard triplets alone."""

    CENTER = "center"
    """Identity cross-entropy and distance to a learned center of each vehicle."""

    BATCH_ALL = "batch-all"
    """All triplets of the batch."""

    BATCH_SAMPLE = "batch-sample"
    """Triplets drawn by their difficulty."""

    GSTE = "gste"
    """Identity cross-entropy and triplets of means, of vehicles and of groups of one vehicle's pictures."""

    @property
    def classifies(self) -> bool:
        """Whether the identity classifier is trained."""
        return self in (ReidLoss.BOTH, ReidLoss.XENT, ReidLoss.CENTER, ReidLoss.GSTE)
