# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the GStreamer element `pamtri` knows of vehicles, read in Python: in a probe, or from an appsink.

    from pamtri_edge import gst

    def probe(pad, info):
        for vehicle in gst.vehicles(info.get_buffer()):
            print(vehicle.track_id, vehicle.color, vehicle.type)
        return Gst.PadProbeReturn.OK

The plugin's own C interface is called (`pipelines/gstreamer/vehicle.h`). PyGObject (`gi`) is needed to find
the plugin and by the program that makes the pipeline; Debian has it as python3-gi.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.compiled import decisions
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.events import Event

State = Literal["pending", "answered", "below-gate"]

_STATES: Final[tuple[State, ...]] = ("pending", "answered", "below-gate")
_UNTRACKED: Final = 2**64 - 1
_EVENT: Final = "pamtri-event"

# Before GStreamer is loaded and with it libunwind: exceptions in the plugin would end this process else.
decisions()


class CVehicle(ctypes.Structure):
    """PamtriVehicle of vehicle.h."""

    _fields_ = (
        ("track_id", ctypes.c_uint64),
        *((name, ctypes.c_double) for name in ("x1", "y1", "x2", "y2")),
        ("state", ctypes.c_int32),
        ("views", ctypes.c_int32),
        *((name, ctypes.c_double) for name in ("quality", "color_probability", "type_probability")),
        *((name, ctypes.c_char_p) for name in ("object_type", "color", "type")),
        *(
            (name, ctypes.POINTER(ctypes.c_float))
            for name in ("embedding", "color_probs", "type_probs", "keypoints")
        ),
        *(
            (name, ctypes.c_uint32)
            for name in ("embedding_size", "color_count", "type_count", "keypoint_count")
        ),
        ("embedding_space", ctypes.c_char_p),
        ("bundle", ctypes.c_char_p),
    )


@dataclass(frozen=True)
class Vehicle:
    """A vehicle in a frame, with what is known of it so far; a copy, that outlives the buffer.

    Attributes:
        track_id: number of the track, up to 64 bits; None where no tracker follows it.
        box: x1, y1, x2, y2 in pixels of the buffer's frame.
        state: "pending" while no view of it is embedded; "below-gate" where none passed the gate so far.
        views: how many views of it are embedded.
        object_type: what the detector calls it.
        quality: pose quality of the best view, 0 to 1.
        color: its most probable color.
        color_probability: of that color.
        type: its most probable type.
        type_probability: of that type.
        embedding: (D,) float32 of unit length.
        color_probs: (C,) float32, in the order of the bundle's names.
        type_probs: (T,) float32.
        keypoints: (K, 3) float32 x, y in pixels of the buffer's frame, confidence; of the best view, laid
            over the box.
        embedding_space: id of the weights; embeddings compare only within one.
        bundle: name of the bundle.

    What is not known yet, or what the bundle does not give, is None.
    """

    track_id: int | None
    box: tuple[float, float, float, float]
    state: State
    views: int
    object_type: str | None
    quality: float | None
    color: str | None
    color_probability: float | None
    type: str | None
    type_probability: float | None
    embedding: NDArray[np.float32] | None
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    keypoints: NDArray[np.float32] | None
    embedding_space: str | None
    bundle: str | None


def vehicles(buffer: Any, *, plugin: str | None = None) -> list[Vehicle]:
    """Return the vehicles of a buffer, in the order in which they were found.

    Args:
        buffer: a Gst.Buffer, or the address of one.
        plugin: path of libgstpamtri.so; None asks GStreamer where it is.

    Raises:
        MissingDependencyError: the plugin or PyGObject is not there.
        InputError: no buffer, or the plugin is of another release.
    """
    address = buffer if isinstance(buffer, int) else hash(buffer)
    if buffer is None or not address:
        raise InputError("the buffer is None; a probe for buffers gets one by info.get_buffer().")
    library = _library(plugin or _plugin_path())
    return [_read(library, address, index) for index in range(library.pamtri_buffer_vehicle_count(address))]


def event_of(carrier: Any) -> Event | None:
    """Return the event that a message of the bus or a custom event carries; None where it is another.

    Args:
        carrier: a Gst.Message or Gst.Event.
    """
    structure = carrier.get_structure()
    if structure is None or structure.get_name() != _EVENT:
        return None
    return Event.from_json(structure.get_string("json"), source="pamtri's message")


def _read(library: ctypes.CDLL, address: int, index: int) -> Vehicle:
    found = CVehicle()
    if not library.pamtri_buffer_get_vehicle(address, index, ctypes.byref(found), ctypes.sizeof(found)):
        raise InputError(
            "the plugin's vehicles have another form than pamtri_edge reads; build both from one release."
        )
    box = (found.x1, found.y1, found.x2, found.y2)
    return Vehicle(
        track_id=None if found.track_id == _UNTRACKED else found.track_id,
        box=box,
        state=_STATES[found.state],
        views=found.views,
        object_type=text(found.object_type),
        quality=None if found.quality < 0 else found.quality,
        color=text(found.color),
        color_probability=found.color_probability if found.color else None,
        type=text(found.type),
        type_probability=found.type_probability if found.type else None,
        embedding=floats(found.embedding, found.embedding_size),
        color_probs=floats(found.color_probs, found.color_count),
        type_probs=floats(found.type_probs, found.type_count),
        keypoints=_keypoints(floats(found.keypoints, 3 * found.keypoint_count), box),
        embedding_space=text(found.embedding_space),
        bundle=text(found.bundle),
    )


def _keypoints(
    parts: NDArray[np.float32] | None, box: tuple[float, float, float, float]
) -> NDArray[np.float32] | None:
    if parts is None:
        return None
    keypoints = parts.reshape(-1, 3)
    x1, y1, x2, y2 = box
    keypoints[:, :2] = keypoints[:, :2] * (x2 - x1, y2 - y1) + (x1, y1)
    return keypoints


def text(value: bytes | None) -> str | None:
    """Return what a C string says; None for none."""
    return None if value is None else value.decode()


def floats(values: Any, count: int) -> NDArray[np.float32] | None:
    """Return a copy of numbers that a pointer of `CVehicle` tells, (count,) float32; None for none."""
    return np.ctypeslib.as_array(values, (count,)).copy() if count else None


def _plugin_path() -> str:
    try:
        import gi

        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
    except (ImportError, ValueError) as error:
        raise MissingDependencyError(
            "reading GStreamer's buffers needs PyGObject with GStreamer: sudo apt install python3-gi "
            "gir1.2-gstreamer-1.0, and a Python that sees the system's packages (python3 -m venv "
            "--system-site-packages)."
        ) from error
    plugin = Gst.Registry.get().find_plugin("pamtri")
    if plugin is None:
        raise MissingDependencyError(
            "GStreamer does not find the plugin pamtri; build it with 'make pipelines' and set "
            "GST_PLUGIN_PATH to the folder that it names."
        )
    return str(plugin.get_filename())


@lru_cache
def _library(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise MissingDependencyError(f"{path} cannot be loaded: {error}.") from error
    library.pamtri_buffer_vehicle_count.argtypes = [ctypes.c_void_p]
    library.pamtri_buffer_vehicle_count.restype = ctypes.c_uint
    library.pamtri_buffer_get_vehicle.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint,
        ctypes.POINTER(CVehicle),
        ctypes.c_size_t,
    ]
    library.pamtri_buffer_get_vehicle.restype = ctypes.c_int
    return library
