# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the file that our bundles hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bundles import provide

from peers import Absent, Crops, Setting, Subject
from peers.counting import operations
from peers.glue import batch_of

PRECISIONS = ("fp32", "int8")


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give both sizes in both precisions."""
    for size in ("paper", "lite"):
        for precision in PRECISIONS:
            name = f"{size} {precision}, ONNX Runtime"
            if setting.only not in name:
                continue
            try:
                import onnxruntime
            except ImportError:
                yield Absent(name, "onnxruntime is not installed")
                continue
            del onnxruntime
            path = provide(
                setting.bundles, size, precision, staged=precision == "int8", announce=setting.announce
            )
            call = _Session(path / "model.onnx", setting.threads)
            yield Subject(name, call, precision, operations(size), limit=precision)


class _Session:
    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, crops: Crops) -> object:
        return self._session.run(None, {"images": batch_of(crops)})
