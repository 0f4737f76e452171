# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a person tells of a network that was made elsewhere: the file, and which pictures it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from pamtri_edge.arrays import check_choice
from pamtri_edge.errors import InputError
from pamtri_edge.words import COLOR_ORDERS, LAYOUTS

Three = tuple[float, float, float]

SIDES: Final = (8, 2048)
"""The least and the largest side of the pictures that a network may take."""

WHITE: Final = 255.0
UNIT_SCALE: Final = 1.0 / WHITE

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class ForeignNetwork:
    """A network in an ONNX file, and how a picture becomes its input.

    The network is given `(pixel * scale - mean) / std`, pixels of 0 to 255, its channels in its own order.

    Attributes:
        path: the file.
        input_size: height and width of the pictures it takes; None for those that the file states.
        scale: factor of the pixels; None for 1/255.
        mean: a value a channel, in the network's own order of channels; None for ImageNet's, or 0 where a
            scale is given.
        std: likewise; None for ImageNet's, or 1 where a scale is given.
        color_order: "rgb" or "bgr".
        layout: "nchw" or "nhwc"; None for what the shape of its input says.
        output_name: the output that is the embedding; None where it has one output.
    """

    path: Path
    input_size: tuple[int, int] | None = None
    scale: float | None = None
    mean: Three | None = None
    std: Three | None = None
    color_order: str = "rgb"
    layout: str | None = None
    output_name: str | None = None

    def __post_init__(self) -> None:
        check_choice(self.color_order, COLOR_ORDERS, "color_order")
        if self.layout is not None:
            check_choice(self.layout, LAYOUTS, "layout")
        if self.input_size is not None and not all(SIDES[0] <= side <= SIDES[1] for side in self.input_size):
            raise InputError(
                f"the input size is {self.input_size[0]}x{self.input_size[1]}; expected height and width of "
                f"{SIDES[0]} to {SIDES[1]} pixels."
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale > 0):
            raise InputError(
                f"the input scale is {self.scale}; expected a number above 0: 1/255 for a network that takes "
                "0 to 1, 1 for one that takes 0 to 255."
            )
        self._check_normalization()

    def _check_normalization(self) -> None:
        if self.scale is None and (self.mean is None) != (self.std is None):
            given, lacking = ("mean", "std") if self.std is None else ("std", "mean")
            raise InputError(f"a {given} is given without a {lacking}: give --mean and --std, or neither.")
        top = WHITE * self.factor
        if not all(math.isfinite(value) and 0.0 <= value <= top for value in self.means):
            raise InputError(
                f"the mean is {shown(self.means)}, but pixels of 0 to 255 times the input scale "
                f"{self.factor:.6g} are 0 to {top:.6g}. For a mean of 0 to 255 give --input-scale 1."
            )
        if not all(math.isfinite(value) and value > 0.0 for value in self.deviations):
            raise InputError(f"the std is {shown(self.deviations)}; expected numbers above 0.")

    @property
    def factor(self) -> float:
        """What pixels are multiplied by."""
        return UNIT_SCALE if self.scale is None else self.scale

    @property
    def means(self) -> Three:
        """What is subtracted then, a value a channel, in the network's own order."""
        return self.mean or self._default(_IMAGENET_MEAN, 0.0)

    @property
    def deviations(self) -> Three:
        """What is divided by then, likewise."""
        return self.std or self._default(_IMAGENET_STD, 1.0)

    def _default(self, imagenet: Three, plain: float) -> Three:
        if self.scale is not None:
            return (plain, plain, plain)
        red, green, blue = imagenet
        return imagenet if self.color_order == "rgb" else (blue, green, red)

    def for_whole_pixels(self, title: str) -> ForeignNetwork:
        """Return what is told of a network that takes whole pixels of 0 to 255.

        Raises:
            InputError: a normalization is told, which such numbers cannot hold.
        """
        plain = replace(self, scale=1.0)
        if self.scale not in (None, 1.0) or any(plain.means) or plain.deviations != (1.0, 1.0, 1.0):
            raise InputError(
                f"{title} takes whole numbers of 0 to 255 (UINT8) and normalizes by itself; leave out "
                "--input-scale, --mean and --std."
            )
        return plain

    def as_record(self) -> dict[str, Any]:
        """Return what was told, as plain JSON data; where the file lies is left out."""
        return {
            "input_scale": self.factor,
            "mean": list(self.means),
            "std": list(self.deviations),
            "color_order": self.color_order,
        }


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Return height and width of "HxW".

    Raises:
        InputError: the text has another form.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,5})\s*[xX,]\s*(\d{1,5})\s*", text, re.ASCII)
    if found is None:
        raise InputError(f"--input-size {text!r} is no size; expected height x width, such as 256x128.")
    return int(found[1]), int(found[2])


def parse_three(text: str | None, option: str) -> Three | None:
    """Return a value a channel of "A,B,C", or one for all of "A".

    Raises:
        InputError: the text has another form.
    """
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise InputError(
            f"--{option} {text!r}: expected three numbers A,B,C in the network's own order of channels, or "
            "one for all."
        )
    return values[0], values[1], values[2]


def parse_scale(text: str | None) -> float | None:
    """Return a number such as "1", "0.00392" or "1/255".

    Raises:
        InputError: the text has another form.
    """
    if text is None:
        return None
    try:
        value = float(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InputError(f"--input-scale {text!r} is no number; expected such as 1 or 1/255.") from None
    return value


def shown(values: Three) -> str:
    """Return three numbers as they are typed."""
    return ",".join(f"{value:.6g}" for value in values)


def foreign_network(path: Path | None, told: Mapping[str, Any]) -> ForeignNetwork | None:
    """Return the network of `--network` with what the options tell of it, by the fields' names.

    Raises:
        InputError: something is told, and there is no network; or what is told cannot be.
    """
    given = {name: value for name, value in told.items() if value is not None}
    if path is not None:
        return ForeignNetwork(path=path, **given)
    if given:
        named = " and ".join(
            "--input-scale" if name == "scale" else f"--{name.replace('_', '-')}" for name in given
        )
        raise InputError(f"{named} {'tells' if len(given) == 1 else 'tell'} of a --network; none is given.")
    return None
