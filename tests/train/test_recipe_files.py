# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A recipe from a file changes a named one; what does not fit is refused with its line."""

from pathlib import Path

import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.train import POSE, REID
from pamtri_edge.train.losses import Head
from pamtri_edge.train.recipe_files import chosen_recipe
from pamtri_edge.words import ReidLoss

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "mine.toml").write_text(text)
        return str(tmp_path / "mine.toml")

    return write


def test_a_file_changes_the_named_recipe_and_keeps_the_rest(written):
    found = chosen_recipe(
        written(
            'base = "compact"\nrate = 1\nsizes = [[0, 64], [0.5, 128]]\nloss.kind = "xent"\n'
            "augment.light.hue = 3\n[augment.degradation]\nblur = 0.5\n"
        ),
        REID,
    )
    plain = REID["compact"]
    assert (found.name, found.rate, found.sizes) == ("mine", 1.0, ((0.0, 64), (0.5, 128)))
    assert isinstance(found.rate, float)
    assert found.loss.kind is ReidLoss.XENT
    assert found.loss.head is Head.COSINE
    assert (found.augment.light.hue, found.augment.degradation.blur) == (3.0, 0.5)
    assert found.augment.light.gamma == plain.augment.light.gamma
    assert found.weight_decay == plain.weight_decay


def test_a_recipe_may_change_that_of_another_file_beside_it(written, tmp_path):
    (tmp_path / "first.toml").write_text('base = "compact"\nrate = 0.5\nloss.margin = 0.7\n')
    found = chosen_recipe(written('base = "first.toml"\nrate = 0.25\n'), REID)
    assert (found.name, found.rate, found.loss.margin) == ("mine", 0.25, 0.7)
    (tmp_path / "first.toml").write_text('base = "mine.toml"\n')
    with pytest.raises(InputError, match=r"first\.toml, line 1.*mine\.toml changes this recipe"):
        chosen_recipe(str(tmp_path / "mine.toml"), REID)
    with pytest.raises(InputError, match=r"absent\.toml cannot be read"):
        chosen_recipe(written('base = "absent.toml"\n'), REID)


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_the_project_s_own_recipes_are_sound(file):
    assert chosen_recipe(str(file), REID).name == file.stem


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('base = "compact"\n\nrat = 1.0', 3, "has no field 'rat'; it has epochs, batch"),
        ('base = "compact"\nrate = "fast"', 2, "rate = 'fast': expected a number"),
        ('base = "compact"\nbatch = 64.5', 2, "expected a whole number"),
        ('base = "compact"\nfrozen_norms = 1', 2, "expected true or false"),
        ('base = "compact"\nbatch = true', 2, "expected a whole number"),
        ('base = "compact"\ndecay = "slow"', 2, "expected 'steps', 'cosine'"),
        ('base = "compact"\nsizes = 128', 2, "expected a list"),
        ('base = "compact"\nsizes = [[0.0, 100]]', 2, "multiple of 32"),
        ('base = "compact"\n[loss]\n# why\nmargin = []', 4, "margin = []: expected a number"),
        ('base = "compact"\n[loss]\nkind = "contrastive"', 3, "expected 'both', 'xent'"),
        ('base = "compact"\n[losses]\nmargin = 0.3', 2, "has no field 'losses'"),
        ('base = "compact"\nloss = 3', 2, "loss is a table"),
        ('base = "compact"\n[augment.light]\nhues = 1', 3, "[augment.light] has no field 'hues'"),
        ('base = "compact"\nrate = nan', 2, "rate = nan: expected a finite number"),
        ('base = "compact"\nclip = 0.0', 2, "the second, where it is given, above 0"),
        ('base = "compact"\nsizes = [[0.0, 64], [2.0, 96]]', 2, "before the end, part 1.0"),
        ('base = "compact"\n[loss]\nscale = 0.0', 3, "scale is above it"),
        ('base = "compact"\n[augment]\nflip = 3.0', 3, "flip=3: expected a part from 0 to 1"),
        ('base = "compact"\n[augment.degradation]\nquality = 90', 3, "expected one of JPEG, from 1 to 80"),
        ('base = "quick"', 1, "it says 'quick'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(written, text, line, message):
    with pytest.raises(InputError) as caught:
        chosen_recipe(written(text), REID)
    assert f"mine.toml, line {line}: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate = 1.0", "does not say which"),
        ("rate = = 1", r"is no TOML: .*line 1"),
        ("a = " + "[" * 10_000, "nested too deep"),
        ("a\0 = 1", "line 1 holds a zero byte"),
        ('base = "compact"\nalike = 0.5', "has no field 'alike'"),
    ],
    ids=["no base", "no TOML", "too deep", "no text", "of the other network"],
)
def test_what_is_no_recipe_file_is_refused(written, text, message):
    with pytest.raises(InputError, match=message):
        chosen_recipe(written(text), POSE)


def test_a_recipe_of_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="no recipe quick; take paper, code, compact"):
        chosen_recipe("quick", POSE)
