// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "view.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr double kImageSide = 256;  // of the picture that the network sees

Box clipped(const Box& box, FrameSize frame) {
    const double wide = frame.width, high = frame.height;
    const auto inside = [](double value, double side) {
        return std::min(std::max(value, 0.0), side);
    };
    return {inside(box.x1, wide), inside(box.y1, high), inside(box.x2, wide), inside(box.y2, high)};
}

double worth(const Sighting& sighting, const GateSpec& spec, double sharpness) {
    const double wide = static_cast<double>(sighting.rectangle.x2) - sighting.rectangle.x1;
    const double high = static_cast<double>(sighting.rectangle.y2) - sighting.rectangle.y1;
    double value = std::min(std::sqrt(wide * high), kImageSide) * (1.0 - sighting.overlap);
    if (sighting.cut) value *= spec.cut_factor;
    return value * std::max(sharpness, spec.blur_factor);
}

}  // namespace

void GateSpec::check() const {
    if (min_side < 1 || max_views < 1)
        throw InputError("min_side is " + std::to_string(min_side) + " and max_views " +
                         std::to_string(max_views) + "; each must be at least 1.");
    const std::pair<const char*, double> numbers[] = {{"max_overlap", max_overlap},
                                                      {"border_px", border_px},
                                                      {"cut_factor", cut_factor},
                                                      {"sharp", sharp},
                                                      {"blur_factor", blur_factor},
                                                      {"gain", gain},
                                                      {"last_gain", last_gain},
                                                      {"min_quality", min_quality},
                                                      {"reinfer_interval", reinfer_interval},
                                                      {"reinfer_growth", reinfer_growth},
                                                      {"reinfer_overlap", reinfer_overlap}};
    for (const auto& [name, value] : numbers)
        if (!std::isfinite(value) || value < 0)
            throw InputError(std::string(name) + " is " + std::to_string(value) +
                             "; expected a number of 0 or more.");
    if (sharp == 0) throw InputError("sharp is 0; expected a number above 0.");
}

std::vector<std::string> failing_words(Failings failings) {
    static const char* const words[] = {"small", "cut", "covered", "pose-unsure"};
    std::vector<std::string> found;
    for (unsigned bit = 0; bit < 4; ++bit)
        if (failings & (1u << bit)) found.emplace_back(words[bit]);
    return found;
}

std::vector<double> overlaps(const std::vector<Box>& boxes, FrameSize frame) {
    std::vector<Box> inside;
    std::vector<std::size_t> order;
    inside.reserve(boxes.size());
    order.reserve(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        inside.push_back(clipped(boxes[i], frame));
        const bool has_inside = inside[i].x1 < inside[i].x2 && inside[i].y1 < inside[i].y2;
        if (has_inside && is_box(boxes[i])) order.push_back(i);
    }
    std::sort(order.begin(), order.end(),
              [&inside](std::size_t a, std::size_t b) { return inside[a].x1 < inside[b].x1; });
    std::vector<double> most(boxes.size(), 0.0);
    for (std::size_t first = 0; first < order.size(); ++first) {
        const std::size_t a = order[first];
        for (std::size_t second = first + 1; second < order.size(); ++second) {
            const std::size_t b = order[second];
            if (inside[b].x1 >= inside[a].x2) break;  // and so do all that come after
            const double common = common_area(inside[a], inside[b]);
            most[a] = std::max(most[a], common);
            most[b] = std::max(most[b], common);
        }
    }
    for (const std::size_t i : order) {
        const double area = (inside[i].x2 - inside[i].x1) * (inside[i].y2 - inside[i].y1);
        most[i] /= std::max(area, 1e-9);
    }
    return most;
}

std::vector<Found> sightings(const std::vector<Box>& boxes, FrameSize frame, double time_s,
                             CropRule rule, double border_px) {
    const std::vector<double> covered = overlaps(boxes, frame);
    std::vector<Found> found;
    found.reserve(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        Rectangle rectangle;
        if (crop_rectangle(boxes[i], frame, rule, &rectangle) != BoxFault::kNone) continue;
        const Box& box = boxes[i];
        const bool cut = std::min(box.x1, box.y1) < border_px || box.x2 > frame.width - border_px ||
                         box.y2 > frame.height - border_px;
        found.push_back({i, {time_s, rectangle, cut, covered[i]}});
    }
    return found;
}

Failings failings_of(const Sighting& sighting, const GateSpec& spec, bool trained) {
    const Rectangle& cut_out = sighting.rectangle;
    Failings found = 0;
    if (std::min(cut_out.x2 - cut_out.x1, cut_out.y2 - cut_out.y1) < spec.min_side) found |= kSmall;
    if (trained && sighting.cut) found |= kCut;
    if (trained && sighting.overlap > spec.max_overlap) found |= kCovered;
    return found;
}

double worth_of(const Sighting& sighting, const GateSpec& spec, double detail) {
    return worth(sighting, spec, std::min(detail / spec.sharp, 1.0));
}

double ceiling_of(const Sighting& sighting, const GateSpec& spec) {
    return worth(sighting, spec, 1.0);
}

}  // namespace pamtri::core
