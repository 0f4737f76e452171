// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "network.hpp"

namespace test {

/// How many fakes were opened so far and are open now, in how many batches the fake GPU described
/// pictures, and how many engines were built.
struct Networks {
    int opened = 0, open = 0, batches = 0, built = 0;
};
Networks networks();

/// Let networks that are being opened or built wait, or go on.
void hold_loading(bool hold);

/// What opens a bundle that is no fake; until it is set there are none.
using Open = std::unique_ptr<pamtri::engines::Network> (*)(const std::string& bundle);
void open_others_with(Open open);

/// What a network's input of so many values on the fake GPU is filled with.
std::vector<float> given(int count, int values, const pamtri::engines::Fill& fill,
                         pamtri::engines::Stream stream);

}  // namespace test
