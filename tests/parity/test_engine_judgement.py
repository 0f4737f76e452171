# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The verdict on an engine, on made-up results: what passes, what fails, and what a tie excuses."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri_edge import ops
from pamtri_edge.parity.engine_judgement import judge_engine
from pamtri_edge.parity.limits import LIMITS

CROPS = 4
EVERYTHING = {"keypoints": True, "heatmaps": True, "segments": True, "multitask": True, "pose": True}


@pytest.fixture
def world(rng, clear_heatmaps):
    """Return outputs and heatmaps of a reference whose decisions are all clear."""
    heatmaps = clear_heatmaps(CROPS)
    outputs = {
        "embedding": rng.normal(size=(CROPS, 16)).astype(np.float32),
        "color": np.eye(CROPS, 10, dtype=np.float32),
        "keypoints": ops.decode(heatmaps),
        "quality": np.full((CROPS, 1), 0.9, np.float32),
    }
    return outputs, heatmaps


def verdict(world, found=None, *, forced=None, precision="fp16", variant=EVERYTHING):
    outputs, heatmaps = world
    return judge_engine(
        outputs,
        heatmaps,
        outputs if found is None else found,
        outputs if forced is None else forced,
        limits=LIMITS[precision],
        variant=variant,
        name="TensorRT",
        device="a GPU",
        via="tensorrt",
        arithmetic=precision,
    )


def changed(world, **values):
    return {**{name: array.copy() for name, array in world[0].items()}, **values}


def test_the_same_results_pass(world):
    judgement = verdict(world)
    assert judgement.failures == ()
    assert (judgement.end_to_end.crops, judgement.own_keypoints.crops) == (CROPS, CROPS)
    assert judgement.pose.changed == 0


def test_one_bad_embedding_fails_both_ways(world):
    found = changed(world)
    found["embedding"][2] *= -1
    failures = verdict(world, found).failures
    assert any(text.startswith("end to end, the least cosine is -1.0") for text in failures)
    assert any(text.startswith("from its own keypoints, the least cosine is -1.0") for text in failures)


def test_a_confidence_or_a_quality_that_is_off_fails(world):
    found = changed(world)
    found["keypoints"][1, 7, 2] += 0.1
    found["quality"][3] -= 0.2
    failures = verdict(world, found).failures
    assert any(text.startswith("a confidence differs by 0.1 (limit 0.03)") for text in failures)
    assert any(text.startswith("a quality differs by 0.2 (limit 0.03)") for text in failures)


def test_a_keypoint_that_is_clear_must_be_decided_alike(world):
    found = changed(world)
    found["keypoints"][0, 3, 0] += 0.25
    failures = verdict(world, found).failures
    assert any("1 keypoint is decided differently though the heatmaps are clear" in text for text in failures)
    assert any("keypoint 3 of crop 0" in text for text in failures)


def tie_of(world, crop=1, keypoint=5):
    """Give the world one near tie; return what an engine finds that settles it the other way."""
    outputs, heatmaps = world
    heatmaps[crop, keypoint, 2, 2] = 0.899
    outputs["keypoints"] = ops.decode(heatmaps)
    theirs = heatmaps.copy()
    theirs[crop, keypoint, 2, 2] = 0.901
    embedding = outputs["embedding"].copy()
    embedding[crop] = -embedding[crop]
    return changed(world, keypoints=ops.decode(theirs), embedding=embedding)


def test_a_tie_that_fell_otherwise_is_judged_by_what_follows_from_it(world):
    found = tie_of(world)
    judgement = verdict(world, found, forced=found)
    assert judgement.failures == ()
    assert (judgement.end_to_end.crops, judgement.tied.crops) == (CROPS - 1, 1)
    assert judgement.tied.minimum == pytest.approx(-1)


def test_a_tie_excuses_nothing_that_does_not_follow_from_it(world):
    found = tie_of(world)
    failures = verdict(world, found, forced=world[0]).failures
    assert failures == ("from its own keypoints, the least cosine is -1.000000 (limit 0.9999)",
                        "from its own keypoints, the mean cosine is 0.500000 (limit 0.9999)")  # fmt: skip


def test_where_keypoints_do_not_enter_a_tie_excuses_nothing(world):
    found = tie_of(world)
    variant = {**EVERYTHING, "keypoints": False, "segments": False}
    assert any("end to end" in text for text in verdict(world, found, forced=found, variant=variant).failures)


def test_values_that_are_not_finite_fail_alone(world):
    found = changed(world)
    found["color"][1] = np.nan
    assert verdict(world, found).failures == ("color holds values that are not finite",)


def test_without_a_pose_network_embeddings_alone_are_judged(world):
    plain = ({"embedding": world[0]["embedding"]}, None)
    judgement = verdict(plain, variant={**EVERYTHING, "keypoints": False, "segments": False, "pose": False})
    assert judgement.failures == ()
    assert judgement.pose is None
