# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The networks of an export: read from files or drawn, and what a manifest says of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from pamtri_edge import samples
from pamtri_edge.errors import ExportError, InputError
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.models import SIZES, Pamtri, PoseNet, PoseSpec, ReidNet, ReidSpec, seeded
from pamtri_edge.models.checkpoints import checkpoint_metadata, load_pose, load_reid, weights_id
from pamtri_edge.models.shipped import shipped_weights
from pamtri_edge.models.sizes import backbone_name
from pamtri_edge.vehicle import COLORS, TYPES

_SEED_PICTURES: Final = 16
"""Drawn, never the user's: the same seed shall give the same weights wherever it is used."""


@dataclass(frozen=True, eq=False)
class Networks:
    """Both networks and where their weights come from.

    Attributes:
        pose: None if the re-identification network takes nothing from it and none was given.
        reid: the re-identification network.
        trained: False for random weights.
        provenance: where the weights come from, for the manifest.
    """

    pose: PoseNet | None
    reid: ReidNet
    trained: bool
    provenance: Mapping[str, Any]

    @property
    def size(self) -> str:
        """The named size whose widths and depths these are, "paper" or "lite"; else "custom"."""
        for name, (pose, reid) in SIZES.items():
            same_pose = self.pose is None or self.pose.spec == pose
            if same_pose and _frame(self.reid.spec) == _frame(reid):
                return name
        return "custom"

    @property
    def ours(self) -> bool:
        """Whether the weights were trained with this package, which leaves notes in its files."""
        kinds = (self.provenance.get(kind) for kind in ("pose", "reid"))
        return self.trained and any(bool(kind.get("notes")) for kind in kinds if kind is not None)

    @property
    def variant(self) -> dict[str, bool]:
        """What enters the re-identification network and what comes out, as the manifest has it."""
        spec = self.reid.spec
        return {
            "keypoints": spec.keypoints,
            "heatmaps": spec.heatmaps,
            "segments": spec.segments,
            "multitask": spec.multitask,
            "pose": self.pose is not None,
        }

    @property
    def space(self) -> str:
        """Identity of the weights."""
        return weights_id(self.pose, self.reid)

    def fused(self, options: ExportOptions) -> Pamtri:
        """Return the fused module."""
        return Pamtri(
            self.pose,
            self.reid,
            geometry=options.geometry,
            flip_test=options.flip_test,
            raw_feature=options.raw_feature,
            optimize=options.optimize,
        )


def networks(options: ExportOptions) -> Networks:
    """Read or draw the networks.

    Raises:
        CheckpointError: a file cannot be read or does not fit.
        InputError: the re-identification network needs a pose network and none is given.
    """
    files = weight_files(options)
    if not files:
        assert options.model is not None
        seed = options.seed or 0
        pictures = samples.crops(_SEED_PICTURES, seed=seed)
        pose, reid = seeded(options.model, seed=seed, pictures=pictures)
        return Networks(pose, reid, False, {"weights": "drawn", "seed": seed})
    loaded_reid = load_reid(files["reid"])
    loaded_pose = load_pose(files["pose"]) if "pose" in files else None
    provenance = {kind: weights_record(path) for kind, path in files.items()}
    spec = loaded_reid.spec
    more = {"parts": spec.parts, "middle": spec.middle}
    provenance["reid"] |= {
        "backbone": backbone_name(spec),
        **{name: value for name, value in more.items() if value},
    }
    trained = all(map(are_trained, provenance.values()))
    return Networks(loaded_pose, loaded_reid, trained, provenance)


def weights_record(path: Path) -> dict[str, Any]:
    """Return which file weights come from and what it notes of them, for the manifest's provenance."""
    notes = checkpoint_metadata(path)
    return {"file": path.name, "sha256": sha256_of(path), **({"notes": notes} if notes else {})}


def are_trained(record: Mapping[str, Any]) -> bool:
    """Tell whether weights have learned anything, from their `weights_record`; drawn ones say so."""
    return bool(record.get("notes", {}).get("trained", "true") != "false")


def weight_files(options: ExportOptions) -> dict[str, Path]:
    """Return the files of weights by kind, "reid" and "pose"; none where weights are drawn."""
    if options.model is None:
        assert options.reid is not None
        return {"reid": options.reid, **({} if options.pose is None else {"pose": options.pose})}
    if options.seed is not None or not isinstance(options.model, str):
        return {}
    found = shipped_weights(options.model)
    return {} if found is None else {"reid": found[1], "pose": found[0]}


def skeleton(options: ExportOptions) -> Networks:
    """Return the networks without their weights where these would have to be drawn: enough for a plan."""
    if weight_files(options) or options.model is None:
        return networks(options)
    specs: tuple[PoseSpec, ReidSpec] = (
        SIZES[options.model] if isinstance(options.model, str) else options.model
    )
    with torch.device("meta"):
        pose, reid = PoseNet(specs[0]), ReidNet(specs[1])
    return Networks(pose.eval(), reid.eval(), False, {"weights": "drawn", "seed": options.seed or 0})


def class_names(
    options: ExportOptions, spec: ReidSpec
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the names of the color and type classes, None for a network without them.

    Raises:
        ExportError: there are no names for as many classes; which names belong to them is known only to who
            trained the network, so none are made up.
        InputError: names are given for a network without attributes.
    """
    if not spec.multitask:
        if options.colors or options.types:
            raise InputError("this network tells neither color nor type; leave out the class names.")
        return None, None
    return (
        _names("color", options.colors, COLORS, spec.colors),
        _names("type", options.types, TYPES, spec.types),
    )


def _names(what: str, given: tuple[str, ...] | None, veri: tuple[str, ...], count: int) -> tuple[str, ...]:
    names = veri if given is None else given
    if len(names) != count:
        found = (
            f"{len(names)} names were given"
            if given
            else f"VeRi, whose names are the default, has {len(veri)}"
        )
        raise ExportError(
            f"the network has {count} {what} classes, but {found}. Name them in the order of the training "
            f"set: --{what}s NAME,NAME,... or --{what}s FILE (a name a line)."
        )
    if len(set(names)) != len(names):
        raise InputError(f"the names of the {what} classes are not all different: {', '.join(names)}.")
    return names


def _frame(spec: ReidSpec) -> ReidSpec:
    """Return a spec without what the training set and the variant decide."""
    return dataclasses.replace(
        spec, keypoints=True, heatmaps=True, segments=True, multitask=True, vehicles=1, colors=1, types=1
    )
