// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The worker of the element pamtri under the thread sanitizer: its own thread, one that submits,
// and one that looks on, as a property is read. No GStreamer, which the sanitizer does not know.
#include <atomic>
#include <cstddef>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "worker.hpp"

using namespace pamtri::gst;

namespace {

std::vector<pamtri::engines::Answer> answers_of(const std::vector<Picture>& crops) {
    if (crops.size() == 3) throw std::runtime_error("three are too many");
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

/// Whether a batch's answers are its own.
bool is_right(const Done& done) {
    if (done.tickets.size() == 3) return !done.fault.empty() && done.answers.empty();
    if (done.answers.size() != done.tickets.size()) return false;
    for (std::size_t i = 0; i < done.tickets.size(); ++i)
        if (done.answers[i].embedding[0] != static_cast<std::uint8_t>(done.tickets[i]))
            return false;
    return true;
}

std::size_t drive(bool waits) {
    Worker worker(answers_of, 2, waits);
    std::atomic<bool> ended{false};
    std::thread onlooker([&] {
        while (!ended) static_cast<void>(worker.has_room());
    });
    std::size_t done = 0, wrong = 0;
    const auto take = [&] {
        for (const Done& one : worker.take()) {
            ++done;
            wrong += !is_right(one);
        }
    };
    for (std::size_t round = 0; round < 2000; ++round) {
        if (worker.has_room()) worker.submit(batch_of(round % 5 + 1, 10 * round));
        take();
        if (round % 500 == 499) worker.clear();
        if (round % 300 == 299) worker.wait();
    }
    worker.wait();
    take();
    worker.submit(batch_of(1, 0));  // it is ended while it works
    ended = true;
    onlooker.join();
    return wrong ? 0 : done;
}

}  // namespace

int main() {
    const std::size_t waited = drive(true), free = drive(false);
    std::cout << waited << " " << free << "\n";
    return waited >= 1990 && free > 0 ? 0 : 1;
}
