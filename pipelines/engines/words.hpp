// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Values as messages show them: as Python does, so that both languages say the same of a bundle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pamtri::engines {

/// Ends messages about a bundle that is not as it was.
inline const std::string kRemedy =
    "Copy the bundle again from where it came, or export it again with pamtri-export.";

/// A size; none stands for the batch.
using Size = std::optional<std::int64_t>;

/// A text in quotes: 'images'.
std::string in_quotes(std::string_view text);

/// Texts in quotes with commas: 'a', 'b'.
std::string quoted_list(const std::vector<std::string>& texts);

/// A shape: (None, 3, 256, 256).
std::string shown_shape(const std::vector<Size>& shape);

/// A shape with a name in place of the batch: ('N', 3, 256, 256).
std::string shown_items(const std::vector<std::int64_t>& item);

/// Whether all of a UTF-8 text can be seen on a line.
bool is_printable(std::string_view text);

/// A number as printf writes it.
std::string formatted(const char* format, double value);

}  // namespace pamtri::engines
