# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.detect.network import DetectorSpec, NetworkDetector, open_network
from pamtri_edge.video.detect.picture import Fit
from pamtri_edge.video.files import VideoFile

pytest.importorskip("onnx", reason="the networks of these tests are made with onnx")
import tiny_detectors as tiny

GRAY = np.zeros((96, 96, 3), np.uint8)
ALL = DetectorSpec(classes=("all",))


def _street(fit: Fit) -> tuple[NDArray[np.uint8], tuple[float, ...]]:
    """Return a black frame of 96x192 with a red vehicle, and the box that the tiny networks give it.

    In the network's picture the vehicle is the cell at row 3, column 1, and its box 4, 20, 20, 36.
    """
    frame = np.zeros((96, 192, 3), np.uint8)
    down, top = {Fit.CENTER: (0.5, 24), Fit.CORNER: (0.5, 0), Fit.STRETCH: (1.0, 0)}[fit]
    y1, y2 = int((24 - top) / down), int((32 - top) / down)
    frame[y1:y2, 16:32, 0] = 255
    return frame, (8, max((20 - top) / down, 0), 40, min((36 - top) / down, 96))


LAYOUTS = {
    "YOLOX": (tiny.yolox, Fit.CORNER),
    "YOLOX, decoded": (partial(tiny.yolox, decoded=True), Fit.CORNER),
    "YOLOX of one class": (partial(tiny.yolox, 1, best=0), Fit.CORNER),
    "YOLOX of one class, decoded": (partial(tiny.yolox, 1, decoded=True, best=0), Fit.CORNER),
    "YOLOX of 79 classes": (partial(tiny.yolox, 79), Fit.CORNER),
    "YOLOv5": (tiny.yolov5, Fit.CENTER),
    "YOLOv6": (tiny.yolov6, Fit.CENTER),
    "YOLOv8": (tiny.yolov8, Fit.CENTER),
    "YOLOv8, transposed": (partial(tiny.yolov8, transposed=True), Fit.CENTER),
    "YOLOv8 of two classes, transposed": (partial(tiny.yolov8, 2, transposed=True), Fit.CENTER),
    "YOLOv8 of 81 classes, transposed": (partial(tiny.yolov8, 81, transposed=True), Fit.CENTER),
    "YOLOv10": (tiny.yolov10, Fit.CENTER),
    "YOLOv7 end to end": (partial(tiny.suppressed, "ibcs"), Fit.CENTER),
    "YOLO-NAS": (partial(tiny.suppressed, "ibsc", "graph2_flat_predictions"), Fit.CENTER),
    "four outputs": (tiny.efficient_nms, Fit.CENTER),
    "torchvision": (tiny.torchvision, Fit.CENTER),
    "DeepStream-Yolo": (tiny.deepstream, Fit.CENTER),
    "DeepStream-Yolo, old": (partial(tiny.deepstream, "old"), Fit.CENTER),
    "DeepStream-Yolo of YOLOX": (partial(tiny.deepstream, "yolox"), Fit.CORNER),
    "RT-DETR of Ultralytics": (tiny.rt_detr_ultralytics, Fit.STRETCH),
    "RT-DETR of Ultralytics, two classes": (partial(tiny.rt_detr_ultralytics, 2), Fit.STRETCH),
    "RT-DETR": (tiny.rt_detr, Fit.STRETCH),
    "RF-DETR": (tiny.rf_detr, Fit.STRETCH),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_vehicle_is_found_where_it_is_in_every_layout(tmp_path: Path, layout: str) -> None:
    build, fit = LAYOUTS[layout]
    net, outputs = build()
    path = net.save(tmp_path / "net.onnx", outputs, sizes="boxes" in outputs and fit is Fit.STRETCH)
    frame, box = _street(fit)
    spec = ALL if net.classes not in (80, 91) else None
    detector = NetworkDetector(path, spec=spec)
    (found,) = detector.detect(frame)
    assert found.box == pytest.approx(box, abs=1.0)
    assert found.score > 0.9
    assert detector.detect(np.zeros_like(frame)) == []
    frame[..., 2] = frame[..., 0]
    frame[..., 0] = 0
    assert detector.detect(frame) == []  # blue is not red


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("f32", (1, 96, 96, 3)),
        ("f32", ("N", 3, 96, 96)),
        ("f32", (4, 3, 96, 96)),
        ("f16", (1, 3, 96, 96)),
        ("u8", (1, 3, 96, 96)),
        ("u8", (1, 96, 96, 3)),
    ],
    ids=["NHWC", "any batch", "batch of 4", "halves", "bytes", "bytes, NHWC"],
)
def test_pictures_are_given_as_the_network_takes_them(
    tmp_path: Path, dtype: str, shape: tuple[int, ...]
) -> None:
    net, outputs = tiny.yolox()
    if shape[0] == 4:
        net.put_before("Slice", np.array([0]), np.array([1]), np.array([0]))
    path = net.save(tmp_path / "net.onnx", outputs, dtype=dtype, shape=shape)
    frame, box = _street(Fit.CORNER)
    (found,) = NetworkDetector(path).detect(frame)
    assert found.box == pytest.approx(box, abs=1.0)


def test_a_network_that_divides_by_255_itself_and_takes_any_size_gets_whole_numbers_and_its_usual_size(
    tmp_path: Path,
) -> None:
    net, outputs = tiny.yolov8()
    net.put_before("Div", np.array(255.0))
    shape = (1, 3, "height", "width")
    path = net.save(tmp_path / "net.onnx", outputs, shape=shape, metadata={"imgsz": "[96, 96]"})
    frame, box = _street(Fit.CENTER)
    (found,) = NetworkDetector(path).detect(frame)
    assert found.box == pytest.approx(box, abs=1.0)


def test_masks_and_key_points_beside_the_boxes_are_left_out(tmp_path: Path) -> None:
    net, outputs = tiny.yolov8(82)
    masks = {"output1": net.constant(np.zeros((1, 32, 16, 16)))}
    metadata = {"names": str({k: ["person", "bird", "car"][min(k, 2)] for k in range(50)}), "task": "segment"}
    path = net.save(tmp_path / "net.onnx", {**outputs, **masks}, metadata=metadata)
    frame, _ = _street(Fit.CENTER)
    assert len(NetworkDetector(path).detect(frame)) == 1


def _row(box: tuple[float, ...], score: float, number: int, classes: int = 80) -> list[float]:
    row = [*box, score] + [0.0] * classes
    row[5 + number] = score
    return row


def _yolox(path: Path, rows: dict[int, list[float]], classes: int = 80) -> Path:
    output = np.zeros((1, tiny.CELLS, 5 + classes), np.float32)
    for cell, row in rows.items():
        output[0, cell] = row
    return tiny.constants(path, {"output": output})


def test_small_boxes_of_a_decoded_network_are_not_taken_for_raw_ones(tmp_path: Path) -> None:
    path = _yolox(tmp_path / "a.onnx", {13: _row((32, 30, 11, 9), 0.95, 2)})
    (found,) = NetworkDetector(path).detect(GRAY)
    assert found.box == pytest.approx((26.5, 25.5, 37.5, 34.5))


def test_cells_of_all_strides_become_boxes_in_frame_pixels(tmp_path: Path) -> None:
    # Cell 13 of stride 8 is in column 1, row 1; the second of stride 32 in column 1, row 0.
    rows = {
        13: _row((0.5, 0.5, np.log(2), np.log(1)), 0.9, 2),
        144 + 7: _row((0.0, 0.0, np.log(0.5), np.log(0.5)), 0.8, 5),
        180 + 1: _row((0.5, 0.5, np.log(0.5), np.log(0.25)), 0.7, 7),
    }
    found = NetworkDetector(_yolox(tmp_path / "a.onnx", rows)).detect(np.zeros((96, 192, 3), np.uint8))
    assert [detection.score for detection in found] == pytest.approx([0.81, 0.64, 0.49])
    assert found[0].box == pytest.approx((8, 16, 40, 32))  # center (12, 12), 16x8 at half size
    assert found[1].box == pytest.approx((24, 24, 40, 40))
    assert found[2].box == pytest.approx((80, 24, 112, 40))


def test_a_car_and_a_truck_in_one_place_are_one_vehicle_whose_box_is_cut_at_the_frame(tmp_path: Path) -> None:
    rows = {0: _row((0.1, 0, np.log(2), np.log(2)), 0.8, 2), 1: _row((-1, 0, np.log(2), np.log(2)), 0.9, 7)}
    (found,) = NetworkDetector(_yolox(tmp_path / "a.onnx", rows)).detect(GRAY)
    assert found.score == pytest.approx(0.81)
    assert found.box == pytest.approx((0, 0, 8, 8))


def test_only_wanted_classes_and_sure_scores_count(tmp_path: Path) -> None:
    rows = {
        0: _row((0, 0, 0, 0), 0.9, 0),  # a person
        3: _row((0, 0, 0, 0), 0.9, 3),  # a motorcycle
        20: _row((0, 0, 0, 0), 0.54, 2),  # an unsure car
        40: _row((0, 0, 0, 0), 0.56, 2),
    }
    path = _yolox(tmp_path / "a.onnx", rows)
    for spec, found in (
        (DetectorSpec(), 1),
        (DetectorSpec(classes=("Motorcycle", "0")), 2),
        (DetectorSpec(confidence=0.2), 2),
        (ALL, 3),
    ):
        assert len(NetworkDetector(path, spec=spec).detect(GRAY)) == found


def test_a_network_of_its_own_unnamed_classes_is_asked_which_are_vehicles(tmp_path: Path) -> None:
    path = _yolox(tmp_path / "a.onnx", {0: _row((0, 0, 0, 0), 0.9, 0, classes=2)}, classes=2)
    for classes, message in (
        (None, r"has 2 classes and does not name them .*--classes"),
        (("bus",), r"'bus' is not a class of .*; accepted: 0 to 1"),
    ):
        with pytest.raises(InputError, match=message):
            NetworkDetector(path, spec=DetectorSpec(classes=classes))


def test_a_network_that_names_its_classes_has_its_vehicles_taken_and_told(tmp_path: Path) -> None:
    net, outputs = tiny.yolov8(4)
    names = str({0: "pedestrian", 1: "motor", 2: "van", 3: "Truck"})
    path = net.save(tmp_path / "a.onnx", outputs, metadata={"names": names})
    detector = NetworkDetector(path)
    assert len(detector.detect(_street(Fit.CENTER)[0])) == 1
    assert "vehicles are its classes van (2), Truck (3), not pedestrian, motor" in detector.notice


def test_names_that_are_not_those_of_its_classes_are_passed_over_where_numbers_are_asked_for(
    tmp_path: Path,
) -> None:
    for classes, named, words in ((1, 80, "1 class by its outputs"), (4, 2, "4 classes by its outputs")):
        net, outputs = tiny.yolov8(classes)
        names = str({number: f"thing {number}" for number in range(named)})
        opened = open_network(net.save(tmp_path / "a.onnx", outputs, metadata={"names": names}))
        for asked in (None, ("thing 0",)):
            with pytest.raises(InputError, match=rf"{words}.* its metadata names {named}.*--classes"):
                opened.classes(asked)
        for asked in (("0",), ("all",)):
            assert 0 in opened.classes(asked).wanted("a.onnx", asked)
        with pytest.raises(InputError, match=f"accepted: 0 to {classes - 1}"):
            opened.classes((str(classes),)).wanted("a.onnx", (str(classes),))


@pytest.mark.parametrize("domain", ["", "TRT"])
def test_suppression_that_only_tensorrt_has_is_refused_with_the_export_that_works(
    domain: str, tmp_path: Path
) -> None:
    net, outputs = tiny.yolov8(3)
    path = net.save(tmp_path / "a.onnx", outputs)
    model = onnx.load(path)
    ends = ["num_dets", "det_boxes", "det_scores", "det_classes"]
    boxes = [model.graph.output[0].name] * 2
    model.graph.node.append(onnx.helper.make_node("EfficientNMS_TRT", boxes, ends, domain=domain))
    del model.graph.output[:]
    shapes = ([1, 1], [1, 100, 4], [1, 100], [1, 100])
    kinds = [onnx.TensorProto.INT32, onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT, onnx.TensorProto.INT32]
    for name, kind, shape in zip(ends, kinds, shapes, strict=True):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, shape))
    if domain:
        model.opset_import.append(onnx.helper.make_opsetid(domain, 1))
    onnx.save(model, path)
    with pytest.raises(InputError, match=r"ends in EfficientNMS_TRT, which TensorRT alone runs; export it"):
        NetworkDetector(path)


def test_a_network_that_does_not_say_how_many_classes_it_has_is_taken_as_cocos(tmp_path: Path) -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = [4, 4, 20, 20, 0.9, 2]
    detector = NetworkDetector(tiny.constants(tmp_path / "a.onnx", {"output0": rows}))
    assert "names no classes: taken as COCO's car (2)" in detector.notice
    assert [found.box for found in detector.detect(GRAY)] == [(4, 4, 20, 20)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((np.nan, 4, 20, 20, 0.9, 2), "boxes that are not finite"),
        ((-1e12, 4, 20, 20, 0.9, 2), "billions of pixels"),
        ((4, 4, 20, 20, np.nan, 2), "scores that are not finite"),
        ((4, 4, 20, 20, 7.5, 2), r"a score of 7\.5; expected 0 to 1"),
        ((4, 4, 20, 20, 0.9, 0.4), r"class 0\.4; expected whole numbers"),
    ],
)
def test_what_is_no_detection_is_refused(tmp_path: Path, row: tuple[float, ...], message: str) -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = row
    detector = NetworkDetector(tiny.constants(tmp_path / "a.onnx", {"output0": rows}))
    with pytest.raises(InputError, match=rf"a\.onnx: the detector gives {message}|a\.onnx.*{message}"):
        detector.detect(GRAY)


@pytest.mark.parametrize(
    "outputs",
    [
        {"output": (1, 10, 4)},
        {"output": (1, 1000)},
        {"output": (1, 3, 8, 8, 85)},
        {"output": (1, 144, 84), "more": (1, 144, 84)},
        {"boxes": (1, 189, 4), "scores": (1, 189, 80)},
        {"detections:0": (1, 100, 7)},
        {"detection_boxes": (1, 9, 4), "detection_scores": (1, 9), "detection_classes": (1, 9)},
    ],
    ids=str,
)
def test_another_kind_of_network_is_refused_with_what_it_has(
    tmp_path: Path, outputs: dict[str, tuple[int, ...]]
) -> None:
    arrays = {name: np.zeros(shape, np.float32) for name, shape in outputs.items()}
    with pytest.raises(InputError, match=r"takes images \(1, 3, 96, 96\) f32 and gives .*Accepted: YOLOX"):
        NetworkDetector(tiny.constants(tmp_path / "a.onnx", arrays))


@pytest.mark.parametrize("sides", [32, 64])
def test_a_network_whose_boxes_are_not_decoded_is_refused(tmp_path: Path, sides: int) -> None:
    net, outputs = tiny.undecoded(sides=sides)
    with pytest.raises(InputError, match="boxes that are not decoded, as of NanoDet"):
        NetworkDetector(net.save(tmp_path / "a.onnx", outputs))


def test_a_network_for_another_task_is_refused(tmp_path: Path) -> None:
    net, outputs = tiny.yolov8()
    path = net.save(tmp_path / "a.onnx", outputs, metadata={"task": "obb"})
    with pytest.raises(InputError, match="for the task 'obb', not for detection"):
        NetworkDetector(path)


def test_a_picture_of_one_channel_is_refused(tmp_path: Path) -> None:
    path = tiny.constants(tmp_path / "a.onnx", {"o": np.zeros((1, 189, 85))}, shape=(1, 1, 96, 96))
    with pytest.raises(InputError, match=r"takes images \(1, 1, 96, 96\) f32 .*three channels"):
        NetworkDetector(path)


def test_what_is_no_network_is_refused_in_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    (tmp_path / "text.onnx").write_text("# A network\n\nVehicles: cars\n")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "page.onnx").write_text("<html>404</html>")
    (tmp_path / "ncnn.param").write_text("7767517\n75 83\n")
    (tmp_path / "weights.pt").write_bytes(b"junk")
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "packed").write_bytes(b"\x1f\x8b\x08 and so on")
    os.mkfifo(tmp_path / "pipe.onnx")
    for name, message in {
        "absent.onnx": "there is no detector .*absent.onnx",
        "junk.onnx": "cannot be loaded .*it is no ONNX file.; expected a network in ONNX form",
        "text.onnx": "cannot be loaded .*it is no ONNX file.",
        "empty.onnx": "cannot be loaded",
        "page.onnx": "is a web page; expected a network .* Download the file itself",
        "weights.pt": "is a file of PyTorch; expected a network in ONNX form",
        "ncnn.param": "cannot be loaded .*it is no ONNX file.",
        "pointer.onnx": "is a pointer of Git LFS .*; expected a network .* Fetch it: git lfs pull",
        "packed": "is compressed by gzip; expected .* Unpack it",
        "pipe.onnx": "is a pipe; expected a network in ONNX form",
        ".": "is a folder; expected a network in ONNX form",
    }.items():
        with pytest.raises(InputError, match=message):
            NetworkDetector(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_weights_that_were_left_behind_are_named(tmp_path: Path) -> None:
    net, outputs = tiny.yolov8()
    path = net.save(tmp_path / "a.onnx", outputs)
    model = onnx.load(str(path))
    onnx.save(model, str(path), save_as_external_data=True, location="a.data", size_threshold=0)
    (tmp_path / "a.data").unlink()
    with pytest.raises(InputError, match=r"cannot be loaded .*second file"):
        NetworkDetector(path)


def test_without_openvino_the_error_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    (tmp_path / "a.onnx").touch()
    with pytest.raises(MissingDependencyError, match="pip install openvino"):
        NetworkDetector(tmp_path / "a.onnx")


def test_the_real_detector_finds_the_vehicles_of_a_real_street(shared_data: Path) -> None:
    detector = NetworkDetector(shared_data / "detector" / "yolox_nano.onnx", threads=1)
    clip = shared_data / "clips" / "suburban_a_640x352.mp4"
    tracks = read_tracks(clip.with_suffix(".txt"))
    source = VideoFile(clip, duration=1.5)
    there = found = 0
    for frame in source.frames():
        if frame.index % 12:
            continue
        boxes = [detection.box for detection in detector.detect(frame.picture)]
        for truth in tracks.at(frame.index):
            there += 1
            found += any(_iou(truth.box, box) > 0.5 for box in boxes)
    source.close()
    assert there >= 20
    assert found >= 0.7 * there


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    high = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return wide * high / (sum(areas) - wide * high)
