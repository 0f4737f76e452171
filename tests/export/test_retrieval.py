# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Int8 files held against their float32 graph in retrieval, and the layers that go back to float32."""

from __future__ import annotations

import csv
import dataclasses
import json

import cv2
import numpy as np
import onnx
import pytest

from pamtri_edge import samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.export import ParityError, cli, export_bundle, plan_export
from pamtri_edge.export.onnx import retrieval
from pamtri_edge.export.onnx.fallback import Loss
from pamtri_edge.export.onnx.graph import in_network
from pamtri_edge.export.onnx.groups import group_of, in_float, int8_groups, names_in
from pamtri_edge.export.onnx.precision import half, quantize
from pamtri_edge.export.onnx.retrieval import Embedded, RetrievalCheck, part_of, retrieval_set
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.export.options import Steps
from pamtri_edge.geometry import Geometry
from pamtri_edge.manifest import Manifest
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.parity.pictures import graph_inputs, parts

VEHICLES, CAMERAS = 4, 3


@pytest.fixture(scope="module")
def labeled(tmp_path_factory):
    """Return a set of 4 vehicles seen by 3 cameras, one view of each a query."""
    folder = tmp_path_factory.mktemp("sets") / "street"
    for part, cameras in (("query", range(1)), ("test", range(1, CAMERAS))):
        (folder / f"image_{part}").mkdir(parents=True)
        rows = []
        for vehicle in range(VEHICLES):
            for camera in cameras:
                name = f"{vehicle + 1:04d}_c{camera + 1:03d}_{camera:08d}_0.jpg"
                drawn = samples.vehicle(vehicle, azimuth=40 * camera, width=72, height=56)
                picture = np.where(drawn[..., 3:] > 0, drawn[..., :3], 120).astype(np.uint8)
                cv2.imwrite(str(folder / f"image_{part}" / name), picture[..., ::-1])
                rows.append([name, vehicle + 1, vehicle + 1, 2])
        with (folder / f"label_{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def graphs(tiny_graphs):
    """Return the float32 and the int8 graph."""
    model = tiny_graphs[Geometry.UNIFIED]
    return model, quantized(model)


def quantized(model):
    return quantize(model, list(parts(graph_inputs(samples.crops(3), ["images"]), 1)))


@pytest.fixture
def make_check(labeled, tmp_path):
    """Return a check on the labeled set with a limit."""

    def make(limit, steps=None):
        data = retrieval_set(labeled, 100)
        return RetrievalCheck(data, inputs=["images"], limit=limit, folder=tmp_path, steps=steps or Steps())

    return make


@pytest.mark.parametrize(
    ("scope", "group"),
    [
        ("pose.network.conv2", "pose.stem"),
        ("pose.network.layer1.0.conv3", "pose.layer1"),
        ("pose.network.transition3.3.0.0", "pose.stage4"),
        ("pose.network.stage4.0.branches.3.0.conv1", "pose.stage4"),
        ("reid.stem.coarse", "reid.stem"),
        ("reid.network.base.conv0", "reid.stem"),
        ("reid.network.base._conv_stem", "reid.stem"),
        ("reid.network.base._blocks.11._expand_conv", "reid.block11"),
        ("reid.network.base._conv_head", "reid.last"),
        ("network.part3", "part3"),
    ],
)
def test_a_layer_belongs_to_a_stage_of_the_networks(scope, group):
    assert group_of(onnx.helper.make_node("Conv", [], [], name=f"{scope}/Conv_7")) == group


def test_every_layer_of_int8_is_in_one_group(graphs):
    groups = int8_groups(graphs[1])
    assert set(groups) == {
        *("pose.stem", "pose.layer1", "pose.stage2"),
        *("reid.stem", "reid.transitions", "reid.heads"),
        *(f"reid.denseblock{number}" for number in range(1, 5)),
    }
    assert len({name for names in groups.values() for name in names}) == sum(map(len, groups.values()))


def test_a_group_in_float_has_its_weights_and_inputs_of_the_float_graph(graphs):
    model, typed = graphs
    groups = int8_groups(typed)
    mixed = in_float(typed, model, groups["reid.heads"])
    onnx.checker.check_model(mixed, full_check=True)
    assert check(mixed) == []
    expected = {node.name: list(node.input) for node in model.graph.node}
    for node in mixed.graph.node:
        if node.name in groups["reid.heads"]:
            assert list(node.input) == expected[node.name]
    assert int8_groups(mixed) == {name: nodes for name, nodes in groups.items() if name != "reid.heads"}
    names = {tensor.name for tensor in mixed.graph.initializer}
    assert "reid.network.fc_vid.weight" in names
    assert "reid.network.fc_vid.weight_quantized" not in names


def test_all_groups_in_float_are_the_float_graph(graphs):
    model, typed = graphs
    before = typed.SerializeToString()
    groups = int8_groups(typed)
    mixed = in_float(typed, model, names_in(groups, groups))
    assert wiring(mixed) == wiring(model)  # the quantizer sorts the nodes its own way
    assert typed.SerializeToString() == before


def wiring(graph):
    """Return the layers of the networks with their inputs."""
    return {node.name: list(node.input) for node in graph.graph.node if in_network(node)}


def test_a_set_is_cut_to_whole_vehicles(labeled):
    data = read_folder(labeled)
    few = part_of(data, 6)
    assert sorted(set(few.query.vehicles)) == [1, 4]
    assert len(few.query) == 2
    assert len(few.gallery) == 4
    assert few.gallery.names[2].startswith("0004_c002")
    np.testing.assert_array_equal(few.gallery.read(2), data.gallery.read(6))
    assert part_of(data, 100) is data


def test_the_measure_is_that_of_the_files(graphs, make_check, tmp_path):
    """Half loses hardly anything beside the float32 graph."""
    model, _ = graphs
    lost = make_check(0.1).half(model, half(model))
    assert (lost.set, lost.vehicles, lost.queries, lost.gallery) == ("street", 4, 4, 8)
    assert 0.0 < lost.fp32_map <= 1.0
    assert lost.failure is None
    assert list(tmp_path.iterdir()) == [], "no temporary file is left"


def test_layers_that_cost_too_much_go_back_and_are_named(graphs, make_check, monkeypatch):
    """One group of two is broken so that it ruins the embedding; the search has to find it."""
    model, typed = graphs
    broken = type(typed)()
    broken.CopyFrom(typed)
    for tensor in broken.graph.initializer:
        if tensor.name == "reid.network.fc_vid.weight_quantized":
            tensor.raw_data = np.frombuffer(tensor.raw_data, np.int8)[::-1].tobytes()
    steps = Steps()
    groups = int8_groups(broken)
    few = {name: groups[name] for name in ("pose.stage2", "reid.heads")}
    monkeypatch.setattr(retrieval, "int8_groups", lambda _: few)
    monkeypatch.setattr(retrieval, "_loss", lambda a, b: Loss(100 * max(0.0, 0.5 - a.cosine(b)), 0.0))
    mixed, lost = make_check(0.0, steps=steps).int8(model, broken)
    assert lost.float_groups == ("reid.heads",)
    assert "reid.network.fc_vid.weight" in lost.float_layers
    assert "reid.heads" not in int8_groups(mixed)
    assert any("pose.stage2 in fp32, part of it" in name for name in steps.seconds)


def test_an_export_names_what_it_lost_in_its_manifest(tiny_options, labeled):
    result = export_bundle(tiny_options(precision="fp16", retrieval=labeled, retrieval_loss=100.0))
    record = json.loads((result.path / "manifest.json").read_text())
    assert "retrieval" not in record["parity"]
    lost = record["retrieval"]
    assert (lost["set"], lost["queries"], lost["limit"], lost["float_groups"]) == ("street", 4, 100.0, [])


def test_an_export_keeps_layers_in_float_end_to_end(tiny_options, labeled, monkeypatch):
    """What is lost is made up; search, files, stages and manifest are real."""

    def embedded(self, model, data, called):
        lost = 0.05 if "pose.stem" in int8_groups(model) else 0.0
        return Embedded(np.ones((1, 2)), np.ones((1, 2)), 0.9 - lost)

    monkeypatch.setattr(RetrievalCheck, "_embedded", embedded)
    changes = {"precision": "int8", "retrieval": labeled, "staged": True, "weight_bits": 7}
    result = export_bundle(tiny_options(**changes))
    lost = open_bundle(result.path).manifest.retrieval
    assert lost.float_groups == ("pose.stem",)
    assert lost.float_layers == ("pose.network.conv1.weight", "pose.network.conv2.weight")
    for name, stage in (("model", ""), ("staged.pose", "pose")):
        typed = onnx.load(result.path / f"{name}.onnx")
        assert check(typed) == []
        groups = int8_groups(typed, stage=stage)
        assert "pose.stem" not in groups
        assert "pose.stage2" in groups
    assert "reid.stem" in int8_groups(onnx.load(result.path / "staged.reid.onnx"), stage="reid")
    assert not list(result.path.parent.glob(".*"))


def test_an_export_that_loses_too_much_is_refused(tiny_options, labeled, monkeypatch, tmp_path):
    monkeypatch.setattr(retrieval, "_loss", lambda *_: Loss(7.25, 0.1))
    monkeypatch.setattr(
        RetrievalCheck, "_embedded", lambda *_: Embedded(np.ones((1, 2)), np.ones((1, 2)), 0.9)
    )
    with pytest.raises(ParityError, match=r"retrieval on street, mAP falls .* 7\.25 points \(limit 0\.1\)"):
        export_bundle(tiny_options(precision="fp16", retrieval=labeled))
    assert list(tmp_path.iterdir()) == []


def test_a_plan_says_on_which_set_and_counts_the_time(tiny_options, labeled):
    plain = plan_export(tiny_options(precision="int8"))
    plan = plan_export(tiny_options(precision="int8", retrieval=labeled))
    assert plan.retrieval.startswith(
        "street: 4 vehicles, 4 queries among 8 pictures; mAP may fall by 1 points"
    )
    assert "back to fp32" in plan.retrieval
    assert plan.seconds > plain.seconds
    assert plain.retrieval is None


def test_a_folder_that_is_no_labeled_set_is_refused_before_any_work(tiny_options, tmp_path):
    with pytest.raises(InputError, match="no folder image_query"):
        plan_export(tiny_options(precision="int8", retrieval=tmp_path))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"precision": "fp32", "retrieval": "x"}, "with precision fp32 they are the same"),
        ({"precision": "int8", "retrieval_loss": 1.0}, "give retrieval too"),
        ({"precision": "int8", "retrieval": "x", "retrieval_loss": float("nan")}, "0 to 100"),
        ({"precision": "int8", "retrieval": "x", "retrieval_pictures": 1}, "2 or more"),
        ({"precision": "int8", "weight_bits": 4}, "have 7 or 8 bits"),
        ({"precision": "fp16", "weight_bits": 7}, "those of int8; the precision is fp16"),
    ],
)
def test_options_that_make_no_sense_are_refused(tiny_options, changes, said):
    with pytest.raises(InputError, match=said):
        tiny_options(**changes)


def test_an_old_manifest_reads_and_a_broken_record_is_told(tiny_options, labeled, tiny_bundle):
    text = (tiny_bundle / "manifest.json").read_text()
    record = json.loads(text)
    record.pop("retrieval", None)
    old = Manifest.from_json(json.dumps(record))
    assert old.retrieval is None
    lost = RetrievalLoss(
        set="street", vehicles=2, queries=3, gallery=4, fp32_map=0.9, map=0.8, loss=10.0, limit=1.0,
        float_groups=("reid.stem",), float_layers=("reid.stem.rgb",),
    )  # fmt: skip
    assert Manifest.from_json(dataclasses.replace(old, retrieval=lost).to_json()).retrieval == lost
    for wrong in ({"map": 1.5}, {"queries": 2.5}, {"float_groups": "reid"}, {"set": None}, {"loss": None}):
        broken = {**record, "retrieval": {**dataclasses.asdict(lost), **wrong}}
        with pytest.raises(BundleError, match="field 'retrieval' is"):
            Manifest.from_json(json.dumps(broken))


def test_the_command_hands_its_options_on(tiny_options, labeled, monkeypatch, capsys):
    given = {}

    def options(**found):
        given.update(found)
        return tiny_options(precision="int8", retrieval=labeled)

    monkeypatch.setattr(cli, "ExportOptions", options)
    monkeypatch.setenv("COLUMNS", "150")
    arguments = ["pamtri-export", "--model", "lite", "--precision", "int8", "--retrieval", str(labeled)]
    arguments += ["--retrieval-loss", "0.5", "--retrieval-pictures", "77", "--weight-bits", "8", "--dry-run"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    assert given["retrieval"] == labeled
    assert (given["retrieval_loss"], given["retrieval_pictures"]) == (0.5, 77)
    assert given["weight_bits"] == 8
    assert "4 queries among 8 pictures" in " ".join(capsys.readouterr().out.split())
