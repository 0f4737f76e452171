# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The stem of parts equals the convolution of the stack, borders included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pamtri_edge.models.operators import enlarge, normalize_extra
from pamtri_edge.models.stem import EnlargedConvolution, FusedStem


@pytest.fixture
def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _expected(weight: Tensor, cells: Tensor) -> Tensor:
    return nn.functional.conv2d(enlarge(cells.double()), weight.double(), stride=2, padding=3)


def test_enlarging_and_convolving_are_one_convolution(drawn: torch.Generator) -> None:
    weight = torch.randn(5, 3, 7, 7, generator=drawn)
    cells = torch.randn(2, 3, 64, 64, generator=drawn)
    expected = _expected(weight, cells)
    found = EnlargedConvolution(weight)(cells)
    assert found.shape == (2, 5, 128, 128)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize("row", [0, 1, 31, 62, 63])
@pytest.mark.parametrize("column", [0, 1, 40, 62, 63])
def test_a_single_cell_spreads_as_it_should_also_at_the_border(
    row: int, column: int, drawn: torch.Generator
) -> None:
    weight = torch.randn(2, 1, 7, 7, generator=drawn)
    cells = torch.zeros(1, 1, 64, 64)
    cells[0, 0, row, column] = 1.0
    assert torch.allclose(EnlargedConvolution(weight)(cells).double(), _expected(weight, cells), atol=1e-5)


def test_the_stem_equals_convolution_and_normalization_of_the_stack(drawn: torch.Generator) -> None:
    convolution = nn.Conv2d(3 + 4 + 2, 6, 7, stride=2, padding=3, bias=False)
    norm = nn.BatchNorm2d(6).eval()
    with torch.no_grad():
        for parameter in (norm.weight, norm.bias, norm.running_mean):
            assert parameter is not None
            parameter.copy_(torch.randn(6, generator=drawn))
        rgb = torch.randn(2, 3, 256, 256, generator=drawn)
        coarse = torch.rand(2, 4, 64, 64, generator=drawn)
        fine = torch.rand(2, 2, 256, 256, generator=drawn).round()
        expected = norm(convolution(_stack(rgb, coarse, fine)))
        found = FusedStem(convolution, norm, coarse=4, fine=2)(rgb, coarse, fine)
    assert torch.allclose(found, expected, atol=1e-5 * expected.abs().max().item())


def test_blank_maps_cost_half_precision_nothing(drawn: torch.Generator) -> None:
    """Normalized, a blank channel is -1.99: 49 channels of it would leave the rounding of a large sum."""
    convolution = nn.Conv2d(3 + 36 + 13, 8, 7, stride=2, padding=3, bias=False)
    norm = nn.BatchNorm2d(8).eval()
    rgb = torch.randn(1, 3, 256, 256, generator=drawn)
    coarse, fine = torch.zeros(1, 36, 64, 64), torch.zeros(1, 13, 256, 256)
    with torch.no_grad():
        convolution.weight.normal_(std=0.05, generator=drawn)
        response = convolution(_stack(rgb, coarse, fine))
        norm.running_mean.copy_(response.mean(dim=(0, 2, 3)))
        norm.running_var.copy_(response.var(dim=(0, 2, 3)))
        expected = norm(response)
        stem = FusedStem(convolution, norm, coarse=36, fine=13)
        rounded = [buffer.copy_(buffer.half()) for buffer in stem.buffers()]
        error = (stem(rgb, coarse, fine) - expected)[..., 2:-2, 2:-2].abs().max()
    assert rounded
    assert error < 3e-3  # a few roundings of numbers near 1
    blank = convolution.weight[:, 3:].sum(dim=(1, 2, 3)).abs().max() * 1.99 / norm.running_var.sqrt().min()
    assert blank > 10  # one rounding of which is 0.005


def _stack(rgb: Tensor, coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([rgb, normalize_extra(enlarge(coarse)), normalize_extra(fine)], dim=1)
