// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "track_table.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "errors.hpp"

namespace pamtri::gst {

namespace {

constexpr std::string_view kPixels = "frame,id,x1,y1,x2,y2";
constexpr std::string_view kParts = "frame,id,x1_part,y1_part,x2_part,y2_part";
constexpr std::size_t kLongestLine = 4096;

[[noreturn]] void refuse(const std::string& path, std::size_t line, const std::string& found) {
    throw core::InputError(path + (line ? ":" + std::to_string(line) : "") + ": " + found +
                           ". Expected is a table that 'pamtri tracks FILE --output TABLE.csv' "
                           "wrote: it reads the files of MOTChallenge, KITTI, DeepStream and "
                           "others.");
}

/// The next cell of a line as a number. Returns whether it is one, and the cell is whole.
template <typename T>
bool take(std::string_view* rest, T* value) {
    const std::size_t comma = rest->find(',');
    const std::string_view cell = rest->substr(0, comma);
    *rest = comma == std::string_view::npos ? std::string_view{} : rest->substr(comma + 1);
    const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), *value);
    return fault == std::errc{} && end == cell.data() + cell.size();
}

bool read_row(std::string_view line, std::uint64_t* frame, TableRow* row) {
    std::array<double, 4> sides{};
    if (!take(&line, frame) || !take(&line, &row->track_id)) return false;
    for (double& side : sides)
        if (!take(&line, &side) || !std::isfinite(side)) return false;
    row->box = {sides[0], sides[1], sides[2], sides[3]};
    return line.empty() && core::is_box(row->box);
}

std::string_view trimmed(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

}  // namespace

TrackTable TrackTable::read(const std::string& path) {
    std::ifstream file(path);
    if (!file) refuse(path, 0, "it cannot be read");
    TrackTable table;
    std::unordered_map<std::uint64_t, std::uint64_t> last;  // frame of each track
    std::string text;
    for (std::size_t number = 1; std::getline(file, text); ++number) {
        const std::string_view line = trimmed(text);
        if (text.size() > kLongestLine) refuse(path, number, "the line is too long for a row");
        if (number == 1) {
            if (line != kPixels && line != kParts)
                refuse(path, number, "it begins with '" + std::string(line.substr(0, 60)) + "'");
            table.relative_ = line == kParts;
            continue;
        }
        if (line.empty()) continue;
        std::uint64_t frame = 0;
        TableRow row;
        if (!read_row(line, &frame, &row))
            refuse(path, number, "'" + std::string(line.substr(0, 80)) + "' is no row of a track");
        table.frames_[frame].push_back(row);
        ++table.rows_;
        const auto [known, fresh] = last.emplace(row.track_id, frame);
        if (!fresh && frame > known->second) known->second = frame;
    }
    if (!table.rows_) refuse(path, 0, "it holds no tracks");
    for (auto& [frame, rows] : table.frames_)
        for (TableRow& row : rows) row.last = last.at(row.track_id) == frame;
    return table;
}

std::vector<TableRow> TrackTable::at(std::uint64_t frame, core::FrameSize size) const {
    const auto found = frames_.find(frame);
    if (found == frames_.end()) return {};
    std::vector<TableRow> rows = found->second;
    if (relative_)
        for (TableRow& row : rows)
            row.box = {row.box.x1 * size.width, row.box.y1 * size.height, row.box.x2 * size.width,
                       row.box.y2 * size.height};
    return rows;
}

}  // namespace pamtri::gst
