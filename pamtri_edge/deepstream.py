# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of vehicles in DeepStream, read in probes of Python.

Stock nvinfer with `output-tensor-meta=1` attaches the bundle's outputs to the vehicles that it looked at in a
frame. A `Reader` makes the SDK's result of them, and keeps the last one of each track for the frames between
two looks. Where there are none, behind the element `nvpamtri` or the library for nvdspostprocess, it reads
what these tell of a track on every frame: through pyds all of it; through pyservicemaker, of releases that
hand on `obj_reid_items` (DeepStream 9), the embedding, color and type.

Of pyservicemaker (DeepStream 7.1 and later) it reads a batch's metadata, of pyds (7.1 and earlier) a buffer.
Both come with DeepStream; the `pyds` of PyPI is another program.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.gst import CVehicle, floats, text
from pamtri_edge.manifest import Manifest
from pamtri_edge.ops.driver import load_cupy
from pamtri_edge.reidentification import Reidentification, Vehicle

Floats = NDArray[np.float32]

UNTRACKED: Final = 2**64 - 1
"""DeepStream's id of an object that no tracker follows."""
_CPU: Final = 1
"""DLPack's number of host memory, kDLCPU."""
_OPTIONAL: Final = ("color", "type", "keypoints", "quality")
_VEHICLE_META: Final = "PAMTRI_EDGE.REID.VEHICLE"
"""Name of the user meta of `pipelines/deepstream/vehicle_user_meta.h`."""
_CLASSIFIERS: Final = ("color", "vehicletype")
"""What the two classifier metas of ours are called."""


@dataclass(frozen=True)
class Sighting:
    """A vehicle in a frame.

    Attributes:
        source: number of the source.
        frame: number of the frame in it.
        track_id: None where no tracker follows it.
        box: x1, y1, x2, y2 in pixels of the muxer's frame.
        label: what the detector calls it.
        looked: whether the bundle looked at it in this frame; behind `nvpamtri`, whether more is known of it
            than in the frame before.
        vehicle: what is known of it; None for nothing yet. Keypoints are in parts of the box of that look.
    """

    source: int
    frame: int
    track_id: int | None
    box: tuple[float, float, float, float]
    label: str
    looked: bool
    vehicle: Vehicle | None


@dataclass(frozen=True)
class _Known:
    """What is known of a track, and whether tensors of nvinfer told it."""

    vehicle: Vehicle
    by_look: bool


class Reader:
    """Reads the vehicles of DeepStream's batches, and keeps what is known of their tracks."""

    def __init__(self, manifest: Manifest, *, engine: int | None = None, most_tracks: int = 4096) -> None:
        """Make a reader.

        Args:
            manifest: of the bundle that nvinfer runs: `open_bundle(path).manifest`.
            engine: its gie-unique-id, for pyds; None takes any whose outputs are the bundle's.
            most_tracks: how many are kept; the one unseen for longest makes room.
        """
        if most_tracks < 1:
            raise InputError(f"most_tracks is {most_tracks}; expected 1 or more.")
        self.manifest = manifest
        self.engine = engine
        self._most = most_tracks
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()

    def batch(self, batch_meta: Any) -> list[Sighting]:
        """Return the vehicles of a batch of pyservicemaker, in `BatchMetadataOperator.handle_metadata`."""
        found = []
        for frame in batch_meta.frame_items:
            for thing in frame.object_items:
                looks = self._looks(_of_service_maker(thing))
                told = None if looks else self._told(thing)
                found.append(
                    self._sighting(frame.source_id, frame.frame_number, thing, thing.label, looks, told)
                )
        return found

    def buffer(self, buffer: Any) -> list[Sighting]:
        """Return the vehicles of a Gst.Buffer, by pyds, in a probe of a pad.

        Raises:
            MissingDependencyError: pyds is not there, or is the other program of that name.
        """
        pyds = _pyds()
        batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        found = []
        for frame in _items(batch and batch.frame_meta_list, pyds.NvDsFrameMeta):
            for thing in _items(frame.obj_meta_list, pyds.NvDsObjectMeta):
                looks = self._looks(_of_pyds(pyds, thing, self.engine))
                told = None if looks else _vehicle_meta(pyds, thing)
                found.append(
                    self._sighting(frame.source_id, frame.frame_num, thing, thing.obj_label, looks, told)
                )
        return found

    def _sighting(
        self,
        source: int,
        frame: int,
        thing: Any,
        label: str,
        looks: Sequence[Vehicle],
        told: Vehicle | None,
    ) -> Sighting:
        """Put together what was found of an object.

        Args:
            source: number of the source.
            frame: number of the frame.
            thing: the object.
            label: what the detector calls it.
            looks: results of the bundle in this frame.
            told: what an element of ours knows of it on every frame.
        """
        track = None if thing.object_id == UNTRACKED else int(thing.object_id)
        rect = thing.rect_params
        box = (rect.left, rect.top, rect.left + rect.width, rect.top + rect.height)
        vehicle = looks[-1] if looks else told
        looked = vehicle is not None
        if track is not None:
            before = self._known.get((source, track))
            if before is not None and not looks:
                # What looks told of a track stays its own, whatever stands behind them.
                looked = not before.by_look and _differs(told, before.vehicle)
                vehicle = vehicle if looked else before.vehicle
            self._remember((source, track), vehicle, bool(looks) or (before is not None and before.by_look))
        return Sighting(source, frame, track, box, label, looked, vehicle)

    def _looks(self, outputs: Sequence[Mapping[str, Floats]]) -> list[Vehicle]:
        return [one for layers in outputs if (one := self._vehicle(layers)) is not None]

    def _told(self, thing: Any) -> Vehicle | None:
        """Return what an element of ours attached to an object, as far as pyservicemaker hands it on."""
        embeddings = [
            np.array(values, np.float32)
            for item in getattr(thing, "obj_reid_items", ())
            if np.size(values := item.as_obj_reid().feature_vector) == self.manifest.embedding_dim
        ]
        names = {"color": self.manifest.colors, "vehicletype": self.manifest.types}
        labels = dict.fromkeys(_CLASSIFIERS)
        for item in getattr(thing, "classifier_items", ()):
            kind = item.classifier_type
            if item.n_labels and (label := item.get_n_label(0)) in (names.get(kind) or ()):
                labels[kind] = label
        # Without ours the embedding is the tracker's own.
        if not embeddings or any(names[kind] and labels[kind] is None for kind in _CLASSIFIERS):
            return None
        return Vehicle(embeddings[-1], labels["color"], None, labels["vehicletype"], None, None, None)

    def _remember(self, key: tuple[int, int], vehicle: Vehicle | None, by_look: bool) -> None:
        self._known.pop(key, None)
        if vehicle is not None:
            self._known[key] = _Known(vehicle, by_look)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def _vehicle(self, layers: Mapping[str, Floats]) -> Vehicle | None:
        """Return what outputs say, None where they are another network's."""
        shapes = {spec.name: tuple(side or 0 for side in spec.shape[1:]) for spec in self.manifest.outputs}
        if "embedding" not in layers:
            return None
        if layers["embedding"].size != self.manifest.embedding_dim:
            raise InputError(
                f"nvinfer gives embeddings of {layers['embedding'].size} numbers, and {self.manifest.name} "
                f"has {self.manifest.embedding_dim}: its engine is of another bundle. Name nvinfer's "
                "gie-unique-id as engine=, or build the engine again."
            )
        rows: dict[str, Floats | None] = {
            name: layers[name].reshape(1, *shapes[name]) if name in layers and name in shapes else None
            for name in _OPTIONAL
        }
        quality = rows["quality"]
        result = Reidentification(
            embeddings=layers["embedding"].reshape(1, -1),
            color_probs=rows["color"],
            type_probs=rows["type"],
            keypoints=rows["keypoints"],
            quality=None if quality is None else quality.reshape(1),
            color_names=self.manifest.colors,
            type_names=self.manifest.types,
            embedding_space=self.manifest.embedding_space,
        )
        return result[0]


def probe(reader: Reader, handle: Callable[[list[Sighting]], None], *, name: str = "pamtri") -> Any:
    """Return a probe of pyservicemaker, for `pipeline.attach(ELEMENT, probe)` behind the secondary nvinfer.

    Args:
        reader: reads the batches.
        handle: gets the vehicles of every batch, on the pipeline's thread.
        name: of the probe.

    Raises:
        MissingDependencyError: pyservicemaker is not there.
    """
    try:
        module = import_module("pyservicemaker")
    except ImportError as error:
        raise MissingDependencyError(
            f"pyservicemaker cannot be loaded ({error}); it comes with DeepStream 7.1 and later, in "
            "/opt/nvidia/deepstream/deepstream/service-maker/python. Older ones: Reader.buffer, with pyds."
        ) from error

    class Operator(module.BatchMetadataOperator):  # type: ignore[misc, name-defined]
        def handle_metadata(self, batch_meta: Any) -> None:
            handle(reader.batch(batch_meta))

    return module.Probe(name, Operator())


def _differs(told: Vehicle | None, before: Vehicle | None) -> bool:
    """Return whether more is told than was known before."""
    return told is not None and (
        before is None or not np.array_equal(told.embedding, before.embedding) or told.color != before.color
    )


def _of_service_maker(thing: Any) -> list[dict[str, Floats]]:
    """Return the outputs on an object, copied: the tensors are valid in the probe alone."""
    found = []
    for item in thing.tensor_items:
        layers = item.as_tensor_output().get_layers()
        if "embedding" in layers:
            wanted = [name for name in ("embedding", *_OPTIONAL) if name in layers]
            found.append({name: _copied(layers[name]) for name in wanted})
    return found


def _copied(tensor: Any) -> Floats:
    if int(tensor.__dlpack_device__()[0]) == _CPU:
        return np.array(np.from_dlpack(tensor), np.float32)
    return np.asarray(load_cupy().from_dlpack(tensor).get(), np.float32)


def _pyds() -> Any:
    try:
        pyds = import_module("pyds")
    except ImportError as error:
        raise MissingDependencyError(
            f"pyds cannot be loaded ({error}); its wheels for DeepStream 7.1 and earlier are at "
            "github.com/NVIDIA-AI-IOT/deepstream_python_apps/releases. Later ones: pyservicemaker."
        ) from error
    if not hasattr(pyds, "NvDsBatchMeta"):
        raise MissingDependencyError(
            "the pyds that is installed reads labels of planetary data; DeepStream's is not on PyPI: pip "
            "uninstall pyds, and install the wheel of github.com/NVIDIA-AI-IOT/deepstream_python_apps."
        )
    return pyds


def _items(link: Any, kind: Any) -> Iterator[Any]:
    """Walk a GList of pyds, which ends by None or by StopIteration."""
    while link is not None:
        yield kind.cast(link.data)
        try:
            link = link.next
        except StopIteration:
            return


def _vehicle_meta(pyds: Any, thing: Any) -> Vehicle | None:
    """Return what an element of ours attached to an object: a copy, that outlives the buffer."""
    wanted = pyds.nvds_get_user_meta_type(_VEHICLE_META)
    for user in _items(thing.obj_user_meta_list, pyds.NvDsUserMeta):
        if user.base_meta.meta_type != wanted:
            continue
        found = ctypes.cast(pyds.get_ptr(user.user_meta_data), ctypes.POINTER(CVehicle)).contents
        embedding = floats(found.embedding, found.embedding_size)
        if embedding is None:
            return None
        keypoints = floats(found.keypoints, 3 * found.keypoint_count)
        return Vehicle(
            embedding=embedding,
            color=text(found.color),
            color_probs=floats(found.color_probs, found.color_count),
            type=text(found.type),
            type_probs=floats(found.type_probs, found.type_count),
            keypoints=None if keypoints is None else keypoints.reshape(-1, 3),
            quality=None if found.quality < 0 else found.quality,
        )
    return None


def _of_pyds(pyds: Any, thing: Any, engine: int | None) -> list[dict[str, Floats]]:
    found = []
    for user in _items(thing.obj_user_meta_list, pyds.NvDsUserMeta):
        if user.base_meta.meta_type != pyds.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META:
            continue
        meta = pyds.NvDsInferTensorMeta.cast(user.user_meta_data)
        if engine is not None and meta.unique_id != engine:
            continue
        layers = {}
        for number in range(meta.num_output_layers):
            layer = pyds.get_nvds_LayerInfo(meta, number)
            if layer.layerName in ("embedding", *_OPTIONAL):
                first = ctypes.cast(pyds.get_ptr(layer.buffer), ctypes.POINTER(ctypes.c_float))
                values = np.ctypeslib.as_array(first, shape=(layer.inferDims.numElements,))
                layers[layer.layerName] = np.array(values, np.float32)
        found.append(layers)
    return found
