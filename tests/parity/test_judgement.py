# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The verdict on an exported file, on made-up results: what passes, what fails, and what a tie excuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pamtri_edge import ops
from pamtri_edge.parity.judgement import Expected, Found, judge
from pamtri_edge.parity.limits import LIMITS

CROPS = 4
LIMIT = LIMITS["fp16"]
EVERYTHING = {"keypoints": True, "heatmaps": True, "segments": True, "multitask": True, "pose": True}


@pytest.fixture
def world(rng, clear_heatmaps):
    """Return outputs and heatmaps of a reference whose decisions are all clear."""
    heatmaps = clear_heatmaps(CROPS)
    embeddings = rng.normal(size=(CROPS, 16)).astype(np.float32)
    outputs = {
        "embedding": embeddings,
        "color": np.eye(CROPS, 10, dtype=np.float32),
        "keypoints": ops.decode(heatmaps),
        "quality": np.full((CROPS, 1), 0.9, np.float32),
    }
    return outputs, heatmaps


def verdict(world, found=None, *, heatmaps=None, forced=None, variant=EVERYTHING, limits=LIMIT):
    """Judge what a file gives; by default exactly the reference."""
    outputs, maps = world
    found = outputs if found is None else found
    result = Found(
        found, maps if heatmaps is None else heatmaps, forced=outputs if forced is None else forced
    )
    return judge(Expected(outputs, maps), result, limits=limits, variant=variant)


def engine_verdict(world, found=None, *, forced=None, variant=EVERYTHING):
    """Judge what an engine gives, which has no heatmaps to show."""
    outputs, maps = world
    found = Found(outputs if found is None else found, forced=outputs if forced is None else forced)
    return judge(Expected(outputs, maps), found, limits=LIMIT, variant=variant)


def changed(outputs, **values):
    return {**{name: array.copy() for name, array in outputs.items()}, **values}


def test_the_same_results_pass(world):
    judgement = verdict(world)
    assert judgement.failures == ()
    assert judgement.remarks == ()
    assert judgement.end_to_end.crops == CROPS
    assert judgement.end_to_end.minimum == pytest.approx(1)
    assert judgement.tied.crops == 0
    assert judgement.attributes["color"].agreement == 1


def spoiled(outputs, name, place, value):
    found = changed(outputs)
    found[name][place] += value
    return found


FAULTS = {
    "a wrong probability": (("color", (0, 0), -0.5), "a probability of color differs by 0.5000"),
    "a wrong confidence": (("keypoints", (0, 0, 2), 0.2), "a confidence differs by 0.2 (limit 0.03)"),
    "a keypoint elsewhere": (
        ("keypoints", (2, 9, 0), 0.25),
        "1 keypoint is decided differently though the heatmaps are clear (the first: keypoint 9 of crop 2",
    ),
    "a value that is not finite": (("quality", 1, np.nan), "quality holds values that are not finite"),
}


@pytest.mark.parametrize("of_an_engine", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_file_or_an_engine_is_told(world, fault, of_an_engine):
    place, said = FAULTS[fault]
    found = spoiled(world[0], *place)
    failures = (engine_verdict if of_an_engine else verdict)(world, found).failures
    assert any(said in text for text in failures)
    assert len(failures) == 1 or fault == "a wrong probability"  # which shows in both comparisons


@pytest.mark.parametrize("of_an_engine", [False, True])
def test_one_bad_embedding_fails_end_to_end_and_from_what_was_found(world, of_an_engine):
    found = changed(world[0])
    found["embedding"][2] *= -1
    failures = (engine_verdict if of_an_engine else verdict)(world, found).failures
    own = "keypoints" if of_an_engine else "heatmaps"
    assert any(text.startswith("end to end, the least cosine is -1.0") for text in failures)
    assert any(text.startswith(f"from its own {own}, the least cosine is -1.0") for text in failures)


def test_heatmaps_that_are_off_fail_whatever_the_embedding(world):
    noisy = world[1].copy()
    noisy[3, 7] += 0.1
    failures = verdict(world, heatmaps=noisy).failures
    assert any(text.startswith("a heatmap differs by 0.1 (limit 0.03)") for text in failures)


def test_another_network_does_not_pass_as_one_whose_crops_all_tie(world, rng):
    """Heatmaps of another network explain every other decision; so they have limits of their own."""
    other = rng.permutation(world[1], axis=1)
    found = changed(world[0], keypoints=ops.decode(other), embedding=-world[0]["embedding"])
    judgement = verdict(world, found, heatmaps=other, forced=found)
    assert judgement.tied.crops == CROPS
    assert any("a heatmap differs" in text for text in judgement.failures)
    assert any("a crop's heatmaps have cosine" in text for text in judgement.failures)


def tie_of(world, crop=1, keypoint=5):
    """Return the world with one near tie, and what a file finds that settles it the other way."""
    outputs, heatmaps = world
    heatmaps[crop, keypoint, 2, 2] = 0.899
    heatmaps[crop, keypoint, 3, 2] = heatmaps[crop, keypoint, 2, 3] = 0.5
    outputs["keypoints"] = ops.decode(heatmaps)
    theirs = heatmaps.copy()
    theirs[crop, keypoint, 2, 2] = 0.901
    embedding = outputs["embedding"].copy()
    embedding[crop] = -embedding[crop]
    found = changed(outputs, keypoints=ops.decode(theirs), embedding=embedding)
    return theirs, found


def test_a_tie_that_fell_otherwise_is_counted_and_shown_apart(world):
    theirs, found = tie_of(world)
    judgement = verdict(world, found, heatmaps=theirs, forced=found)
    assert judgement.failures == ()
    assert (judgement.end_to_end.crops, judgement.tied.crops) == (CROPS - 1, 1)
    assert judgement.tied.minimum == pytest.approx(-1)
    assert judgement.end_to_end.minimum == pytest.approx(1)
    assert judgement.remarks == (
        "1 of 4 crops have a tie that fell otherwise; their cosine is for information",
    )
    assert judgement.pose.changed == pytest.approx(1 / (CROPS * 36))


def test_a_tie_excuses_nothing_behind_the_heatmaps(world):
    """The reference, fed with the file's heatmaps, decides alike: then the embedding must agree."""
    theirs, found = tie_of(world)
    failures = verdict(world, found, heatmaps=theirs, forced=world[0]).failures
    assert any(text.startswith("from its own heatmaps, the least cosine is -1.0") for text in failures)
    assert not any(text.startswith("end to end") for text in failures)


def test_a_tie_excuses_nothing_where_keypoints_do_not_enter_the_embedding(world):
    theirs, found = tie_of(world)
    variant = {**EVERYTHING, "keypoints": False, "segments": False}
    judgement = verdict(world, found, heatmaps=theirs, forced=found, variant=variant)
    assert judgement.tied.crops == 0
    assert any(text.startswith("end to end, the least cosine is -1.0") for text in judgement.failures)


def test_the_report_says_on_how_many_crops_the_verdict_rests(world):
    outputs, heatmaps = world
    theirs, found = heatmaps, outputs
    for crop in range(CROPS):
        theirs, found = tie_of((outputs, heatmaps), crop=crop)
        if crop == 2:
            few = dataclasses.replace(LIMIT, tied_share=0.1)
            remark = verdict((outputs, heatmaps), found, heatmaps=theirs, forced=found, limits=few).remarks
            assert "the end-to-end figure rests on" in remark[0]
    everything = heatmaps.copy()
    everything[:, 5, 2, 2] = 0.901
    found = changed(outputs, keypoints=ops.decode(everything))
    judgement = verdict((outputs, heatmaps), found, heatmaps=everything, forced=outputs)
    assert judgement.end_to_end.crops == 0
    assert judgement.end_to_end.minimum is None
    assert "the verdict rests on heatmaps and on the comparison from its own heatmaps" in judgement.remarks[0]


def test_a_network_without_pose_has_no_ties(world):
    outputs = {"embedding": world[0]["embedding"]}
    variant = dict.fromkeys(EVERYTHING, False)
    judgement = judge(Expected(outputs), Found(outputs, forced=outputs), limits=LIMIT, variant=variant)
    assert judgement.pose is None
    assert judgement.failures == ()
    assert judgement.attributes == {}


def test_the_quality_stands_for_an_engine_s_heatmaps_too(world):
    assert engine_verdict(world).failures == ()
    (said,) = engine_verdict(world, spoiled(world[0], "quality", 3, -0.2)).failures
    assert said.startswith("a quality differs by 0.2 (limit 0.03)")


def test_an_engine_s_tie_is_judged_by_what_follows_from_it(world):
    _, found = tie_of(world)
    judgement = engine_verdict(world, found, forced=found)
    assert judgement.failures == ()
    assert judgement.tied.minimum == pytest.approx(-1)
    assert engine_verdict(world, found, forced=world[0]).failures == (
        "from its own keypoints, the least cosine is -1.000000 (limit 0.9999)",
        "from its own keypoints, the mean cosine is 0.500000 (limit 0.9999)",
    )


def test_without_heatmaps_and_reference_ties_keep_a_limit_of_their_own(world):
    _, found = tie_of(world)
    judgement = judge(Expected(world[0]), Found(found), limits=LIMIT, variant=EVERYTHING)
    assert judgement.failures == ("the mean cosine of the crops with a tie is -1.000000 (limit 0.95)",)


def test_the_limits_are_what_the_documents_promise():
    assert LIMITS["fp32"].cosine == 0.99999
    assert LIMITS["fp16"].cosine == 0.9999
