// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Tables of tracks, as pamtritracks reads them.
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "errors.hpp"
#include "track_table.hpp"

namespace {

/// What is said of a table with this content; "" where it is one.
std::string refused(const std::string& content) {
    std::string path = "/tmp/pamtri-table-XXXXXX";
    close(mkstemp(path.data()));
    std::ofstream(path) << content;
    std::string said;
    try {
        pamtri::gst::TrackTable::read(path);
    } catch (const pamtri::core::InputError& error) {
        said = error.what();
    }
    unlink(path.c_str());
    return said;
}

}  // namespace

TEST(what_is_no_table_is_refused_and_how_to_make_one_is_said) {
    const std::string head = "frame,id,x1,y1,x2,y2\n";
    EXPECT(refused(head + "0,18446744073709551615,1,2,3,4\n").empty());
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "holds no tracks"},
        {head, "holds no tracks"},
        {"1,7,10,20,30,40\n", ":1: it begins with '1,7,10,20,30,40'"},
        {head + "0,7,1,2,nan,4\n", ":2: '0,7,1,2,nan,4' is no row"},
        {head + "0,7,5,2,3,4\n", "is no row"},
        {head + "0,-7,1,2,3,4\n", "is no row"},
        {head + "0,7,1,2,3,4,5\n", "is no row"},
        {head + "0,18446744073709551616,1,2,3,4\n", "is no row"},
        {std::string(5000, '\x01'), "too long"},
    };
    for (const auto& [content, found] : cases) {
        const std::string said = refused(content);
        EXPECT(said.find(found) != std::string::npos);
        EXPECT(said.find("pamtri tracks FILE --output TABLE.csv") != std::string::npos);
    }
}
