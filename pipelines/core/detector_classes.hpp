// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pamtri::core {

/// The classes of a detector's network.
struct DetectorClasses {
    std::map<int, std::string> names;          ///< by number; those that are known
    int all = 0;                               ///< how many "all" are
    int limit = 0;                             ///< numbers from 0 to below this may be asked for
    std::optional<std::vector<int>> vehicles;  ///< none where it does not say which are
    std::string refusal;                       ///< why, for who asks for no class
};

/// The numbers of the wanted classes, ascending.
///
/// @param network its name, for messages
/// @param asked names or numbers; "all" or none at all for every class; nothing for the vehicles
/// @param fold a text without its case, for names
///
/// Throws InputError: a class is unknown, or the network does not say which are vehicles.
std::vector<int> wanted_classes(const std::string& network,
                                const std::optional<std::vector<std::string>>& asked,
                                const std::function<std::string(const std::string&)>& fold,
                                const DetectorClasses& classes);

}  // namespace pamtri::core
