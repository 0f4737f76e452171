# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks as other projects export them: two convolutions, a pool, an embedding of eight numbers."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DIM = 8


def tiny_network(
    *,
    batch=1,
    height=24,
    width=16,
    layout="nchw",
    half=False,
    opset=18,
    ending="flat",
    extra_output=False,
    channels=3,
    names=("input", "output"),
):
    """Return a network; `batch`, `height` and `width` are numbers, or names of sizes that may vary.

    `ending`: "flat" (N, 8); "reshape" the same by a shape that states the batch; "square" (N, 8, 1, 1); "map"
    (N, 8, h, w).
    """
    rng = np.random.default_rng(7)
    kind = np.float16 if half else np.float32
    tensor = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    weights = {
        "first": rng.normal(0, 0.3, (6, channels, 3, 3)),
        "first.bias": rng.normal(0, 0.3, 6),
        "second": rng.normal(0, 0.3, (DIM, 6, 3, 3)),
        "scale": rng.uniform(0.5, 1.5, DIM),
        "shift": rng.normal(0, 0.1, DIM),
        "average": rng.normal(0, 0.1, DIM),
        "variance": rng.uniform(0.5, 1.5, DIM),
    }
    initializers = [numpy_helper.from_array(array.astype(kind), name) for name, array in weights.items()]
    taken, given = names
    nodes = []
    if layout == "nhwc":
        nodes.append(helper.make_node("Transpose", [taken], ["picture"], perm=[0, 3, 1, 2]))
    start = "picture" if layout == "nhwc" else taken
    nodes += [
        helper.make_node("Conv", [start, "first", "first.bias"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["c", "scale", "shift", "average", "variance"], ["d"], epsilon=1e-5
        ),
        helper.make_node("Identity", ["d"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], [given if ending == "square" else "f"]),
    ]
    if ending == "flat":
        nodes.append(helper.make_node("Flatten", ["f"], [given], axis=1))
    elif ending == "reshape":
        fixed = batch if isinstance(batch, int) else 1
        initializers.append(numpy_helper.from_array(np.array([fixed, DIM], np.int64), "fixed"))
        nodes.append(helper.make_node("Reshape", ["f", "fixed"], [given]))
    elif ending == "map":
        nodes[-1] = helper.make_node("Identity", ["e"], [given])
    shape = [batch, channels, height, width] if layout == "nchw" else [batch, height, width, channels]
    ends = {"square": [batch, DIM, 1, 1], "map": [batch, DIM, None, None]}.get(ending, [batch, DIM])
    outputs = [helper.make_tensor_value_info(given, tensor, ends)]
    if extra_output:
        nodes.append(helper.make_node("GlobalAveragePool", ["b"], ["logits"]))
        outputs.append(helper.make_tensor_value_info("logits", tensor, [batch, 6, 1, 1]))
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info(taken, tensor, shape)], outputs, initializers
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model
