// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "fusion.hpp"

#include <cmath>
#include <cstdio>
#include <string>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr double kCancelled = 1e-6;  // shorter than this, a mean of unit vectors has no direction

template <typename T>
double length_of(const T* data, std::size_t size) {
    double squares = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const double value = data[i];
        squares += value * value;
    }
    return std::sqrt(squares);
}

[[noreturn]] void refuse(const std::string& what, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    throw InputError("the network gave " + what + " " + (std::isnan(value) ? "nan" : text) +
                     "; check the bundle: pamtri verify BUNDLE");
}

}  // namespace

bool Fusion::add(double weight, double worth, bool good, Values embedding, Values color,
                 Values type) {
    const double length = length_of(embedding.data, embedding.size);
    if (!std::isfinite(length) || length == 0) refuse("an embedding of length", length);
    if (!empty() && embedding.size != best_.size())
        throw InputError("an embedding has " + std::to_string(embedding.size) +
                         " numbers, one before it " + std::to_string(best_.size()) +
                         "; views of one track are embedded by one bundle.");
    color_.check(color);
    type_.check(type);

    if (!std::isfinite(worth) || worth < 0) worth = 0;
    const bool best = empty() || (good == good_ ? worth > best_worth_ : good);
    if (best) {
        good_ = good;
        best_worth_ = worth;
        best_.resize(embedding.size);
        for (std::size_t i = 0; i < embedding.size; ++i)
            best_[i] = static_cast<float>(embedding.data[i] / length);
    }
    const bool weighs = std::isfinite(weight) && weight > 0;
    if (weighs_ && !weighs) return best;
    if (sum_.empty() || weighs != weighs_) {
        // What was added before weighs nothing, and counts no longer.
        weighs_ = weighs;
        sum_.assign(embedding.size, 0.0);
        color_.restart();
        type_.restart();
        total_ = 0;
    }
    const double counts = weighs ? weight : 1.0;
    for (std::size_t i = 0; i < embedding.size; ++i)
        sum_[i] += counts * (embedding.data[i] / length);
    total_ += counts;
    color_.add(counts, color);
    type_.add(counts, type);
    return best;
}

std::vector<float> Fusion::embedding() const {
    if (empty()) throw InputError("nothing to fuse: the track has no embedded view.");
    const double length = length_of(sum_.data(), sum_.size());
    if (length < kCancelled * total_) return best_;
    std::vector<float> unit(sum_.size());
    for (std::size_t i = 0; i < sum_.size(); ++i) unit[i] = static_cast<float>(sum_[i] / length);
    return unit;
}

void Fusion::Probabilities::check(Values values) const {
    double sum = 0;
    for (std::size_t i = 0; i < values.size; ++i) sum += values.data[i];
    if (values.size && !(std::isfinite(sum) && sum > 0))
        refuse(std::string(name_) + " probabilities that sum to", sum);
    if (!sum_.empty() && values.size && values.size != sum_.size())
        throw InputError("a view has " + std::to_string(values.size) + " probabilities of " +
                         name_ + ", one before it " + std::to_string(sum_.size()) +
                         "; views of one track are embedded by one bundle.");
}

void Fusion::Probabilities::restart() {
    sum_.clear();
    missing_ = false;
}

void Fusion::Probabilities::add(double weight, Values values) {
    if (!values.size) missing_ = true;
    if (missing_) return;
    sum_.resize(values.size, 0.0);
    for (std::size_t i = 0; i < values.size; ++i) sum_[i] += weight * values.data[i];
}

std::vector<float> Fusion::Probabilities::mean() const {
    if (missing_ || sum_.empty()) return {};
    double total = 0;
    for (const double value : sum_) total += value;
    std::vector<float> found(sum_.size());
    for (std::size_t i = 0; i < sum_.size(); ++i) found[i] = static_cast<float>(sum_[i] / total);
    return found;
}

}  // namespace pamtri::core
