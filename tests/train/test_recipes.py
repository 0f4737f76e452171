# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's values are the defaults, its code's a named alternative, and nonsense is refused."""

from dataclasses import replace

import pytest
import torch

from pamtri_edge.errors import InputError
from pamtri_edge.train import POSE, REID, Budget
from pamtri_edge.train.machine import resolved


@pytest.mark.parametrize(
    ("recipe", "epochs", "rate", "falls"),
    [
        (REID["paper"], 60, 3e-4, (20, 40)),
        (REID["code"], 120, 3e-4, (30, 60)),
        (POSE["paper"], 210, 1e-3, (170, 200)),
    ],
    ids=["re-identification", "that of the code", "pose"],
)
def test_the_paper_s_rates_fall_to_a_tenth_when_it_says(recipe, epochs, rate, falls):
    shown = [0, *(epoch for fall in falls for epoch in (fall - 0.1, fall)), epochs - 0.1]
    rates = [recipe.learning_rate(epoch / epochs) for epoch in shown]
    assert rates == pytest.approx([rate, rate, rate / 10, rate / 10, rate / 100, rate / 100])
    assert recipe.epochs == epochs


def test_the_paper_s_batches_and_losses():
    recipe = REID["paper"]
    assert (recipe.batch, recipe.vehicles, recipe.pictures) == (32, 8, 4)
    assert (recipe.optimizer, recipe.weight_decay) == ("adam", 5e-4)
    assert (recipe.loss.margin, recipe.loss.attributes, recipe.loss.smoothing) == (0.3, 0.125, 0.0)
    assert recipe.size(0.0) == recipe.size(1.0) == 256
    assert POSE["code"].batch == 64, "32 on each of two GPUs"
    pose = POSE["paper"]
    assert (pose.batch, pose.weight_decay, pose.hidden, pose.foreground) == (32, 0.0, 0.0, 0.0)


def test_the_compact_recipe_warms_up_grows_and_ends_at_nothing():
    recipe = REID["compact"]
    assert recipe.learning_rate(0.0) < 0.01 * recipe.rate
    assert recipe.learning_rate(recipe.warm_up) == pytest.approx(recipe.rate)
    assert recipe.learning_rate(1.0) == pytest.approx(0.0, abs=1e-12)
    assert recipe.size(0.0) < recipe.size(1.0) == 256


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": ((0.1, 128),)}, "must apply from the start"),
        ({"sizes": ((0.0, 100),)}, "pictures of 100 pixels; .* a multiple of 32"),
        ({"epochs": 0}, "epochs=0"),
        ({"rate": -1.0}, "rate=-1"),
        ({"batch": 30}, "a batch of 30 pictures, 4 of each vehicle"),
        ({"pictures": 1}, "1 of each vehicle"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        replace(REID["paper"], **changes)


def test_a_budget_is_of_steps_or_of_time():
    assert Budget(steps=10).progress(5, 1e9) == 0.5
    assert Budget(seconds=10.0).progress(10**9, 5.0) == 0.5
    assert Budget(steps=10).left(5, 0.0, rate=2.0) == 2.5
    assert Budget(seconds=10.0).left(5, 4.0, rate=2.0) == 6.0
    for bad in ({}, {"steps": 1, "seconds": 1.0}, {"steps": 0}, {"seconds": -1.0}):
        with pytest.raises(InputError, match="not both"):
            Budget(**bad)


def test_automatic_precision_is_what_the_processor_has(monkeypatch):
    cpu = torch.device("cpu")
    for found, expected in (({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")):
        monkeypatch.setattr("torch.cpu.get_capabilities", lambda found=found: found, raising=False)
        assert resolved("auto", cpu) == expected
    assert resolved("fp32", cpu) == "fp32"
    with pytest.raises(InputError, match="fp16 training needs a CUDA device"):
        resolved("fp16", cpu)
