// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "onnx_wire.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine_error.hpp"

namespace pamtri::engines {
namespace {

enum class Kind {
    kNone,
    kModel,
    kTraining,
    kGraph,
    kFunction,
    kNode,
    kAttribute,
    kSparse,
    kTensor
};

struct Way {
    Kind from;
    std::uint64_t field;
    Kind to;
};

/// The fields of onnx.proto through which a tensor can be reached.
constexpr Way kWays[] = {
    {Kind::kModel, 7, Kind::kGraph},       {Kind::kModel, 20, Kind::kTraining},
    {Kind::kModel, 25, Kind::kFunction},   {Kind::kTraining, 1, Kind::kGraph},
    {Kind::kTraining, 2, Kind::kGraph},    {Kind::kGraph, 1, Kind::kNode},
    {Kind::kGraph, 5, Kind::kTensor},      {Kind::kGraph, 15, Kind::kSparse},
    {Kind::kFunction, 7, Kind::kNode},     {Kind::kFunction, 11, Kind::kAttribute},
    {Kind::kNode, 5, Kind::kAttribute},    {Kind::kAttribute, 5, Kind::kTensor},
    {Kind::kAttribute, 6, Kind::kGraph},   {Kind::kAttribute, 10, Kind::kTensor},
    {Kind::kAttribute, 11, Kind::kGraph},  {Kind::kAttribute, 22, Kind::kSparse},
    {Kind::kAttribute, 23, Kind::kSparse}, {Kind::kSparse, 1, Kind::kTensor},
    {Kind::kSparse, 2, Kind::kTensor},
};

Kind inner(Kind kind, std::uint64_t field) {
    for (const Way& way : kWays)
        if (way.from == kind && way.field == field) return way.to;
    return Kind::kNone;
}

constexpr std::uint64_t kExternalData = 13;  // field of a tensor
constexpr int kMostFields = 1 << 20;         // the paper's networks have 20 thousand
constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

struct Unreadable {};

/// Takes fields from the front of a message.
class Fields {
  public:
    explicit Fields(std::string_view message) : rest_(message) {}

    bool done() const { return rest_.empty(); }

    /// The number of the next field, and its content where it is a message or a text.
    std::pair<std::uint64_t, std::string_view> next() {
        const std::uint64_t tag = varint();
        switch (tag & 7) {
            case kVarint:
                varint();
                return {tag >> 3, {}};
            case kFixed64:
                take(8);
                return {tag >> 3, {}};
            case kFixed32:
                take(4);
                return {tag >> 3, {}};
            case kBytes:
                return {tag >> 3, take(varint())};
            default:
                throw Unreadable{};
        }
    }

  private:
    std::string_view take(std::uint64_t size) {
        if (size > rest_.size()) throw Unreadable{};
        const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return taken;
    }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift <= 63; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1)[0]);
            value |= static_cast<std::uint64_t>(byte & 127) << shift;
            if (byte < 128) return value;
        }
        throw Unreadable{};
    }

    std::string_view rest_;
};

bool names_files(std::string_view content) {
    std::vector<std::pair<Kind, std::string_view>> waiting = {{Kind::kModel, content}};
    int left = kMostFields;
    while (!waiting.empty()) {
        const auto [kind, message] = waiting.back();
        waiting.pop_back();
        for (Fields fields(message); !fields.done();) {
            const auto [number, value] = fields.next();
            if (--left < 0) throw Unreadable{};
            if (kind == Kind::kTensor) {
                if (number == kExternalData) return true;
            } else if (const Kind found = inner(kind, number); found != Kind::kNone) {
                waiting.emplace_back(found, value);
            }
        }
    }
    return false;
}

}  // namespace

void refuse_outside_weights(std::string_view content, const std::string& source) {
    // Where the weights are is said by an entry with the key "location"; most files have no such
    // word at all.
    if (content.find("location") == std::string_view::npos) return;
    bool outside = false;
    try {
        outside = names_files(content);
    } catch (const Unreadable&) {
        throw BundleError(source + " is not a readable ONNX file. Export the bundle again.");
    }
    if (outside)
        throw BundleError(source +
                          " keeps weights in other files, which a bundle's checksums do not cover. "
                          "Export the bundle again with pamtri-export, or save the network as one "
                          "file: onnx.save(onnx.load(FILE), FILE).");
}

}  // namespace pamtri::engines
