# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays of libraries that are neither CuPy nor PyTorch, on the fake CuPy's simulated GPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cupy_fake as cupy


@dataclass
class Foreign:
    """A third library's array, by the CUDA array interface alone."""

    array: Any
    stream: int | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self.array.__cuda_array_interface__, "stream": self.stream, **self.changes}


@dataclass
class DlPack:
    """A fourth library's, by DLPack alone: it orders its work before the stream that it is given."""

    array: Any
    stream: Any

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int, **_: Any) -> Any:
        event = cupy.cuda.Event()
        event.record(self.stream)
        cupy.cuda.ExternalStream(0 if stream == 1 else stream).wait_event(event)
        return self.array
