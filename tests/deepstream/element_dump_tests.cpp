// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "json.hpp"
#include "scene.hpp"
#include "vehicle_user_meta.h"

namespace fs = std::filesystem;
using test::Buffer;
using test::expect_in;
using test::kFrames;
using test::kLeft;
using test::kRight;
using test::kSync;
using test::painted;
using test::Pipeline;
using test::with_vehicle;

namespace {

/// A folder that goes with everything in it.
class Folder {
  public:
    Folder() {
        char name[] = "/tmp/nvpamtri-dump-XXXXXX";
        EXPECT(mkdtemp(name) != nullptr);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }

    std::string path() const { return path_; }

    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& one : fs::directory_iterator(path_))
            found.push_back(one.path().filename());
        std::sort(found.begin(), found.end());
        return found;
    }

    std::string content(const std::string& name) const {
        std::ifstream file(fs::path(path_) / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

  private:
    std::string path_;
};

}  // namespace

TEST(a_view_is_dumped_as_it_lay_as_it_was_given_and_with_what_came_of_it) {
    const Folder folder;
    const test::Surfaces surfaces = painted(2);
    Pipeline pipeline(kSync + "max-wait=0 batch=1 dump-dir=" + folder.path() + "/new/one", kFrames);
    test::Batch batch = with_vehicle(12, 7, {4.5, 9, 40, 50});
    test::add_object(test::add_frame(batch.get(), 3, 40), UNTRACKED_OBJECT_ID, kRight);
    const Buffer out = pipeline.through(std::move(batch), surfaces.get());
    const PamtriVehicle* vehicle = pamtri_vehicle_of(test::object_in(out));

    const std::string file = "new/one/crop-00000000";
    const auto record = pamtri::core::parse_json(folder.content(file + ".json"));
    EXPECT(record["schema"] == 1 && record["source"] == 0 && record["frame"] == 12);
    EXPECT(record["track"] == 7 && record["conversion"] == "bt709");
    EXPECT(record["box"] == pamtri::core::parse_json("[4.5, 9.0, 40.0, 50.0]"));
    // Rows 9 to 50 from column 4, and the chroma beside them.
    EXPECT(record["crop"] == pamtri::core::parse_json("[2, 3, 36, 41]"));
    const std::string content = folder.content(file + ".bin");
    const auto& arrays = record["arrays"];
    const auto luma = test::Painted(kFrames, 0).bytes();
    const std::size_t first = arrays["y"]["offset"];
    EXPECT(static_cast<unsigned char>(content[first + 40 + 1]) == luma[7 * kFrames.width + 3]);
    EXPECT(arrays["y"]["shape"] == pamtri::core::parse_json("[46, 40]"));
    EXPECT(arrays["uv"]["shape"] == pamtri::core::parse_json("[23, 20, 2]"));
    EXPECT(arrays["images"]["shape"] == pamtri::core::parse_json("[3, 64, 64]"));
    EXPECT(arrays["keypoints"]["shape"] == pamtri::core::parse_json("[2, 3]"));
    const std::size_t at = arrays["embedding"]["offset"];
    float values[4], length = 0;
    std::copy_n(content.data() + at, sizeof values, reinterpret_cast<char*>(values));
    for (const float value : values) length += value * value;
    for (unsigned i = 0; i < 4; ++i)  // the vehicle's is of unit length
        EXPECT(std::abs(values[i] / std::sqrt(length) - vehicle->embedding[i]) < 1e-6f);
    const auto other = pamtri::core::parse_json(folder.content("new/one/crop-00000001.json"));
    EXPECT(other["source"] == 3 && other["frame"] == 40 && other["track"].is_null());
}

TEST(no_more_views_are_dumped_than_wanted) {
    const Folder folder;
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1 dump-count=3 dump-dir=" + folder.path(), kFrames);
    for (int number = 0; number < 6; ++number)
        pipeline.through(with_vehicle(number, static_cast<guint64>(number)), surfaces.get());
    EXPECT(pipeline.stat("embedded") == 6);
    EXPECT((folder.names() == std::vector<std::string>{"crop-00000000.bin", "crop-00000000.json",
                                                       "crop-00000001.bin", "crop-00000001.json",
                                                       "crop-00000002.bin", "crop-00000002.json"}));
}

TEST(two_elements_can_dump_into_one_folder) {
    const Folder folder;
    const test::Surfaces surfaces = painted(1);
    const std::string line = kSync + "max-wait=0 batch=1 dump-dir=" + folder.path();
    Pipeline first(line, kFrames), second(line, kFrames);
    first.through(with_vehicle(0), surfaces.get());
    second.through(with_vehicle(0), surfaces.get());
    EXPECT(folder.names().size() == 4);
}

TEST(a_dump_that_cannot_begin_is_refused) {
    const std::string line = "nvpamtri bundle=fake dump-dir=";
    expect_in(test::refusal(line + "/dev/null/here"), "/dev/null/here, which cannot be made: ");
    expect_in(test::refusal(line + "/proc"), "/proc, which cannot be written to: ");
    const Folder folder;
    std::ofstream(folder.path() + "/crop-00000007.json") << "{}";
    expect_in(test::refusal(line + folder.path()),
              "holds views of an earlier run (crop-00000007.json); remove them, or name another");
}

TEST(a_dump_that_cannot_go_on_stops_the_pipeline_and_leaves_no_half) {
    const Folder folder;
    const test::Surfaces surfaces = painted(1);
    Pipeline pipeline(kSync + "max-wait=0 batch=1 dump-dir=" + folder.path(), kFrames);
    pipeline.through(test::new_batch(), surfaces.get());
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit small = before;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    const GstFlowReturn flow = pipeline.push(with_vehicle(0), surfaces.get());
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT(flow == GST_FLOW_ERROR);
    expect_in(pipeline.errors(), "crop-00000000.bin cannot be written (File too large); make room");
    EXPECT(folder.names().empty());
}
