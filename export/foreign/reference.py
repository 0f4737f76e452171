# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The file as it was given, under ONNX Runtime, on pictures prepared outside any graph.

Nothing of `adapt` and `fuse` is used here: what they get wrong shows as a difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from pamtri_edge.errors import ExportError, InputError
from pamtri_edge.export.foreign.file import NetworkFile
from pamtri_edge.export.foreign.form import Form, shape_text
from pamtri_edge.export.foreign.specification import WHITE, ForeignNetwork
from pamtri_edge.export.onnx.session import session
from pamtri_edge.manifest_fields import LARGEST_SIZE
from pamtri_edge.printable import printable
from pamtri_edge.runtime.network_file import last_line
from pamtri_edge.runtime.selftest import row_cosines

Floats = NDArray[np.float32]

AGAINST: Final = "ONNX Runtime"
_LEAST_DIM: Final = 2
_SAME: Final = 0.99999  # the same where nothing but the batch is other
_ALIKE: Final = 0.995  # cosine of one picture's embeddings, computed in other batches


class GivenNetwork:
    """A network as its file has it, which embeds pictures one after another.

    Args:
        file: the file; it is read again, by ONNX Runtime.
        form: its input and output.
        told: how a picture becomes its input.

    Raises:
        InputError: ONNX Runtime refuses the file.
    """

    def __init__(self, file: NetworkFile, form: Form, told: ForeignNetwork) -> None:
        self._form, self._told, self._path = form, told, file.path
        self._title = f"{printable(file.path)}: output {printable(form.output)!r}"
        try:
            self._session = session(file.path, level="DISABLE_ALL")
        except Exception as error:  # onnxruntime raises whatever its C++ does
            raise InputError(
                f"{printable(file.path)} is refused by ONNX Runtime: {_reason(error)}."
            ) from error

    def dim(self) -> int:
        """Return how many numbers an embedding has.

        Raises:
            InputError: the output is no embedding: neither (N, D), nor that with axes of one.
        """
        picture = np.random.default_rng(0).uniform(0.0, 255.0, (3, 256, 256)).astype(np.float32)
        return int(self.embed(picture).shape[0])

    def embed(self, picture: Floats) -> Floats:
        """Return the output for a picture (3, 256, 256) RGB, 0 to 255, as it comes: (D,), of any length.

        Raises:
            InputError: the network cannot be computed, or its output is no embedding.
        """
        prepared = prepare(picture, self._form, self._told)
        count = self._form.batch or 1
        batch = np.repeat(prepared[None], count, axis=0)
        try:
            found = self._session.run([self._form.output], {self._form.input: batch})[0]
        except Exception as error:  # onnxruntime raises whatever its C++ does
            raise InputError(
                f"{printable(self._path)} cannot be computed on pictures of {self._form.height}x"
                f"{self._form.width} ({_reason(error)}). Is that the size it was trained for (--input-size)?"
            ) from error
        return self._embedding(found, count)

    def outputs(self, images: Floats, advance: Callable[[], None] = lambda: None) -> dict[str, Floats]:
        """Return the embeddings (N, D) of pictures (N, 3, 256, 256), at unit length."""
        rows = []
        for picture in images:
            rows.append(self.embed(picture))
            advance()
        features = np.stack(rows).astype(np.float64)
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return {"embedding": (features / np.maximum(lengths, 1e-12)).astype(np.float32)}

    def _embedding(self, found: Any, count: int) -> Floats:
        shape = tuple(getattr(found, "shape", ()))
        real = isinstance(found, np.ndarray) and found.dtype.kind == "f"
        # The batch and one more axis that is not 1; of one picture the batch may be gone.
        rows = shape[1:] if shape[:1] == (count,) and len(shape) > 1 else shape if count == 1 else ()
        dim = max(rows, default=0)
        if not real or not rows or math.prod(rows) != dim:
            kind = (
                f"{found.dtype} of shape {shape_text(shape)}"
                if isinstance(found, np.ndarray)
                else "no tensor"
            )
            raise InputError(
                f"{self._title} is {kind} for "
                f"{count} {'picture' if count == 1 else 'pictures'}; expected one embedding a picture, "
                "(N, D), or that with axes of one. Export the network up to its embedding, or name another "
                "--output-name."
            )
        if not _LEAST_DIM <= dim <= LARGEST_SIZE:
            raise InputError(
                f"{self._title} has {dim} {'number' if dim == 1 else 'numbers'} a picture; "
                f"an embedding has {_LEAST_DIM} to {LARGEST_SIZE}."
            )
        first: Floats = found.astype(np.float32).reshape(count, -1)[0]
        return first


def prepare(picture: Floats, form: Form, told: ForeignNetwork) -> NDArray[Any]:
    """Return what the network takes of a picture (3, 256, 256) RGB, 0 to 255, without the batch."""
    pixels = np.ascontiguousarray(picture.transpose(1, 2, 0))
    if told.color_order == "bgr":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    pixels = cv2.resize(pixels, (form.width, form.height), interpolation=cv2.INTER_LINEAR)
    scaled = (pixels.astype(np.float64) * told.factor - np.array(told.means)) / np.array(told.deviations)
    laid = scaled.transpose(2, 0, 1) if form.layout == "nchw" else scaled
    return np.ascontiguousarray(np.clip(np.rint(laid), 0, WHITE) if form.whole else laid, form.dtype)


def check_batches(graph: ModelProto, given: GivenNetwork, path_text: str, fixed: int | None) -> None:
    """Refuse a network whose embedding of a picture depends on what else is in the batch.

    Args:
        graph: the bundle's, (N, 3, 256, 256) to (N, D).
        given: the file as it was given.
        path_text: how errors call it.
        fixed: the batch that the file has; None where it says that it takes any.

    Raises:
        ExportError: it takes one size of batch alone.
    """
    pictures = np.random.default_rng(1).uniform(0.0, 255.0, (3, 3, 256, 256)).astype(np.float32)
    says = (
        "takes batches of any size, as it says" if fixed is None else f"was exported for a batch of {fixed}"
    )
    remedy = "Export it again with a dynamic batch (dynamic_axes or dynamic_shapes of torch.onnx.export)."
    expected = given.outputs(pictures)["embedding"]
    alone: list[Floats] = []
    running: Any = None
    for part in (*pictures[:, None], pictures):
        count = len(part)
        try:
            running = running or session(graph)
            found: Floats = running.run(["embedding"], {"images": part})[0]
        except Exception as error:  # onnxruntime raises whatever its C++ does
            raise ExportError(
                f"{path_text} {says}, and cannot be computed for {count} pictures ({_reason(error)}): sizes "
                f"of the batch are fixed inside. {remedy}"
            ) from error
        if count == 1:
            alone.append(found)
            continue
        # More strictly with itself than with the file, which may be of half precision.
        alike = found.shape == expected.shape and bool(
            (row_cosines(found, expected) > _ALIKE).all()
            and (row_cosines(found, np.concatenate(alone)) > _SAME).all()
        )
        if not alike and np.isfinite(expected).all():
            raise ExportError(
                f"{path_text} {says}, and gives other embeddings for {count} pictures together than for each "
                f"alone: pictures of a batch are mixed inside. {remedy}"
            )


def _reason(error: Exception) -> str:
    return printable(last_line(error))
