// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "selftest.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>

#include "buckets.hpp"
#include "engine_error.hpp"
#include "golden.hpp"
#include "tensor_checks.hpp"
#include "words.hpp"

namespace pamtri::engines {
namespace {

using Values = std::vector<float>;
using Tensors = std::map<std::string, Values>;

std::string shape_of(std::size_t count, const std::vector<std::int64_t>& item) {
    std::vector<Size> shape{static_cast<std::int64_t>(count)};
    shape.insert(shape.end(), item.begin(), item.end());
    return shown_shape(shape);
}

std::string sorted_list(const std::vector<TensorSpec>& specs) {
    std::set<std::string> names;
    for (const TensorSpec& spec : specs) names.insert(spec.name);
    return "[" + quoted_list({names.begin(), names.end()}) + "]";
}

/// The rows of golden crops, repeated from the first on until there are `count`.
Values repeated(const Array& array, std::size_t rows, std::size_t count) {
    const std::size_t size = array.values.size() / rows;
    Values values;
    values.reserve(size * count);
    for (std::size_t row = 0; row < count; ++row) {
        const auto first = array.values.begin() + static_cast<std::ptrdiff_t>(row % rows * size);
        values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(size));
    }
    return values;
}

/// The cosine of two rows, 1 where both are zero.
double cosine(const float* a, const float* b, std::size_t size) {
    double dot = 0, left = 0, right = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const double x = a[i], y = b[i];
        dot += x * y;
        left += x * x;
        right += y * y;
    }
    if (left == 0 && right == 0) return 1;
    const double lengths = std::sqrt(left) * std::sqrt(right);
    return dot / (lengths > 0 ? lengths : 1);
}

/// What passes the limits, as clauses that continue the output's name.
std::vector<std::string> differences(const Values& found, const Values& expected, std::size_t rows,
                                     const Tolerance& limits) {
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(found.begin(), found.end(), finite))
        return {"holds values that are not finite"};
    std::vector<std::string> wrong;
    const std::size_t size = found.size() / rows;
    if (limits.cosine) {
        double least = 2;
        std::size_t worst = 0;
        for (std::size_t row = 0; row < rows; ++row) {
            const double one = cosine(&found[row * size], &expected[row * size], size);
            if (!(one >= least)) {
                least = one;
                worst = row;
            }
        }
        if (!(least >= *limits.cosine))  // so that NaN is wrong
            wrong.push_back("has cosine " + formatted("%.6f", least) + " at crop " +
                            std::to_string(worst) + " (limit " + formatted("%g", *limits.cosine) +
                            ")");
    }
    if (limits.max_abs) {
        double largest = 0;
        std::size_t kept = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            const double off = std::abs(static_cast<double>(found[i]) - expected[i]);
            largest = std::max(largest, off);
            kept += off <= *limits.max_abs;
        }
        const double part = static_cast<double>(kept) / static_cast<double>(found.size());
        const double share = limits.share.value_or(1.0);
        if (!(part >= share))
            wrong.push_back("differs by up to " + formatted("%.4g", largest) + " (limit " +
                            formatted("%g", *limits.max_abs) + ", kept by " +
                            formatted("%.1f", 100 * part) + "% of its values where " +
                            formatted("%.1f", 100 * share) + "% must)");
    }
    return wrong;
}

std::string hint(const NamedEngine& engine) {
    if (engine.name == "tensorrt")
        return " Deleting the bundle's folder engines/ lets TensorRT build its engine anew.";
    if (engine.arithmetic != "int8" || engine.name != "openvino") return "";
    return " Int8 sums overflow on x86 processors without VNNI ('pamtri doctor' tells): use a "
           "bundle of precision fp16 or fp32 there.";
}

std::string wrong_at(const Bundle& bundle, Engine& engine, const Golden& golden, int size) {
    const auto rows = static_cast<std::size_t>(size);
    Tensors inputs;
    for (const TensorSpec& spec : bundle.manifest.inputs)
        inputs[spec.name] = repeated(golden.inputs.at(spec.name), golden.count, rows);
    const Tensors found = run_on_host(engine, size, inputs);
    std::string text;
    for (const TensorSpec& spec : bundle.manifest.outputs) {
        const auto output = found.find(spec.name);
        std::vector<std::string> clauses;
        if (output == found.end()) {
            clauses.push_back("is not computed");
        } else if (const TensorSpec* given = find_tensor(engine.outputs(), spec.name);
                   given->item != spec.item) {
            clauses.push_back("has shape " + shape_of(rows, given->item) + " instead of " +
                              shape_of(rows, spec.item));
        } else {
            const Values expected = repeated(golden.expected.at(spec.name), golden.count, rows);
            clauses = differences(output->second, expected, rows,
                                  bundle.manifest.tolerance.at(spec.name));
        }
        for (const std::string& clause : clauses)
            text += (text.empty() ? "" : "; ") + spec.name + " " + clause;
    }
    return text;
}

/// Refuse an engine whose tensors are not those of the manifest.
void check_network(const Bundle& bundle, const Engine& engine, std::size_t rows) {
    const std::string start = bundle.model() + " is not the network that the manifest describes: ";
    const auto refuse = [&](const std::string& what) {
        throw BundleError(start + what + " Export the bundle again.");
    };
    for (const TensorSpec& spec : engine.inputs()) {
        const TensorSpec* given = find_tensor(bundle.manifest.inputs, spec.name);
        const std::string expected = "expected float32 of shape " + shown_items(spec.item) + ".";
        if (given == nullptr)
            refuse("network input '" + spec.name + "' is missing; " + expected);
        else if (given->item != spec.item)
            refuse("network input '" + spec.name + "' is float32 of shape " +
                   shape_of(rows, given->item) + "; " + expected);
    }
    for (const auto* specs : {&engine.inputs(), &engine.outputs()})
        for (const TensorSpec& spec : *specs)
            if (spec.type != ElementType::kFloat32)
                refuse("'" + spec.name + "' is float16; expected float32.");
    for (const TensorSpec& spec : bundle.manifest.inputs) {
        if (find_tensor(engine.inputs(), spec.name) == nullptr)
            refuse("the network has no input ['" + spec.name + "']; it takes " +
                   sorted_list(engine.inputs()) + ".");
    }
    std::set<std::string> unknown;
    for (const TensorSpec& spec : engine.outputs())
        if (find_tensor(bundle.manifest.outputs, spec.name) == nullptr) unknown.insert(spec.name);
    if (!unknown.empty()) refuse("it also gives '" + *unknown.begin() + "'.");
}

}  // namespace

void self_test(const Bundle& bundle, const NamedEngine& engine, const std::vector<int>& sizes) {
    const Golden golden = read_golden(bundle.golden, bundle.manifest, bundle.golden_path());
    check_network(bundle, engine.engine, golden.count);
    const int count = static_cast<int>(golden.count);
    for (const int size : sizes.empty() ? std::vector<int>{count} : sizes) {
        const std::string wrong = wrong_at(bundle, engine.engine, golden, size);
        if (wrong.empty()) continue;
        const std::string at = size == count ? "" : " at batch size " + std::to_string(size);
        throw BundleError(
            bundle.path + " failed its self-test on " + engine.name + " (" + engine.device + ", " +
            engine.arithmetic + ")" + at + ": " + wrong +
            ". This engine computes something else than the exporter's did, so its embeddings "
            "would not match others: a fault of the engine or its version, or golden.npz of "
            "another network. Try another backend, or export the bundle again on this machine." +
            hint(engine));
    }
}

std::map<std::string, std::vector<float>> run_on_host(
    Engine& engine, int count, const std::map<std::string, std::vector<float>>& inputs) {
    std::map<std::string, std::vector<float>> results;
    for (const TensorSpec& spec : engine.outputs())
        results[spec.name].resize(spec.item_bytes() / sizeof(float) *
                                  static_cast<std::size_t>(count));
    for (const auto& [at, part, size] : core::chunks(engine.batch_sizes(), count)) {
        std::vector<Input> given;
        std::vector<Output> wanted;
        const auto offset = [&](const TensorSpec& spec) {
            return spec.item_bytes() / sizeof(float) * static_cast<std::size_t>(at);
        };
        for (const TensorSpec& spec : engine.inputs())
            given.push_back({spec.name, inputs.at(spec.name).data() + offset(spec), Place::kHost});
        for (const TensorSpec& spec : engine.outputs())
            wanted.push_back({spec.name, results[spec.name].data() + offset(spec), Place::kHost});
        engine.run(part, given, wanted, nullptr);
        engine.finish(nullptr);
    }
    return results;
}

}  // namespace pamtri::engines
