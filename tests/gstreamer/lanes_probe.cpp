// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The lanes of the elements under the thread sanitizer: their own thread, one that submits to each
// of two lanes, and one that looks on. No GStreamer, which the sanitizer does not know.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "lanes.hpp"

using namespace pamtri::gst;

namespace {

std::vector<pamtri::engines::Answer> answers_of(const std::vector<Picture>& crops) {
    if (crops.size() % 3 == 0) throw std::runtime_error("three are too many");
    std::vector<pamtri::engines::Answer> answers(crops.size());
    for (std::size_t i = 0; i < crops.size(); ++i)
        answers[i].embedding = {static_cast<float>(crops[i].rgb[0])};
    return answers;
}

Batch batch_of(std::size_t size, pamtri::core::Ticket first) {
    Batch batch;
    for (std::size_t i = 0; i < size; ++i) {
        batch.tickets.push_back(first + i);
        batch.crops.push_back({1, 1, {static_cast<std::uint8_t>(first + i), 0, 0}});
    }
    return batch;
}

/// Whether a batch's answers are its own, or none where what it was embedded with has failed.
bool is_right(const Done& done) {
    if (!done.fault.empty()) return done.answers.empty();
    if (done.answers.size() != done.tickets.size()) return false;
    for (std::size_t i = 0; i < done.tickets.size(); ++i)
        if (done.answers[i].embedding[0] != static_cast<std::uint8_t>(done.tickets[i]))
            return false;
    return true;
}

/// Let a lane have batches embedded; how many of its answers came, 0 where one was another's.
std::size_t drive(Runner& lane, pamtri::core::Ticket first) {
    std::size_t done = 0, wrong = 0;
    const auto take = [&] {
        for (const Done& one : lane.take()) {
            ++done;
            wrong += !is_right(one);
        }
    };
    for (std::size_t round = 0; round < 2000; ++round) {
        if (lane.has_room()) lane.submit(batch_of(round % 5 + 1, first + 10 * round));
        take();
        if (round % 500 == 499) lane.clear();
        if (round % 300 == 299) lane.wait();
    }
    lane.wait();
    take();
    lane.submit(batch_of(1, 0));  // it is ended while it works
    return wrong ? 0 : done;
}

std::size_t drive_two(bool waits) {
    Lanes lanes(answers_of, 2, waits);
    const std::unique_ptr<Runner> one = lanes.lane();
    std::atomic<bool> ended{false};
    std::thread onlooker([&] {
        while (!ended) static_cast<void>(one->has_room());
    });
    std::size_t others = 0;
    std::thread other([&] { others = drive(*lanes.lane(), 5); });
    const std::size_t ours = drive(*one, 0);
    other.join();
    ended = true;
    onlooker.join();
    return std::min(ours, others);
}

}  // namespace

int main() {
    const std::size_t waited = drive_two(true), free = drive_two(false);
    std::cout << waited << " " << free << "\n";
    return waited >= 1990 && free > 0 ? 0 : 1;
}
