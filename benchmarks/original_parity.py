# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our networks and our `original` geometry against the original programs, run from a clone of theirs.

    git clone https://github.com/NVlabs/PAMTRI
    python benchmarks/original_parity.py --original PAMTRI --crops FOLDER

First network by network: the original's networks with drawn weights are saved in the forms in which its
training programs save them, loaded by `load_pose` and `load_reid`, and both are given the same tensors. Then
from picture files to the embedding: `Pamtri(geometry="original")` against the original's steps, which are
taken on stepwise: heatmaps and segments kept as numbers and enlarged once; heatmaps enlarged to the
picture's size and resized again; values floored to 8 bits; and at last its programs as they are, with JPEG
files between them. (The keypoints pass through its CSV file of three decimals each time.) Exit code 1 if a
difference that should be rounding is more.

The weights are drawn, so that the size of a difference says how faithful the steps are, not what it costs
in accuracy.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
import original_repository as repository
import original_steps as steps
from original_repository import Original

from pamtri_edge import ops
from pamtri_edge.console import out
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import (
    TINY,
    Pamtri,
    PoseNet,
    ReidNet,
    ReidSpec,
    load_pose,
    load_reid,
    operators,
    seeded,
)
from pamtri_edge.models.original import window_keypoints
from pamtri_edge.models.sizes import PAPER
from pamtri_edge.pictures import list_pictures, read_picture

NETWORK_LIMIT = 1e-4
"""Relative: the largest difference over the largest value."""

END_LIMIT = 1e-4
"""One less the smallest cosine, where the steps are the same (but for a grey level here and there: the
original's affine map has float32 corners)."""

OUTLINE_LIMIT = 2e-3
"""Likewise with segments: half-planes and `cv2.fillPoly` differ in pixels that the outline crosses."""

_WIDTH = 130

VARIANTS = tuple(
    replace(PAPER[1], keypoints=keypoints, heatmaps=heatmaps, segments=segments, multitask=multitask)
    for multitask, keypoints, heatmaps, segments in product((False, True), repeat=4)
)
"""All 16: every row of the paper's tables, and heatmaps alone and multi-task alone, as published."""

END_TO_END = tuple(
    replace(PAPER[1], keypoints=keypoints, heatmaps=heatmaps, segments=segments, multitask=multitask)
    for keypoints, heatmaps, segments, multitask in (
        (False, False, False, True),
        (False, True, False, False),
        (True, True, False, True),
        (True, False, True, True),
        (True, True, True, True),
    )
)


@dataclass(frozen=True)
class Crops:
    """Pictures as both sides are shown them.

    Attributes:
        paths: the picture files.
        images: (N, 3, 256, 256) float32 RGB of 0..255, stretched.
        windows: (N, 3, 256, 256) float32 RGB of 0..255, in the padded window.
        sizes: (N, 2) float32 width and height.
    """

    paths: tuple[Path, ...]
    images: Tensor
    windows: Tensor
    sizes: Tensor


@dataclass(frozen=True)
class NetworkRow:
    """Relative differences of one network's outputs; `passed` if all are within `NETWORK_LIMIT`."""

    network: str
    forms: str
    differences: dict[str, float]

    @property
    def passed(self) -> bool:
        """Whether all differences are rounding."""
        return all(value <= NETWORK_LIMIT for value in self.differences.values())


@dataclass(frozen=True)
class EndRow:
    """How far the embedding, keypoints and attributes are apart, from the same picture files.

    Attributes:
        variant: of the re-identification network.
        flip_test: with or without.
        step: how far the original's steps were taken on.
        cosine: smallest and mean.
        keypoint: largest difference in pixels of the crop.
        attributes: share of equal arg-max, and the largest difference of a probability; None without.
        limit: what one less the smallest cosine may be; None where it is only reported.
    """

    variant: str
    flip_test: bool
    step: str
    cosine: tuple[float, float]
    keypoint: float
    attributes: tuple[float, float] | None
    limit: float | None

    @property
    def passed(self) -> bool:
        """Whether the difference is rounding, or only reported."""
        return self.limit is None or 1.0 - self.cosine[0] <= self.limit


def variant_name(spec: ReidSpec) -> str:
    """Return a variant as the paper writes it, such as `MT+K+H`; `RGB` for none of them."""
    parts = ("MT", spec.multitask), ("K", spec.keypoints), ("H", spec.heatmaps), ("S", spec.segments)
    return "+".join(name for name, there in parts if there) or "RGB"


def read_crops(folder: Path, count: int) -> Crops:
    """Read pictures evenly spread over a folder."""
    found = list_pictures(folder)
    paths = tuple(
        found[index] for index in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int)
    )
    pictures = [read_picture(path) for path in paths]
    return Crops(
        paths=paths,
        images=torch.from_numpy(ops.resize(pictures)),
        windows=torch.from_numpy(ops.window(pictures)),
        sizes=torch.tensor([[float(p.shape[1]), float(p.shape[0])] for p in pictures]),
    )


def draw_pose(original: Original, crops: Crops) -> nn.Module:
    """Return the original's pose network with drawn weights that give sane heatmaps."""
    drawn, _ = seeded((PAPER[0], TINY[1]), pictures=_pictures(crops))
    network = original.pose_network()
    network.load_state_dict(drawn.state_dict())
    return network


def draw_reid(original: Original, spec: ReidSpec, crops: Crops) -> nn.Module:
    """Return the original's re-identification network with drawn weights, in one variant."""
    _, drawn = seeded((TINY[0], spec), pictures=_pictures(crops))
    network = original.reid_network(
        keypoints=spec.keypoints, heatmaps=spec.heatmaps, segments=spec.segments, multitask=spec.multitask
    )
    network.load_state_dict(drawn.state_dict())
    return network


def _pictures(crops: Crops) -> list[NDArray[np.uint8]]:
    return [picture.permute(1, 2, 0).to(torch.uint8).numpy() for picture in crops.images]


def loaded_pose(network: nn.Module, folder: Path) -> tuple[PoseNet, str]:
    """Save a pose network in both forms of its program, load both, and return the one with its form."""
    state = network.state_dict()
    bare, wrapped = folder / "final_state.pth", folder / "checkpoint.pth"
    torch.save(state, bare)
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save(
        {"epoch": 210, "model": "pose_hrnet", "state_dict": parallel, "best_state_dict": state,
         "perf": np.float64(82.15), "optimizer": {"state": {}, "param_groups": []}}, wrapped,
    )  # fmt: skip
    first, second = load_pose(bare), load_pose(wrapped)
    _same(first, second)
    return first, "bare state dict; checkpoint with module."


def loaded_reid(network: nn.Module, folder: Path) -> tuple[ReidNet, str]:
    """Save a re-identification network as its program does, and load it."""
    path = folder / "model_best.pth.tar"
    torch.save({"state_dict": network.state_dict(), "rank1": np.float32(0.9286), "epoch": 60}, path)
    return load_reid(path), "checkpoint with a NumPy scalar"


def _same(first: nn.Module, second: nn.Module) -> None:
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), f"{name} differs between the forms"


def relative(found: Tensor | NDArray[np.float32], expected: Tensor | NDArray[np.float32]) -> float:
    """Return the largest difference over the largest value."""
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64)).max()
    return float(difference / np.abs(np.asarray(expected)).max())


def pose_row(original: Original, theirs: nn.Module, crops: Crops, folder: Path, *, flip: bool) -> NetworkRow:
    """Compare heatmaps and keypoints on identical tensors."""
    ours, forms = loaded_pose(theirs, folder)
    stage = Pamtri(ours, ReidNet(TINY[1]), geometry=Geometry.ORIGINAL, flip_test=flip).pose_stage()
    heatmaps = stage(crops.windows)
    expected = steps.heatmaps(original, theirs, crops.windows, flip_test=flip)
    found = window_keypoints(*operators.peaks(heatmaps), crops.sizes)
    found[..., :2] *= crops.sizes.unsqueeze(1)
    differences = {
        "heatmaps": relative(heatmaps, expected),
        "keypoints": relative(found, steps.keypoints(original, expected, crops.sizes)),
    }
    return NetworkRow(f"pose{' with flip test' if flip else ''}", forms, differences)


def reid_row(theirs: nn.Module, spec: ReidSpec, folder: Path) -> NetworkRow:
    """Compare features and logits of one variant on identical tensors."""
    ours, forms = loaded_reid(theirs, folder)
    assert ours.spec == spec, f"read {ours.spec} from the shapes of {spec}"
    drawn = torch.Generator().manual_seed(0)
    stack = torch.randn(2, spec.channels, 256, 256, generator=drawn)
    vector = torch.rand(2, 108, generator=drawn) - 0.5 if spec.keypoints else None
    names = ("id", "color", "type", "feature") if spec.multitask else ("id", "feature")
    expected = theirs(stack, vector)
    differences = {n: relative(f, e) for n, f, e in zip(names, ours(stack, vector), expected, strict=True)}
    return NetworkRow(f"reid {variant_name(spec)}", forms, differences)


def network_rows(
    original: Original, crops: Crops, pose: nn.Module, variants: Sequence[ReidSpec]
) -> Iterator[NetworkRow]:
    """Yield the comparison of each network on identical tensors."""
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        for flip in (False, True):
            yield pose_row(original, pose, crops, Path(folder), flip=flip)
        for spec in variants:
            yield reid_row(draw_reid(original, spec, crops), spec, Path(folder))


def end_rows(
    original: Original, crops: Crops, pose: nn.Module, variants: Sequence[ReidSpec], flips: Sequence[bool]
) -> Iterator[EndRow]:
    """Yield the comparison from picture files to outputs, step by step."""
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        folder = Path(name)
        networks = [(spec, draw_reid(original, spec, crops)) for spec in variants]
        ours_pose, _ = loaded_pose(pose, folder)
        for flip in flips:
            posed = steps.pose(original, pose, crops.paths, folder / f"flip_{flip}", flip_test=flip)
            for spec, reid in networks:
                fused = Pamtri(
                    ours_pose, loaded_reid(reid, folder)[0], geometry=Geometry.ORIGINAL, flip_test=flip,
                    raw_feature=True,
                )  # fmt: skip
                found = dict(
                    zip(fused.output_names, fused(crops.images, crops.windows, crops.sizes), strict=True)
                )
                for step in steps.STEPS:
                    expected = steps.described(original, reid, spec, posed, step)
                    yield _end_row(spec, flip, step, found, expected, crops.sizes)


def smooth_rows(original: Original, crops: Crops, spec: ReidSpec) -> Iterator[EndRow]:
    """Yield the comparison behind the pose network, for heatmaps such as training aims at."""
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        reid = draw_reid(original, spec, crops)
        posed = steps.smooth(original, crops.paths, Path(name) / "smooth")
        stage = Pamtri(
            PoseNet(TINY[0]), loaded_reid(reid, Path(name))[0], geometry=Geometry.ORIGINAL, raw_feature=True
        ).reid_stage()
        keypoints = window_keypoints(*operators.peaks(posed.heatmaps), crops.sizes)
        maps = operators.enlarge(operators.coarse_heatmaps(posed.heatmaps))
        stack = torch.cat([operators.normalize_rgb(crops.images), maps], dim=1)
        outputs = stage(stack, operators.keypoint_vector(keypoints))
        found = {**dict(zip(stage.output_names, outputs, strict=True)), "keypoints": keypoints}
        for step in steps.STEPS:
            expected = steps.described(original, reid, spec, posed, step)
            yield _end_row(spec, False, step, found, expected, crops.sizes)


def _end_row(
    spec: ReidSpec, flip: bool, step: steps.Step, found: dict[str, Tensor], expected: steps.Described,
    sizes: Tensor,
) -> EndRow:  # fmt: skip
    cosine = torch.cosine_similarity(found["embedding"].double(), expected.feature.double())
    placed = found["keypoints"].clone()
    placed[..., :2] *= sizes.unsqueeze(1)
    attributes = None
    if spec.multitask:
        pairs = [(found["color"], expected.color), (found["type"], expected.kind)]
        equal = torch.cat([f.argmax(1) == e.argmax(1) for f, e in pairs]).float().mean()
        attributes = (equal.item(), max((f - e).abs().max().item() for f, e in pairs))
    return EndRow(
        variant=variant_name(spec),
        flip_test=flip,
        step=step.name,
        cosine=(cosine.min().item(), cosine.mean().item()),
        keypoint=(placed[..., :2] - expected.keypoints[..., :2]).abs().max().item(),
        attributes=attributes,
        limit=(OUTLINE_LIMIT if spec.segments else END_LIMIT) if step.same else None,
    )


def main() -> None:
    """Print both tables; exit with 1 if something that should be rounding is more."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--original", type=Path, required=True, help="a clone of NVlabs/PAMTRI")
    parser.add_argument("--crops", type=Path, required=True, help="a folder of vehicle pictures")
    parser.add_argument("--count", type=int, default=8, help="how many of them (default: 8)")
    options = parser.parse_args()
    out.width = max(out.width, _WIDTH)
    original = repository.open_repository(options.original)
    crops = read_crops(options.crops, options.count)
    sizes = ", ".join(f"{width:.0f}x{height:.0f}" for width, height in crops.sizes.tolist())
    out.print(
        f"{len(crops.paths)} crops ({sizes}); torch {torch.__version__}; DenseNet from {original.backbone}"
    )
    pose = draw_pose(original, crops)
    networks = list(network_rows(original, crops, pose, VARIANTS))
    out.print(_network_table(networks))
    ends = list(end_rows(original, crops, pose, END_TO_END, (False, True)))
    out.print(_end_table(ends, "From picture files, with drawn weights"))
    smooths = list(smooth_rows(original, crops, END_TO_END[2]))
    out.print(_end_table(smooths, "Behind the pose network, for heatmaps of one Gaussian each"))
    for step in steps.STEPS:
        out.print(f"{step.name}: {step.what}")
    rows = (*networks, *ends, *smooths)
    failed = [row for row in rows if not row.passed]
    out.print(f"{len(failed)} of {len(rows)} rows differ by more than rounding.")
    sys.exit(1 if failed else 0)


def _network_table(rows: Sequence[NetworkRow]) -> Table:
    table = Table(title=f"Identical tensors: relative difference (limit {NETWORK_LIMIT:g})")
    for column in ("network", "loaded from", "differences", ""):
        table.add_column(column)
    for row in rows:
        differences = ", ".join(f"{name} {value:.1e}" for name, value in row.differences.items())
        table.add_row(row.network, row.forms, differences, "ok" if row.passed else "FAILED")
    return table


def _end_table(rows: Sequence[EndRow], title: str) -> Table:
    limits = (
        f"limit on 1 - cosine where the steps are the same: {END_LIMIT:g}, with segments {OUTLINE_LIMIT:g}"
    )
    table = Table(title=f"{title} ({limits})")
    for column in ("variant", "flip", "original's steps", "1 - cosine: max", "mean", "keypoint px"):
        table.add_column(column)
    table.add_column("attributes: equal, largest difference")
    table.add_column("")
    for row in rows:
        shared = "" if row.attributes is None else f"{row.attributes[0]:.0%}, {row.attributes[1]:.1e}"
        verdict = "" if row.limit is None else "ok" if row.passed else "FAILED"
        table.add_row(
            row.variant, "yes" if row.flip_test else "no", row.step, f"{1 - row.cosine[0]:.1e}",
            f"{1 - row.cosine[1]:.1e}", f"{row.keypoint:.1e}", shared, verdict,
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
