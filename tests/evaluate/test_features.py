# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What describes pictures: simple features, bundles, weights, any ONNX network."""

import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.evaluate.baselines import BASELINES, Thumbnail
from pamtri_edge.evaluate.features import Description, describe_all, join
from pamtri_edge.evaluate.networks import BundleDescriber, OnnxDescriber, WeightsDescriber
from pamtri_edge.metrics.distances import distances
from pamtri_edge.reidentifier import Reidentifier


@pytest.fixture
def crops():
    return samples.crops(5, seed=3)


def test_a_thumbnail_does_not_mind_brightness():
    dark = np.random.default_rng(1).integers(0, 100, (48, 64, 3)).astype(np.uint8)
    found = Thumbnail().describe([dark, dark + 80])
    assert found.embeddings.shape == (2, 16 * 16 * 3)
    assert distances(found.embeddings[:1], found.embeddings[1:])[0, 0] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["histogram", "rgb-histogram"])
def test_a_histogram_minds_colors_not_places(crops, name):
    mirrored = [crops[0][:, ::-1], np.full((9, 9, 3), (0, 0, 255), np.uint8)]
    found = BASELINES[name].describe([np.ascontiguousarray(picture) for picture in (crops[0], *mirrored)])
    far = distances(found.embeddings[:1], found.embeddings[1:])[0]
    assert far[0] == pytest.approx(0, abs=1e-6)
    assert far[1] > 0.9


def test_the_histograms_cosine_is_the_bhattacharyya_coefficient(crops):
    first, second = BASELINES["histogram"].describe(crops[:2]).embeddings.astype(np.float64)
    assert (first**2).sum() == pytest.approx(1)  # square roots of shares
    assert 0 <= first @ second <= 1


def test_every_baseline_gives_one_feature_a_picture(crops):
    for describer in BASELINES.values():
        assert len(describer.describe(crops)) == len(crops)


def test_describing_in_batches_changes_nothing(make_set):
    views = make_set(range(1, 8), [1]).query
    told = []
    whole = describe_all(Thumbnail(), views, batch=100)
    parts = describe_all(Thumbnail(), views, batch=3, progress=lambda *done: told.append(done))
    assert np.array_equal(whole.embeddings, parts.embeddings)
    assert told == [(3, 7), (6, 7), (7, 7)]


def test_what_one_part_lacks_the_whole_lacks():
    one = Description(np.ones((2, 3), np.float32), ["red", "blue"], None)
    two = Description(np.ones((1, 3), np.float32), ["white"], ["van"])
    whole = join([one, two])
    assert (len(whole), whole.colors, whole.types, whole.keypoints) == (
        3,
        ["red", "blue", "white"],
        None,
        None,
    )


def test_a_bundle_describes_as_the_sdk_does(tiny_bundle, crops):
    with Reidentifier.load(tiny_bundle, threads=1) as reidentifier:
        expected = reidentifier.embed(crops)
        found = BundleDescriber(reidentifier).describe(crops)
        assert BundleDescriber(reidentifier).name == f"{reidentifier.manifest.name} (fp32)"
    assert np.array_equal(found.embeddings, expected.embeddings)
    assert (found.colors, found.types) == (expected.colors, expected.types)
    assert np.array_equal(found.keypoints, expected.keypoints)


def test_weights_describe_as_their_bundle_does(tiny_bundle, tmp_path, crops):
    pytest.importorskip("torch", reason="weights run in PyTorch")
    from pamtri_edge.export.networks import networks
    from pamtri_edge.export.options import ExportOptions
    from pamtri_edge.models import save_checkpoint
    from tiny_networks import SMALLEST

    drawn = networks(ExportOptions(model=SMALLEST, output=tmp_path / "none"))
    pose = save_checkpoint(drawn.pose, tmp_path / "pose.safetensors")
    reid = save_checkpoint(drawn.reid, tmp_path / "reid.safetensors")
    found = WeightsDescriber(reid, pose, threads=1).describe(crops)
    with Reidentifier.load(tiny_bundle, threads=1) as reidentifier:
        expected = reidentifier.embed(crops)
    # One whole network against the other: drawn weights amplify rounding, so directions are compared.
    assert (np.sum(found.embeddings * expected.embeddings, axis=1) > 0.999).all()
    assert found.colors == expected.colors
    assert found.keypoints.shape == expected.keypoints.shape
    with pytest.raises(InputError, match="come from a pose network"):
        WeightsDescriber(reid)
    with pytest.raises(CheckpointError):
        WeightsDescriber(pose, pose)


@pytest.fixture
def onnx_file(tmp_path):
    """Return a function that writes a network of one average: `onnx_file(shape, outputs)`."""
    onnx = pytest.importorskip("onnx", reason="reading a network's inputs takes onnx")
    from onnx import TensorProto, helper

    def write(shape=("N", 3, 8, 8), kind="ReduceMean"):
        axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
        nodes = [helper.make_node("Identity", ["picture"], ["same"])]
        outputs = [helper.make_tensor_value_info("same", TensorProto.FLOAT, shape)]
        if kind == "ReduceMean":
            nodes.append(helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0))
            outputs.insert(0, helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["N", 3]))
        graph = helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
            outputs,
            [axes] if kind == "ReduceMean" else [],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, str(tmp_path / "small.onnx"))
        return tmp_path / "small.onnx"

    return write


GRAY = np.full((20, 30, 3), (51, 102, 204), np.uint8)


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("bytes", (51, 102, 204)),
        ("unit", (0.2, 0.4, 0.8)),
        ("symmetric", (-0.6, -0.2, 0.6)),
        ("imagenet", ((0.2 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0.8 - 0.406) / 0.225)),
    ],
)
def test_an_onnx_network_gets_the_values_it_was_trained_with(onnx_file, scaling, expected):
    describer = OnnxDescriber(onnx_file(), scaling=scaling, threads=1)
    assert describer.name == "small"
    found = describer.describe([GRAY, GRAY])
    assert found.embeddings.shape == (2, 3)
    assert found.embeddings[1] == pytest.approx(expected, rel=1e-4)
    assert found.colors is None


def test_maps_are_averaged_and_an_output_may_be_chosen(onnx_file):
    found = OnnxDescriber(onnx_file(), scaling="bytes", output="same", threads=1).describe([GRAY])
    assert found.embeddings[0] == pytest.approx((51, 102, 204))


def test_channels_may_come_last(onnx_file):
    describer = OnnxDescriber(onnx_file(("N", 8, 6, 3), "Identity"), scaling="bytes", threads=1)
    assert describer.describe([GRAY]).embeddings.shape[0] == 1


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        (("N", 3, 8, 8), {"output": "logits"}, "no output 'logits'; it has mean, same"),
        (("N", 3, 8, 8), {"scaling": "raw"}, "the scaling is 'raw'"),
        (("N", 1, 8, 8), {}, r"expected \(N, 3, H, W\)"),
        (("N", 3, "H", "W"), {}, "takes pictures of any size"),
    ],
)
def test_a_network_that_takes_something_else_is_refused(onnx_file, shape, options, words):
    with pytest.raises(InputError, match=words):
        OnnxDescriber(onnx_file(shape), **options)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    pytest.importorskip("onnx", reason="reading a network's inputs takes onnx")
    with pytest.raises(InputError, match="there is no file"):
        OnnxDescriber(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network at all, but a line of text")
    with pytest.raises(InputError, match="no ONNX network"):
        OnnxDescriber(tmp_path / "text.onnx")
