# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The range of each activation that int8 shall cover: the one with the least squared error.

The largest value ever seen makes steps so wide that all small values suffer; cutting off a few large ones
costs less. For each tensor the candidates between half of the largest value and all of it are tried on values
sampled from the calibration pictures.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from pamtri_edge.errors import ExportError
from pamtri_edge.export.onnx.session import session

Floats = NDArray[np.float32]

_SAMPLES: Final = 4096  # values a tensor and picture
_CANDIDATES: Final = np.linspace(0.5, 1.0, 26)
_LEVELS: Final = 127
_SMALLEST: Final = 1e-6  # a range for tensors that are all zero, so that their scale is not


def activation_ranges(
    model: ModelProto,
    tensors: Sequence[str],
    batches: Sequence[Mapping[str, Floats]],
    *,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Return for each tensor the largest magnitude that int8 shall represent.

    Args:
        model: a float32 graph.
        tensors: names of its tensors, inputs included.
        batches: inputs of the graph by name; each batch is run on its own.
        advance: called after each batch.

    Raises:
        ExportError: a tensor holds NaN or infinity.
    """
    largest = dict.fromkeys(tensors, 0.0)
    samples: dict[str, list[Floats]] = {name: [] for name in tensors}
    running = session(_tapped(model, tensors))
    inputs = {value.name for value in model.graph.input}
    computed = [name for name in tensors if name not in inputs]
    for index, batch in enumerate(batches):
        values_of = running.run(computed, dict(batch)) if computed else []  # no names would mean all outputs
        found = dict(zip(computed, values_of, strict=True))
        for name in tensors:
            values = batch[name] if name in inputs else found[name]
            magnitudes = np.abs(values).ravel()
            peak = float(magnitudes.max(initial=0.0))
            if not np.isfinite(peak):
                raise ExportError(f"{name} holds NaN or infinity on calibration picture {index}.")
            largest[name] = max(largest[name], peak)
            samples[name].append(_sampled(magnitudes, seed=(zlib.crc32(name.encode()), index)))
        advance()
    return {name: best_range(np.concatenate(samples[name]), largest[name]) for name in tensors}


def best_range(magnitudes: Floats, largest: float) -> float:
    """Return the range with the least mean squared error of rounding and cutting off.

    Args:
        magnitudes: (M,) absolute values that represent the tensor.
        largest: the largest of all its values.
    """
    if largest <= _SMALLEST:
        return _SMALLEST
    errors = [_squared_error(magnitudes, largest * part / _LEVELS) for part in _CANDIDATES]
    return float(largest * _CANDIDATES[int(np.argmin(errors))])


def _squared_error(magnitudes: Floats, step: float) -> float:
    rounded = np.minimum(np.rint(magnitudes / step), _LEVELS) * step
    return float(np.square(rounded - magnitudes).mean())


def _sampled(magnitudes: Floats, *, seed: tuple[int, int]) -> Floats:
    if magnitudes.size <= _SAMPLES:
        return magnitudes
    generator = np.random.default_rng(seed)
    return magnitudes[generator.integers(0, magnitudes.size, _SAMPLES)]


def _tapped(model: ModelProto, tensors: Sequence[str]) -> ModelProto:
    """Return the graph with these tensors among its outputs."""
    tapped = copy.deepcopy(model)
    given = {value.name for value in (*tapped.graph.input, *tapped.graph.output)}
    for name in tensors:
        if name not in given:
            tapped.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return tapped
