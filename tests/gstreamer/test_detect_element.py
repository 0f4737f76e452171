# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pamtridetect finds what the detector of `pamtri run` finds, in every layout and format of frames."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import _native
from pamtri_edge.video.detect.description import SUFFIX, describe, write_description
from pamtri_edge.video.detect.detection import Detection
from pamtri_edge.video.detect.network import DetectorSpec, NetworkDetector

pytest.importorskip("onnx", reason="the networks of these tests are made with onnx")
pytest.importorskip("openvino", reason="the element stands on OpenVINO")
import tiny_detectors as tiny

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 208, 110  # rows of all planes end at a multiple of four bytes

Found = list[tuple[str, float, tuple[float, ...]]]
Launch = Callable[..., subprocess.CompletedProcess[str]]
Run = tuple[bytes, str] | tuple[bytes, str, str]
Detect = Callable[..., list[Found]]

# How outputs are decoded the core says, which Python runs too; here every kind of number and of picture.
NETWORKS: dict[str, tuple[tiny.Builder, dict[str, object]]] = {
    "YOLOX": (tiny.yolox, {}),
    "YOLOv8, transposed": (partial(tiny.yolov8, transposed=True), {}),
    "YOLOv7 end to end": (partial(tiny.suppressed, "ibcs"), {}),
    "four outputs": (tiny.efficient_nms, {}),
    "torchvision": (tiny.torchvision, {}),
    "DeepStream-Yolo": (tiny.deepstream, {}),
    "RT-DETR": (tiny.rt_detr, {}),
    "RF-DETR": (tiny.rf_detr, {}),
    **{
        f"pictures of {shape} {dtype}": (
            tiny.yolox,
            {"dtype": dtype, "shape": shape, "metadata": {"imgsz": "[96, 96]"}},
        )
        for shape, dtype in (
            (("N", 3, 96, 96), "f16"),
            ((1, 96, 96, 3), "u8"),
            ((1, 3, "height", "width"), "f32"),
        )
    },
}


def street() -> NDArray[np.uint8]:
    """Return a frame of red vehicles of every shade on a dark street, (H, W, 3) RGB."""
    random = np.random.default_rng(7)
    frame = random.integers(0, 40, (HEIGHT, WIDTH, 3), np.uint8)
    for x, y, red in ((20, 10, 255), (100, 40, 235), (150, 70, 200), (60, 80, 215)):
        frame[y : y + 26, x : x + 30] = (red, 8, 5)
    return frame


def written(folder: Path, build: tiny.Builder, name: str = "net", **options: object) -> Path:
    """Write a network and its description; return the network."""
    net, outputs = build()
    sized = set(outputs) == {"labels", "boxes", "scores"}
    path = net.save(folder / f"{name}.onnx", outputs, sizes=sized, **options)  # type: ignore[arg-type]
    write_description(describe(path)[0], path.with_suffix(SUFFIX))
    return path


@pytest.fixture(scope="module")
def detect(
    launch: Launch, environment: dict[str, str], detecting: Path, tmp_path_factory: pytest.TempPathFactory
) -> Detect:
    """Return what runs elements beside each other in one process, and gives what each found.

    A run is its raw frames, the properties and, where they are not RGB, the form of the frames.
    """
    frames_of = tmp_path_factory.mktemp("frames")

    def run_all(*runs: Run) -> list[Found]:
        lines = []
        for number, (frames, properties, *form) in enumerate(runs):
            (frames_of / f"{number}.raw").write_bytes(frames)
            lines.append(
                f"filesrc location={frames_of}/{number}.raw ! rawvideoparse width={WIDTH} height={HEIGHT} "
                f"format={form[0] if form else 'rgb'} framerate=25/1 ! "
                f"pamtridetect name=run{number} {properties} ! fakesink"
            )
        environment["GST_DEBUG"] = "pamtridetect:6"
        try:
            done = launch(" ".join(lines))
        finally:
            del environment["GST_DEBUG"]
        assert done.returncode == 0, done.stderr
        return [found_in(done.stderr, f"run{number}") for number in range(len(runs))]

    return run_all


def found_in(log: str, element: str) -> Found:
    """Return what an element found, in order, from a debug log."""
    numbers = r"(\S+) x1=(\S+) y1=(\S+) x2=(\S+) y2=(\S+)"
    return [
        (label, float(score), tuple(map(float, box)))
        for label, score, *box in re.findall(rf"<{element}> detection (.+) {numbers}", log)
    ]


def assert_same(found: Found, expected: list[Detection]) -> None:
    assert [box for _, _, box in found] == [one.box for one in expected]
    assert [score for _, score, _ in found] == pytest.approx([one.score for one in expected], abs=1e-6)


@pytest.fixture(scope="module")
def by_network(detect: Detect, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Found]]:
    """Return each network, by its name, and what the element found with it."""
    folder = tmp_path_factory.mktemp("networks")
    paths = {
        name: written(folder, build, f"net{number}", **options)
        for number, (name, (build, options)) in enumerate(NETWORKS.items())
    }
    found = detect(*((street().tobytes(), f"detector={path} classes=all") for path in paths.values()))
    return dict(zip(paths, zip(paths.values(), found, strict=True), strict=True))


@pytest.mark.parametrize("network", NETWORKS)
def test_the_boxes_are_those_of_pamtri_run_in_every_layout(
    by_network: dict[str, tuple[Path, Found]], network: str
) -> None:
    path, found = by_network[network]
    expected = NetworkDetector(path, spec=DetectorSpec(classes=("all",))).detect(street())
    assert len(expected) >= (1 if network == "four outputs" else 2)
    assert_same(found, expected)


def test_frames_of_every_form_are_converted_as_pamtri_run_converts_them(
    tmp_path: Path, detect: Detect
) -> None:
    path = written(tmp_path, tiny.yolov8)
    detector, given = NetworkDetector(path), f"detector={path}"
    red = street()[..., 0] > 150
    luma = np.where(red, 81, street()[..., 1] + 16).astype(np.uint8)
    u, v = (np.where(red[::2, ::2], value, 128).astype(np.uint8) for value in (90, 240))
    frame = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    # BT.601 for so few lines; rawvideoparse says that chroma lies between its pixels both ways.
    _native.planar_to_rgb(luma, u, v, frame, 0.299, 0.114, False, False, False)
    bgr, i420, nv12 = detect(
        (street()[..., ::-1].tobytes(), given, "bgr"),
        (luma.tobytes() + u.tobytes() + v.tobytes(), given, "i420"),
        (luma.tobytes() + np.stack([u, v], -1).tobytes(), given, "nv12"),
    )
    assert_same(bgr, detector.detect(street()))
    assert detector.detect(frame)
    for found in (i420, nv12):
        assert_same(found, detector.detect(frame))


def test_options_of_pamtri_run_are_properties_with_its_defaults(
    tmp_path: Path, detect: Detect, environment: dict[str, str]
) -> None:
    path = written(tmp_path, tiny.yolov8)
    frame = street()
    specs = {
        "": DetectorSpec(),
        "confidence=0.9": DetectorSpec(confidence=0.9),
        "overlap=0.9": DetectorSpec(overlap=0.9),
        "classes=CAR,7": DetectorSpec(classes=("car", "7")),
        "threads=1": DetectorSpec(),
    }
    runs = detect(*((frame.tobytes(), f"detector={path} {properties}") for properties in specs))
    for found, spec in zip(runs, specs.values(), strict=True):
        assert_same(found, NetworkDetector(path, spec=spec).detect(frame))
    told = subprocess.run(
        ["gst-inspect-1.0", "pamtridetect"], env=environment, capture_output=True, text=True
    ).stdout
    for name, default in (("confidence", DetectorSpec().confidence), ("overlap", DetectorSpec().overlap)):
        assert re.search(rf"^  {name} .*?Default: +{default} ", told, re.MULTILINE | re.DOTALL)


def test_regions_are_named_as_the_network_names_its_classes(tmp_path: Path, detect: Detect) -> None:
    names = str({0: "person", 1: "Minibus", 2: "police car"})
    named = written(tmp_path, partial(tiny.yolov8, 3), "named", metadata={"names": names})
    unnamed = written(tmp_path, partial(tiny.yolov8, 3))
    given = (f"{named}", f"{named} classes=minibus", f"{unnamed} classes=all")
    runs = detect(*((street().tobytes(), f"detector={properties}") for properties in given))
    assert [{label for label, _, _ in found} for found in runs] == [{"police car"}, set(), {"2"}]


def test_a_description_leads_to_its_network(tmp_path: Path, detect: Detect) -> None:
    path = written(tmp_path, tiny.yolov8)
    (tmp_path / "other").symlink_to(tmp_path)
    places = (f"{tmp_path}/other/net{SUFFIX}", path)
    by_description, by_network = detect(*((street().tobytes(), f"detector={place}") for place in places))
    assert by_description == by_network != []


def change(path: Path, field: str, value: object) -> None:
    description = json.loads(path.with_suffix(SUFFIX).read_text())
    path.with_suffix(SUFFIX).write_text(json.dumps(description | {field: value}))


WRONG: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "not set": (lambda path: None, "", "The property detector is not set; give a network"),
    "no network": (lambda path: path.unlink(), "{0}", "there is no detector {0} (No such file"),
    "a folder": (lambda path: None, "{0.parent}", "{0.parent} is a folder; expected a network"),
    "no description": (
        lambda path: path.with_suffix(SUFFIX).unlink(),
        "{0}",
        "{0} has no description beside it, net.detector.json, which pamtri detector describe {0} writes",
    ),
    "another network": (
        lambda path: path.write_bytes(path.read_bytes() + b"\x00"),
        "{0}",
        "{0} is not the network that was described: its SHA-256 differs. Describe it again: pamtri",
    ),
    "another name": (
        lambda path: change(path, "model", {"file": "a.onnx", "sha256": "0" * 64}),
        "{0}",
        "net.detector.json describes a.onnx, not net.onnx",
    ),
    "no network beside": (
        lambda path: path.unlink(),
        "{0.parent}/net.detector.json",
        "net.detector.json describes net.onnx, which is not beside it",
    ),
    "no JSON": (
        lambda path: path.with_suffix(SUFFIX).write_text("{"),
        "{0}",
        "net.detector.json is no description of a detector: it is no JSON",
    ),
    "of a later release": (lambda path: change(path, "schema", 2), "{0}", "schema is 2; expected 1"),
    "other inputs": (
        lambda path: change(path, "sizes", {"input": 1, "shape": [1, 2], "type": "i64"}),
        "{0}",
        "{0} is not as it was described: it has no input number 1. Describe it again",
    ),
    "no such class": (
        lambda path: None,
        "{0} classes=car,tram",
        "'tram' is not a class of {0}; accepted: bicycle, car, motorcycle, bus, truck, or a number",
    ),
    "another device": (lambda path: None, "{0} device=cuda", "device is 'cuda'; accepted: 'auto', 'cpu'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_it_cannot_use_stops_the_pipeline_with_one_sentence(
    tmp_path: Path, launch: Launch, detecting: Path, case: str
) -> None:
    path = written(tmp_path, tiny.yolov8)
    damage, properties, message = WRONG[case]
    damage(path)
    given = f"detector={properties.format(path)}" if properties else ""
    done = launch(f"videotestsrc num-buffers=2 ! pamtridetect {given} ! fakesink")
    assert done.returncode != 0
    assert message.format(path) in done.stderr
    assert "ERROR: from element" in done.stderr
    assert "CRITICAL" not in done.stderr


def test_a_network_that_does_not_say_which_are_vehicles_asks_for_the_property(
    tmp_path: Path, launch: Launch, detecting: Path
) -> None:
    path = written(tmp_path, partial(tiny.yolov8, 4))
    done = launch(f"videotestsrc num-buffers=2 ! pamtridetect detector={path} ! fakesink")
    assert "has 4 classes and does not name them" in done.stderr
    assert "by number: the property classes 0,2 for example" in done.stderr


def test_what_is_no_detection_stops_the_pipeline(tmp_path: Path, launch: Launch, detecting: Path) -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, 0] = (4, 4, 20, 20, 7.5, 2)
    path = tiny.constants(tmp_path / "net.onnx", {"output0": rows})
    write_description(describe(path)[0], path.with_suffix(SUFFIX))
    done = launch(f"videotestsrc num-buffers=2 ! pamtridetect detector={path} ! fakesink")
    assert done.returncode != 0
    assert f"{path}: the detector gives a score of 7.5; expected 0 to 1" in done.stderr


@pytest.mark.slow
def test_a_real_detector_finds_the_same_in_a_real_clip(
    tmp_path: Path, shared_data: Path, real: dict[str, str], detecting: Path
) -> None:
    pytest.importorskip("av")
    from pamtri_edge.video.files import VideoFile

    path = tmp_path / "yolox_nano.onnx"
    shutil.copy(shared_data / "detector" / path.name, path)
    write_description(describe(path)[0], path.with_suffix(SUFFIX))
    clip = shared_data / "clips" / "suburban_a_640x352.mp4"
    detector, source = NetworkDetector(path), VideoFile(clip, duration=0.3)
    expected = [one for frame in source.frames() for one in detector.detect(frame.picture)]
    source.close()
    done = subprocess.run(
        f"gst-launch-1.0 filesrc location={clip} ! decodebin ! videoconvert ! identity eos-after=12 ! "
        f"pamtridetect name=run detector={path} ! fakesink".split(),
        env=real | {"GST_DEBUG": "pamtridetect:6"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(expected) > 15
    assert_same(found_in(done.stderr, "run")[: len(expected)], expected)


def test_the_documented_line_draws_what_it_finds(
    tmp_path: Path, real: dict[str, str], detecting: Path, tiny_bundle: Path
) -> None:
    av = pytest.importorskip("av")
    for program in ("x264enc", "mp4mux"):
        if subprocess.run(["gst-inspect-1.0", program], capture_output=True).returncode:
            pytest.skip(f"there is no {program}")
    text = (ROOT / "docs" / "gstreamer.md").read_text()
    line = re.search(r"^gst-launch-1\.0 [^`]*?pamtridetect.*?[^\\]$", text, re.MULTILINE | re.DOTALL)
    assert line
    written(tmp_path, tiny.yolov8, "yolox_nano")
    (tmp_path / "pamtri_edge" / "weights").mkdir(parents=True)
    (tmp_path / "pamtri_edge" / "weights" / "pamtri-lite.pamtri").symlink_to(tiny_bundle)
    with av.open(str(tmp_path / "crossing.mp4"), "w") as file:
        stream = file.add_stream("libx264", Fraction(25))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(3):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(street(), format="rgb24")))
        file.mux(stream.encode())
    done = subprocess.run(
        ["sh", "-c", line.group()], cwd=tmp_path, env=real, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(tmp_path / "overlay.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == 3
    assert np.abs(frames[0].astype(int) - street()).max() > 100  # something was drawn
