# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The way in from Python: vehicle pictures in, embeddings, attributes and keypoints out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri_edge import ops
from pamtri_edge.arrays import check_choice, check_color_order, is_device_array
from pamtri_edge.bundle import Bundle, Manifest, default_bundle, open_bundle
from pamtri_edge.errors import BundleError, EngineError, InputError
from pamtri_edge.geometry import CropRule, Geometry, crop_rectangles, crop_to_frame
from pamtri_edge.given import GivenCrops, given_picture
from pamtri_edge.reidentification import Reidentification
from pamtri_edge.runtime import Backend, create_backend
from pamtri_edge.runtime.backend import DeviceBackend, PictureBackend, empty_output
from pamtri_edge.runtime.forking import computing
from pamtri_edge.runtime.selftest import prove

CHUNK: Final = 32
"""How many crops are prepared at a time: 25 MB of network input, however long the batch."""

_ATTEMPTS: Final = 3
Floats = NDArray[np.float32]
_Inputs = dict[str, Floats]
_log = logging.getLogger(__name__)


class Reidentifier:
    """Describes vehicles so that they can be found again: `Reidentifier.load()`, then `embed`.

    It may be used from several threads at once, and on the CPU also in processes forked after loading, each
    of which makes an engine of its own from the same bytes when it first embeds. A vehicle's numbers do not
    depend on the others in its batch. Use it as a context manager, or call `close()`, to give its memory
    back.

    Example:
        >>> from pamtri_edge import Reidentifier
        >>> with Reidentifier.load("pamtri-lite.pamtri") as reid:  # doctest: +SKIP
        ...     found = reid.embed(crops)
        ...     found.embeddings @ found.embeddings.T
    """

    def __init__(self, bundle: Bundle, backend: Backend) -> None:
        self._bundle = bundle
        self._backend = backend
        self._process = os.getpid()
        self._windowed = any(spec.name == "pose_images" for spec in bundle.manifest.inputs)

    def __repr__(self) -> str:
        backend, space = self._backend, self.manifest.embedding_space
        return (
            f"<Reidentifier: {self._bundle.path}, space {space[:19]}, "
            f"{backend.name} on {backend.device}, {backend.arithmetic} arithmetic>"
        )

    def __reduce__(self) -> NoReturn:
        raise InputError(
            "a Reidentifier cannot be copied or sent to another process; load the bundle there "
            f"(Reidentifier.load({str(self._bundle.path)!r})), or fork after loading, on a CPU."
        )

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        device: str = "auto",
        backend: str = "auto",
        threads: int | None = None,
        build: bool = True,
    ) -> Reidentifier:
        """Open a bundle, load its network, and let it prove itself on the bundle's golden crops.

        A bundle of untrained weights, whose results mean nothing, is announced by one warning on the
        logger `pamtri_edge.reidentifier` (Python shows it on standard error where logging is not set up).
        What OpenVINO compiles is kept in the user's cache folder, and the next load is quicker; the
        environment variable `PAMTRI_NO_CACHE=1` turns that off.

        Args:
            path: the bundle, `NAME.pamtri`. None takes the one that the environment variable
                `PAMTRI_BUNDLE` names, else the trained `lite` one that comes with the package.
            device: "cpu", "cuda", "cuda:N", or "auto".
            backend: "tensorrt", "openvino", "torch", or "auto": TensorRT where there is an NVIDIA driver,
                CuPy and TensorRT; else OpenVINO on the CPU, torch for a CUDA device.
            threads: CPU threads of the network; None for all that the process may use.
            build: whether TensorRT may build an engine that is not in the bundle's cache, which can take
                minutes. The other engines need no building.

        Raises:
            BundleError: the bundle is missing, incomplete, changed, too new, or gave other results than it
                promises.
            InputError: an unknown device or backend.
            MissingDependencyError: the engine is not installed.
            EngineError: TensorRT cannot be used here, or building an engine was not allowed.
        """
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise InputError(f"the bundle is {path!r}; expected its path, NAME.pamtri, or None.")
        bundle, engine = _load(
            default_bundle() if path is None else path,
            backend=backend,
            device=device,
            threads=threads,
            build=build,
        )
        if not bundle.manifest.trained:
            _log.warning(
                "%s holds untrained weights: its embeddings, colors and types mean nothing. "
                "Export trained weights with pamtri-export --pose FILE --reid FILE.",
                bundle.path,
            )
        return cls(bundle, engine)

    @property
    def manifest(self) -> Manifest:
        """What the bundle says of itself."""
        return self._bundle.manifest

    @property
    def backend(self) -> Backend:
        """The engine: its `name`, `device` and `arithmetic`."""
        return self._backend

    @computing()
    def embed(self, batch: Any, *, color_order: str = "rgb", output: str = "numpy") -> Reidentification:
        """Describe vehicles, each on a crop of its own.

        Args:
            batch: a sequence of crops of any sizes, each an (H, W, 3) uint8 array, the path of a picture
                file, a picture of Pillow or a uint8 tensor on the host; or one (N, H, W, 3) uint8 array;
                any N. With backend "tensorrt" the array may be on the GPU, from CuPy, torch or whatever
                has DLPack or `__cuda_array_interface__`.
                Files and pictures of Pillow are turned upright where their EXIF names an orientation, and
                their alpha channel is dropped.
            color_order: of arrays and tensors: "rgb", or "bgr" as OpenCV reads pictures. Files and pictures
                of Pillow know their own.
            output: "numpy", or "device" to leave the arrays on the GPU (backend "tensorrt": CuPy arrays;
                "torch" on a CUDA device: torch tensors; other libraries take either by DLPack).

        Raises:
            InputError: a crop of another shape or dtype (the message says which), or one in CUDA memory
                where the backend cannot use it.
            EngineError: the network gave an embedding that is no direction (zero, NaN or infinite), or the
                bundle was loaded on a GPU before this process was forked.
        """
        self._check_process()
        order = check_color_order(color_order)
        swap = order == "bgr"
        on_device = check_choice(output, ("numpy", "device"), "output") == "device"
        if on_device and not (
            self._backend.device.startswith("cuda") and isinstance(self._backend, DeviceBackend)
        ):
            raise InputError(
                f"output='device' leaves results on a GPU, and backend {self._backend.name!r} runs on "
                f"{self._backend.device!r}; use output='numpy', or load with device='cuda'."
            )
        if is_device_array(batch):
            return self._describe(self._run_pictures(batch, swap, on_device=on_device))
        crops = GivenCrops(batch, order)
        chunks = (self._prepare(crops.part(at, CHUNK), swap) for at in range(0, len(crops), CHUNK))
        outputs = self._run(chunks, len(crops), on_device=on_device)
        return self._describe(outputs, crops.names)

    @computing()
    def embed_frame(
        self,
        frame: Any,
        boxes: ArrayLike,
        *,
        color_order: str = "rgb",
        crop_rule: str = "exact",
    ) -> Reidentification:
        """Describe the vehicles of a frame; keypoints come back in frame pixels.

        Args:
            frame: (H, W, 3) uint8, or what else `embed` takes as a crop.
            boxes: (N, 4) x1, y1, x2, y2 in pixels, a row a vehicle; may reach past the frame.
            color_order: "rgb", or "bgr" for frames as OpenCV reads them.
            crop_rule: "exact" (clipped to the frame, rounded outward), or "nvinfer" (as DeepStream cuts).

        Raises:
            InputError: the frame has another form, or a box is empty, inverted or outside of it.
            EngineError: as `embed`.
        """
        self._check_process()
        order = check_color_order(color_order)
        swap = order == "bgr"
        rule = CropRule(check_choice(crop_rule, [rule.value for rule in CropRule], "crop_rule"))
        picture = given_picture(frame, "the frame", order)
        rectangles = crop_rectangles(boxes, picture.shape[1], picture.shape[0], rule)
        chunks = (
            self._prepare_rectangles(picture, rectangles[at : at + CHUNK], swap)
            for at in range(0, len(rectangles), CHUNK)
        )
        outputs = self._run(chunks, len(rectangles), on_device=False)
        if "keypoints" in outputs:
            outputs["keypoints"] = crop_to_frame(outputs["keypoints"], rectangles)
        return self._describe(outputs)

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        self._backend.close()

    def __enter__(self) -> Reidentifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_process(self) -> None:
        """Refuse a GPU's engine in a forked process; those of the CPU see to it themselves."""
        if self._backend.device.startswith("cuda") and os.getpid() != self._process:
            raise EngineError(
                "this process was forked after the bundle was loaded on a GPU, and CUDA does not survive "
                "that. Load the bundle in each process, or start processes with multiprocessing's 'spawn'."
            )

    def _prepare(self, crops: Sequence[NDArray[np.uint8]], swap: bool) -> _Inputs:
        """Make the network's inputs of whole crops."""
        return {"images": ops.resize(crops, swap_channels=swap), **self._windows(crops, swap)}

    def _prepare_rectangles(
        self, frame: NDArray[np.uint8], rectangles: NDArray[np.int32], swap: bool
    ) -> _Inputs:
        """Make the network's inputs of rectangles of a frame."""
        crops = [frame[y1:y2, x1:x2] for x1, y1, x2, y2 in rectangles]
        return {"images": ops.crop(frame, rectangles, swap_channels=swap), **self._windows(crops, swap)}

    def _windows(self, crops: Sequence[NDArray[np.uint8]], swap: bool) -> _Inputs:
        """Make what the `original` geometry takes besides the stretched crops."""
        if not self._windowed:
            return {}
        sizes = np.array([(crop.shape[1], crop.shape[0]) for crop in crops], np.float32)
        return {"pose_images": ops.window(crops, swap_channels=swap), "crop_size": sizes}

    def _run_pictures(self, batch: Any, swap: bool, *, on_device: bool) -> dict[str, Any]:
        """Run a batch that is in CUDA memory."""
        if not isinstance(self._backend, PictureBackend):
            raise InputError(
                f"the batch is in CUDA memory, and backend {self._backend.name!r} on "
                f"{self._backend.device!r} takes pictures from the host: copy the batch there first, or load "
                "the bundle with backend='tensorrt'."
            )
        return self._backend.run_pictures(batch, swap_channels=swap, on_device=on_device)

    def _run(self, chunks: Iterator[_Inputs], count: int, *, on_device: bool) -> dict[str, Any]:
        """Run the chunks and join their outputs; only one chunk's inputs are in memory at a time."""
        if on_device and isinstance(self._backend, DeviceBackend):
            return self._backend.run_on_device(chunks, count)
        outputs = {spec.name: empty_output(spec, count) for spec in self.manifest.outputs}
        at = 0
        for inputs in chunks:
            size = len(inputs["images"])
            for name, array in self._backend.run(inputs).items():
                outputs[name][at : at + size] = array
            at += size
        _check_embeddings(outputs["embedding"], self._bundle)
        return outputs

    def _describe(self, outputs: dict[str, Any], names: tuple[str, ...] | None = None) -> Reidentification:
        colors, types, quality = (outputs.get(name) for name in ("color", "type", "quality"))
        return Reidentification(
            embeddings=outputs["embedding"],
            color_probs=colors,
            type_probs=types,
            keypoints=outputs.get("keypoints"),
            quality=None if quality is None else quality[:, 0],
            color_names=self.manifest.colors,
            type_names=self.manifest.types,
            embedding_space=self.manifest.embedding_space,
            matching=self.manifest.matching,
            names=names,
        )


def _load(
    place: str | os.PathLike[str], *, backend: str, device: str, threads: int | None, build: bool
) -> tuple[Bundle, Backend]:
    """Open a bundle and make a tested engine of it.

    TensorRT reads the networks by their paths. If those were overwritten meanwhile, all is done again, so
    that manifest and engine are of one bundle; the other engines are given the bytes that were checked.
    """
    for _ in range(_ATTEMPTS):
        bundle = open_bundle(place)
        engine = create_backend(
            bundle.model,
            backend=backend,
            device=device,
            threads=threads,
            # The operations between the two networks are those of the unified geometry.
            staged=bundle.staged if bundle.manifest.geometry is Geometry.UNIFIED else None,
            build=build,
            content=bundle.network,
            keep=True,
        )
        try:
            if engine.name == "tensorrt" and bundle.replaced:
                engine.close()
                continue
            prove(bundle, engine)
        except BaseException:
            engine.close()
            raise
        return bundle, engine
    raise BundleError(f"{os.fspath(place)} is overwritten again and again; load it when that has ended.")


def _check_embeddings(embeddings: Floats, bundle: Bundle) -> None:
    """Refuse embeddings that cannot be compared."""
    lengths = np.linalg.norm(embeddings, axis=1)
    wrong = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if wrong.size:
        what = "zero length" if lengths[wrong[0]] == 0 else "values that are not finite"
        raise EngineError(
            f"the network of {bundle.path} gave an embedding of {what} for picture {wrong[0]} of "
            f"{len(embeddings)}; it cannot be compared with others. Its weights are not usable: export a "
            "bundle of other weights, or look at them with pamtri verify."
        )
