// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "detector_classes.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr std::size_t kShownNames = 12;
constexpr std::size_t kMostDigits = 9;

std::string listed(const std::map<int, std::string>& names) {
    std::string list;
    std::size_t count = 0;
    for (const auto& [number, name] : names) {
        if (count++ == kShownNames) break;
        list += (list.empty() ? "" : ", ") + name;
    }
    if (names.size() > kShownNames)
        list += " and " + std::to_string(names.size() - kShownNames) + " more";
    return list;
}

/// A number of digits alone; none for another text.
std::optional<int> number_of(const std::string& text, int limit) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
    if (text.size() - first > kMostDigits) return std::nullopt;
    const int number = std::stoi(text.substr(first));
    return number < limit ? std::optional(number) : std::nullopt;
}

}  // namespace

std::vector<int> wanted_classes(const std::string& network,
                                const std::optional<std::vector<std::string>>& asked,
                                const std::function<std::string(const std::string&)>& fold,
                                const DetectorClasses& classes) {
    if (!asked) {
        if (!classes.vehicles) throw InputError(classes.refusal);
        return *classes.vehicles;
    }
    if (asked->empty() || (asked->size() == 1 && fold(asked->front()) == "all")) {
        std::vector<int> all(static_cast<std::size_t>(classes.all));
        std::iota(all.begin(), all.end(), 0);
        return all;
    }
    std::map<std::string, int> known;
    for (const auto& [number, name] : classes.names) known[fold(name)] = number;
    std::set<int> wanted;
    for (const std::string& name : *asked) {
        const auto found = known.find(fold(name));
        const std::optional<int> number =
            found != known.end() ? found->second : number_of(name, classes.limit);
        if (!number) {
            const std::string names = listed(classes.names);
            throw InputError("'" + name + "' is not a class of " + network +
                             "; accepted: " + names + (names.empty() ? "" : ", or a number from ") +
                             "0 to " + std::to_string(classes.limit - 1) + ".");
        }
        wanted.insert(*number);
    }
    return {wanted.begin(), wanted.end()};
}

}  // namespace pamtri::core
