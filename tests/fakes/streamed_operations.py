# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations on the simulated GPU of the fake CuPy: NumPy's, run when the stream does."""

from __future__ import annotations

from typing import Any

import numpy as np

import cupy_fake
from pamtri_edge import ops


class StreamedOperations:
    """Stands for the module `pamtri_edge.ops`."""

    @staticmethod
    def decode(heatmaps: Any, *, out: Any) -> Any:
        cupy_fake.launch_on_stream("decode", lambda maps, to: ops.decode(maps, out=to), heatmaps, out)
        return out

    @staticmethod
    def stack(images: Any, heatmaps: Any = None, *, keypoints: Any = None, out: Any) -> Any:
        def work(to: Any, pictures: Any, maps: Any, points: Any) -> None:
            ops.stack(pictures, maps, keypoints=points, out=to)

        cupy_fake.launch_on_stream("stack", work, out, images, heatmaps, keypoints)
        return out

    @staticmethod
    def resize(crops: Any, *, swap_channels: bool = False, out: Any) -> Any:
        def work(pictures: Any, to: Any) -> None:
            ops.resize(np.ascontiguousarray(pictures), swap_channels=swap_channels, out=to)

        cupy_fake.launch_on_stream("resize", work, crops, out)
        return out
