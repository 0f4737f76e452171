# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri verify --against-deepstream`: dumps with one fault each, and what is named as its cause."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pamtri_edge import cli, ops, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import InputError
from pamtri_edge.ops.frames import rgb_of_sited_nv12
from pamtri_edge.parity.deepstream import check_inputs, check_outputs
from pamtri_edge.parity.deepstream_dump import INPUT_FILE, read_dump
from pamtri_edge.parity.input_causes import SCALERS, Misreading, explain
from pamtri_edge.parity.pictures import Pictures
from pamtri_edge.runtime import create_backend

CROPS = samples.crops(3, seed=11)
PICTURES = Pictures(tuple(f"car {index}" for index in range(len(CROPS))), CROPS, "the crops")
BATCHES = (3, 1, 2)  # crops in each; the input of the first of each is dumped


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return open_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def engine(bundle):
    return create_backend(bundle.model, backend="openvino")


@pytest.fixture(scope="module")
def typed_as_half(bundle, tmp_path_factory):
    """Return an engine of the same weights that computes in half precision."""
    import onnx

    from pamtri_edge.export.onnx.precision import half

    path = tmp_path_factory.mktemp("half") / "half.onnx"
    onnx.save(half(onnx.load(bundle.model)), path)
    return create_backend(path, backend="torch", device="cpu")


def nvinfer(scaler="bilinear", misreading=None, bgr=False, scale=1.0, offsets=(0.0, 0.0, 0.0)):
    """Return what nvinfer would give a network of the crops, (N, 3, S, S)."""
    misreading = misreading or Misreading()
    pixels = [np.rint(misreading.of(np.clip(SCALERS[scaler](crop, 256), 0, 255))) for crop in CROPS]
    images = np.stack(pixels)[..., :: -1 if bgr else 1].transpose(0, 3, 1, 2)
    return (scale * (images - np.reshape(offsets, (1, 3, 1, 1)))).astype(np.float32)


def write(folder, inputs, outputs=None):
    inputs.tofile(folder / INPUT_FILE)
    for name, rows in (outputs or {}).items():
        for batch, (row, size) in enumerate(zip(rows, BATCHES, strict=True)):
            name_of_file = f"gstnvdsinfer_uid-02_layer-{name}_batch-{batch:010}_batchsize-{size:02}.bin"
            np.stack([row + 7 * place for place in range(size)]).astype(np.float32).tofile(
                folder / name_of_file
            )
    (folder / "gstnvdsinfer_uid-02_layer-images_batch-0000000000_batchsize-03.bin").touch()
    return folder


def read(folder, bundle):
    return read_dump(folder, bundle.manifest.inputs, bundle.manifest.outputs)


FAULTS = [
    ({"bgr": True}, "channel order"),
    ({"scale": 1 / 255}, "scale"),
    ({"scale": 0.0173, "offsets": (123.675, 116.28, 103.53)}, "offsets"),
    ({"offsets": (104, 117, 123)}, "offsets"),
    ({"scaler": "nearest"}, "scaler"),
    ({"scaler": "box"}, "scaler"),
    ({"scaler": "aspect ratio kept, padded on both sides"}, "scaler"),
    ({"misreading": Misreading(matrices=("BT.601", "BT.2020"))}, "color conversion"),
    ({"misreading": Misreading(ranges=("full", "limited"))}, "color conversion"),
]


def causes(check):
    return [failure.partition(":")[0] for failure in check.failures if "cosines" not in failure]


@pytest.mark.parametrize(("fault", "cause"), FAULTS, ids=lambda value: str(value))
def test_a_fault_is_named(bundle, engine, tmp_path, fault, cause):
    check = check_inputs(bundle, engine, read(write(tmp_path, nvinfer(**fault)), bundle), PICTURES)
    named = causes(check)
    assert named == (["scale", "offsets"] if len(fault) == 2 else [cause])
    for wanted in (fault.get("scaler"), fault.get("misreading")):
        assert wanted is None or str(wanted) in " ".join(check.failures)


def test_two_faults_at_once_are_both_named(bundle, engine, tmp_path):
    inputs = nvinfer("nearest", Misreading(matrices=("BT.709", "BT.601")), bgr=True, scale=1 / 255)
    check = check_inputs(bundle, engine, read(write(tmp_path, inputs), bundle), PICTURES)
    assert causes(check) == ["channel order", "scale", "scaler", "color conversion"]


def test_a_right_run_passes(bundle, engine, tmp_path):
    inputs = nvinfer()
    dump = read(write(tmp_path, inputs, engine.run({"images": inputs})), bundle)
    check = check_inputs(bundle, engine, dump, PICTURES)
    assert (check.failures, check.figures["error, levels of 255"][:4]) == ((), "0.00")
    outputs = check_outputs(bundle, engine, dump)
    assert outputs is not None
    assert outputs.failures == ()


def test_a_scaler_a_little_unlike_ours_is_no_fault(bundle, engine, tmp_path, rng):
    inputs = np.clip(nvinfer() + rng.integers(-2, 3, (3, 3, 256, 256)), 0, 255).astype(np.float32)
    check = check_inputs(bundle, engine, read(write(tmp_path, inputs), bundle), PICTURES)
    assert causes(check) == []


def test_inputs_find_their_pictures_in_any_order_and_strangers_are_left_out(bundle, engine, tmp_path):
    inputs = np.concatenate([nvinfer(scale=1 / 255)[::-1], np.zeros((1, 3, 256, 256), np.float32)])
    check = check_inputs(bundle, engine, read(write(tmp_path, inputs), bundle), PICTURES)
    assert causes(check) == ["scale"]
    assert check.remarks == ("1 input of 4 without a picture left out",)


def test_half_precision_is_named(bundle, engine, typed_as_half, tmp_path):
    inputs = nvinfer()
    dump = read(write(tmp_path, inputs, typed_as_half.run({"images": inputs})), bundle)
    assert check_inputs(bundle, engine, dump, PICTURES).failures == ()
    check = check_outputs(bundle, engine, dump)
    assert check is not None
    assert check.failures[0].startswith("precision: the engine computed as fp16 does")


def test_another_network_is_not_called_a_precision(bundle, engine, tmp_path):
    inputs = nvinfer()
    outputs = engine.run({"images": inputs})
    outputs["embedding"] = np.roll(outputs["embedding"], 1, axis=1)
    check = check_outputs(bundle, engine, read(write(tmp_path, inputs, outputs), bundle))
    assert check is not None
    assert check.failures[0].startswith("network:")


def test_wrong_inputs_do_not_blame_the_engine(bundle, engine, tmp_path):
    inputs = nvinfer(bgr=True)
    check = check_outputs(
        bundle, engine, read(write(tmp_path, inputs, engine.run({"images": inputs})), bundle)
    )
    assert check is not None
    assert check.failures == ()


def test_outputs_of_dump_output_tensor_are_read_where_a_batch_is_a_crop(bundle, engine, tmp_path):
    inputs = nvinfer()
    inputs.tofile(tmp_path / INPUT_FILE)
    rows = engine.run({"images": inputs})["embedding"]
    records = np.full((len(rows), 3 * 256 * 256), 9, np.float32)
    records[:, : rows.shape[1]] = rows
    records.tofile(tmp_path / "embedding_op_tensor.bin")
    assert np.array_equal(read(tmp_path, bundle).outputs["embedding"], rows)
    records[:2].tofile(tmp_path / "embedding_op_tensor.bin")
    dump = read(tmp_path, bundle)
    assert (dict(dump.outputs), "batch-size=1" in dump.remarks[0]) == ({}, True)


def test_without_pictures_scale_and_offsets_are_told_alone(bundle, engine, tmp_path):
    dump = read(write(tmp_path, nvinfer(scale=1 / 255, offsets=(10, 20, 30))), bundle)
    check = check_inputs(bundle, engine, dump, None)
    assert causes(check) == ["scale", "offsets"]
    assert "--crops DIR" in check.remarks[0]


def own_dump(folder, read_as, form="nv12", **more):
    """Write what nvpamtri writes with dump-dir, the surface being coded in BT.709."""
    for number, crop in enumerate(CROPS):
        even = np.ascontiguousarray(crop[: len(crop) // 2 * 2, : crop.shape[1] // 2 * 2])
        full = cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420)
        high, wide = even.shape[:2]
        luma, u, v = full[:high], *full[high:].reshape(2, high // 2, wide // 2)
        chroma = np.dstack([u, v])
        if form == "nv12":
            planes, rgb = {"y": luma, "uv": chroma}, rgb_of_sited_nv12(luma, chroma, read_as)
        else:
            planes = {form: np.dstack([even, even[..., 0]])[..., ["rgba".index(one) for one in form]]}
            rgb = even
        arrays, content, described = {**planes, "images": ops.resize([rgb])[0]}, b"", {}
        for name, values in arrays.items():
            described[name] = {"dtype": str(values.dtype), "shape": values.shape, "offset": len(content)}
            content += values.tobytes()
        record = {"schema": 1, "conversion": "bt709", "arrays": described, **more}
        (folder / f"crop-{number:08}.json").write_text(json.dumps(record))
        (folder / f"crop-{number:08}.bin").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("read_as", "named"),
    [
        ("bt709", ""),
        ("bt601", "color conversion: BT.709 read as BT.601"),
        ("bt709-full", "color conversion: limited range read as full"),
    ],
)
def test_a_dump_of_our_element_holds_its_own_pixels(bundle, engine, tmp_path, read_as, named):
    check = check_inputs(bundle, engine, read(own_dump(tmp_path, read_as), bundle), None)
    assert causes(check) == (["color conversion"] if named else [])
    assert "".join(check.failures).startswith(named)


@pytest.mark.parametrize("form", ["rgba", "bgr"])
def test_a_dump_of_surfaces_of_colors_is_read(bundle, engine, tmp_path, form):
    check = check_inputs(bundle, engine, read(own_dump(tmp_path, "bt709", form), bundle), None)
    assert (check.failures, check.figures["error, levels of 255"][:4]) == ((), "0.00")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"crop": [0, 0, 4000, 4]}, "crop is .* inside"),
        ({"crop": [-1, 0, 4, 4]}, "crop is"),
        ({"crop": [0, 0, 4, 0]}, "crop is"),
        ({"crop": 7}, "crop is 7"),
        ({"crop": [0.5, 0, 4, 4]}, "crop is"),
        ({"conversion": "bt240"}, "conversion is 'bt240'; expected one of bt601, bt709, bt2020"),
    ],
)
def test_a_dump_that_contradicts_itself_is_refused(bundle, tmp_path, more, reason):
    own_dump(tmp_path, "bt709", **more)
    with pytest.raises(InputError, match=reason):
        read(tmp_path, bundle)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("other.bin", b"", "neither"),
        (INPUT_FILE, b"", "no multiple"),
        (INPUT_FILE, b"\0" * 400, "no multiple"),
        (INPUT_FILE, b"\0" * 401, "no float32"),
        ("crop-1.json", b"{", "no crop of dump-dir"),
        ("crop-1.json", b'{"schema": 1, "arrays": {"images": {}}}', "no crop of dump-dir"),
    ],
)
def test_what_is_no_dump_is_refused(bundle, tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read(tmp_path, bundle)


def test_outputs_of_another_run_are_left_out(bundle, engine, tmp_path):
    inputs = nvinfer()
    write(tmp_path, inputs, engine.run({"images": inputs}))
    np.concatenate([inputs, inputs]).tofile(tmp_path / INPUT_FILE)
    dump = read(tmp_path, bundle)
    assert (dict(dump.outputs), "several runs" in dump.remarks[0]) == ({}, True)


def test_the_command_tells_the_cause_and_ends_with_1(tiny_bundle, tmp_path):
    folder, dump = tmp_path / "crops", tmp_path / "dump"
    folder.mkdir()
    dump.mkdir()
    for index, crop in enumerate(CROPS):
        cv2.imwrite(str(folder / f"{index}.png"), crop[..., ::-1])
    write(dump, nvinfer(bgr=True))
    arguments = ["verify", str(tiny_bundle), "--crops", str(folder), "--against-deepstream", str(dump)]
    result = CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 1
    assert "channel order: the channels come as BGR; set model-color-format=0" in result.output


def test_a_gray_picture_blames_no_color_conversion():
    gray = [np.repeat(crop.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2) for crop in CROPS[:2]]
    images = ops.resize(gray)
    assert explain(images, gray).misreading.right
