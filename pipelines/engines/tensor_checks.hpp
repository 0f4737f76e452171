// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What every engine asks of the tensors it is given.
#pragma once

#include <string>
#include <vector>

#include "engine.hpp"

namespace pamtri::engines {

/// The names of some tensors, as "'images', 'crop_size'".
std::string names_of(const std::vector<TensorSpec>& specs);

/// The tensor of that name, or nullptr.
const TensorSpec* find_tensor(const std::vector<TensorSpec>& specs, std::string_view name);

/// Throw an EngineError unless each input is given once and nothing else is.
///
/// owner: how the error begins: which engine it is about.
void check_inputs(const std::vector<TensorSpec>& specs, const std::vector<Input>& given,
                  const std::string& owner);

/// Throw an EngineError unless all outputs that are wanted exist, each named once.
void check_outputs(const std::vector<TensorSpec>& specs, const std::vector<Output>& wanted,
                   const std::string& owner);

}  // namespace pamtri::engines
