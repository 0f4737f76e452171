# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri_edge.deepstream`: what nvinfer attaches, as pyservicemaker and as pyds give it, on small fakes."""

from __future__ import annotations

import ctypes
import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from pamtri_edge.bundle import SHIPPED_BUNDLE, open_bundle
from pamtri_edge.deepstream import UNTRACKED, Reader, probe
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.events import Event
from pamtri_edge.gst import CVehicle

TENSORS, OURS = 12, 8195
APPS = Path(__file__).parents[2] / "pipelines" / "apps"


@pytest.fixture(scope="module")
def manifest():
    return open_bundle(SHIPPED_BUNDLE).manifest


@pytest.fixture
def outputs(manifest):
    """Return what draws outputs, by name, as nvinfer has them for one vehicle."""

    def drawn(color=3, first=0.0):
        colors = np.full(len(manifest.colors), 0.01, np.float32)
        colors[color] = 0.9
        return {
            "embedding": np.arange(manifest.embedding_dim, dtype=np.float32) + first,
            "color": colors,
            "type": np.eye(len(manifest.types), dtype=np.float32)[1],
            "keypoints": np.full((36, 3), 0.5, np.float32),
            "quality": np.array([0.75], np.float32),
        }

    return drawn


RECT = SimpleNamespace(left=10.0, top=20.0, width=100.0, height=50.0)


def thing_of(track, tensors=(), **more):
    """Return an object as pyservicemaker has it: iterators that can be walked once, tensors by DLPack."""
    items = [
        SimpleNamespace(as_tensor_output=lambda one=one: SimpleNamespace(get_layers=lambda: one))
        for one in tensors
    ]
    return SimpleNamespace(object_id=track, label="car", rect_params=RECT, tensor_items=iter(items), **more)


def batch_of(*things, source=0):
    frame = SimpleNamespace(source_id=source, frame_number=5, object_items=iter(things))
    return SimpleNamespace(frame_items=iter([frame]))


def of_service_maker(*objects, source=0):
    """Return a batch as pyservicemaker gives it, of objects, each an id and its tensors."""
    return batch_of(*(thing_of(*one) for one in objects), source=source)


class Link:
    """An element of a GList, whose end is told by StopIteration."""

    def __init__(self, values):
        self.data, *self._rest = values

    @property
    def next(self):
        if not self._rest:
            raise StopIteration
        return Link(self._rest)


def listed(values):
    return Link(values) if values else None


class Castable:
    @staticmethod
    def cast(data):
        return data


@pytest.fixture
def pyds(monkeypatch):
    """Put a module in place of pyds that reads the batches of `of_pyds`."""
    module = ModuleType("pyds")
    for name in ("NvDsBatchMeta", "NvDsFrameMeta", "NvDsObjectMeta", "NvDsUserMeta", "NvDsInferTensorMeta"):
        setattr(module, name, Castable)
    module.NvDsMetaType = SimpleNamespace(NVDSINFER_TENSOR_OUTPUT_META=TENSORS)
    module.gst_buffer_get_nvds_batch_meta = lambda address: batches[address]
    module.get_nvds_LayerInfo = lambda meta, number: meta.layers[number]
    module.get_ptr = lambda buffer: buffer
    module.nvds_get_user_meta_type = {"PAMTRI_EDGE.REID.VEHICLE": OURS}.__getitem__
    batches = module.batches = {}
    monkeypatch.setitem(sys.modules, "pyds", module)
    return module


def of_pyds(module, *objects, unique_id=2, ours=None):
    things = []
    for track, tensors in objects:
        users = [SimpleNamespace(base_meta=SimpleNamespace(meta_type=7), user_meta_data=None)]
        for one in tensors:
            layers = [
                SimpleNamespace(
                    layerName=name,
                    buffer=values.ctypes.data_as(ctypes.c_void_p).value,
                    inferDims=SimpleNamespace(numElements=values.size),
                )
                for name, values in one.items()
            ]
            meta = SimpleNamespace(unique_id=unique_id, num_output_layers=len(layers), layers=layers)
            users.append(SimpleNamespace(base_meta=SimpleNamespace(meta_type=TENSORS), user_meta_data=meta))
        if ours is not None:
            base = SimpleNamespace(meta_type=OURS)
            users.append(SimpleNamespace(base_meta=base, user_meta_data=ctypes.addressof(ours)))
        things.append(
            SimpleNamespace(
                object_id=track, obj_label="car", rect_params=RECT, obj_user_meta_list=listed(users)
            )
        )
    frame = SimpleNamespace(source_id=0, frame_num=5, obj_meta_list=listed(things))
    buffer = object()
    module.batches[hash(buffer)] = SimpleNamespace(frame_meta_list=listed([frame]))
    return buffer


@pytest.fixture(params=["pyservicemaker", "pyds"])
def read(request, manifest, pyds):
    """Return what reads objects, each an id and its tensors, in one way or the other."""
    reader = Reader(manifest)
    if request.param == "pyds":
        return lambda *objects: reader.buffer(of_pyds(pyds, *objects))
    return lambda *objects: reader.batch(of_service_maker(*objects))


def test_a_vehicle_is_the_result_of_the_sdk(read, outputs, manifest):
    given = outputs()
    [seen] = read((7, [given]))
    assert (seen.source, seen.frame, seen.track_id, seen.label, seen.looked) == (0, 5, 7, "car", True)
    assert seen.box == (10, 20, 110, 70)
    vehicle = seen.vehicle
    assert np.array_equal(vehicle.embedding, given["embedding"])
    assert (vehicle.color, vehicle.type) == (manifest.colors[3], manifest.types[1])
    assert vehicle.keypoints.shape == (36, 3)
    assert vehicle.quality == pytest.approx(0.75)


def test_between_two_looks_the_last_one_stays(read, outputs):
    read((7, [outputs(color=3)]))
    read((7, [outputs(color=4)]))
    [seen] = read((7, []))
    assert not seen.looked
    assert seen.vehicle.color_probs.argmax() == 4


def test_what_was_read_outlives_the_buffer(read, outputs):
    given = outputs()
    [seen] = read((7, [given]))
    given["embedding"][:] = -1
    assert seen.vehicle.embedding[1] == 1


def test_untracked_vehicles_are_not_kept(read, outputs):
    [seen] = read((UNTRACKED, [outputs()]))
    assert (seen.track_id, seen.vehicle is None) == (None, False)
    [after] = read((UNTRACKED, []))
    assert after.vehicle is None


def test_tensors_of_other_networks_are_passed_over(read, outputs):
    other = {"probabilities": np.ones(4, np.float32)}
    first, second = read((7, [other, outputs(), other]), (8, [other]))
    assert first.looked
    assert (second.looked, second.vehicle) == (False, None)


def test_an_embedding_of_another_length_is_told(read):
    with pytest.raises(InputError, match="embeddings of 3 numbers"):
        read((7, [{"embedding": np.ones(3, np.float32)}]))


def test_a_batch_without_objects_gives_none(read):
    assert read() == []


def test_ids_of_different_sources_are_different_vehicles(manifest, outputs):
    reader = Reader(manifest)
    reader.batch(of_service_maker((7, [outputs()]), source=0))
    [other] = reader.batch(of_service_maker((7, []), source=1))
    assert other.vehicle is None


def test_only_so_many_tracks_are_kept(manifest, outputs):
    reader = Reader(manifest, most_tracks=2)
    for track in (1, 2):
        reader.batch(of_service_maker((track, [outputs()])))
    reader.batch(of_service_maker((1, [])))
    reader.batch(of_service_maker((3, [outputs()])))
    found = reader.batch(of_service_maker((1, []), (2, []), (3, [])))
    assert [one.vehicle is not None for one in found] == [True, False, True]


def test_pyds_can_be_told_the_engine(manifest, outputs, pyds):
    reader = Reader(manifest, engine=2)
    assert reader.buffer(of_pyds(pyds, (7, [outputs()]), unique_id=3))[0].vehicle is None
    assert reader.buffer(of_pyds(pyds, (7, [outputs()]), unique_id=2))[0].vehicle is not None


class Class:
    """A ClassifierMetadata of pyservicemaker."""

    unique_component_id, n_labels = 77, 1

    def __init__(self, kind, label):
        self.classifier_type, self._label = kind, label

    def get_n_label(self, number):
        assert number == 0
        return self._label


def told(track, embeddings, classes=()):
    """Return an object with what elements behind nvinfer attach, as pyservicemaker has it."""
    reids = [
        SimpleNamespace(feature_size=one.size, feature_vector=np.asarray(one, np.float32))
        for one in embeddings
    ]
    return thing_of(
        track,
        obj_reid_items=iter([SimpleNamespace(as_obj_reid=lambda one=one: one) for one in reids]),
        classifier_items=iter([Class(*one) for one in classes]),
    )


@pytest.fixture
def ours(manifest):
    """Return what gives the embedding and the classes that nvpamtri attaches."""
    classes = (("vehicletype", "minivan of another network"), ("color", manifest.colors[3]))
    classes += (("vehicletype", manifest.types[1]),)
    return lambda first=0.0: (np.arange(manifest.embedding_dim, dtype=np.float32) + first, classes)


def test_what_nvpamtri_tells_comes_as_the_feature_vector(manifest, ours):
    reader = Reader(manifest)
    (embedding, classes), (more, _) = ours(), ours(1.0)
    trackers = np.ones(manifest.embedding_dim + 1, np.float32)
    [seen] = reader.batch(batch_of(told(7, [trackers, embedding], classes)))
    assert np.array_equal(seen.vehicle.embedding, embedding)
    assert (seen.vehicle.color, seen.vehicle.type) == (manifest.colors[3], manifest.types[1])
    assert (seen.vehicle.keypoints, seen.looked) == (None, True)
    [again] = reader.batch(batch_of(told(7, [embedding], classes)))
    assert not again.looked
    [better] = reader.batch(batch_of(told(7, [more], classes)))
    assert (better.looked, better.vehicle.embedding[0]) == (True, 1)
    [untracked] = reader.batch(batch_of(told(UNTRACKED, [embedding], classes)))
    assert untracked.looked


def test_the_embedding_of_the_tracker_is_not_taken_for_ours(manifest, ours):
    embedding, _ = ours()
    [seen] = Reader(manifest).batch(batch_of(told(7, [embedding])))
    assert (seen.vehicle, seen.looked) == (None, False)


def test_what_the_network_said_itself_goes_before(manifest, ours, outputs):
    reader = Reader(manifest)
    reader.batch(of_service_maker((7, [outputs(color=4)])))
    [seen] = reader.batch(batch_of(told(7, *ours())))
    assert not seen.looked
    assert seen.vehicle.keypoints is not None


def test_pyds_gives_all_that_nvpamtri_tells(manifest, outputs, pyds):
    given = outputs()
    rows = {name: given[name].ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for name in given}
    meta = CVehicle(
        **{"quality": 0.75, "color": manifest.colors[3].encode(), "type": None},
        **{"embedding": rows["embedding"], "embedding_size": given["embedding"].size},
        **{"color_probs": rows["color"], "color_count": given["color"].size},
        **{"keypoints": rows["keypoints"], "keypoint_count": 36},
    )
    buffer = of_pyds(pyds, (7, []), ours=meta)
    [seen] = Reader(manifest).buffer(buffer)
    given["embedding"][:] = -1
    vehicle = seen.vehicle
    assert (vehicle.embedding[1], vehicle.color, vehicle.type) == (1, manifest.colors[3], None)
    assert (vehicle.keypoints.shape, vehicle.quality, seen.looked) == ((36, 3), 0.75, True)
    [again] = Reader(manifest).buffer(of_pyds(pyds, (7, []), ours=CVehicle()))
    assert again.vehicle is None


def test_a_probe_hands_on_every_batch(manifest, outputs, monkeypatch):
    module = ModuleType("pyservicemaker")
    module.BatchMetadataOperator = object
    module.Probe = lambda name, operator: (name, operator)
    monkeypatch.setitem(sys.modules, "pyservicemaker", module)
    seen = []
    name, operator = probe(Reader(manifest), seen.extend, name="mine")
    operator.handle_metadata(of_service_maker((7, [outputs()])))
    assert (name, len(seen)) == ("mine", 1)


def test_what_is_missing_is_told(manifest, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyservicemaker", None)
    with pytest.raises(MissingDependencyError, match=r"comes with DeepStream 7\.1"):
        probe(Reader(manifest), print)
    monkeypatch.setitem(sys.modules, "pyds", None)
    with pytest.raises(MissingDependencyError, match="wheels"):
        Reader(manifest).buffer(object())
    monkeypatch.setitem(sys.modules, "pyds", ModuleType("pyds"))
    with pytest.raises(MissingDependencyError, match="planetary"):
        Reader(manifest).buffer(object())


@pytest.fixture
def pipeline(monkeypatch):
    """Put a module in place of pyservicemaker, whose pipelines play the batches that are given."""
    module = ModuleType("pyservicemaker")
    module.BatchMetadataOperator = object
    module.Probe = lambda name, operator: operator

    class Pipeline:
        batches = ()

        def __init__(self, name, path):
            assert path == "service-maker.yaml"

        def attach(self, element, operator):
            assert element == "pamtri"
            self._operator = operator
            return self

        def start(self):
            return self

        def wait(self):
            for batch in self.batches:
                self._operator.handle_metadata(batch)

    module.Pipeline = Pipeline
    monkeypatch.setitem(sys.modules, "pyservicemaker", module)
    return Pipeline


def run(monkeypatch, name, *more):
    arguments = ["service-maker.yaml", "--bundle", str(SHIPPED_BUNDLE), *more]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(APPS / name), run_name="__main__")


def test_the_application_prints_what_was_looked_at(pipeline, outputs, manifest, monkeypatch, capsys):
    pipeline.batches = [of_service_maker((7, [outputs()]), (8, []))]
    run(monkeypatch, "deepstream_print.py")
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("source 0 frame 5 track 7 [10 20 110 70] <Vehicle: ")
    assert manifest.colors[3] in line


def test_the_application_sends_an_event_a_vehicle(pipeline, outputs, manifest, monkeypatch, tmp_path):
    blurred = outputs(color=4) | {"quality": np.array([0.1], np.float32)}
    late = of_service_maker((9, [outputs()]), (UNTRACKED, [outputs()]))
    [frame] = late.frame_items
    frame.frame_number = 100
    late.frame_items = iter([frame])
    pipeline.batches = [
        of_service_maker((7, [outputs()]), (8, [])),
        of_service_maker((7, [blurred])),
        of_service_maker((7, [])),
        late,
    ]
    run(monkeypatch, "deepstream_send.py", "--sink", f"file:{tmp_path / 'events.jsonl'}")
    first, second = map(Event.from_json, (tmp_path / "events.jsonl").read_text().splitlines())
    assert (first.track_id, first.frames.seen, first.frames.embedded) == (7, 3, 2)
    assert (first.color.label, first.camera) == (manifest.colors[3], "camera-0")
    assert first.keypoints[0][:2] == (60.0, 45.0)
    assert (second.track_id, second.start_s) == (9, 4.0)
