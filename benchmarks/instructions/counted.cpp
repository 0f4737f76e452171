// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Runs one operation once, on one thread, on the same input every time, so that callgrind can count
// the instructions of it:
//
//     valgrind --tool=callgrind --toggle-collect=counted pamtri_counted OPERATION
//
// Prints a sum of the result, which no compiler can leave out.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "operations.hpp"
#include "parallel.hpp"
#include "tracks.hpp"
#include "view.hpp"

using Floats = std::vector<float>;

#if defined(__clang__)
#define PAMTRI_AS_IT_IS __attribute__((noinline))
#else
#define PAMTRI_AS_IT_IS __attribute__((noipa))  // no copy for one caller, which has another name
#endif

/// What is counted: from here until it returns.
extern "C" PAMTRI_AS_IT_IS void counted(const std::function<void()>& operation) {
    operation();
    asm volatile("" ::: "memory");  // a jump into the operation would end what is counted
}

namespace {

constexpr std::size_t kVehicles = 2, kKeypoints = 36, kCells = 64, kSide = 256, kSegments = 13;

/// Numbers from 0 to 1 that look like chance and are the same everywhere.
class Numbers {
  public:
    float next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<float>(state_ >> 40) / static_cast<float>(1 << 24);
    }

    Floats many(std::size_t count, float scale = 1.0f) {
        Floats made(count);
        for (float& value : made) value = scale * next();
        return made;
    }

  private:
    std::uint64_t state_ = 20190825;
};

double sum(const Floats& values) {
    double total = 0;
    for (const float value : values) total += static_cast<double>(value);
    return total;
}

double decode() {
    const Floats heatmaps = Numbers().many(kVehicles * kKeypoints * kCells * kCells);
    Floats out(kVehicles * kKeypoints * 3);
    counted([&] {
        pamtri::cpu::decode(heatmaps.data(), kVehicles * kKeypoints, kCells, true, out.data());
    });
    return sum(out);
}

/// Keypoints of which four each make a rectangle of a quarter of the picture's side or more.
Floats rectangles() {
    Numbers numbers;
    Floats points;
    for (std::size_t quad = 0; quad < kVehicles * kKeypoints / 4; ++quad) {
        const float x = 0.4f * numbers.next(), y = 0.4f * numbers.next();
        const float width = 0.25f + 0.3f * numbers.next(), height = 0.25f + 0.3f * numbers.next();
        for (const auto& [right, below] : {std::pair{0, 0}, {1, 0}, {1, 1}, {0, 1}}) {
            points.push_back(x + width * static_cast<float>(right));
            points.push_back(y + height * static_cast<float>(below));
            points.push_back(0.9f);
        }
    }
    return points;
}

std::vector<int> corners() {
    std::vector<int> rows;
    for (std::size_t segment = 0; segment < kSegments; ++segment)
        for (int corner = 0; corner < 4; ++corner)
            rows.push_back(static_cast<int>(segment % (kKeypoints / 4)) * 4 + corner);
    return rows;
}

double segments() {
    const Floats points = rectangles();
    const std::vector<int> rows = corners();
    Floats out(kVehicles * kSegments * kSide * kSide);
    counted([&] {
        pamtri::cpu::segments(points.data(), kVehicles, kKeypoints, {rows.data(), kSegments, 0.5f},
                              static_cast<int>(kSide), out.data());
    });
    return sum(out);
}

double stack() {
    Numbers numbers;
    const Floats images = numbers.many(kVehicles * 3 * kSide * kSide, 255.0f);
    const Floats heatmaps = numbers.many(kVehicles * kKeypoints * kCells * kCells);
    Floats out(kVehicles * (3 + kKeypoints) * kSide * kSide);
    pamtri::cpu::StackInputs inputs{};
    inputs.vehicles = kVehicles;
    inputs.size = static_cast<int>(kSide);
    inputs.images = images.data();
    for (auto& affine : inputs.rgb) affine = {0.017f, -2.1f};
    inputs.extra = {4.42f, -1.99f};
    inputs.heatmaps = heatmaps.data();
    inputs.heatmap_count = kKeypoints;
    counted([&] { pamtri::cpu::stack(inputs, out.data()); });
    return sum(out);
}

std::vector<std::uint8_t> frame(int width, int height) {
    Numbers numbers;
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * width * height));
    for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(255.0f * numbers.next());
    return pixels;
}

double crop() {
    const auto pixels = frame(640, 480);
    const pamtri::cpu::Picture picture{pixels.data() + 3 * (640 * 50 + 70), 3 * 640, 300, 240};
    Floats out(3 * kSide * kSide);
    const int side = static_cast<int>(kSide);
    counted([&] { pamtri::cpu::resize({picture}, {side, side}, false, out.data()); });
    return sum(out);
}

double sharpness() {
    const auto pixels = frame(300, 240);
    const pamtri::cpu::Picture picture{pixels.data(), 3 * 300, 300, 240};
    double out = 0;
    counted([&] { pamtri::cpu::sharpness({picture}, false, &out); });
    return out;
}

void answer_all(pamtri::core::Tracks* tracks, double now_s) {
    static const Floats embedding(512, 1.0f), color(10, 1.0f), type(9, 1.0f);
    for (auto tickets = tracks->due(now_s); !tickets.empty(); tickets = tracks->due(now_s)) {
        for (const auto ticket : tickets)
            tracks->answer(ticket, 0.3, {embedding.data(), embedding.size()},
                           {color.data(), color.size()}, {type.data(), type.size()});
        tracks->settle();
    }
}

/// A hundred frames of twenty vehicles that drive nearer, from boxes to answers.
double core() {
    constexpr int kFrames = 100, kTracks = 20;
    pamtri::core::Tracks tracks{pamtri::core::TracksSpec{}};
    double closed = 0;
    counted([&] {
        for (int number = 0; number < kFrames; ++number) {
            const double now_s = number / 25.0, side = 30.0 + number;
            std::vector<pamtri::core::Box> boxes;
            std::vector<pamtri::core::Handle> handles;
            for (int track = 0; track < kTracks; ++track) {
                const double left = 90.0 * track + 5;
                boxes.push_back({left, 5.0, left + side, 5.0 + side});
                handles.push_back(tracks.see(0, static_cast<std::uint64_t>(track), now_s));
            }
            const auto found = pamtri::core::sightings(boxes, {1920, 1080}, now_s,
                                                       pamtri::core::CropRule::kExact, 2.0);
            for (const auto& one : found) {
                const bool wanted = tracks.wants_detail(handles[one.index], one.sighting);
                tracks.offer(handles[one.index], one.sighting,
                             wanted ? std::optional<double>(1.0) : std::nullopt);
            }
            answer_all(&tracks, now_s);
        }
        for (const auto handle : tracks.open()) tracks.end(handle);
        answer_all(&tracks, std::numeric_limits<double>::infinity());
        closed = static_cast<double>(tracks.take_closed().size());
    });
    return closed;
}

const std::map<std::string, double (*)()> kOperations = {
    {"decode", decode}, {"segments", segments},   {"stack", stack},
    {"crop", crop},     {"sharpness", sharpness}, {"core", core},
};

}  // namespace

int main(int count, char** arguments) {
    const auto found = kOperations.find(count == 2 ? arguments[1] : "");
    if (found == kOperations.end()) {
        std::fprintf(stderr, "name one operation:");
        for (const auto& [name, run] : kOperations) std::fprintf(stderr, " %s", name.c_str());
        std::fprintf(stderr, "\n");
        return 2;
    }
    pamtri::set_threads(1);
    const double total = found->second();
    std::printf("%s %.9g\n", found->first.c_str(), total);
    return std::isfinite(total) ? 0 : 1;
}
