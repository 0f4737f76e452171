// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What pipelines stand on and needs no GPU.
#include <stdexcept>

#include "check.hpp"
#include "engine.hpp"
#include "fingerprint.hpp"
#include "json.hpp"

using pamtri::core::jetson_release;
using pamtri::core::Json;
using pamtri::core::member;
using pamtri::core::parse_json;
using pamtri::core::text_or;
using pamtri::engines::ElementType;
using pamtri::engines::TensorSpec;

TEST(a_tensors_item_has_the_bytes_of_its_shape) {
    EXPECT((TensorSpec{"images", ElementType::kFloat32, {3, 256, 256}}.item_bytes() == 786432));
    EXPECT((TensorSpec{"images", ElementType::kFloat16, {3, 4}}.item_bytes() == 24));
    EXPECT((TensorSpec{"quality", ElementType::kFloat32, {}}.item_bytes() == 4));
}

TEST(a_member_that_is_not_there_is_null) {
    const Json json = parse_json(R"({"a": [1], "b": {"c": -2.5e1}})");
    EXPECT(member(member(json, "b"), "c") == -25.0);
    EXPECT(member(member(json, "nothing"), "below").is_null() && member(json["a"], "a").is_null());
    EXPECT(text_or(json["a"], "none") == "none" && text_or(parse_json(R"("x")"), "") == "x");
}

TEST(a_jetsons_release_is_read_from_its_line) {
    EXPECT(jetson_release("# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic\n# K") ==
           "36.4.0");
    EXPECT(jetson_release("R36 (release), REVISION: x\n# R5 (release), REVISION: 1.0") == "5.1.0");
    for (const char* text : {"R (release), REVISION: 4.0", "36 (release), REVISION: 4.0",
                             " (release), REVISION: 4.0", "R36 (release), REVISION: "})
        EXPECT(jetson_release(text) == text);
    EXPECT(jetson_release("") == "unknown" && jetson_release(" \n") == "unknown");
    EXPECT(jetson_release("something new\nand more") == "something new");
}

TEST(a_check_that_fails_ends_its_test) {
    bool ended = false;
    try {
        EXPECT(1 + 1 == 3);
    } catch (...) {
        ended = true;
    }
    if (!ended) throw std::runtime_error("EXPECT let it pass");
}
