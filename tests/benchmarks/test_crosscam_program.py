# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The program that measures between real cameras counts what vehicles are called."""

import importlib


def test_any_kind_of_car_is_a_car_and_a_truck_is_a_truck_alone():
    shares = importlib.import_module("crosscam").shares
    names = [
        "0001_c001_car.jpg",
        "0002_c001_car.jpg",
        "0003_c001_truck.jpg",
        "0004_c001_bus.jpg",
        "5_c1_x.jpg",
    ]
    types = ["estate", "pickup", "truck", "truck", "suv"]
    assert shares(names, types) == {"bus": 0.0, "car": 0.5, "truck": 1.0}
