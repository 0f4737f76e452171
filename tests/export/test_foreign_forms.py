# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as the world writes them: the graph of a bundle gives what ONNX Runtime makes of the file."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from foreign_networks import DIM, tiny_network
from pamtri_edge.errors import InputError
from pamtri_edge.export.foreign.bundle import open_network
from pamtri_edge.export.foreign.carried import Place, reshaped
from pamtri_edge.export.foreign.specification import ForeignNetwork

PICTURES = np.random.default_rng(3).uniform(0, 255, (3, 3, 256, 256)).astype(np.float32)


@pytest.fixture
def opened(tmp_path):
    """Return what saves a network and reads it for a bundle."""

    def read(model, **told):
        path = tmp_path / "network.onnx"
        onnx.save(model, path)
        return open_network(ForeignNetwork(path=path, **told))

    return read


def network(*nodes, constants=(), shape=None, **form):
    """Return a tiny network with nodes after its last layer, `e`, up to `output`."""
    model = tiny_network(ending="map", batch=form.pop("batch", "N"), **form)
    graph = model.graph
    del graph.node[-1]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(np.array(values), name) for name, values in dict(constants).items()
    )
    graph.output[0].CopyFrom(helper.make_tensor_value_info("output", TensorProto.FLOAT, shape))
    return model


def node(operator, *inputs, to="output", **attributes):
    return helper.make_node(operator, list(inputs), [to], **attributes)


POOL = node("GlobalAveragePool", "e", to="p")
FLAT = node("Flatten", "p", axis=1)


def between(operator, *inputs, **form):
    """Return a network with an operator between its last layer and the pool."""
    attributes = {name: form.pop(name) for name in tuple(form) if name not in ("constants", "opset", "batch")}
    return network(node(operator, "e", *inputs, to="x", **attributes), pooled("x"), FLAT, **form)


def pooled(name):
    return node("GlobalAveragePool", name, to="p")


def token(batch):
    """Return a network that puts a learned token, written down for its batch, before those of the picture."""
    return network(
        node("Reshape", "e", "sizes", to="t"),
        node("Concat", "token", "t", axis=2, to="u"),
        node("ReduceMax", "u", "last", keepdims=0),
        constants={
            "sizes": [0, DIM, -1],
            "token": np.full((batch, DIM, 1), 0.3, np.float32),
            "last": [2],
        },
        batch=batch,
    )


def branching():
    """Return a network that takes an axis off if it is 1, as torch writes `squeeze(-1)`."""
    graphs = {
        word: helper.make_graph(
            [node(operator, "p", *more, to=f"of {word}")],
            word,
            [],
            [helper.make_tensor_value_info(f"of {word}", TensorProto.FLOAT, None)],
        )
        for word, operator, more in (
            ("then_branch", "Squeeze", ["last"]),
            ("else_branch", "Identity", []),
        )
    }
    return network(
        POOL,
        node("Shape", "p", to="s"),
        node("Gather", "s", "three", to="side"),
        node("Equal", "side", "one", to="yes"),
        node("If", "yes", to="taken", **graphs),
        node("Flatten", "taken"),
        constants={"last": [3], "three": 3, "one": 1},
    )


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(network(POOL, node("Transpose", "p", perm=[0, 2, 3, 1])), id="(N, 1, 1, D)"),
        pytest.param(network(POOL, node("Squeeze", "p"), batch=1), id="(D) of one picture"),
        pytest.param(network(POOL, node("Squeeze", "p"), opset=11), id="squeezed as it comes"),
        pytest.param(network(POOL, node("Flatten", "p", to="f"), node("Dropout", "f")), id="dropout"),
        pytest.param(between("Gelu", opset=20), id="Gelu"),
        pytest.param(between("Selu", opset=17), id="Selu"),
        pytest.param(
            between(
                "GroupNormalization",
                "ones",
                "ones",
                num_groups=4,
                opset=21,
                constants={"ones": np.ones(DIM, "f")},
            ),
            id="GroupNormalization of opset 21",
        ),
        pytest.param(
            between(
                "Resize",
                "scales",
                mode="linear",
                opset=10,
                constants={"scales": np.array([1, 1, 2, 2], "f")},
            ),
            id="Resize of opset 10",
        ),
        pytest.param(
            between("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
            id="pads by themselves",
        ),
        pytest.param(token(1), id="a token of one picture"),
        pytest.param(token(4), id="a token of four pictures"),
        pytest.param(
            network(
                helper.make_node("Constant", [], ["axes"], value=numpy_helper.from_array(np.array([2, 3]))),
                POOL,
                node("Squeeze", "p", "axes"),
                batch=1,
            ),
            id="constants that are nodes",
        ),
        pytest.param(
            network(POOL, node("Reshape", "p", "sizes", allowzero=1), constants={"sizes": [1, DIM]}, batch=1),
            id="sizes as torch writes them",
        ),
        pytest.param(
            between("Resize", "", "", "sizes", mode="nearest", batch=1, constants={"sizes": [1, DIM, 24, 9]}),
            id="a size for a batch of one",
        ),
        pytest.param(branching(), id="a branch by size"),
    ],
)
def test_the_graph_gives_what_the_file_gives(model, opened):
    found = opened(model)
    meant = found.given.outputs(PICTURES)["embedding"]
    session = onnxruntime.InferenceSession(
        found.graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (embeddings,) = session.run(None, {"images": PICTURES})
    assert meant.shape == (3, DIM)
    np.testing.assert_allclose(embeddings, meant, atol=2e-5)


def whole_pixels():
    model = tiny_network(batch="N")
    graph = model.graph
    graph.node[0].input[0] = "floats"
    graph.node.insert(0, node("Cast", "input", to="floats"))
    graph.node[0].attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
    graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    return model


def test_a_network_that_takes_bytes_gets_whole_pixels_as_they_are(opened):
    found = opened(whole_pixels())
    meant = found.given.outputs(PICTURES)["embedding"]
    session = onnxruntime.InferenceSession(
        found.graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(session.run(None, {"images": PICTURES})[0], meant, atol=1e-3)
    assert found.told.factor == 1.0


def test_bytes_are_not_normalized(opened):
    with pytest.raises(
        InputError, match=r"takes whole numbers of 0 to 255 \(UINT8\).*leave out --input-scale"
    ):
        opened(whole_pixels(), scale=1 / 255)


@pytest.mark.parametrize(
    ("place", "sizes", "target", "batch", "found"),
    [
        (Place(0), (1, 9, 32), (1, 9, 4, 8), 1, Place(0)),
        (Place(0), (1, 2, 4, 4, 16), (8, 4, 16), 1, Place(0)),  # windows, those of a picture together
        (Place(1), (9, 1, 32), (9, 4, 8), 1, Place(1)),  # heads of attention, laid behind the tokens
        (Place(1), (9, 4, 8), (9, 32), 1, Place(0, 9)),  # tokens and pictures in one axis
        (Place(0, 9), (9, 32), (9, 1, 32), 1, Place(1)),
        (Place(1), (9, 2, 32), (9, 8, 8), 2, Place(1)),
        (Place(1), (9, 2, 32), (18, 32), 2, Place(0, 9)),
        (Place(1), (3, 2, 5), (5, 6), 2, None),
    ],
)
def test_pictures_are_followed_through_new_shapes(place, sizes, target, batch, found):
    assert reshaped(place, sizes, target, batch) == found
