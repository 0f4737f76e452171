// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tensor_checks.hpp"

#include <algorithm>

#include "engine_error.hpp"

namespace pamtri::engines {
namespace {

template <typename Tensor>
void check_known_once(const std::vector<TensorSpec>& specs, const std::vector<Tensor>& tensors,
                      const std::string& owner, const std::string& kind) {
    for (const Tensor& tensor : tensors) {
        const std::string name = "'" + std::string(tensor.name) + "'";
        if (find_tensor(specs, tensor.name) == nullptr) {
            throw EngineError(owner + ": there is no " + kind + " " + name + ", but " +
                              names_of(specs) + ".");
        }
        if (tensor.data == nullptr) {
            throw EngineError(owner + ": the pointer for " + kind + " " + name + " is null.");
        }
        const auto same = [&](const Tensor& other) { return other.name == tensor.name; };
        if (std::count_if(tensors.begin(), tensors.end(), same) > 1) {
            throw EngineError(owner + ": " + kind + " " + name + " is named more than once.");
        }
    }
}

}  // namespace

std::string names_of(const std::vector<TensorSpec>& specs) {
    std::string names;
    for (const TensorSpec& spec : specs) names += (names.empty() ? "'" : ", '") + spec.name + "'";
    return names;
}

const TensorSpec* find_tensor(const std::vector<TensorSpec>& specs, std::string_view name) {
    const auto found = std::find_if(specs.begin(), specs.end(),
                                    [&](const TensorSpec& one) { return one.name == name; });
    return found == specs.end() ? nullptr : &*found;
}

void check_inputs(const std::vector<TensorSpec>& specs, const std::vector<Input>& given,
                  const std::string& owner) {
    check_known_once(specs, given, owner, "input");
    for (const TensorSpec& spec : specs) {
        const auto same = [&](const Input& input) { return input.name == spec.name; };
        if (std::none_of(given.begin(), given.end(), same)) {
            throw EngineError(owner + ": input '" + spec.name + "' is missing; the network takes " +
                              names_of(specs) + ".");
        }
    }
}

void check_outputs(const std::vector<TensorSpec>& specs, const std::vector<Output>& wanted,
                   const std::string& owner) {
    check_known_once(specs, wanted, owner, "output");
}

}  // namespace pamtri::engines
