# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT 10.3 to 11 and TensorRT-RTX as one library; whatever differs between them is settled here."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import re
from collections import deque
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final
from weakref import WeakKeyDictionary

from pamtri_edge.arrays import check_choice
from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.libcuda import dotted
from pamtri_edge.runtime.backend import is_installed
from pamtri_edge.runtime.tensorrt.device import check_driver

FLAVOURS: Final = ("tensorrt", "tensorrt_rtx")
"""The modules that are a TensorRT, the preferred one first."""

VARIABLE: Final = "PAMTRI_TENSORRT"
"""The environment variable that names one of `FLAVOURS` where both are installed."""

OLDEST: Final = (10, 3)

RTX_KNOWS: Final = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_120", "sm_121")
"""The GPUs that TensorRT-RTX (1.7) has kernels for: GeForce and RTX, not H100, H200, Orin or Thor."""

_TITLES: Final = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT-RTX"}
_INSTALL: Final = "pip install 'pamtri-edge[tensorrt]' (on a Jetson, JetPack brings it: apt install tensorrt)"
_LEVELS: Final = (logging.INFO, logging.INFO, logging.INFO, logging.DEBUG, logging.DEBUG)
"""Ours for TensorRT's INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE. Its errors end up in exceptions."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Library:
    """An imported TensorRT.

    Attributes:
        module: `tensorrt` or `tensorrt_rtx`.
        flavour: the module's name.
        version: its full version.
        logger: what its objects report to; one for the whole process, as TensorRT wants it.
    """

    module: Any
    flavour: str
    version: str
    logger: Any

    @property
    def title(self) -> str:
        """Name and version, for people."""
        return f"{_TITLES[self.flavour]} {self.version}"

    @property
    def network_flags(self) -> int:
        """What makes a network strongly typed: by the flag's name, as its number is another one in 11."""
        flags = self.module.NetworkDefinitionCreationFlag
        return 1 << int(flags.STRONGLY_TYPED) if hasattr(flags, "STRONGLY_TYPED") else 0

    @property
    def times_tactics(self) -> bool:
        """Whether a build measures kernels on the GPU: it then needs one, and a timing cache is of use."""
        return self.flavour == "tensorrt"

    def create_runtime(self) -> Any:
        """Return a runtime; the driver was asked before, since without one this crashes the process.

        Raises:
            MissingDependencyError: there is no driver.
        """
        check_driver()
        return self.module.Runtime(self.logger)

    def create_context(self, engine: Any) -> Any | None:
        """Return an execution context that is given its scratch memory; None where memory ran out."""
        strategy = self.module.ExecutionContextAllocationStrategy.USER_MANAGED
        if self.times_tactics:
            return engine.create_execution_context(strategy)
        configuration = engine.create_runtime_config()
        configuration.set_execution_context_allocation_strategy(strategy)
        # Kernels for a shape are compiled when it is first run, not behind its back: a captured graph keeps
        # whatever kernels it was captured with.
        specialize = self.module.DynamicShapesKernelSpecializationStrategy.EAGER
        configuration.dynamic_shapes_kernel_specialization_strategy = specialize
        return engine.create_execution_context(configuration)

    def last_errors(self) -> str:
        """Return the errors that TensorRT reported since it was last asked, as one line."""
        errors = "; ".join(error.rstrip(". ") for error in self.logger.errors)
        self.logger.errors.clear()
        return errors or "no reason given"


_loggers: WeakKeyDictionary[ModuleType, Any] = WeakKeyDictionary()


def load_library(*, compute: str | None = None, build_only: bool = False) -> Library:
    """Import the first TensorRT that can be used.

    Args:
        compute: architecture of the GPU that it shall run on, such as "sm_87"; None looks at no GPU.
        build_only: the library shall build engines, not run them: TensorRT-RTX can do that without a GPU.

    Raises:
        MissingDependencyError: there is no driver; or each TensorRT is missing, broken, too old, made for a
            newer driver, or does not know this GPU. The message has the reason of each.
        InputError: `PAMTRI_TENSORRT` names something else.
    """
    wanted = os.environ.get(VARIABLE, "")
    flavours = (
        (check_choice(wanted, FLAVOURS, f"the environment variable {VARIABLE}"),) if wanted else FLAVOURS
    )
    failures: list[str] = []
    installed = installed_flavours()
    for flavour in flavours:
        if build_only and flavour not in installed:  # the driver is of no use to the one that is
            failures.append(f"{_TITLES[flavour]}: not installed")
            continue
        driver = None if build_only and flavour == "tensorrt_rtx" else check_driver()
        try:
            module = import_module(flavour)
        except (ImportError, OSError) as error:  # a missing shared library is one or the other
            failures.append(f"{_TITLES[flavour]}: {error}")
            continue
        version = str(module.__version__)
        unfit = (
            _too_old(flavour, version)
            or (_other_gpu(flavour, version, compute) if compute else "")
            or (_newer_cuda(flavour, driver) if driver is not None else "")
        )
        if not unfit:
            return Library(module, flavour, version, _logger_of(module))
        failures.append(unfit)
    reasons = "; ".join(failures)
    geforce = ", or, for a GeForce or RTX GPU: pip install 'pamtri-edge[tensorrt-rtx]'"
    if compute and compute not in RTX_KNOWS:
        geforce = ""
    raise MissingDependencyError(
        f"no TensorRT can be used here ({reasons}); install one: {_INSTALL}{geforce}"
    )


def installed_flavours() -> list[str]:
    """Return which TensorRTs seem to be installed, without importing any."""
    return [flavour for flavour in FLAVOURS if is_installed(flavour)]


def _too_old(flavour: str, version: str) -> str:
    """Say that a version is older than what we call, or nothing."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if flavour == "tensorrt" and numbers < OLDEST:
        return f"TensorRT {version} is installed; {OLDEST[0]}.{OLDEST[1]} or later is needed"
    return ""


def _other_gpu(flavour: str, version: str, compute: str) -> str:
    """Say that a TensorRT has no kernels for a GPU, which it would tell only after minutes, or nothing."""
    if flavour == "tensorrt_rtx" and compute not in RTX_KNOWS:
        return (
            f"{_TITLES[flavour]} {version} does not run on a GPU of compute capability "
            f"{_capability(compute)}, only of {', '.join(map(_capability, RTX_KNOWS))}: TensorRT itself does"
        )
    return ""


def _capability(compute: str) -> str:
    """Return "sm_87" as people write it: "8.7"."""
    digits = compute.removeprefix("sm_")
    return f"{digits[:-1]}.{digits[-1]}"


def _newer_cuda(flavour: str, driver: int) -> str:
    """Say that the installed packages were made for a newer CUDA than the driver's, or nothing."""
    needed = max(
        (major for major in (11, 12, 13, 14) if _is_installed(f"{flavour.replace('_', '-')}-cu{major}")),
        default=0,
    )
    if needed > driver // 1000:
        return (
            f"the NVIDIA driver is too old: it runs CUDA up to {dotted(driver)}, and the installed "
            f"{_TITLES[flavour]} was made for CUDA {needed}; update the driver, or install the one for CUDA "
            f"{driver // 1000}: pip install {flavour.replace('_', '-')}-cu{driver // 1000}"
        )
    return ""


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _logger_of(module: ModuleType) -> Any:
    if module not in _loggers:
        _loggers[module] = _make_logger(module)
    return _loggers[module]


def _make_logger(module: Any) -> Any:
    base: Any = module.ILogger

    class Logger(base):  # type: ignore[misc]
        """Hands TensorRT's messages to `logging`, and keeps the errors for the next exception."""

        def __init__(self) -> None:
            base.__init__(self)
            self.errors: deque[str] = deque(maxlen=4)

        def log(self, severity: Any, msg: str) -> None:
            """Take a message; TensorRT calls this from threads of its own."""
            number = int(severity)
            if number <= 1:
                self.errors.append(msg.strip())
            _log.log(_LEVELS[min(number, 4)], "%s", msg.strip())

    return Logger()
