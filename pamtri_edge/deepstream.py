# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of vehicles in DeepStream, read in probes of Python.

Stock nvinfer with `output-tensor-meta=1` attaches the bundle's outputs to the vehicles that it looked at in a
frame. A `Reader` makes the SDK's result of them, and keeps the last one of each track for the frames between
two looks. Of pyservicemaker (DeepStream 7.1 and later) it reads a batch's metadata, of pyds (7.1 and
earlier) a buffer. Both come with DeepStream; the `pyds` of PyPI is another program.
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
from pamtri_edge.manifest import Manifest
from pamtri_edge.ops.driver import load_cupy
from pamtri_edge.reidentification import Reidentification, Vehicle

Floats = NDArray[np.float32]

UNTRACKED: Final = 2**64 - 1
"""DeepStream's id of an object that no tracker follows."""
_CPU: Final = 1
"""DLPack's number of host memory, kDLCPU."""
_OPTIONAL: Final = ("color", "type", "keypoints", "quality")


@dataclass(frozen=True)
class Sighting:
    """A vehicle in a frame.

    Attributes:
        source: number of the source.
        frame: number of the frame in it.
        track_id: None where no tracker follows it.
        box: x1, y1, x2, y2 in pixels of the muxer's frame.
        label: what the detector calls it.
        looked: whether the bundle looked at it in this frame.
        vehicle: what is known of it; None for nothing yet. Keypoints are in parts of the box of that look.
    """

    source: int
    frame: int
    track_id: int | None
    box: tuple[float, float, float, float]
    label: str
    looked: bool
    vehicle: Vehicle | None


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
        self._known: OrderedDict[tuple[int, int], Vehicle] = OrderedDict()

    def batch(self, batch_meta: Any) -> list[Sighting]:
        """Return the vehicles of a batch of pyservicemaker, in `BatchMetadataOperator.handle_metadata`."""
        return [
            self._sighting(frame.source_id, frame.frame_number, thing, thing.label, _of_service_maker(thing))
            for frame in batch_meta.frame_items
            for thing in frame.object_items
        ]

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
                outputs = _of_pyds(pyds, thing, self.engine)
                found.append(
                    self._sighting(frame.source_id, frame.frame_num, thing, thing.obj_label, outputs)
                )
        return found

    def _sighting(
        self, source: int, frame: int, thing: Any, label: str, outputs: Sequence[Mapping[str, Floats]]
    ) -> Sighting:
        track = None if thing.object_id == UNTRACKED else int(thing.object_id)
        rect = thing.rect_params
        box = (rect.left, rect.top, rect.left + rect.width, rect.top + rect.height)
        looks = [one for layers in outputs if (one := self._vehicle(layers)) is not None]
        vehicle = looks[-1] if looks else None
        if track is not None:
            vehicle = self._remembered((source, track), vehicle)
        return Sighting(source, frame, track, box, label, bool(looks), vehicle)

    def _remembered(self, key: tuple[int, int], vehicle: Vehicle | None) -> Vehicle | None:
        known = self._known.pop(key, None) if vehicle is None else vehicle
        if known is not None:
            self._known.pop(key, None)
            self._known[key] = known
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return known

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
