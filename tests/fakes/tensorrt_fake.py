# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A TensorRT for tests: the real one's names, flags and refusals, and real results, on a simulated GPU.

    gpu = cupy_fake.install(monkeypatch)
    trt = tensorrt_fake.install(monkeypatch, version="10.3.0.26")
    trt = tensorrt_fake.install(monkeypatch, version="1.7.1.116", flavour="tensorrt_rtx")

What differs between versions differs here, too: TensorRT 10 makes a strongly typed network only if told so by
a flag whose number is another thing in 11; TensorRT-RTX warns of its timing cache. An engine runs the ONNX
file it was built from, in torch, when its stream does. `trt.record` tells what was done and can make it fail.
"""

from __future__ import annotations

import enum
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import tensorrt_fake_build as building
import tensorrt_fake_run as running


class Severity(enum.IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class ILogger:
    Severity = Severity
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity

    def __init__(self):
        pass


class Logger(ILogger):
    def __init__(self, min_severity=Severity.WARNING):
        self.min_severity = min_severity

    def log(self, severity, msg):
        pass


class IProgressMonitor:
    def __init__(self):
        self._constructed = True


class MemoryPoolType(enum.IntEnum):
    WORKSPACE = 0


class TensorIOMode(enum.IntEnum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class DataType(enum.IntEnum):
    FLOAT = 0
    HALF = 1
    INT8 = 2


class LayerType(enum.IntEnum):
    CONVOLUTION = 0
    IDENTITY = 1
    DEQUANTIZE = 2


class ExecutionContextAllocationStrategy(enum.IntEnum):
    STATIC = 0
    ON_PROFILE_CHANGE = 1
    USER_MANAGED = 2


class DynamicShapesKernelSpecializationStrategy(enum.IntEnum):
    LAZY = 0
    EAGER = 1
    NONE = 2


def install(monkeypatch, *, version="10.16.0.72", flavour="tensorrt", driver=True):
    """Make `import tensorrt` (or `tensorrt_rtx`) give a TensorRT of that version; return it."""
    trt = ModuleType(flavour)
    trt.__version__ = version
    trt.__spec__ = ModuleSpec(flavour, None)  # by which other packages see that it is installed
    trt.flavour = flavour
    trt.record = SimpleNamespace(
        builds=0,
        timed=0,
        loads=0,
        networks=[],
        configurations=[],
        contexts=[],
        driver=driver,
        refuse_build=None,
        refuse_parse=None,
        refuse_capture=False,
        wrong_at=None,
        during_build=lambda: None,
    )
    major = int(version.split(".")[0])
    old = flavour == "tensorrt" and major < 11
    for thing in (ILogger, Logger, IProgressMonitor, MemoryPoolType, TensorIOMode, DataType, LayerType):
        setattr(trt, thing.__name__, thing)
    trt.ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy
    flags = {"EXPLICIT_BATCH": 0, "STRONGLY_TYPED": 1} if old else {"STRONGLY_TYPED": 0}
    if flavour == "tensorrt" and not old:
        flags["PREFER_JIT_PYTHON_PLUGINS"] = 1
    trt.NetworkDefinitionCreationFlag = enum.IntEnum("NetworkDefinitionCreationFlag", flags)
    names = ["DEBUG", "TF32", "VERSION_COMPATIBLE"]
    trt.BuilderFlag = enum.IntEnum("BuilderFlag", ["FP16", "INT8", *names] if old else names, start=0)
    trt.always_typed = not old
    for thing in (building.Builder, building.OnnxParser, running.Runtime):
        setattr(trt, thing.__name__, type(thing.__name__, (thing,), {"trt": trt}))
    if flavour == "tensorrt_rtx":
        trt.DynamicShapesKernelSpecializationStrategy = DynamicShapesKernelSpecializationStrategy
    monkeypatch.setitem(sys.modules, flavour, trt)
    return trt
