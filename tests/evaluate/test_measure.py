# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One feature on one set: everything that can be measured, and nothing that cannot."""

import errno
import json
import os

import numpy as np
import pytest

from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.baselines import BASELINES, Thumbnail
from pamtri_edge.evaluate.bootstrap import difference, mean_interval
from pamtri_edge.evaluate.compare import compare, write_comparison
from pamtri_edge.evaluate.features import Description
from pamtri_edge.evaluate.figures import ranked, spread_queries
from pamtri_edge.evaluate.measure import Described, Measure, evaluate, measure
from pamtri_edge.evaluate.tables import clip_table, difference_table, keypoint_table, retrieval_table
from pamtri_edge.vehicle import COLORS

QUICK = Measure(draws=200)


class Told:
    """Describes every picture by a number that is its vehicle's, tells all red, and places keypoints."""

    name = "told"

    def __init__(self, offset=0.0):
        self.offset = offset

    def describe(self, pictures):
        shades = np.array([picture.reshape(-1, 3).mean(axis=0) for picture in pictures], np.float32)
        keypoints = np.full((len(pictures), 36, 3), 0.5, np.float32)
        keypoints[..., 0] += self.offset
        keypoints[..., 2] = 1.0
        count = len(pictures)
        return Description(
            shades - shades.mean(1, keepdims=True), ["red"] * count, ["suv"] * count, keypoints
        )


def test_a_labeled_folder_gives_retrieval_attributes_and_keypoints(data_folder):
    found = evaluate(read_folder(data_folder), Told(), how=QUICK)
    assert (found.feature, found.data) == ("told", "set")
    assert found.retrieval.queries == 3
    assert found.color.accuracy == 0.0  # the three are yellow, orange and green
    assert set(found.color.classes) == {*COLORS[:3], "red"}
    assert (found.color.count, found.type.accuracy) == (12, 1.0)  # over queries and gallery together
    assert found.pck.mean == 1.0
    assert found.top == (100, found.retrieval.mAP)


def test_keypoints_are_compared_in_pixels_of_the_labeled_picture(data_folder):
    # an eighth of the diagonal of 64x48 is 10 pixels: 10 / 64 of the width
    inside, outside = (
        evaluate(read_folder(data_folder), Told(10 / 64 + more), how=QUICK) for more in (-0.01, 0.01)
    )
    assert (inside.pck.mean, outside.pck.mean) == (1.0, 0.0)
    legacy = evaluate(read_folder(data_folder), Told(), how=Measure(rule="legacy", draws=200))
    assert legacy.pck.rule == "legacy"


def test_matches_by_the_same_camera_are_left_out_unless_asked_for(data_folder):
    across = evaluate(read_folder(data_folder), Thumbnail(), how=QUICK)
    within = evaluate(read_folder(data_folder, across_cameras=False), Thumbnail(), how=QUICK)
    assert {len(ranks) for ranks in across.retrieval.ranks} == {2}
    assert {len(ranks) for ranks in within.retrieval.ranks} == {3}
    assert within.retrieval.rank(1) == 1.0  # the very same picture is in the gallery


def test_what_a_feature_or_a_set_lacks_is_none(make_set, data_folder):
    assert evaluate(read_folder(data_folder), Thumbnail(), how=QUICK).color is None
    unlabeled = evaluate(make_set([1, 2], [1, 2]), Told(), how=QUICK)
    assert unlabeled.color is None
    assert unlabeled.pck is None
    data = make_set([1, 2], [1, 2], labels=({"colors": ("red", None)}, {}))
    assert evaluate(data, Told(), how=QUICK).color.count == 1, "one side is enough"


def test_a_query_without_a_true_match_is_skipped_and_a_set_of_such_is_refused(make_set):
    found = evaluate(make_set([1, 2, 9], [1, 2, 3]), Thumbnail(), how=QUICK)
    assert (found.retrieval.queries, found.retrieval.skipped) == (2, 1)
    assert found.mean_average_precision.identities == 2
    with pytest.raises(InputError, match="the one query has no true match"):
        evaluate(make_set([9], [1, 2]), Thumbnail(), how=QUICK)


def test_features_are_compared_by_the_metric_that_is_asked_for(make_set):
    data = make_set([1, 2], [1, 2])
    query, gallery = Description(np.float32([[1, 0], [9, 9]])), Description(np.float32([[9, 0], [1, 1]]))
    described = Described(query, gallery)
    reached = {
        metric: measure(data, described, feature="x", how=Measure(metric=metric, draws=200)).retrieval.mAP
        for metric in ("cosine", "euclidean")
    }
    assert reached == {"cosine": 1.0, "euclidean": 0.5}


def test_several_features_are_compared_with_the_first(data_folder):
    found = compare(read_folder(data_folder), list(BASELINES.values()), how=QUICK)
    first, second, *others = found.evaluations
    assert list(found.differences) == [second.feature, *(one.feature for one in others)]
    expected = first.retrieval.mAP - second.retrieval.mAP
    assert found.differences[second.feature].value == pytest.approx(expected)
    with pytest.raises(InputError, match="each once"):
        compare(read_folder(data_folder), [Thumbnail(), Thumbnail()])


def test_the_folder_of_results_appears_whole(data_folder, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing curves takes matplotlib")
    data = read_folder(data_folder)
    found = compare(data, [Told(), Thumbnail()], how=QUICK)
    folder = write_comparison(found, tmp_path / "new" / "results")
    drawn = {"cmc.png", "ranked-told.png", "ranked-16x16-thumbnail.png", "color-told.png", "type-told.png"}
    assert {path.name for path in folder.iterdir()} == {"evaluation.json", *drawn}
    record = json.loads((folder / "evaluation.json").read_text())
    assert record["evaluations"][0]["color"]["accuracy"] == 0.0
    assert record["evaluations"][1]["pck"] is None
    assert record["first_above"]["16x16 thumbnail"]["identities"] == 3
    with pytest.raises(InputError, match="exists; give another name, or --overwrite"):
        write_comparison(found, folder)
    assert write_comparison(found, folder, overwrite=True) == folder
    with pytest.raises(InputError, match="holds no figures of an evaluation, so it is not overwritten"):
        write_comparison(found, tmp_path, overwrite=True)


def test_nothing_is_left_where_a_picture_breaks_half_way(data_folder, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing curves takes matplotlib")
    found = compare(read_folder(data_folder), [Thumbnail()], how=QUICK)
    for path in (data_folder / "image_test").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        write_comparison(found, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("full", ["matplotlib.figure.Figure.savefig", "pathlib.Path.write_bytes"])
def test_a_full_disk_is_told_and_leaves_nothing(data_folder, tmp_path, monkeypatch, full):
    pytest.importorskip("matplotlib", reason="drawing curves takes matplotlib")

    def no_space(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    found = compare(read_folder(data_folder), [Thumbnail()], how=QUICK)
    monkeypatch.setattr(full, no_space)
    with pytest.raises(InputError, match="results cannot be written: No space left on device"):
        write_comparison(found, tmp_path / "results")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_ranked_lists_show_the_ranking_that_was_measured(data_folder):
    data = read_folder(data_folder)
    found = compare(data, [Thumbnail()], how=QUICK)
    (one,), (described,) = found.evaluations, found.described
    for query in spread_queries(one, 3):
        order = ranked(data, described, query, one)
        assert len(order) == 8  # of nine, without the one by the same camera
        right = data.gallery.vehicles[order] == data.query.vehicles[query]
        assert (np.flatnonzero(right) + 1).tolist() == one.retrieval.ranks[query].tolist()


def test_ranked_lists_go_from_the_best_to_the_worst_answered(make_set, rng):
    data = make_set(rng.integers(0, 5, 30), rng.integers(0, 5, 40))
    described = Described(*(Description(rng.random((n, 3), np.float32)) for n in (30, 40)))
    found = measure(data, described, feature="x", how=QUICK)
    chosen = found.retrieval.average_precision[spread_queries(found, 8)]
    assert (np.diff(chosen) <= 0).all()
    assert chosen[0] == np.nanmax(found.retrieval.average_precision)
    assert chosen[-1] == np.nanmin(found.retrieval.average_precision)


def rows(table):
    return [[str(cell) for cell in column.cells] for column in table.columns]


def test_tables_show_percent_and_leave_out_what_nobody_knows(data_folder):
    data = read_folder(data_folder)
    told, plain = (evaluate(data, describer, how=QUICK) for describer in (Told(), Thumbnail()))
    headers = [column.header for column in retrieval_table([told, plain]).columns]
    assert headers[:4] == ["feature", "mAP [95 %]", "mAP r100", "mINP"]
    assert headers[4:] == ["rank-1", "rank-5", "rank-20", "color", "type", "PCK"]
    assert [column.header for column in retrieval_table([plain]).columns] == headers[:-3]
    assert rows(retrieval_table([told, plain]))[-2:] == [["100.0", "-"], ["100.0", "-"]]
    assert rows(keypoint_table({"told": told.pck}))[-1] == ["100.0"]


def test_clips_stand_below_one_another_with_their_mean(data_folder):
    data = read_folder(data_folder)
    both = [evaluate(data, describer, how=QUICK) for describer in BASELINES.values()]
    means = {one.feature: mean_interval([one.precision] * 2, draws=200) for one in both}
    table = clip_table({"a": both, "b": both}, means)
    assert rows(table)[:2] == [["a", "b", "mean"], ["3", "3", "6"]]
    above = difference([both[0].precision], [both[1].precision], draws=200)
    verdict = "excludes zero" if above.excludes_zero else "includes zero"
    assert rows(difference_table("x", {"y": above}))[2] == [verdict]
