# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.errors import EngineError
from pamtri_edge.runtime import openvino
from pamtri_edge.runtime.openvino import MAX_STREAMS, OpenVinoBackend

Pictures = NDArray[np.float32]


def test_bfloat16_is_never_chosen(models: dict[str, Path]) -> None:
    backend = OpenVinoBackend(models["fp32"])
    assert "float" in str(backend._engine.compiled.get_property("INFERENCE_PRECISION_HINT"))
    assert "bfloat" not in str(backend._engine.compiled.get_property("INFERENCE_PRECISION_HINT"))


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 2), (3, 3), (16, MAX_STREAMS)])
def test_items_of_a_batch_run_side_by_side(models: dict[str, Path], threads: int, streams: int) -> None:
    backend = OpenVinoBackend(models["fp32"], threads=threads)
    assert backend._engine.compiled.get_property("INFERENCE_NUM_THREADS") <= threads
    backend.run({"images": np.zeros((2 * MAX_STREAMS, 3, 16, 16), np.float32)})
    assert 1 <= len(backend._engine.idle) <= streams


def test_requests_are_used_again(models: dict[str, Path], pictures: Pictures) -> None:
    backend = OpenVinoBackend(models["fp32"], threads=2)
    backend.run({"images": pictures})
    made = len(backend._engine.idle)
    for _ in range(5):
        backend.run({"images": pictures})
    assert len(backend._engine.idle) == made


def test_an_item_that_cannot_be_computed_leaves_the_engine_usable(
    models: dict[str, Path], pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = OpenVinoBackend(models["fp32"], threads=2)
    meant = backend.run({"images": pictures})["embedding"]
    engine = backend._engine
    assert engine is not None
    finish = engine._finish
    calls = []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return finish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "_finish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        backend.run({"images": pictures})
    monkeypatch.undo()
    np.testing.assert_array_equal(backend.run({"images": pictures})["embedding"], meant)


def test_where_the_system_gives_no_memory_the_bundle_is_not_blamed(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def core() -> None:
        raise RuntimeError("Exception from src/thread.cpp:\nResource temporarily unavailable")

    monkeypatch.setattr(openvino.openvino, "Core", core)
    with pytest.raises(EngineError, match=r"lacks memory or threads .*\(Resource temporarily unavailable\)"):
        OpenVinoBackend(models["fp32"])
