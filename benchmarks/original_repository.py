# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The original programs, run from a clone of their repository on today's libraries and without a GPU.

Nothing of the original is here: its files are imported from the clone that the user names. What they expect
of their time is stood in for while they are imported: torchvision (the real one is used where it is
installed), scipy, names that NumPy has removed since, and `.cuda()`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

IMAGES = "test"
"""The split of the data set that the pose program is told to run on."""


class Settings(dict[str, Any]):
    """Nested settings, by attribute and by key, as the original's configuration has them."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Original:
    """What is used of the original's two programs.

    Attributes:
        backbone: where DenseNet121 comes from, in words.
        inference: `core.inference`.
        function: `core.function`, with `output_preds`.
        transforms: `utils.transforms` of the pose program.
        vis: `utils.vis`, with `is_convex`.
        veri: `dataset.veri`.
        hrnet: `models.pose_hrnet`.
        densenet: `torchreid.models.densenet`.
        loader: `torchreid.dataset_loader`.
        loading: `torchreid.transforms`.
    """

    backbone: str
    inference: Any
    function: Any
    transforms: Any
    vis: Any
    veri: Any
    hrnet: Any
    densenet: Any
    loader: Any
    loading: Any

    def pose_network(self) -> nn.Module:
        """Return the original's HRNet-W32, as its configuration for VeRi describes it."""
        network: nn.Module = self.hrnet.get_pose_net(settings(Path()), is_train=False)
        return network.eval()

    def reid_network(
        self, *, keypoints: bool, heatmaps: bool, segments: bool, multitask: bool, vehicles: int = 576
    ) -> nn.Module:
        """Return the original's DenseNet121 in one of its variants."""
        network: nn.Module = self.densenet.DenseNet121(
            vehicles, 10, 9, keyptaware=keypoints, heatmapaware=heatmaps, segmentaware=segments,
            multitask=multitask,
        )  # fmt: skip
        return network.eval()


def open_repository(clone: Path) -> Original:
    """Import the original's modules from a clone.

    Raises:
        SystemExit: the folder is no clone of it.
    """
    pose, reid = clone / "PoseEstNet" / "lib", clone / "MultiTaskNet" / "torchreid"
    if not (pose / "models" / "pose_hrnet.py").is_file() or not (reid / "dataset_loader.py").is_file():
        sys.exit(f"{clone} is no clone of https://github.com/NVlabs/PAMTRI: PoseEstNet/lib is not in it.")
    before = set(sys.modules)
    backbone = _stand_in()
    for name in ("core", "utils", "dataset", "models"):  # without running their __init__: those want more
        package = types.ModuleType(name)
        package.__path__ = [str(pose / name)]
        sys.modules[name] = package
    try:
        names = ("core.inference", "core.function", "utils.transforms", "utils.vis", "dataset.veri")
        inference, function, transforms, vis, veri = map(importlib.import_module, names)
        return Original(
            backbone=backbone,
            inference=inference,
            function=function,
            transforms=transforms,
            vis=vis,
            veri=veri,
            hrnet=importlib.import_module("models.pose_hrnet"),
            densenet=_module("densenet", reid / "models" / "densenet.py"),
            loader=_module("dataset_loader", reid / "dataset_loader.py"),
            loading=_module("transforms", reid / "transforms.py"),
        )
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("core", "utils", "dataset", "models"):
                del sys.modules[name]


def settings(root: Path, *, flip_test: bool = False) -> Settings:
    """Return `experiments/veri/hrnet/w32_256x256_adam_lr1e-3.yaml`, as far as it is read."""
    stages = {
        f"STAGE{index + 2}": Settings(
            NUM_MODULES=modules,
            NUM_BRANCHES=index + 2,
            BLOCK="BASIC",
            NUM_BLOCKS=[4] * (index + 2),
            NUM_CHANNELS=[32, 64, 128, 256][: index + 2],
            FUSE_METHOD="SUM",
        )
        for index, modules in enumerate((1, 4, 3))
    }
    return Settings(
        OUTPUT_DIR="",
        MODEL=Settings(
            NUM_JOINTS=36, IMAGE_SIZE=[256, 256], HEATMAP_SIZE=[64, 64], SIGMA=2, TARGET_TYPE="gaussian",
            EXTRA=Settings(PRETRAINED_LAYERS=["*"], FINAL_CONV_KERNEL=1, **stages),
        ),
        DATASET=Settings(
            ROOT=str(root), TEST_SET=IMAGES, DATA_FORMAT="jpg", SCALE_FACTOR=0.25, ROT_FACTOR=30, FLIP=True,
            NUM_JOINTS_HALF_BODY=18, PROB_HALF_BODY=-1.0, COLOR_RGB=True,
        ),
        LOSS=Settings(USE_DIFFERENT_JOINTS_WEIGHT=False),
        TEST=Settings(FLIP_TEST=flip_test, SHIFT_HEATMAP=True, POST_PROCESS=True),
    )  # fmt: skip


def pose_dataset(original: Original, root: Path, sizes: dict[str, tuple[int, int]]) -> Any:
    """Return the original's VeRi data set of pictures without labels.

    Args:
        original: the programs.
        root: a folder with the pictures in `images/image_test`; the label file is written there.
        sizes: width and height of each picture by file name, sorted.
    """
    (root / "annot").mkdir(parents=True, exist_ok=True)
    rows = (",".join(map(str, [name, *size, *([1, 1, 1] * 36)])) for name, size in sizes.items())
    (root / "annot" / f"label_{IMAGES}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with period():
        return original.veri.VeRiDataset(
            settings(root), str(root), IMAGES, False, lambda image: normalize(to_tensor(image), MEAN, STD)
        )


def write_predictions(
    original: Original, network: nn.Module, dataset: Any, root: Path, output: Path, *, flip_test: bool
) -> None:
    """Run the original's `output_preds`: a CSV file of keypoints, JPEG files of heatmaps and segments."""
    loader = torch.utils.data.DataLoader(dataset, batch_size=4)
    output.mkdir(parents=True, exist_ok=True)
    with period():
        original.function.output_preds(
            settings(root, flip_test=flip_test),
            loader,
            dataset,
            network,
            lambda *_: torch.zeros(()),
            str(output),
        )


@contextmanager
def period() -> Iterator[None]:
    """Give NumPy and torch what the original expects of them: `np.float`, and a `.cuda()` that stays."""
    cuda = Tensor.cuda
    had = hasattr(np, "float")
    Tensor.cuda = lambda self, *_args, **_options: self  # type: ignore[assignment, method-assign]
    np.float = float  # type: ignore[attr-defined]
    try:
        yield
    finally:
        Tensor.cuda = cuda  # type: ignore[method-assign]
        if not had:
            del np.float  # type: ignore[attr-defined]


MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def to_tensor(picture: NDArray[np.uint8]) -> Tensor:
    """As torchvision's: (H, W, C) uint8 to (C, H, W) float32 of 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).to(torch.float32).div(255)


def normalize(tensor: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """As torchvision's: (C, H, W) less the mean, over the deviation, per channel."""
    return (tensor - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


class StandInDenseNet(nn.Module):
    """DenseNet121 after its paper, with torchvision's names; written apart from `pamtri_edge.models`.

    Every dense layer is given the list of all maps before it, and joins them itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = features = nn.Sequential()
        features.add_module("conv0", nn.Conv2d(3, 64, 7, 2, 3, bias=False))
        features.add_module("norm0", nn.BatchNorm2d(64))
        features.add_module("relu0", nn.ReLU())
        features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        width = 64
        for number, layers in enumerate((6, 12, 24, 16), 1):
            block = _Block()
            for layer in range(1, layers + 1):
                block.add_module(f"denselayer{layer}", _Layer(width))
                width += 32
            features.add_module(f"denseblock{number}", block)
            if number < 4:
                between = nn.Sequential()
                between.add_module("norm", nn.BatchNorm2d(width))
                between.add_module("relu", nn.ReLU())
                between.add_module("conv", nn.Conv2d(width, width // 2, 1, bias=False))
                between.add_module("pool", nn.AvgPool2d(2))
                features.add_module(f"transition{number}", between)
                width //= 2
        features.add_module("norm5", nn.BatchNorm2d(width))


class _Block(nn.Module):
    def forward(self, first: Tensor) -> Tensor:
        maps = [first]
        for layer in self.children():
            maps.append(layer(maps))
        return torch.cat(maps, 1)


class _Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, 128, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(128)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, maps: list[Tensor]) -> Tensor:
        narrow = self.conv1(functional.relu(self.norm1(torch.cat(maps, 1))))
        wide: Tensor = self.conv2(functional.relu(self.norm2(narrow)))
        return wide


def _stand_in() -> str:
    """Put stand-ins where the original imports what is not installed; return where DenseNet comes from."""
    found = "a stand-in with torchvision's names"
    densenet: Callable[[], nn.Module] = StandInDenseNet
    try:
        real = importlib.import_module("torchvision")
    except (ImportError, RuntimeError):  # RuntimeError: a build for another torch
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    else:
        found = f"torchvision {real.__version__}"
        densenet = real.models.densenet121
    vision, models, transforms, names = (types.ModuleType(name) for name in ("torchvision", "m", "t", "f"))
    models.densenet121 = lambda pretrained=False: densenet()  # type: ignore[attr-defined]
    names.to_tensor, names.normalize = to_tensor, normalize  # type: ignore[attr-defined]
    transforms.functional, vision.models, vision.transforms = names, models, transforms  # type: ignore[attr-defined]
    sys.modules.update(
        {
            "torchvision": vision,
            "torchvision.models": models,
            "torchvision.transforms": transforms,
            "torchvision.transforms.functional": names,
        }
    )
    for name, wanted in (("scipy.io", ("loadmat", "savemat")), ("scipy.spatial", ("ConvexHull",))):
        if importlib.util.find_spec("scipy") is None:
            module = types.ModuleType(name)
            vars(module).update(dict.fromkeys(wanted))
            sys.modules.setdefault("scipy", types.ModuleType("scipy"))
            sys.modules[name] = module
    return found


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"original_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
