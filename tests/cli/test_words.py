# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The words of the command line are those of the library, and options come before a recipe's keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, get_args

import pytest
import typer
from typer.testing import CliRunner

from pamtri_edge import words
from pamtri_edge.cli import weights
from pamtri_edge.cli.declared import Changes, changed, declared
from pamtri_edge.cli.train_options import ReidOptions
from pamtri_edge.cli.weights import discriminate, one_type, whiten
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.baselines import BASELINES
from pamtri_edge.models import LITES, SIZES
from pamtri_edge.refit import DISCRIMINANT, ONE_TYPE, WHITENING
from pamtri_edge.train import REID
from pamtri_edge.train.recipes import POSE


@dataclass(frozen=True, kw_only=True)
class Options:
    name: Annotated[str, typer.Option(help="Who.")]
    often: Annotated[int | None, typer.Option(min=1), Changes("times")] = None


@dataclass(frozen=True)
class Recipe:
    times: int = 2


def test_every_word_names_something_that_the_library_has():
    assert set(words.SIZE_NAMES) == set(SIZES)
    assert set(get_args(words.RecipeName)) == set(REID) == set(POSE)
    assert {one.value for one in words.Baseline} == set(BASELINES)
    assert set(get_args(words.Backbone)) - set(get_args(words.DenseBackbone)) == set(LITES)


def test_an_option_comes_before_a_key_of_the_recipe_and_leaves_the_others(tmp_path):
    recipe = replace(REID["compact"], rate=0.5, alike=0.25)
    options = ReidOptions(
        output=tmp_path, rate=0.125, loss=words.ReidLoss.XENT, smoothing=0.25, frozen_norms=False
    )
    found = changed(recipe, options)
    assert (found.rate, found.alike, found.frozen_norms) == (0.125, 0.25, False)
    assert found.loss == replace(recipe.loss, kind=words.ReidLoss.XENT, smoothing=0.25)
    assert changed(recipe, ReidOptions(output=tmp_path)) == recipe
    with pytest.raises(InputError, match="a multiple of 32"):
        changed(recipe, ReidOptions(output=tmp_path, sizes="128,100@0.5"))


@pytest.mark.parametrize(
    ("command", "spec"), [(whiten, WHITENING), (discriminate, DISCRIMINANT), (one_type, ONE_TYPE)]
)
def test_making_a_layer_anew_begins_with_the_librarys_values(monkeypatch, command, spec):
    seen = []
    monkeypatch.setattr(weights, "_refit", lambda change, spec, *rest, **more: seen.append(spec))
    options = ["--reid", "a", "--data", "b", "--output", "c", *["--type", "bus"] * (command is one_type)]
    app = typer.Typer()
    app.command()(command)
    for more in ([], ["--views", "9", "--seed", "4"]):
        assert CliRunner().invoke(app, options + more).exit_code == 0
    assert seen == [spec, replace(spec, views=9, seed=4)]


def test_options_that_are_fields_are_options_of_the_command():
    app = typer.Typer()

    @app.command()
    @declared(Options)
    def greet(options: Options) -> None:
        """Greet."""
        typer.echo(options.name * changed(Recipe(), options).times)

    def said(*line: str) -> str:
        return CliRunner().invoke(app, line).output

    assert said("--name", "ab") == "abab\n"
    assert said("--name", "ab", "--often", "1") == "ab\n"
    assert "Missing option" in said()
    assert "equal to 1" in said("--name", "ab", "--often", "0")
    assert "Greet." in said("--help")
