// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "crop_rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "errors.hpp"

namespace pamtri::core {

namespace {

/// A number as people write it: 6 digits, without the sign that a NaN may carry.
std::string number(double value) {
    if (std::isnan(value)) return "nan";
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string size_text(FrameSize frame) {
    return std::to_string(frame.width) + "x" + std::to_string(frame.height);
}

std::string words_of(BoxFault fault, FrameSize frame) {
    switch (fault) {
        case BoxFault::kNotFinite:
            return "holds a value that is not finite";
        case BoxFault::kInverted:
            return "is empty or inverted; expected x1 < x2 and y1 < y2 (corners, not width and "
                   "height)";
        case BoxFault::kOutside:
            return "lies outside the " + size_text(frame) + " frame";
        case BoxFault::kTooSmall:
            return "is too small for crop_rule='nvinfer', which rounds sizes down to even; use 2 "
                   "pixels or more";
        default:
            return "cannot be cut";
    }
}

bool is_finite(const Box& box) {
    return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) &&
           std::isfinite(box.y2);
}

bool is_shares(const Box& box) {
    return std::min({box.x1, box.y1, box.x2, box.y2}) >= 0 &&
           std::max({box.x1, box.y1, box.x2, box.y2}) <= 1;
}

/// Whether a box between 0 and 1 can be one of shares: in a frame of one pixel it is the frame.
bool knows_shares(FrameSize frame) { return std::min(frame.width, frame.height) > 1; }

BoxFault fault_of(const Box& box) {
    if (!is_finite(box)) return BoxFault::kNotFinite;
    return box.x2 <= box.x1 || box.y2 <= box.y1 ? BoxFault::kInverted : BoxFault::kNone;
}

/// The rectangle of a box that is finite and not inverted.
BoxFault cut(const Box& box, FrameSize frame, CropRule rule, Rectangle* out) {
    const double wide = frame.width, high = frame.height;
    const auto inside = [](double value, double side) {
        return std::min(std::max(value, 0.0), side);
    };
    const double x1 = inside(box.x1, wide), x2 = inside(box.x2, wide);
    const double y1 = inside(box.y1, high), y2 = inside(box.y2, high);
    if (x2 <= x1 || y2 <= y1) return BoxFault::kOutside;
    double left = std::floor(x1), top = std::floor(y1);
    double right = std::ceil(x2), bottom = std::ceil(y2);
    if (rule == CropRule::kNvinfer) {
        // get_converted_buffer of gst-nvinfer: left, top, width and height lose their fraction,
        // then are made even.
        left = 2 * std::ceil(left / 2);
        top = 2 * std::ceil(top / 2);
        right = std::min(left + 2 * std::floor(std::floor(x2 - x1) / 2), wide);
        bottom = std::min(top + 2 * std::floor(std::floor(y2 - y1) / 2), high);
    }
    if (right <= left || bottom <= top) return BoxFault::kTooSmall;
    *out = {static_cast<std::int32_t>(left), static_cast<std::int32_t>(top),
            static_cast<std::int32_t>(right), static_cast<std::int32_t>(bottom)};
    return BoxFault::kNone;
}

/// Throws for the first box with the fault; says how many have it.
void refuse(const std::vector<Box>& boxes, const std::vector<BoxFault>& faults, BoxFault fault,
            FrameSize frame) {
    const auto count = std::count(faults.begin(), faults.end(), fault);
    if (count == 0) return;
    const auto index = std::find(faults.begin(), faults.end(), fault) - faults.begin();
    const Box& box = boxes[static_cast<std::size_t>(index)];
    std::string text = "box " + std::to_string(index) + ", (" + number(box.x1) + ", " +
                       number(box.y1) + ", " + number(box.x2) + ", " + number(box.y2) + "), " +
                       words_of(fault, frame);
    if (count > 1)
        text +=
            " (" + std::to_string(count) + " such boxes of " + std::to_string(boxes.size()) + ")";
    throw InputError(text + ".");
}

}  // namespace

CropRule crop_rule_of(const std::string& name) {
    if (name == "exact") return CropRule::kExact;
    if (name == "nvinfer") return CropRule::kNvinfer;
    throw InputError("the crop rule is '" + name + "'; expected 'exact' or 'nvinfer'.");
}

bool is_box(const Box& box) { return fault_of(box) == BoxFault::kNone; }

BoxFault crop_rectangle(const Box& box, FrameSize frame, CropRule rule, Rectangle* out) {
    const BoxFault fault = fault_of(box);
    if (fault != BoxFault::kNone) return fault;
    if (knows_shares(frame) && is_shares(box)) return BoxFault::kShares;
    return cut(box, frame, rule, out);
}

std::vector<Rectangle> crop_rectangles(const std::vector<Box>& boxes, FrameSize frame,
                                       CropRule rule) {
    std::vector<BoxFault> faults(boxes.size());
    std::transform(boxes.begin(), boxes.end(), faults.begin(), fault_of);
    refuse(boxes, faults, BoxFault::kNotFinite, frame);
    refuse(boxes, faults, BoxFault::kInverted, frame);
    // One box in the corner of the frame may well be that small; all of them are shares.
    if (!boxes.empty() && knows_shares(frame) && std::all_of(boxes.begin(), boxes.end(), is_shares))
        throw InputError(
            "the boxes lie between 0 and 1, as shares of the frame; expected (N, 4): x1, y1, x2, "
            "y2 in pixels, a row a vehicle. Multiply x by " +
            std::to_string(frame.width) + " and y by " + std::to_string(frame.height) + " first.");
    std::vector<Rectangle> rectangles(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i)
        faults[i] = cut(boxes[i], frame, rule, &rectangles[i]);
    refuse(boxes, faults, BoxFault::kOutside, frame);
    refuse(boxes, faults, BoxFault::kTooSmall, frame);
    return rectangles;
}

}  // namespace pamtri::core
