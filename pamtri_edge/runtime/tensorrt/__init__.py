# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT on an NVIDIA GPU: engines built of a bundle's ONNX files, cached with it, run as CUDA graphs.

The floors within, from the ground up: `device` (driver, CuPy, the GPU) and `library` (TensorRT, whatever its
version); `build`, `fingerprint` and `engine_cache` (from ONNX to a plan on disk); `buckets`, `staging` and
`engine` (sizes, memory, contexts); `programs` and `execution` (from a batch to work on a stream); `choice`
(one engine or two); `backend`, which is what `create_backend` makes. Nothing here is imported before it is
asked for, and CuPy and TensorRT only where there is a driver.
"""

from __future__ import annotations
