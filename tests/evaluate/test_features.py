# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What describes pictures: bundles, weights, any ONNX network, and any of them in batches."""

import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.evaluate.baselines import Thumbnail
from pamtri_edge.evaluate.features import Description, describe_all, join
from pamtri_edge.evaluate.networks import BundleDescriber, OnnxDescriber, WeightsDescriber
from pamtri_edge.reidentifier import Reidentifier


@pytest.fixture
def crops():
    return samples.crops(5, seed=3)


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
    assert (len(whole), whole.colors) == (3, ["red", "blue", "white"])
    assert (whole.types, whole.keypoints) == (None, None)


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
    """Return a function that writes a network of one average: `onnx_file(shape, average=True)`."""
    onnx = pytest.importorskip("onnx", reason="reading a network's inputs takes onnx")
    from onnx import parser

    def write(shape="N, 3, 8, 8", average=True):
        mean = "axes = Constant <value_ints = [2, 3]> ()\nmean = ReduceMean <keepdims = 0> (picture, axes)"
        model = parser.parse_model(f"""
            <ir_version: 9, opset_import: ["" : 18]>
            small (float[{shape}] picture) => ({"float[N, 3] mean, " * average}float[{shape}] same) {{
                same = Identity (picture)
                {mean * average}
            }}
        """)
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
    describer = OnnxDescriber(onnx_file("N, 8, 6, 3", average=False), scaling="bytes", threads=1)
    assert describer.describe([GRAY]).embeddings.shape[0] == 1


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ("N, 3, 8, 8", {"output": "logits"}, "no output 'logits'; it has mean, same"),
        ("N, 3, 8, 8", {"scaling": "raw"}, "the scaling is 'raw'"),
        ("N, 1, 8, 8", {}, r"expected \(N, 3, H, W\)"),
        ("N, 3, H, W", {}, "takes pictures of any size"),
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
