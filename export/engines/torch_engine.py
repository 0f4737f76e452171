# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The second way to an engine: torch-tensorrt compiles the PyTorch module itself.

The engine has the same tensors and batch profiles as one that TensorRT's parser makes of the ONNX file, so
that it lies in the bundle under the same name, and everything that runs bundles takes it for what it is.
Needs an NVIDIA GPU and a PyTorch for it; torch-tensorrt cannot even be imported without.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import torch
from torch.utils import _pytree

from pamtri_edge.errors import EngineError, MissingDependencyError
from pamtri_edge.export.onnx.graph import Exportable, sample_input
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.runtime.tensorrt.build import PROFILES, Built
from pamtri_edge.runtime.tensorrt.library import Library

OLDEST: Final = (2, 14)
"""The first release that names an engine's tensors and gives it several batch profiles."""

DEVICE: str = "cuda"
"""Where the module is compiled."""

_INSTALL: Final = "pip install 'pamtri-edge[torch-tensorrt]'"


def gpu_is_seen() -> bool:
    """Tell whether this PyTorch can use a GPU."""
    return torch.cuda.is_available()


def load_torch_tensorrt(library: Library) -> Any:
    """Import torch-tensorrt.

    Args:
        library: the TensorRT that will run the engines; it was imported before, and torch-tensorrt takes it.

    Raises:
        EngineError: it makes engines for another TensorRT than the one in use.
        MissingDependencyError: PyTorch sees no GPU, or torch-tensorrt is not installed, too old, or belongs
            to another PyTorch or TensorRT.
    """
    if library.flavour != "tensorrt":
        raise EngineError(
            f"torch-tensorrt makes engines for TensorRT, and {library.title} is in use here; set "
            "PAMTRI_TENSORRT=tensorrt, or leave out --via."
        )
    if not gpu_is_seen():
        raise MissingDependencyError(
            f"torch-tensorrt compiles on the GPU, and this PyTorch ({torch.__version__}) "
            f"{'sees none' if torch.version.cuda else 'was built without CUDA'}; install a PyTorch for this "
            "machine's CUDA (pytorch.org names it), or leave out --via."
        )
    try:
        module = import_module("torch_tensorrt")
    except ModuleNotFoundError as error:
        if error.name != "torch_tensorrt":
            raise _unfit(library, error) from error
        raise MissingDependencyError(f"torch-tensorrt is not installed; install it: {_INSTALL}") from error
    except Exception as error:  # it raises bare Exceptions, and OSError for libraries that do not fit
        raise _unfit(library, error) from error
    version = str(module.__version__)
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
        raise MissingDependencyError(
            f"torch-tensorrt {version} is installed; {OLDEST[0]}.{OLDEST[1]} or later is needed, which can "
            f"name an engine's tensors: {_INSTALL}, or leave out --via."
        )
    return module


def compile_plan(torch_tensorrt: Any, module: Exportable, *, precision: str) -> Built:
    """Compile a module to an engine.

    Args:
        torch_tensorrt: from `load_torch_tensorrt`.
        module: the fused module or one of its stages, in float32 on the CPU; it is left as it is.
        precision: "fp32" or "fp16": both networks in half, with casts at their borders. The engine keeps the
            module's types.

    Raises:
        EngineError: torch cannot export the module, or torch-tensorrt cannot compile it.
    """
    start = time.perf_counter()
    network = _typed(copy.deepcopy(module), precision).to(DEVICE)
    samples = tuple(sample_input(name, module).to(DEVICE) for name in module.input_names)
    batch = torch.export.Dim("batch", min=1, max=max(profile.largest for profile in PROFILES))
    try:
        with torch.no_grad():
            program = torch.export.export(
                network, samples, dynamic_shapes=tuple({0: batch} for _ in samples), strict=False
            )
        exported = time.perf_counter()
        plan = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(
            program,
            arg_inputs=[
                _input(torch_tensorrt, name, tuple(sample.shape[1:]))
                for name, sample in zip(module.input_names, samples, strict=True)
            ],
            arg_input_binding_names=tuple(module.input_names),
            output_binding_names=_structured(module.output_names, program),
            disable_tf32=True,  # float32 layers compute in float32, as the ONNX file's engine does
        )
    except Exception as error:  # unsupported operators, lack of memory, a failed build: each has its own type
        raise EngineError(
            f"torch-tensorrt {torch_tensorrt.__version__} cannot compile the network: {_reason(error)}. "
            "Leave out --via, and TensorRT reads the ONNX file itself."
        ) from error
    return Built(
        plan=bytes(plan),
        layers=len(program.graph.nodes),
        arithmetic=precision,
        timing_cache=b"",
        parse_s=exported - start,
        build_s=time.perf_counter() - exported,
        via=f"torch-tensorrt {torch_tensorrt.__version__}",
    )


def _typed(module: Exportable, precision: str) -> Exportable:
    if precision != "fp16":
        return module
    if isinstance(module, Pamtri):
        return module.half_networks()
    module.half_network()
    return module


def _structured(names: Sequence[str], program: torch.export.ExportedProgram) -> Any:
    """Return the names in the structure of what the program returns: one tensor has a plain string."""
    return _pytree.tree_unflatten(list(names), program.call_spec.out_spec)


def _input(torch_tensorrt: Any, name: str, item: tuple[int, ...]) -> Any:
    return torch_tensorrt.Input(
        profiles=[
            {
                "min_shape": (profile.smallest, *item),
                "opt_shape": (profile.best, *item),
                "max_shape": (profile.largest, *item),
            }
            for profile in PROFILES
        ],
        dtype=torch.float32,
        name=name,
    )


def _unfit(library: Library, error: Exception) -> MissingDependencyError:
    return MissingDependencyError(
        f"torch-tensorrt cannot be imported ({_reason(error)}); each release belongs to one PyTorch and one "
        f"TensorRT (here: {torch.__version__}, {library.version}). Install those that fit: {_INSTALL}, or "
        "leave out --via."
    )


def _reason(error: Exception) -> str:
    """Return the first line of what an error says."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
