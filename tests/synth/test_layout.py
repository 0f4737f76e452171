# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Names on disk, and the plan that decides what every picture is."""

import pytest

from pamtri_edge.datasets.layout import GALLERY, QUERY, image_name, mask_name
from pamtri_edge.errors import InputError
from pamtri_edge.synth.dataset.plan import JOB_VIEWS, UNSEEN, SynthPlan
from pamtri_edge.vehicle import TYPES
from pamtri_edge.words import Split


def test_names_are_veris():
    assert image_name(1, 3, 17) == "0001_c003_00000017_0.jpg"
    assert mask_name("0001_c003_00000017_0.jpg") == "0001_c003_00000017_0.png"


def test_images_are_spread_evenly_and_none_is_lost():
    plan = SynthPlan(identities=402, images=41_000)
    views = [plan.views(identity) for identity in range(402)]
    assert sum(views) == 41_000
    assert set(views) == {101, 102}


def test_jobs_hold_every_view_once_and_are_of_like_size():
    plan = SynthPlan(identities=7, images=700)
    drawn = [(job.identity, job.first + view) for job in plan.jobs() for view in range(job.views)]
    assert drawn == [(identity, view) for identity in range(7) for view in range(100)]
    assert {job.views for job in plan.jobs()} == {25}
    assert max(job.views for job in SynthPlan(identities=1, images=1001).jobs()) <= JOB_VIEWS


def test_names_in_the_order_of_jobs_are_in_the_order_of_the_alphabet():
    plan = SynthPlan(identities=3, images=60, vehicle_offset=9998)
    names = [sorted(plan.image_name(identity, view) for view in range(20)) for identity in range(3)]
    assert names[1][0].startswith("10000_")
    assert names[0] + names[1] + names[2] == sorted(names[0] + names[1] + names[2])


def test_a_larger_set_begins_with_the_pictures_of_a_smaller_one():
    small, large = SynthPlan(identities=20, images=200), SynthPlan(identities=402, images=41_000)
    for identity in range(20):
        assert small.drawn_identity(identity) == large.drawn_identity(identity)
        for view in range(10):
            assert small.camera(identity, view) == large.camera(identity, view)
            assert small.image_name(identity, view) == large.image_name(identity, view)


def test_an_identity_meets_every_camera_before_one_again():
    plan = SynthPlan(identities=3, images=90, cameras=10)
    for identity in range(3):
        cameras = [plan.camera(identity, view) for view in range(30)]
        assert sorted(cameras[:10]) == sorted(cameras[10:20]) == list(range(10))
    assert [plan.camera(0, view) for view in range(10)] != [plan.camera(1, view) for view in range(10)]


def test_a_test_split_shares_neither_vehicles_nor_shapes_nor_cameras_with_training():
    train, test = (SynthPlan(split=split, models=42) for split in (Split.TRAIN, Split.TEST))
    for drawn in ("drawn_identity", "drawn_model"):
        train_numbers = {getattr(train, drawn)(identity) for identity in range(402)}
        assert train_numbers.isdisjoint(getattr(test, drawn)(identity) for identity in range(402))
    assert {train.drawn_camera(k) for k in range(20)}.isdisjoint(test.drawn_camera(k) for k in range(20))
    assert test.drawn_identity(0) == UNSEEN


def test_every_query_has_a_match_before_another_camera():
    for cameras, images in ((12, 80), (2, 12), (5, 8), (3, 80)):
        plan = SynthPlan(split=Split.TEST, identities=4, images=images, cameras=cameras)
        for identity in range(4):
            views = range(plan.views(identity))
            queries = [view for view in views if plan.part(identity, view) is QUERY]
            gallery = [view for view in views if plan.part(identity, view) is GALLERY]
            seen = [plan.camera(identity, view) for view in queries]
            assert queries
            assert len(set(seen)) == len(seen) <= 4
            for camera in seen:
                assert any(plan.camera(identity, view) != camera for view in gallery)


def test_models_are_shared_in_all_ten_colors():
    plan = SynthPlan(identities=420, images=420, models=42)
    pairs = {(plan.drawn_model(k), plan.color(k)) for k in range(420)}
    assert len(pairs) == 420
    few = SynthPlan(identities=20, images=20, models=42)
    assert len({few.color(k) for k in range(20)}) == 10
    free = SynthPlan(identities=20, images=20)
    assert free.drawn_model(3) is None
    assert free.color(3) is None


def test_offsets_move_the_numbers_and_nothing_else():
    plain = SynthPlan(identities=5, images=50)
    moved = SynthPlan(identities=5, images=50, vehicle_offset=1000, camera_offset=100)
    assert (plain.vehicle_id(0), moved.vehicle_id(0)) == (1, 1001)
    assert moved.camera_id(moved.camera(2, 3)) == plain.camera_id(plain.camera(2, 3)) + 100
    assert moved.drawn_identity(2) == plain.drawn_identity(2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"identities": 10, "images": 9}, "9 images cannot show 10 identities"),
        ({"identities": 0}, "identities is 0; accepted: 1 to"),
        ({"cameras": 0}, "cameras is 0; accepted: at least 1"),
        ({"seed": -1}, "seed is -1"),
        ({"size": 8}, "size is 8; accepted: 32 to 1024"),
        ({"supersampling": 9}, "supersampling is 9; accepted: 1 to 4"),
        ({"models": 0}, "models is 0"),
        ({"queries": 0}, "queries is 0"),
        ({"camera_offset": 990}, r"numbered up to 1010, and file names hold three digits \(999\)"),
        ({"formats": ()}, r"formats \(none\); accepted: one or more of veri, coco, parquet"),
        ({"formats": ("veri", "csv")}, "formats veri, csv; accepted"),
        ({"split": Split.TEST, "identities": 10, "images": 19}, "needs at least 20 images and 2 cameras"),
        ({"split": Split.TEST, "cameras": 1}, "and 2 cameras, because a query is sought"),
        ({"size": 63}, "even numbers of pixels"),
        ({"vehicle_offset": 10**19}, "accepted: 0 to 1000000000"),
        ({"types": {"lorry": 0.5}}, "lorry.*accepted: sedan"),
        ({"types": {"truck": 1.2}}, "truck=1.2"),
        ({"types": {"truck": -0.1}}, "truck=-0.1"),
        ({"types": {"truck": 0.7, "bus": 0.7}}, "their sum"),
        ({"types": dict.fromkeys(TYPES, 0.1)}, "0.9"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        SynthPlan(**options)
