# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A call's work on the GPU, captured once and launched as one CUDA graph from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch

_WARM_UP: Final = 3
"""Calls before the capture: what is chosen, compiled or allocated at first use must not happen in it."""


class Replayed:
    """A captured call.

    Args:
        call: puts work on torch's current stream, on memory that stays where it is, and waits for nothing.

    Attributes:
        outputs: what the captured call returned; filled anew by every replay.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        stream: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                call()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self.outputs = call()

    def __call__(self) -> Any:
        """Launch the graph on torch's current stream; return the outputs, which are ready when it has run."""
        self._graph.replay()
        return self.outputs


def replayed(call: Callable[[], Any], device: torch.device) -> Callable[[], Any]:
    """Return a call as a CUDA graph, or, off the GPU, as it is."""
    return Replayed(call) if device.type == "cuda" else call
