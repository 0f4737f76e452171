# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.detect import YoloxDetector, YoloxSpec, suppress
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.motion import MotionDetector, MotionSpec

SIZE = 64  # of the tiny network below
CELLS = 8 * 8 + 4 * 4 + 2 * 2


def _network(
    path: Path, rows: dict[int, list[float]], *, classes: int = 80, cells: int = CELLS, picture: int = SIZE
) -> Path:
    """Write an ONNX network in YOLOX's form that gives the same rows for every picture."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    output = np.zeros((1, cells, 5 + classes), np.float32)
    for cell, row in rows.items():
        output[0, cell, : len(row)] = row
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["answer", "nothing"], ["output"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([0, 1, 2, 3], np.int64), "axes"),
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(output, "answer"),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, picture, picture])
    result = helper.make_tensor_value_info("output", TensorProto.FLOAT, list(output.shape))
    graph = helper.make_graph(nodes, "yolox", [images], [result], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, str(path))
    return path


def _row(x: float, y: float, w: float, h: float, score: float, number: int, classes: int = 80) -> list[float]:
    row = [x, y, w, h, 1.0] + [0.0] * classes
    row[5 + number] = score
    return row


def test_cells_of_all_strides_become_boxes_in_frame_pixels(tmp_path: Path) -> None:
    # A 128x64 frame is letterboxed into 64x64 at half size. Cell 9 of stride 8: column 1, row 1.
    # Cell 64+5 of stride 16: column 1, row 1. Cell 80+1 of stride 32: column 1, row 0.
    rows = {
        9: _row(0.5, 0.5, np.log(2), np.log(1), 0.9, 2),
        64 + 5: _row(0.0, 0.0, np.log(0.5), np.log(0.5), 0.8, 5),
        80 + 1: _row(0.5, 0.5, np.log(0.5), np.log(0.25), 0.7, 7),
    }
    detector = YoloxDetector(_network(tmp_path / "a.onnx", rows))
    found = detector.detect(np.zeros((64, 128, 3), np.uint8))
    assert [detection.score for detection in found] == pytest.approx([0.9, 0.8, 0.7])
    assert found[0].box == pytest.approx((8, 16, 40, 32))  # centre (12, 12), 16x8 at half size
    assert found[1].box == pytest.approx((24, 24, 40, 40))
    assert found[2].box == pytest.approx((80, 24, 112, 40))


def test_boxes_are_cut_at_the_frame(tmp_path: Path) -> None:
    rows = {0: _row(0, 0, np.log(2), np.log(2), 0.9, 2)}
    (found,) = YoloxDetector(_network(tmp_path / "a.onnx", rows)).detect(np.zeros((64, 64, 3), np.uint8))
    assert found.box == pytest.approx((0, 0, 8, 8))


def test_decoded_networks_work_too(tmp_path: Path) -> None:
    rows = {0: _row(32, 24, 20, 16, 0.9, 2)}
    (found,) = YoloxDetector(_network(tmp_path / "a.onnx", rows)).detect(np.zeros((64, 64, 3), np.uint8))
    assert found.box == pytest.approx((22, 16, 42, 32))


def test_only_wanted_classes_and_sure_scores_count(tmp_path: Path) -> None:
    rows = {
        0: _row(0, 0, 0, 0, 0.9, 0),  # a person
        3: _row(0, 0, 0, 0, 0.9, 3),  # a motorcycle
        20: _row(0, 0, 0, 0, 0.29, 2),  # an unsure car
        40: _row(0, 0, 0, 0, 0.31, 2),
    }
    path = _network(tmp_path / "a.onnx", rows)
    picture = np.zeros((64, 64, 3), np.uint8)
    assert len(YoloxDetector(path).detect(picture)) == 1
    assert len(YoloxDetector(path, spec=YoloxSpec(classes=("motorcycle", "0"))).detect(picture)) == 2
    assert len(YoloxDetector(path, spec=YoloxSpec(confidence=0.2)).detect(picture)) == 2


def test_a_network_of_its_own_classes_gives_all_of_them(tmp_path: Path) -> None:
    rows = {0: _row(0, 0, 0, 0, 0.9, 0, classes=2), 20: _row(0, 0, 0, 0, 0.9, 1, classes=2)}
    path = _network(tmp_path / "a.onnx", rows, classes=2)
    picture = np.zeros((64, 64, 3), np.uint8)
    assert len(YoloxDetector(path).detect(picture)) == 2
    assert len(YoloxDetector(path, spec=YoloxSpec(classes=("1",))).detect(picture)) == 1
    with pytest.raises(InputError, match="'bus' is no class of this detector; accepted: 0 to 1"):
        YoloxDetector(path, spec=YoloxSpec(classes=("bus",)))


def test_a_car_and_a_truck_in_one_place_are_one_vehicle(tmp_path: Path) -> None:
    rows = {9: _row(0.5, 0.5, 1, 1, 0.8, 2), 10: _row(-0.4, 0.5, 1, 1, 0.9, 7)}
    (found,) = YoloxDetector(_network(tmp_path / "a.onnx", rows)).detect(np.zeros((64, 64, 3), np.uint8))
    assert found.score == pytest.approx(0.9)


def test_suppression_keeps_the_best_of_each_heap() -> None:
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [5, 0, 15, 10]])
    assert suppress(boxes, np.float32([0.5, 0.9, 0.7, 0.6]), 0.5) == [1, 2, 3]
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.5) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent.onnx", "there is no detector .*absent.onnx"), ("junk.onnx", "cannot be loaded")],
)
def test_what_is_no_network_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(InputError, match=message):
        YoloxDetector(tmp_path / name)


def test_another_kind_of_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gives \(10, 85\) for a picture of \(64, 64\); expected a YOLOX"):
        YoloxDetector(_network(tmp_path / "a.onnx", {}, cells=10))


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'tram' is no class .*accepted: bicycle, car, .* 0 to 79"):
        YoloxDetector(_network(tmp_path / "a.onnx", {}), spec=YoloxSpec(classes=("tram",)))


def test_without_openvino_the_error_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    path = tmp_path / "a.onnx"
    path.write_bytes(b"")
    with pytest.raises(MissingDependencyError, match="pip install openvino"):
        YoloxDetector(path)


def test_the_real_detector_finds_the_vehicles_of_a_real_street(shared_data: Path) -> None:
    detector = YoloxDetector(shared_data / "detector" / "yolox_nano.onnx", threads=1)
    clip = shared_data / "clips" / "suburban_a_640x352.mp4"
    tracks = read_tracks(clip.with_suffix(".txt"))
    source = VideoFile(clip, duration=2.5)
    there = found = 0
    for frame in source.frames():
        if frame.index % 12:
            continue
        boxes = [detection.box for detection in detector.detect(frame.picture)]
        for truth in tracks.at(frame.index):
            there += 1
            found += any(_iou(truth.box, box) > 0.5 for box in boxes)
    source.close()
    assert there >= 30
    assert found >= 0.7 * there


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    high = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return wide * high / (sum(areas) - wide * high)


def _street(index: int, *, car: bool = True, moves: bool = True, light: float = 1.0) -> NDArray[np.uint8]:
    picture = np.random.default_rng(0).integers(90, 110, (240, 320, 3)).astype(np.float32)
    picture += np.random.default_rng(index + 1).normal(0, 2, picture.shape)
    if car:
        x = 20 + 6 * index * moves
        picture[100:150, x : x + 80] = (180, 40, 40)
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def test_what_moves_is_detected_where_it_is() -> None:
    detector = MotionDetector(rate=25)
    found = [detector.detect(_street(index, car=index >= 20)) for index in range(36)]
    assert all(not boxes for boxes in found[:20])
    for index in range(20, 36):
        (detection,) = found[index]
        assert detection.box == pytest.approx((20 + 6 * index, 100, 100 + 6 * index, 150), abs=6)
        assert detection.score == 1.0


def test_what_stands_becomes_background() -> None:
    detector = MotionDetector(rate=25, spec=MotionSpec(absorb_s=1.0))
    found = [len(detector.detect(_street(index % 4, moves=False, car=index >= 20))) for index in range(60)]
    assert found[20:40] == [1] * 20
    assert found[50:] == [0] * 10


def test_a_change_of_light_is_no_vehicle() -> None:
    detector = MotionDetector()
    for index in range(20):
        detector.detect(_street(index, car=False))
    assert detector.detect(_street(20, car=False, light=1.6)) == []


def test_a_camera_that_changes_its_exposure_still_sees_what_moves() -> None:
    detector = MotionDetector(rate=25)
    found = [
        detector.detect(_street(index, car=index >= 20, light=0.8 if index >= 20 else 1.0))
        for index in range(30)
    ]
    for index in range(20, 30):
        (detection,) = found[index]
        assert detection.box == pytest.approx((20 + 6 * index, 100, 100 + 6 * index, 150), abs=6)


def test_large_pictures_are_shrunk_but_boxes_are_not() -> None:
    detector = MotionDetector()
    for index in range(24):
        large = cv2.resize(_street(index, car=index >= 20), (1280, 960), interpolation=cv2.INTER_NEAREST)
        found = detector.detect(np.asarray(large, np.uint8))
    assert found[0].box == pytest.approx((4 * (20 + 6 * 23), 400, 4 * (100 + 6 * 23), 600), abs=24)
