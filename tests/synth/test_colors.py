# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from pamtri_edge.synth.view.colors import looks_like


@pytest.mark.parametrize(
    ("color", "plain", "contradicting"),
    [
        ("yellow", (0.95, 0.80, 0.10), (0.85, 0.85, 0.80)),
        ("orange", (0.95, 0.50, 0.10), (0.80, 0.05, 0.10)),
        ("green", (0.15, 0.45, 0.25), (0.10, 0.10, 0.30)),
        ("gray", (0.50, 0.50, 0.52), (0.97, 0.97, 0.97)),
        ("red", (0.75, 0.10, 0.12), (0.20, 0.18, 0.18)),
        ("blue", (0.12, 0.25, 0.60), (0.55, 0.55, 0.57)),
        ("white", (0.95, 0.95, 0.96), (0.45, 0.40, 0.33)),  # at night, under a sodium lamp
        ("golden", (0.75, 0.66, 0.45), (0.90, 0.90, 0.92)),
        ("brown", (0.35, 0.25, 0.18), (0.85, 0.70, 0.55)),
        ("black", (0.08, 0.08, 0.09), (0.60, 0.60, 0.60)),
    ],
)
def test_a_plain_example_looks_like_its_color_and_what_contradicts_it_does_not(color, plain, contradicting):
    assert looks_like(color, plain)
    assert not looks_like(color, contradicting)
