// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "looks.hpp"

#include "errors.hpp"
#include "most_probable.hpp"

namespace pamtri::nvinfer {

namespace {

constexpr std::uint64_t kBatchesKept = 1800;  // as long as nvinfer remembers a track
constexpr std::uint64_t kBatchesBetweenSearches = 64;

void tell(const std::vector<float>& probabilities, const std::vector<std::string>& names,
          std::string& label, double& probability) {
    if (probabilities.empty() || probabilities.size() != names.size()) return;
    const std::size_t best = core::place_of_most_probable(probabilities);
    label = names[best];
    probability = probabilities[best];
}

void check_names(const core::Fusion::Values& values, const std::vector<std::string>& names,
                 const char* what) {
    if (values.size && !names.empty() && values.size != names.size())
        throw core::InputError("the engine gives " + std::to_string(values.size) +
                               " probabilities of " + what + " and the label file has " +
                               std::to_string(names.size()) + " names; both are of one bundle.");
}

}  // namespace

void Looks::add_to(Track& track, const Look& look) const {
    check_names(look.color, names_.colors, "color");
    check_names(look.type, names_.types, "type");
    const double quality = look.quality.size ? look.quality.data[0] : -1;
    const double weight = look.quality.size ? quality : 1;
    const bool best = track.fusion.add(weight, weight, true, look.embedding, look.color, look.type);
    ++track.views;
    if (best) {
        track.quality = quality;
        track.keypoints.assign(look.keypoints.data, look.keypoints.data + look.keypoints.size);
    }
    auto known = std::make_shared<gst::Known>();
    known->passed = true;
    known->views = track.views;
    known->quality = track.quality;
    known->embedding = track.fusion.embedding();
    known->color_probs = track.fusion.color();
    known->type_probs = track.fusion.type();
    known->keypoints = track.keypoints;
    tell(known->color_probs, names_.colors, known->color, known->color_probability);
    tell(known->type_probs, names_.types, known->type, known->type_probability);
    known->embedding_space = names_.embedding_space;
    known->bundle = names_.bundle;
    track.known = std::move(known);
}

Looks::Shared Looks::add(std::uint32_t source, std::uint64_t id, const Look& look) {
    const auto [at, is_new] = tracks_.try_emplace({source, id});
    try {
        add_to(at->second, look);
    } catch (...) {
        if (is_new) tracks_.erase(at);
        throw;
    }
    at->second.seen = batch_;
    return at->second.known;
}

Looks::Shared Looks::known(std::uint32_t source, std::uint64_t id) {
    const auto at = tracks_.find({source, id});
    if (at == tracks_.end()) return nullptr;
    at->second.seen = batch_;
    return at->second.known;
}

Looks::Shared Looks::once(const Look& look) const {
    Track track;
    add_to(track, look);
    return track.known;
}

void Looks::next_batch() {
    if (++batch_ % kBatchesBetweenSearches) return;
    for (auto at = tracks_.begin(); at != tracks_.end();)
        at = batch_ - at->second.seen > kBatchesKept ? tracks_.erase(at) : std::next(at);
}

void Looks::forget(std::uint32_t source) {
    tracks_.erase(tracks_.lower_bound({source, 0}),
                  tracks_.upper_bound({source, ~std::uint64_t{0}}));
}

}  // namespace pamtri::nvinfer
