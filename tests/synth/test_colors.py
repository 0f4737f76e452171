# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from pamtri_edge.synth.view.colors import looks_like


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        ("yellow", (0.95, 0.80, 0.10)),
        ("orange", (0.95, 0.50, 0.10)),
        ("green", (0.15, 0.45, 0.25)),
        ("gray", (0.50, 0.50, 0.52)),
        ("red", (0.75, 0.10, 0.12)),
        ("blue", (0.12, 0.25, 0.60)),
        ("white", (0.95, 0.95, 0.96)),
        ("golden", (0.75, 0.66, 0.45)),
        ("brown", (0.35, 0.25, 0.18)),
        ("black", (0.08, 0.08, 0.09)),
    ],
)
def test_a_plain_example_of_a_color_looks_like_it(color: str, rgb: tuple[float, float, float]):
    assert looks_like(color, rgb)


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        ("white", (0.45, 0.40, 0.33)),  # at night, under a sodium lamp
        ("black", (0.60, 0.60, 0.60)),
        ("gray", (0.97, 0.97, 0.97)),
        ("red", (0.20, 0.18, 0.18)),
        ("brown", (0.85, 0.70, 0.55)),
        ("blue", (0.55, 0.55, 0.57)),
        ("yellow", (0.85, 0.85, 0.80)),
        ("green", (0.10, 0.10, 0.30)),
        ("golden", (0.90, 0.90, 0.92)),
        ("orange", (0.80, 0.05, 0.10)),
    ],
)
def test_what_contradicts_a_label_does_not(color: str, rgb: tuple[float, float, float]):
    assert not looks_like(color, rgb)
