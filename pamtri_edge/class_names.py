# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which names of classes, in track files and detectors, mean vehicles."""

from __future__ import annotations

import re
from typing import Final


def words(text: str) -> frozenset[str]:
    """Return the words of a list."""
    return frozenset(text.split())


_VEHICLES: Final = words(
    """ambulance automobile bus cab camper campervan car coach convertible coupe crossover estate hatchback
    hgv jeep lcv lgv limousine lorry minibus minivan motorhome mpv pickup roadster rv sedan suv tanker
    taxi tractor trailer tram truck van vehicle wagon"""
)
"""What a vehicle re-identification network is made for; riders on two wheels are not."""

_COMPOUNDS: Final = ("bus", "car", "truck", "van", "vehicle")  # schoolbus, policecar, boxtruck, cargovan
_NO_VEHICLES: Final = words("boxcar cablecar oscar railcar scar sidecar streetcar tramcar")
_OTHER_THINGS: Final = words(  # the wheel of a car, a bus stop, a toy car, the non-vehicle
    """background bicycle bicyclist bike biker cable cycle cyclist dealership door driver glass headlight
    lamp lane license light logo mirror motorbike motorcycle motorcyclist no non number on park parking
    part pedestrian people person plate registration rider seat sign stop station taillight tire toy train
    tyre wash wheel window windscreen windshield without wreck"""
)


def is_vehicle(name: str) -> bool:
    """Tell whether a class of this name is a vehicle, such as "Pickup-Truck", "cars" or "police_car"."""
    found = words_of(name)
    if any(word in _OTHER_THINGS or word in _NO_VEHICLES for word in found):
        return False
    return any(_is_vehicle_word(word) for word in found)


def words_of(name: str) -> list[str]:
    """Return the words of a class's name in small letters: "LargeVehicle" has two."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    return re.sub(r"[\W\d_]+", " ", re.sub(r"\bpick[\W_]up", "pickup", text)).split()


def _is_vehicle_word(word: str) -> bool:
    forms = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    if forms & _NO_VEHICLES:
        return False
    return any(form in _VEHICLES or form.endswith(_COMPOUNDS) for form in forms)
