# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The questions that a child process answers: each imports something that may fail, hang or crash.

Nothing here runs in the process of `pamtri doctor` itself; see `isolated.py`. Modules are imported by name
because most of them are absent on most machines.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final


def main(question: str, arguments: dict[str, Any]) -> None:
    """Answer one question on standard output: {"value": ...} or {"failure": text}."""
    answer_to = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not end up in the answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an expected crash leaves no core file
    try:
        said: dict[str, Any] = {"value": QUESTIONS[question](**arguments)}
    except BaseException as error:  # an import may raise anything, SystemExit too
        said = {"failure": f"{type(error).__name__}: {error}"}
    with os.fdopen(answer_to, "w") as stream:
        json.dump(said, stream)


def driver(libcuda: str) -> dict[str, Any]:
    """Initialize the CUDA driver and list the GPUs, through libcuda alone."""
    asking = _by_path("libcuda")
    found = asking.ask_driver(libcuda)
    if found.failure:
        return {"loaded": False, "reason": found.failure}
    if found.error:
        return {"loaded": True, "error": found.error, "reason": _error_name(found.library, found.error)}
    return {
        "loaded": True,
        "error": 0,
        "cuda": asking.dotted(found.version),
        "devices": [_device(found.library, index) for index in range(found.devices)],
    }


def _by_path(name: str) -> Any:
    """Return a module of `pamtri_edge` that needs the standard library alone, loaded as this file is."""
    spec = spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _error_name(library: ctypes.CDLL, code: int) -> str:
    name = ctypes.c_char_p()
    if library.cuGetErrorName(code, ctypes.byref(name)) != 0 or name.value is None:
        return f"error {code}"
    return f"{name.value.decode()}, error {code}"


def _device(library: ctypes.CDLL, index: int) -> dict[str, Any]:
    name, memory = ctypes.create_string_buffer(256), ctypes.c_size_t()
    major, minor = ctypes.c_int(), ctypes.c_int()
    library.cuDeviceGetName(name, len(name), index)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), index)
    library.cuDeviceGetAttribute(ctypes.byref(major), 75, index)  # COMPUTE_CAPABILITY_MAJOR of cuda.h
    library.cuDeviceGetAttribute(ctypes.byref(minor), 76, index)
    return {
        "name": name.value.decode(errors="replace"),
        "compute": f"{major.value}.{minor.value}",
        "memory": memory.value,
    }


def openvino() -> dict[str, Any]:
    """Start OpenVINO and ask its CPU plugin what it computes with."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as `load_openvino` does
    module = import_module("openvino")
    core = module.Core()
    return {
        "version": str(module.__version__).split("-")[0],
        "devices": list(core.available_devices),
        "arithmetic": list(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
    }


def torch(driver: bool) -> dict[str, Any]:
    """Import torch; ask for its GPUs only where there is a driver."""
    module = import_module("torch")
    return {
        "version": module.__version__,
        "built_for_cuda": module.version.cuda,
        "gpu": bool(driver and module.cuda.is_available()),
    }


def native() -> dict[str, Any]:
    """Ask the operations whether the compiled ones are in use."""
    return {"implementation": import_module("pamtri_edge.ops").implementation()}


def av() -> dict[str, Any]:
    """Import PyAV; ask for an H.264 encoder and for RTSP."""
    module = import_module("av")
    return {
        "version": module.__version__,
        "h264_encoder": any(_encodes(module, name) for name in ("libx264", "libopenh264", "h264")),
        "rtsp": "rtsp" in module.formats_available,
    }


def _encodes(module: Any, codec: str) -> bool:
    try:
        module.codec.Codec(codec, "w")
    except ValueError:  # UnknownCodecError is one
        return False
    return True


def imported(module: str) -> dict[str, Any]:
    """Import a module for no other reason than to see whether it can be."""
    return {"version": str(getattr(import_module(module), "__version__", ""))}


def tensorrt(module: str, driver: bool) -> dict[str, Any]:
    """Import TensorRT; make its runtime only where there is a driver, since without one that crashes."""
    trt = import_module(module)
    if driver:
        trt.Runtime(trt.Logger(trt.Logger.ERROR))
    return {"version": trt.__version__, "runtime": driver}


def cupy(driver: bool) -> dict[str, Any]:
    """Import CuPy; count its GPUs only where there is a driver, since without one that raises."""
    os.environ["CUPY_CACHE_DIR"] = os.sep  # looking at a machine makes no folder for compiled kernels
    module = import_module("cupy")
    count = module.cuda.runtime.getDeviceCount() if driver else 0
    return {"version": module.__version__, "gpus": count}


def pyds() -> dict[str, Any]:
    """Import pyds and tell DeepStream's bindings from the package of the same name on PyPI."""
    module = import_module("pyds")
    return {
        "deepstream": hasattr(module, "NvDsBatchMeta"),
        "version": str(getattr(module, "__version__", "")),
    }


def gi() -> dict[str, Any]:
    """Start GStreamer through its Python bindings."""
    import_module("gi").require_version("Gst", "1.0")
    gst = import_module("gi.repository.Gst")
    gst.init(None)
    return {"version": str(gst.version_string())}


QUESTIONS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    question.__name__: question
    for question in (driver, openvino, torch, native, av, imported, tensorrt, cupy, pyds, gi)
}
