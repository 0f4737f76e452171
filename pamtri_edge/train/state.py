# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a training on disk: written whole or not at all, so that a kill at any moment costs minutes.

Two files take turns: the newest state, and the one before it. A state carries everything that the following
steps depend on: weights, optimizer, position in the data, schedule, and the states of the random generators.
"""

from __future__ import annotations

import io
import logging
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from pamtri_edge.errors import CheckpointError, InputError, PamtriError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.train.recipes import differences

_log = logging.getLogger(__name__)

STATE_FILE: Final = "state.pt"
PREVIOUS_FILE: Final = "state.previous.pt"
_FORMAT: Final = 1


class TrainingError(PamtriError):
    """A training that cannot go on: the loss is no number, or its state cannot be written."""


@dataclass(frozen=True)
class State:
    """All that the steps to come depend on.

    Attributes:
        config: what the training was started with, as plain values.
        step: steps done.
        content: states of the networks, the optimizer, the position and so on, by name.
    """

    config: dict[str, Any]
    step: int
    content: dict[str, Any]


def save_state(folder: Path, state: State) -> None:
    """Write a state under a temporary name, through to the disk, then rename; keep the one before.

    Raises:
        TrainingError: it cannot be written, such as to a full disk; what was there is as it was.
    """
    buffer = io.BytesIO()  # torch's own writer to a file hides why it failed
    torch.save(
        {"format": _FORMAT, "config": state.config, "step": state.step, "content": state.content}, buffer
    )
    try:
        with staged_file(folder / STATE_FILE, keep=folder / PREVIOUS_FILE) as part:
            part.write_bytes(buffer.getbuffer())
    except OSError as error:
        raise TrainingError(
            f"the state of step {state.step} ({buffer.tell() / 1e6:.1f} MB) cannot be written to {folder}: "
            f"{error.strerror or error}; {what_is_kept(folder)}. Make room, then give the same command again."
        ) from error


def load_state(folder: Path) -> State | None:
    """Return the newest whole state of a folder, or None if there is none.

    Raises:
        CheckpointError: there are states, but none can be read.
    """
    damaged: list[str] = []
    for name in (STATE_FILE, PREVIOUS_FILE):
        path = folder / name
        if not path.is_file():
            continue
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            if content["format"] != _FORMAT:
                raise CheckpointError(
                    f"{path} has format {content['format']}, this version of pamtri-edge reads {_FORMAT}."
                )
            state = State(content["config"], int(content["step"]), content["content"])
        except CheckpointError:
            raise
        except Exception as error:  # a damaged pickle can fail in any way
            damaged.append(f"{path} ({path.stat().st_size} bytes)")
            _log.debug("%s: %s", path, error)
            continue
        if damaged:
            _log.warning("%s cannot be read; going on from step %d", damaged[0], state.step)
        return state
    if damaged:
        raise CheckpointError(
            f"{' and '.join(damaged)} cannot be read: cut short or damaged. Start again with --overwrite, or "
            "begin a new run from the weights beside it with --init."
        )
    return None


def what_is_kept(folder: Path) -> str:
    """Say what a training whose folder is full goes on from."""
    whole = (folder / STATE_FILE).exists()
    return "the states written before are whole" if whole else "no state was written before, nothing is kept"


def remove_states(folder: Path) -> None:
    """Remove the states of a folder, if there are any."""
    for name in (STATE_FILE, PREVIOUS_FILE):
        (folder / name).unlink(missing_ok=True)


def check_same(state: State, config: dict[str, Any], folder: Path) -> None:
    """Refuse to go on with another configuration than the training was started with.

    Data may have moved: what is in them tells whether they are the same, not their path.

    Raises:
        InputError: they differ; every field that does is named.
    """
    before, now = state.config["kind"], config["kind"]
    if before != now:
        raise InputError(
            f"{folder} holds a training of another network, {before}, and not {now}; give another --output, "
            "or --overwrite to start again."
        )
    lines = differences(_without_places(state.config), _without_places(config))
    if lines:
        where = "finished after" if state.content["run"]["done"] else "stopped at"
        raise InputError(
            f"{folder} holds a training of another configuration, {where} step {state.step}; it can "
            "only go on as it began:\n  "
            + "\n  ".join(lines)
            + "\nGive the options of before, another --output, or --overwrite to start again."
        )


def _without_places(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without the name of its data, which begins with where they are."""
    return {**config, "data": {name: value for name, value in config["data"].items() if name != "name"}}


def random_states() -> dict[str, Any]:
    """Return the states of the random generators of Python, NumPy and torch, as plain values and tensors."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(internal), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys, np.int64)), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Put the random generators back to where `random_states` found them."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
