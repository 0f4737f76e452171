# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a file's content the network is: below which keys, and under which prefix of its names.

Training programs put a state dict under a key of their own, and wrappers put their names in front of every
tensor's: `module.`, `_orig_mod.`, `model.`, in any order and number. Neither is looked up in a list: every
dictionary of tensors is a candidate, and so is every part of one whose names go on like those of a network.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from pamtri_edge.errors import CheckpointError
from pamtri_edge.models.shapes import Kind, kind_of, recognized
from pamtri_edge.printable import printable

State = dict[str, Tensor]

ACCEPTED: Final = (
    "accepted are safetensors, .npz, a state dict written by torch.save, or a dictionary that holds one"
)
PREFERRED: Final = ("state_dict", "model_state_dict", "model", "network", "net")
"""Which of several networks of a kind is taken; before a running average or a teacher, for example."""

_DEPTH: Final = 6
_NAME_LENGTH: Final = 120
_OLD_DENSENET: Final = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
_HEAD: Final = re.compile(r"\b(?:keypoint_)?head\.(?=final_layer\.)")
_COUNTED: Final = (".total_ops", ".total_params")  # what a counter of operations leaves beside the weights
_PARALLEL: Final = "module."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    """A state dict, and the keys and prefixes that lead to it."""

    where: tuple[str, ...]
    state: State

    @property
    def rank(self) -> tuple[int, ...]:
        return tuple(PREFERRED.index(part) if part in PREFERRED else len(PREFERRED) for part in self.where)

    @property
    def called(self) -> str:
        return repr(shown(".".join(self.where) or "the file itself"))


def network_state(content: Any, path: Path, kind: Kind | None) -> State:
    """Return the state dict in a file's content, under the names of the network.

    Args:
        content: what was read.
        path: the file, for messages.
        kind: which network is wanted; None for any.

    Raises:
        CheckpointError: there is none, or several and none of them is preferred.
    """
    if isinstance(content, torch.nn.Module):
        raise CheckpointError(f"{path} holds a whole module; save its state_dict() instead.")
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path} holds {_what(content)} instead of weights; {ACCEPTED}.")
    dictionaries = list(_dictionaries(content))
    if not dictionaries:
        raise _without_tensors(content, path)
    found = [each for holder in dictionaries for each in _networks(holder)]
    wanted = [each for each in found if kind is not None and kind_of(each.state) == kind] or found
    if wanted:
        return _preferred(wanted, path).state
    # No network that is known: for a message, or for who takes what fits.
    return {name.removeprefix(_PARALLEL): tensor for name, tensor in _largest(dictionaries).items()}


def shown(text: str) -> str:
    """Return a name from a file such that any terminal can show it, and not too long."""
    name = printable(text)
    return name if len(name) <= _NAME_LENGTH else f"{name[:_NAME_LENGTH]}..."


def _dictionaries(content: Mapping[Any, Any]) -> Iterator[_Found]:
    """Give every dictionary of tensors alone in a content, outer ones before those inside them."""
    waiting: list[tuple[tuple[str, ...], Mapping[Any, Any]]] = [((), content)]
    seen = {id(content)}
    while waiting:
        where, holder = waiting.pop(0)
        if holder and all(_is_weight(value) for value in holder.values()):
            named = {_today(str(name)): _tensor(value) for name, value in holder.items()}
            yield _Found(where, {name: value for name, value in named.items() if not name.endswith(_COUNTED)})
            continue
        for key, value in holder.items():
            if isinstance(value, Mapping) and id(value) not in seen and len(where) < _DEPTH:
                seen.add(id(value))
                waiting.append(((*where, str(key)), value))


def _networks(holder: _Found) -> list[_Found]:
    """Return the parts of a state dict that are networks once a prefix is taken off."""
    if recognized(holder.state):
        return [holder]
    if len(holder.where) > 2 * _DEPTH:
        return []
    parts: dict[str, State] = {}
    for name, tensor in holder.state.items():
        first, dot, rest = name.partition(".")
        if dot:
            parts.setdefault(first, {})[rest] = tensor
    return [each for first, part in parts.items() for each in _networks(_Found((*holder.where, first), part))]


def _preferred(found: list[_Found], path: Path) -> _Found:
    ordered = sorted(found, key=lambda each: each.rank)
    first = ordered[0]
    if len(ordered) == 1:
        return first
    others = ", ".join(each.called for each in ordered[1:])
    if ordered[1].rank == first.rank:
        raise CheckpointError(
            f"{path} holds several networks that fit: {first.called}, {others}. Save the state dict of one "
            "of them with torch.save."
        )
    _log.warning("%s holds several networks; taken is %s, not %s", path, first.called, others)
    return first


def _largest(dictionaries: list[_Found]) -> State:
    return max(dictionaries, key=lambda each: len(each.state)).state


def _without_tensors(content: Mapping[Any, Any], path: Path) -> CheckpointError:
    """Say what is in the way: entries of the dictionary that is the likeliest to be meant."""
    meant = next((content[key] for key in PREFERRED if isinstance(content.get(key), Mapping)), content)
    if not meant:
        return CheckpointError(f"{path} holds nothing instead of weights; {ACCEPTED}.")
    alien = [str(name) for name, value in meant.items() if not isinstance(value, Tensor)]
    return CheckpointError(
        f"{path} holds no state dict: {_listed(alien)} of its {len(meant)} entries are not tensors; "
        f"{ACCEPTED}."
    )


def _is_weight(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiu")


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return torch.from_numpy(np.array(value, value.dtype.newbyteorder("="), order="C"))


def _today(name: str) -> str:
    """Respell what is called otherwise elsewhere.

    An old torchvision has `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`, and mmpose the last
    layer of a pose network in its head, apart from the others.
    """
    return _HEAD.sub("backbone.", _OLD_DENSENET.sub(r"\1\2", name))


def _what(content: Any) -> str:
    return "nothing" if isinstance(content, Mapping) else f"a {type(content).__name__}"


def _listed(names: Iterable[str], limit: int = 5) -> str:
    named = [f"'{shown(name)}'" for name in names]
    rest = f" and {len(named) - limit} more" if len(named) > limit else ""
    return ", ".join(named[:limit]) + rest
