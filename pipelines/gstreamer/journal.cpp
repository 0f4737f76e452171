// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "journal.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "engine_error.hpp"

namespace pamtri::gst {

namespace {

constexpr std::uint32_t kSource = 0;                                   // a journal is of one stream
constexpr double kNotLate = -std::numeric_limits<double>::infinity();  // whole batches alone
constexpr double kLate = std::numeric_limits<double>::infinity();

core::Fusion::Values values_of(const std::vector<float>& values) {
    return {values.data(), values.size()};
}

}  // namespace

Journal::Journal(const JournalSpec& spec, const engines::Manifest& manifest, Runner& runner)
    : spec_(spec),
      labels_{manifest.colors, manifest.types, manifest.embedding_space, manifest.name},
      runner_(runner),
      tracks_(spec.tracks),
      budget_(spec.budget) {}

std::vector<std::shared_ptr<const Known>> Journal::observe(const FramePixels& frame, double time_s,
                                                           const std::vector<Seen>& seen) {
    HostCutter cutter(frame);
    return observe(cutter, time_s, seen);
}

std::vector<std::shared_ptr<const Known>> Journal::observe(Cutter& frame, double time_s,
                                                           const std::vector<Seen>& seen) {
    collect();
    frame_s_ = time_s;
    // An id that comes back after its track expired is another vehicle's.
    for (const core::Choice& choice : tracks_.expire(time_s)) let_go(choice.dropped);
    ++counts_.frames;
    counts_.sightings += seen.size();
    std::vector<core::Box> boxes;
    std::vector<core::Handle> handles;
    std::vector<const Seen*> tracked;
    std::vector<std::size_t> places(seen.size(), seen.size());  // of each vehicle among these
    std::set<std::uint64_t> ids;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (seen[i].id != core::kUntracked && !ids.insert(seen[i].id).second) {
            ++counts_.repeated;
            continue;
        }
        places[i] = boxes.size();
        boxes.push_back(seen[i].box);
        tracked.push_back(&seen[i]);
        handles.push_back(tracks_.see(kSource, seen[i].id, time_s));
    }
    const std::vector<core::Found> sightings =
        core::sightings(boxes, frame.size(), time_s, spec_.rule, spec_.tracks.gate.border_px);
    std::vector<core::Rectangle> wanted;
    for (const core::Found& found : sightings)
        if (tracks_.wants_detail(handles[found.index], found.sighting))
            wanted.push_back(found.sighting.rectangle);
    frame.expect(wanted);
    for (const core::Found& found : sightings) {
        look(handles[found.index], found.sighting, *tracked[found.index], frame);
        embed_due(kNotLate);
    }
    embed_due(time_s);
    std::vector<std::shared_ptr<const Known>> known(seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (places[i] == seen.size()) continue;
        const auto found = known_.find(handles[places[i]]);
        if (found != known_.end()) known[i] = found->second;
    }
    return known;
}

void Journal::look(core::Handle handle, const core::Sighting& sighting, const Seen& seen,
                   Cutter& frame) {
    if (!tracks_.wants_detail(handle, sighting)) {
        let_go(tracks_.offer(handle, sighting, {}).dropped);
        return;
    }
    // Every track gets one view all the same: without it there would be nothing to tell of it.
    if (tracks_.waiting() >= spec_.most_waiting && begun_.count(handle)) {
        ++counts_.late;
        return;
    }
    const core::Choice choice = tracks_.offer(handle, sighting, frame.detail(sighting.rectangle));
    if (choice.keep) {
        Picture picture = frame.cut(sighting.rectangle);
        if (picture.original) {
            picture.original->track = seen.id;
            picture.original->box = seen.box;
        }
        kept_[*choice.keep] = {sighting, std::move(picture)};
    }
    begun_.insert(handle);
    let_go(choice.dropped);
}

void Journal::end_frame(double time_s, const std::vector<Seen>& seen) {
    std::set<std::uint64_t> over;
    for (const Seen& one : seen)
        if (one.last && one.id != core::kUntracked) over.insert(one.id);
    for (const std::uint64_t id : over)
        if (const auto handle = tracks_.find(kSource, id)) end(*handle);
    for (const core::Choice& choice : tracks_.expire(time_s)) let_go(choice.dropped);
    embed_due(kNotLate);
    close();
}

void Journal::finish() {
    for (const core::Handle handle : tracks_.open()) end(handle);
    while (true) {
        if (!runner_.has_room()) runner_.wait();
        if (!embed(tracks_.due(kLate))) break;
    }
    runner_.wait();
    collect();
}

void Journal::abandon() {
    runner_.clear();
    tracks_.abandon();
    kept_.clear();
    running_.clear();
    close();
}

void Journal::end(core::Handle handle) {
    let_go(tracks_.end(handle).dropped);
    while (may_embed() && embed(tracks_.due(kNotLate))) continue;
    close();
}

void Journal::let_go(const std::vector<core::Ticket>& views) {
    for (const core::Ticket ticket : views) kept_.erase(ticket);
}

void Journal::embed_due(double now_s) {
    if (may_embed()) embed(tracks_.due(now_s));
}

bool Journal::may_embed() { return runner_.has_room() && budget_.allows(frame_s_); }

bool Journal::embed(const std::vector<core::Ticket>& tickets) {
    if (tickets.empty()) return false;
    budget_.spend(tickets.size());
    Batch batch;
    batch.tickets = tickets;
    for (const core::Ticket ticket : tickets) {
        const auto view = kept_.find(ticket);
        running_[ticket] = view->second.sighting;
        batch.crops.push_back(std::move(view->second.picture));
        kept_.erase(view);
    }
    runner_.submit(std::move(batch));
    collect();
    return true;
}

void Journal::collect() {
    for (const Done& done : runner_.take()) {
        if (!done.fault.empty()) throw engines::EngineError(done.fault);
        counts_.embedded += done.tickets.size();
        for (std::size_t i = 0; i < done.tickets.size(); ++i)
            note(done.tickets[i], done.answers[i]);
        tracks_.settle();
        close();
    }
}

void Journal::note(core::Ticket ticket, const engines::Answer& answer) {
    const core::Sighting sighting = running_.at(ticket);
    running_.erase(ticket);
    const std::optional<double> quality =
        answer.quality ? std::optional<double>(*answer.quality) : std::nullopt;
    const core::Answered answered = tracks_.answer(ticket, quality, values_of(answer.embedding),
                                                   values_of(answer.color), values_of(answer.type));
    if (answered.best)
        best_[answered.handle] = {answered.judgement.failings, sighting.rectangle, sighting.time_s,
                                  answered.quality, answer.keypoints};
    known_[answered.handle] = std::make_shared<const Known>(
        make_known(*tracks_.known(answered.handle), best_.at(answered.handle),
                   ++views_[answered.handle], labels_));
}

/// Take the tracks that are over out of the core, and let their pixels go.
void Journal::close() {
    for (const core::Closed& track : tracks_.take_closed()) {
        known_.erase(track.handle);
        views_.erase(track.handle);
        begun_.erase(track.handle);
        let_go(track.dropped);
        const auto best = best_.find(track.handle);
        if (best != best_.end()) {
            events_.push_back(core::make_event(concluded(track, best->second), labels_,
                                               spec_.camera, spec_.start));
            ++counts_.events;
            best_.erase(best);
        } else {
            counts_.shorts += track.fate == core::Fate::kShort;
            counts_.unseen += track.fate == core::Fate::kUnseen;
            counts_.unfinished += track.fate == core::Fate::kUnfinished;
        }
    }
}

}  // namespace pamtri::gst
