# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Other odds of types: what they do to a network's answers, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pamtri_edge.errors import InputError
from pamtri_edge.models import ReidNet
from pamtri_edge.models.odds import with_type_odds
from pamtri_edge.models.sizes import TINY
from pamtri_edge.vehicle import TYPES


def test_the_odds_of_a_type_are_multiplied_and_nothing_else_changes() -> None:
    network = ReidNet(TINY[1]).eval()
    stack, vector = torch.randn(2, network.spec.channels, 64, 64), torch.randn(2, 108)
    with torch.no_grad():
        *before, kinds, feature = network(stack, vector)
        *after, others, same_feature = with_type_odds(network, {"bus": 3.0, "estate": 0.5})(stack, vector)
        assert torch.equal(network(stack, vector)[2], kinds), "the network that was given stays as it was"
    for one, other in zip([*before, feature], [*after, same_feature], strict=True):
        assert torch.equal(one, other)
    ratio = (others - kinds).exp()
    wanted = torch.tensor([{"bus": 3.0, "estate": 0.5}.get(name, 1.0) for name in TYPES])
    torch.testing.assert_close(ratio, wanted.expand(2, -1), rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("odds", "said"),
    [
        ({"tram": 2.0}, "unknown types: tram; accepted: sedan, suv"),
        ({"bus": 0.0}, "the odds of bus are multiplied by 0; expected a number above 0"),
    ],
)
def test_odds_that_mean_nothing_are_refused(odds: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        with_type_odds(ReidNet(TINY[1]), odds)


def test_a_network_that_tells_no_types_has_no_odds() -> None:
    with pytest.raises(InputError, match="does not tell the 9 types"):
        with_type_odds(ReidNet(replace(TINY[1], types=3)), {"bus": 2.0})
