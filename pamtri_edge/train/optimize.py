# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One step of the optimizer: gradients, their length, and the rates at which things learn."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from pamtri_edge.train.recipes import Recipe
from pamtri_edge.words import TrainPrecision

_CENTER_RATE: Final = 0.5
"""Of plain gradient descent on centers, as Wen et al. move them towards their class."""


_FACTOR: Final = "factor"
"""Of a group of parameters: what its rate is multiplied by."""


class Stepper:
    """Adam or AdamW on a network, and gradient descent on what is trained beside it.

    Args:
        network: what is trained.
        extra: what is trained beside it, at a rate of its own; or None.
        recipe: which optimizer, weight decay and clipping.
        precision: fp16 needs its losses scaled up.
        device: where they are.
    """

    def __init__(
        self,
        network: nn.Module,
        extra: nn.Module | None,
        recipe: Recipe,
        precision: TrainPrecision,
        device: torch.device,
    ) -> None:
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._clip = recipe.clip
        groups = _groups(network, recipe)
        kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
        self._main: torch.optim.Optimizer = kind(groups, lr=recipe.rate, weight_decay=recipe.weight_decay)
        self._beside = None if extra is None else torch.optim.SGD(extra.parameters(), lr=_CENTER_RATE)
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def step(self, loss: Tensor, rate: float) -> None:
        """Move all weights a step along the gradient of a loss.

        Args:
            loss: scalar.
            rate: learning rate of the network.
        """
        for group in self._main.param_groups:
            group["lr"] = rate * group.get(_FACTOR, 1.0)  # absent from states of old
        self._main.zero_grad(set_to_none=True)
        if self._beside is not None:
            self._beside.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if self._clip is not None:
            self._scaler.unscale_(self._main)
            nn.utils.clip_grad_norm_(self._parameters, self._clip)
        self._scaler.step(self._main)
        if self._beside is not None:
            self._scaler.step(self._beside)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """Return what following steps depend on."""
        return {
            "main": self._main.state_dict(),
            "beside": None if self._beside is None else self._beside.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self._main.load_state_dict(state["main"])
        if self._beside is not None:
            self._beside.load_state_dict(state["beside"])
        self._scaler.load_state_dict(state["scaler"])


def _groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters by what they are multiplied and decayed with; no group is empty."""
    learned = {name: one for name, one in network.named_parameters() if one.requires_grad}
    backbone = {name for name in learned if name.startswith("base.")}
    apart = recipe.head_rate != 1.0
    groups: list[dict[str, Any]] = []
    for head in (False, True) if apart else (False,):
        chosen = [one for name, one in learned.items() if not apart or (name not in backbone) == head]
        factor = {_FACTOR: recipe.head_rate if head else 1.0}
        if recipe.optimizer == "adamw":
            groups.append({"params": [one for one in chosen if one.ndim > 1], **factor})
            groups.append({"params": [one for one in chosen if one.ndim <= 1], "weight_decay": 0.0, **factor})
        else:
            groups.append({"params": chosen, **factor})
    return [group for group in groups if group["params"]]
