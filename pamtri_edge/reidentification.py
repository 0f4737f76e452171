# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of vehicles: the result of `Reidentifier.embed`, to index, to show and to keep."""

from __future__ import annotations

import html
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.manifest_fields import Matching
from pamtri_edge.printable import counted
from pamtri_edge.result_files import AXES, read_result, write_result

_SHOWN: Final = 4  # vehicles, in a line
_ROWS: Final = 20  # vehicles, in a table
_CELL: Final = ' style="text-align:left"'
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Vehicle:
    """What a bundle says of one vehicle. What its variant lacks is None.

    Attributes:
        embedding: (D,) float32; see `Reidentification.embeddings`.
        color: the most probable color.
        color_probs: (C,) float32.
        type: the most probable type.
        type_probs: (T,) float32.
        keypoints: (36, 3) float32 x, y, confidence.
        quality: 0 to 1.
        name: what it is called, such as the path of its picture.
    """

    embedding: Floats
    color: str | None
    color_probs: Floats | None
    type: str | None
    type_probs: Floats | None
    keypoints: Floats | None
    quality: float | None
    name: str | None = None

    def __repr__(self) -> str:
        """Return what it looks like, in a line."""
        looks = " ".join(word for word in (self.color, self.type) if word is not None)
        quality = "" if self.quality is None else f", quality {self.quality:.2f}"
        name = "" if self.name is None else f" {self.name!r}"
        return f"<Vehicle{name}: {looks or 'no attributes'}{quality}, embedding of {len(self.embedding)}>"


@dataclass(frozen=True, eq=False, repr=False)
class Reidentification(Sequence[Vehicle]):
    """What a bundle says of N vehicles. What its variant lacks is None.

    It is a sequence: `len(found)`, `found[0]` and a loop give single vehicles, `found[1:3]`,
    `found[[0, 2]]` and `found[mask]` give the same kind of result for some of them.

    Attributes:
        embeddings: (N, D) float32; of unit length unless the manifest's `embedding_norm` is "raw".
        color_probs: (N, C) float32, one row sums to 1.
        type_probs: (N, T) float32, one row sums to 1.
        keypoints: (N, 36, 3) float32 x, y, confidence; x and y in crop units (0..1 across the crop; from
            `embed`) or frame pixels (from `embed_frame`). Confidences are raw peaks and may pass 1.
        quality: (N,) float32, the mean of the keypoints' confidences, each clipped to 0..1.
        color_names: what the columns of `color_probs` stand for.
        type_names: what the columns of `type_probs` stand for.
        embedding_space: id of the weights that gave them; embeddings compare only within one space.
        matching: the threshold that the bundle suggests for matches, or None.
        names: what each vehicle is called: the paths of the pictures, where all were files; else None.
    """

    embeddings: Floats
    color_probs: Floats | None
    type_probs: Floats | None
    keypoints: Floats | None
    quality: Floats | None
    color_names: Sequence[str] | None
    type_names: Sequence[str] | None
    embedding_space: str | None = None
    matching: Matching | None = None
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.embeddings)

    def __iter__(self) -> Iterator[Vehicle]:
        return (self._one(row) for row in range(len(self)))

    @overload
    def __getitem__(self, key: int) -> Vehicle: ...

    @overload
    def __getitem__(self, key: slice | Sequence[int] | NDArray[Any]) -> Reidentification: ...

    def __getitem__(self, key: Any) -> Vehicle | Reidentification:
        """Return one vehicle, or the result for some.

        Args:
            key: a whole number, of which -1 is the last; or a slice, a list or array of whole numbers, or
                an (N,) array of bool.

        Raises:
            IndexError: there is no vehicle of that number.
            InputError: the key is of another kind.
        """
        if isinstance(key, slice):
            return self._some(np.arange(len(self))[key])
        try:
            row = operator.index(key)
        except TypeError:
            return self._some(_rows(key, len(self)))
        if not -len(self) <= row < len(self):
            raise IndexError(f"there is no vehicle {row} among {counted(len(self), 'vehicle')}.")
        return self._one(row % len(self))

    def __repr__(self) -> str:
        """Return what was found in a line: the first vehicles in words, and the embeddings' shape."""
        words = [" ".join(parts) for parts in zip(*filter(None, (self.colors, self.types)), strict=True)]
        shown = ", ".join(words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")
        size = " x ".join(map(str, self.embeddings.shape))
        found = counted(len(self), "vehicle") + (f" ({shown})" if shown else "")
        return f"<Reidentification: {found}, embeddings {size}>"

    def _repr_html_(self) -> str:
        """Return a small table for notebooks: the first vehicles, one a row."""
        head = "".join(f"<th{_CELL}>{word}</th>" for word in ("", "name", "color", "type", "quality"))
        rows = [
            f"<tr><td>{row}</td>" + "".join(f"<td{_CELL}>{html.escape(cell)}</td>" for cell in cells)
            for row, cells in enumerate(_cells(one) for one in self[:_ROWS])
        ]
        left = len(self) - len(rows)
        more = f"<p>... and {left} more</p>" if left else ""
        return f"<p>{html.escape(repr(self)[1:-1])}</p><table><tr>{head}</tr>{''.join(rows)}</table>{more}"

    @cached_property
    def colors(self) -> list[str] | None:
        """The most probable color of each vehicle.

        Words are on the host: of results on the device, the first look waits for the current stream.
        """
        return _labels(self.color_probs, self.color_names)

    @cached_property
    def types(self) -> list[str] | None:
        """The most probable type of each vehicle; see `colors`."""
        return _labels(self.type_probs, self.type_names)

    def to_numpy(self) -> Reidentification:
        """Return the same on the host: NumPy arrays, wherever they are now."""
        arrays = {name: _on_host(getattr(self, name)) for name in AXES}
        return replace(self, **arrays)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dictionary for each vehicle, of what JSON knows: text, numbers, lists.

        The keys are those of an event: `name`, `embedding` (D numbers), `color` and `type` ({label,
        probability, all}), `keypoints` (36 x [x, y, confidence]), `quality`, `embedding_space`.
        """
        host = self.to_numpy()
        return [
            {
                "name": one.name,
                "color": _attribute(one.color, one.color_probs, host.color_names),
                "type": _attribute(one.type, one.type_probs, host.type_names),
                "quality": one.quality,
                "keypoints": None if one.keypoints is None else one.keypoints.tolist(),
                "embedding": one.embedding.tolist(),
                "embedding_space": host.embedding_space,
            }
            for one in host
        ]

    def save(self, path: str | Path) -> Path:
        """Write the result to a file for `load`; it appears whole or not at all, in place of an older one.

        Args:
            path: where; it must end in .npz.

        Returns:
            The path.

        Raises:
            InputError: another ending, or it cannot be written.
        """
        host = self.to_numpy()
        write_result(Path(path), {field.name: getattr(host, field.name) for field in fields(host)})
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Reidentification:
        """Read a file that `save` wrote. It may come from anyone: no code of it runs.

        Raises:
            InputError: it is missing, damaged or of another kind; what it declares is not sensible.
        """
        return cls(**read_result(Path(path)))

    def _one(self, row: int) -> Vehicle:
        def of(values: Any) -> Any:
            return None if values is None else values[row]

        return Vehicle(
            embedding=self.embeddings[row],
            color=of(self.colors),
            color_probs=of(self.color_probs),
            type=of(self.types),
            type_probs=of(self.type_probs),
            keypoints=of(self.keypoints),
            quality=None if self.quality is None else float(self.quality[row]),
            name=of(self.names),
        )

    def _some(self, rows: NDArray[np.int64]) -> Reidentification:
        listed = rows.tolist()  # which every array library takes
        arrays: dict[str, Any] = {name: getattr(self, name) for name in AXES}
        chosen = {name: None if array is None else array[listed] for name, array in arrays.items()}
        return replace(
            self,
            **chosen,  # type: ignore[arg-type]
            names=None if self.names is None else tuple(self.names[row] for row in listed),
        )


def concatenate(results: Sequence[Reidentification]) -> Reidentification:
    """Return several results of one bundle as one, in their order.

    Raises:
        InputError: there are none, or they are of different bundles.
    """
    if isinstance(results, Reidentification) or not all(isinstance(one, Reidentification) for one in results):
        raise InputError("what is to be joined are no results; expected a list of them: concatenate([a, b]).")
    if not results:
        raise InputError("there are no results to join; expected one or more.")
    first = results[0]
    for other in results[1:]:
        if other.embedding_space != first.embedding_space:
            raise InputError(
                f"the results are of different embedding spaces, {first.embedding_space!r} and "
                f"{other.embedding_space!r}: the weights that gave them differ. Embed all with one bundle."
            )
        missing = [name for name in AXES if (getattr(first, name) is None) != (getattr(other, name) is None)]
        if missing:
            raise InputError(f"some of the results have {missing[0]}, others do not; they cannot be joined.")
    hosts = [result.to_numpy() for result in results]
    named = all(result.names is not None for result in results)
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(host, name) for host in hosts])
        for name in AXES
        if getattr(first, name) is not None
    }
    return replace(
        first,
        **arrays,
        names=tuple(name for result in results for name in result.names or ()) if named else None,
    )


def _rows(key: Any, count: int) -> NDArray[np.int64]:
    """Return the numbers of the vehicles that a list or an array chooses, from 0."""
    accepted = "expected a whole number, a slice, a list of whole numbers or an array of bool"
    chosen = np.asarray([] if isinstance(key, str) else _on_host(key))
    if isinstance(key, str) or chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iub"):
        raise InputError(f"the vehicles are chosen by {type(key).__name__} {key!r:.40}; {accepted}.")
    if chosen.dtype.kind == "b":
        if len(chosen) != count:
            raise InputError(
                f"the mask has {len(chosen)} values for {counted(count, 'vehicle')}; expected as many."
            )
        return np.flatnonzero(chosen)
    rows = chosen.astype(np.int64)
    outside = rows[(rows < -count) | (rows >= count)]
    if outside.size:
        raise IndexError(f"there is no vehicle {outside[0]} among {counted(count, 'vehicle')}.")
    return np.where(rows < 0, rows + count, rows)


def _on_host(array: Any) -> Any:
    """Return an array of CuPy or PyTorch as one of NumPy, and anything else as it is."""
    if hasattr(array, "detach"):
        return array.detach().cpu().numpy()
    return array.get() if hasattr(array, "get") and hasattr(array, "shape") else array


def _cells(one: Vehicle) -> list[str]:
    quality = "" if one.quality is None else f"{one.quality:.2f}"
    chances = ((one.color, one.color_probs), (one.type, one.type_probs))
    words = ["" if word is None or p is None else f"{word} ({float(p.max()):.0%})" for word, p in chances]
    return [one.name or "", *words, quality]


def _attribute(label: str | None, probs: Floats | None, names: Sequence[str] | None) -> dict[str, Any] | None:
    if label is None or probs is None or names is None:
        return None
    chances = dict(zip(names, probs.tolist(), strict=True))
    return {"label": label, "probability": chances[label], "all": chances}


def _labels(probabilities: Any, names: Sequence[str] | None) -> list[str] | None:
    """Return the name of the most probable class of each row of a NumPy or device array (N, C)."""
    if probabilities is None or names is None:
        return None
    return [names[index] for index in probabilities.argmax(1).tolist()]
