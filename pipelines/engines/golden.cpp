// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "golden.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

#include "engine_error.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

constexpr std::size_t kMostEntries = 64;
using Arrays = std::map<std::string, Array>;

Golden grouped(std::string_view content) {
    Golden golden;
    for (auto& [key, array] : unpack(content, kGoldenLimit, kMostEntries)) {
        const std::size_t slash = key.find('/');
        const std::string group = key.substr(0, slash);
        const std::string name = slash == std::string::npos ? "" : key.substr(slash + 1);
        Arrays* arrays = group == "input"       ? &golden.inputs
                         : group == "expected"  ? &golden.expected
                         : group == "reference" ? &golden.reference
                                                : nullptr;
        if (arrays == nullptr || name.empty())
            throw ArchiveError(in_quotes(key.substr(0, 80)) + " is no golden array");
        const auto finite = [](float value) { return std::isfinite(value); };
        if (!std::all_of(array.values.begin(), array.values.end(), finite))
            throw ArchiveError(key + " holds NaN or infinity");
        (*arrays)[name] = std::move(array);
    }
    return golden;
}

class Check {
  public:
    explicit Check(const std::string& source) : source_(source) {}

    /// Compare the arrays of a group with the graph's tensors.
    void group(const std::string& group, const Arrays& arrays,
               const std::vector<TensorSpec>& specs) {
        for (const TensorSpec& spec : specs) {
            const auto found = arrays.find(spec.name);
            if (found == arrays.end())
                refuse(" lacks " + group + "/" + spec.name + ", which the manifest names");
            const std::vector<std::int64_t>& shape = found->second.shape;
            const bool same = shape.size() == spec.item.size() + 1 && shape[0] >= 1 &&
                              std::equal(shape.begin() + 1, shape.end(), spec.item.begin());
            if (!same)
                refuse(": " + group + "/" + spec.name + " has shape " +
                       shown_shape(std::vector<Size>(shape.begin(), shape.end())) +
                       "; the manifest says " + shown_items(spec.item) + ", N at least 1");
            counts_.insert(shape[0]);
        }
        for (const auto& [name, array] : arrays) {
            const auto is = [&, &wanted = name](const TensorSpec& spec) {
                return spec.name == wanted;
            };
            if (std::none_of(specs.begin(), specs.end(), is))
                refuse(" holds " + group + "/" + name + ", which the manifest does not name");
        }
    }

    /// The number of crops, which is one.
    std::size_t count() const {
        std::string shown;
        for (const std::int64_t count : counts_)
            shown += (shown.empty() ? "" : ", ") + std::to_string(count);
        if (counts_.size() > 1)
            refuse(": the golden arrays have [" + shown + "] rows, not one count");
        return static_cast<std::size_t>(*counts_.begin());
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const {
        throw BundleError(source_ + what + ". " + kRemedy);
    }

    const std::string& source_;
    std::set<std::int64_t> counts_;
};

}  // namespace

Golden read_golden(std::string_view content, const Manifest& manifest, const std::string& source) {
    Golden golden;
    try {
        golden = grouped(content);
    } catch (const ArchiveError& error) {
        throw BundleError(source + ": " + error.what() + ". " + kRemedy);
    } catch (const DamagedError& error) {
        throw BundleError(source + " holds no golden arrays (" + error.what() + "). " + kRemedy);
    }
    if (golden.inputs.empty() || golden.expected.empty())
        throw BundleError(source + " lacks golden inputs or golden outputs. " + kRemedy);
    Check check(source);
    check.group("input", golden.inputs, manifest.inputs);
    check.group("expected", golden.expected, manifest.outputs);
    if (!golden.reference.empty()) check.group("reference", golden.reference, manifest.outputs);
    golden.count = check.count();
    return golden;
}

}  // namespace pamtri::engines
