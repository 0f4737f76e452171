# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks as describers: a bundle, weights that are not exported yet, or any ONNX network."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.views import Picture
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.evaluate.features import Description
from pamtri_edge.geometry import RGB_MEAN, RGB_STD, Geometry
from pamtri_edge.vehicle import COLORS, TYPES
from pamtri_edge.words import SCALINGS, Scaling

if TYPE_CHECKING:
    from pamtri_edge.reidentifier import Reidentifier

Floats = NDArray[np.float32]


class BundleDescriber:
    """Describes with a bundle, as `Reidentifier.embed` does.

    Args:
        reidentifier: the loaded bundle; closing it is the caller's.
        name: what tables call it; None for the bundle's name and precision.

    Attributes:
        matching: the threshold that the bundle suggests, with its promised rates; None without one.
    """

    def __init__(self, reidentifier: Reidentifier, *, name: str | None = None) -> None:
        manifest = reidentifier.manifest
        self._reidentifier = reidentifier
        self.matching = manifest.matching
        self.name = name or f"{manifest.name} ({manifest.precision})"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        found = self._reidentifier.embed(list(pictures))
        return Description(found.embeddings, found.colors, found.types, found.keypoints)


class WeightsDescriber:
    """Describes with files of weights, in PyTorch.

    Args:
        reid: weights of the re-identification network.
        pose: weights of the pose network; None if the other takes nothing from it.
        geometry: how a crop becomes the networks' pictures.
        device: "cpu", "cuda" or "cuda:N".
        threads: CPU threads; None for all.
        name: what tables call it; None for the file's name.

    Raises:
        CheckpointError: a file cannot be read or does not fit.
        InputError: the re-identification network needs a pose network and there is none.
        MissingDependencyError: PyTorch is not installed.
    """

    def __init__(
        self,
        reid: Path,
        pose: Path | None = None,
        *,
        geometry: Geometry = Geometry.UNIFIED,
        device: str = "cpu",
        threads: int | None = None,
        name: str | None = None,
    ) -> None:
        self._torch = _import_torch(threads)
        from pamtri_edge.models import Pamtri, load_pose, load_reid

        self.name = name or reid.name
        loaded = load_reid(reid)
        self._network = Pamtri(None if pose is None else load_pose(pose), loaded, geometry=geometry)
        self._network.to(device)
        self._device = device
        spec = loaded.spec
        # Which names belong to other numbers of classes is known only to who trained the network.
        self._colors = COLORS if spec.multitask and spec.colors == len(COLORS) else None
        self._types = TYPES if spec.multitask and spec.types == len(TYPES) else None

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        from pamtri_edge.parity.pictures import graph_inputs

        names = self._network.input_names
        inputs = graph_inputs(list(pictures), names)
        with self._torch.inference_mode():
            tensors = [self._torch.from_numpy(inputs[name]).to(self._device) for name in names]
            outputs = [tensor.float().cpu().numpy() for tensor in self._network(*tensors)]
        found = dict(zip(self._network.output_names, outputs, strict=True))
        return Description(
            found["embedding"],
            _names(found.get("color"), self._colors),
            _names(found.get("type"), self._types),
            found.get("keypoints"),
        )


class PoseDescriber:
    """Places keypoints with the weights of a pose network, in PyTorch; its embeddings have no numbers.

    Args:
        pose: weights of the pose network, trained on stretched crops (geometry `unified`).
        device: "cpu", "cuda" or "cuda:N".
        threads: CPU threads; None for all.

    Raises:
        CheckpointError: the file cannot be read or does not fit.
        MissingDependencyError: PyTorch is not installed.
    """

    def __init__(self, pose: Path, *, device: str = "cpu", threads: int | None = None) -> None:
        self._torch = _import_torch(threads)
        from pamtri_edge.models import load_pose
        from pamtri_edge.models.stages import PoseStage

        self.name = pose.name
        self._network = PoseStage(load_pose(pose)).eval().to(device)
        self._device = device

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        from pamtri_edge import ops
        from pamtri_edge.models import operators

        images = self._torch.from_numpy(ops.resize(list(pictures))).to(self._device)
        with self._torch.inference_mode():
            keypoints = operators.crop_keypoints(*operators.peaks(self._network(images)))
        return Description(np.zeros((len(pictures), 0), np.float32), keypoints=keypoints.cpu().numpy())


class OnnxDescriber:
    """Describes with any ONNX network that takes pictures, such as one trained on ImageNet.

    Maps (N, C, H, W) that it gives are averaged over H and W.

    Args:
        path: the file; one input, of fixed height and width.
        scaling: see `Scaling`.
        output: name of the output that is taken as the feature; None for the first.
        threads: CPU threads; None for all.

    Raises:
        InputError: the network takes or gives something else.
        BundleError: OpenVINO cannot read the file.
        MissingDependencyError: the package onnx, which reads the file's inputs, is not installed.
    """

    def __init__(
        self,
        path: Path,
        *,
        scaling: Scaling = "imagenet",
        output: str | None = None,
        threads: int | None = None,
    ) -> None:
        from pamtri_edge.runtime import create_backend

        if scaling not in SCALINGS:
            raise InputError(f"the scaling is {scaling!r}; accepted: {', '.join(SCALINGS)}.")
        self.name = path.stem
        self._scaling = scaling
        self._input, self._size, self._channels_first, self._output = _onnx_input(path, output)
        self._backend = create_backend(path, backend="openvino", threads=threads)

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        stretched = [cv2.resize(picture, self._size) for picture in pictures]
        values = _scaled(np.stack(stretched).astype(np.float32), self._scaling)
        if self._channels_first:
            values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        feature = self._backend.run({self._input: values})[self._output]
        if feature.ndim == 4:
            feature = feature.mean(axis=(2, 3))
        return Description(np.asarray(feature.reshape(len(feature), -1), np.float32))


def _import_torch(threads: int | None) -> Any:
    if importlib.util.find_spec("torch") is None:
        raise MissingDependencyError(
            "weights run in PyTorch, which is not installed: pip install 'pamtri-edge[torch]'"
        )
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    return torch


def _scaled(pictures: Floats, scaling: Scaling) -> Floats:
    if scaling == "bytes":
        return pictures
    if scaling == "symmetric":
        return pictures / 127.5 - 1.0
    if scaling == "unit":
        return pictures / 255.0
    mean, deviation = np.array(RGB_MEAN, np.float32), np.array(RGB_STD, np.float32)
    return np.asarray((pictures / 255.0 - mean) / deviation, np.float32)


def _onnx_input(path: Path, output: str | None) -> tuple[str, tuple[int, int], bool, str]:
    """Return the input's name, width and height, whether its channels come first, and the output's name."""
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError(
            "reading a network's inputs needs the package onnx: pip install 'pamtri-edge[evaluate]'"
        ) from error
    if not path.is_file():
        raise InputError(f"there is no file {path}; expected an ONNX network.")
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as error:  # protobuf's own errors, which have no common base
        raise InputError(f"{path} is no ONNX network ({type(error).__name__}).") from error
    weights = {item.name for item in graph.initializer}
    inputs = [item for item in graph.input if item.name not in weights]
    outputs = [item.name for item in graph.output]
    if len(inputs) != 1 or not outputs:
        raise InputError(f"{path} takes {len(inputs)} inputs; expected one, a picture.")
    if output is not None and output not in outputs:
        raise InputError(f"{path} has no output {output!r}; it has {', '.join(outputs)}.")
    sizes = [item.dim_value for item in inputs[0].type.tensor_type.shape.dim]
    if len(sizes) != 4 or 3 not in (sizes[1], sizes[3]):
        raise InputError(f"{path} takes {sizes}; expected (N, 3, H, W) or (N, H, W, 3).")
    first = sizes[1] == 3
    height, width = sizes[2:4] if first else sizes[1:3]
    if height < 1 or width < 1:
        raise InputError(
            f"{path} takes pictures of any size; fix its height and width (224x224, as trained)."
        )
    return inputs[0].name, (width, height), first, output or outputs[0]


def _names(probabilities: Floats | None, names: Sequence[str] | None) -> list[str] | None:
    if probabilities is None or names is None:
        return None
    return [names[index] for index in probabilities.argmax(axis=1)]
