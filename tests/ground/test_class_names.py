# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from pamtri_edge.class_names import is_vehicle

VEHICLES = """car, Cars, PickupTruck, pickup-truck, police_car, schoolbus, big bus, buses, taxis, SUV,
minivan, emergency vehicle, 4-wheeler van, lorries, caravan, motor vehicle, pick-up, HGV, Tram,
LargeVehicle, Truck-Trailer"""

OTHERS = """person, motorcycle, bicycle, bus stop, car wheel, license plate of a car, traffic light, scarf,
motor, non-vehicle, streetcar, toy car, carpet, vanity, train, tricycle, RoadSign,
traffic_sign, person on vehicle, non-motorized vehicle, TwoWheeler, car_plate, Cyclist, Person_sitting"""


def test_vehicles_are_known_by_their_names() -> None:
    assert [name for name in VEHICLES.replace("\n", " ").split(", ") if not is_vehicle(name)] == []


def test_what_only_sounds_like_a_vehicle_is_none() -> None:
    assert [name for name in OTHERS.replace("\n", " ").split(", ") if is_vehicle(name)] == []
