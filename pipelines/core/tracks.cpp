// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "tracks.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "errors.hpp"

namespace pamtri::core {

void TracksSpec::check() const {
    gate.check();
    if (batch < 1)
        throw InputError("batch is 0; expected the views embedded at a time, 1 or more.");
    if (!(longest_wait_s >= 0) || !(expiry_s >= 0))
        throw InputError("longest_wait_s is " + std::to_string(longest_wait_s) + " and expiry_s " +
                         std::to_string(expiry_s) + "; expected seconds, 0 or more.");
}

Tracks::Tracks(const TracksSpec& spec) : spec_(spec) { spec_.check(); }

Handle Tracks::see(std::uint32_t source, std::uint64_t id, double time_s) {
    const Key key{source, id};
    const auto known = id == kUntracked ? handles_.end() : handles_.find(key);
    const Handle handle = known == handles_.end() ? open_track(key, time_s) : known->second;
    Track& track = tracks_.at(handle);
    track.last_s = time_s;
    ++track.seen;
    unseen_.splice(unseen_.end(), unseen_, track.place);
    return handle;
}

Handle Tracks::open_track(Key key, double time_s) {
    const Handle handle = ++last_handle_;
    Track& track = tracks_.emplace(handle, Track(key, time_s, spec_)).first->second;
    track.place = unseen_.insert(unseen_.end(), handle);
    if (key.second == kUntracked)
        untracked_.push_back(handle);
    else
        handles_[key] = handle;
    return handle;
}

bool Tracks::wants_detail(Handle handle, const Sighting& sighting) const {
    const auto found = tracks_.find(handle);
    return found != tracks_.end() && found->second.gate.wants_detail(sighting);
}

Choice Tracks::offer(Handle handle, const Sighting& sighting, std::optional<double> detail) {
    const auto found = tracks_.find(handle);
    if (found == tracks_.end()) return {};
    Track& track = found->second;
    const Choice choice =
        choose(handle, track, track.gate.offer(sighting, detail, last_ticket_ + 1));
    if (!track.held.empty() && long_enough(track)) release(track);
    return choice;
}

bool Tracks::long_enough(const Track& track) const {
    return track.key.second == kUntracked || track.seen >= spec_.least_frames;
}

Choice Tracks::choose(Handle handle, Track& track, const Verdict& verdict) {
    if (verdict.send) track.held.push_back({handle, *verdict.send, verdict.in_turn});
    Choice choice;
    if (verdict.drop) choice.dropped = {*verdict.drop};
    if (verdict.keep) choice.keep = ++last_ticket_;
    return choice;
}

void Tracks::release(Track& track) {
    track.waiting += track.held.size();
    for (const Waiting& waiting : track.held)
        (waiting.in_turn ? in_turn_ : queue_).push_back(waiting);
    track.held.clear();
}

std::vector<Ticket> Tracks::due(double now_s) {
    std::vector<Ticket> tickets;
    if (is_due(queue_, now_s)) take(&queue_, &tickets);
    // A batch that is not whole has room for more.
    if (!tickets.empty() || is_due(in_turn_, now_s)) take(&in_turn_, &tickets);
    return tickets;
}

bool Tracks::is_due(const std::deque<Waiting>& queue, double now_s) const {
    if (queue.empty()) return false;
    return queue.size() >= spec_.batch ||
           now_s - queue.front().view.sighting.time_s >= spec_.longest_wait_s;
}

void Tracks::take(std::deque<Waiting>* queue, std::vector<Ticket>* tickets) {
    while (!queue->empty() && tickets->size() < spec_.batch) {
        tickets->push_back(queue->front().view.ticket);
        sent_.emplace(tickets->back(), queue->front());
        queue->pop_front();
    }
}

Answered Tracks::answer(Ticket ticket, std::optional<double> quality, Fusion::Values embedding,
                        Fusion::Values color, Fusion::Values type) {
    const auto sent = sent_.find(ticket);
    if (sent == sent_.end())
        throw InputError("view " + std::to_string(ticket) +
                         " is not due: it was answered already, or never given out.");
    const Waiting waiting = sent->second;
    if (quality) quality = clipped_quality(*quality);
    Track& track = tracks_.at(waiting.handle);
    const Judgement judgement = track.gate.judge(waiting.view, quality);
    const bool best = track.fusion.add(judgement.weight, judgement.worth, judgement.failings == 0,
                                       embedding, color, type);
    sent_.erase(sent);
    --track.waiting;
    ++track.embedded;
    answered_.push_back(waiting.handle);
    return {waiting.handle, best, judgement, quality};
}

void Tracks::settle() {
    for (const Handle handle : std::exchange(answered_, {})) finish_if_done(handle);
}

Choice Tracks::end(Handle handle) {
    const auto found = tracks_.find(handle);
    if (found == tracks_.end()) return {};
    Track& track = found->second;
    if (!long_enough(track)) {
        close(handle, Fate::kShort);
        return {};
    }
    track.closing = true;
    const Choice choice = choose(handle, track, track.gate.close());
    release(track);
    finish_if_done(handle);
    return choice;
}

std::vector<Choice> Tracks::expire(double now_s) {
    std::vector<Choice> choices;
    for (const Handle handle : std::exchange(untracked_, {})) choices.push_back(end(handle));
    if (spec_.expiry_s <= 0 && spec_.most_tracks == 0) return choices;
    // Those that ended and wait for an answer stand among the others until it comes.
    const std::vector<Handle> by_age(unseen_.begin(), unseen_.end());
    std::size_t left = 0;
    for (const auto& [handle, track] : tracks_) left += !track.closing;
    for (const Handle handle : by_age) {
        const Track& track = tracks_.at(handle);
        const bool old = spec_.expiry_s > 0 && now_s - track.last_s >= spec_.expiry_s;
        const bool many = spec_.most_tracks > 0 && left > spec_.most_tracks;
        if (!old && !many) break;
        if (track.closing) continue;
        choices.push_back(end(handle));
        --left;
    }
    return choices;
}

void Tracks::abandon() {
    queue_.clear();
    in_turn_.clear();
    sent_.clear();
    answered_.clear();
    untracked_.clear();
    for (const Handle handle : open()) {
        const Track& track = tracks_.at(handle);
        if (track.embedded)
            close(handle, Fate::kDone);
        else
            close(handle, long_enough(track) ? Fate::kUnfinished : Fate::kShort);
    }
}

void Tracks::finish_if_done(Handle handle) {
    const auto found = tracks_.find(handle);
    if (found == tracks_.end() || !found->second.closing || found->second.waiting) return;
    close(handle, found->second.embedded ? Fate::kDone : Fate::kUnseen);
}

void Tracks::close(Handle handle, Fate fate) {
    const auto found = tracks_.find(handle);
    Track& track = found->second;
    Closed closed{
        handle,     track.key.first, track.key.second,        fate, track.first_s, track.last_s,
        track.seen, track.embedded,  std::move(track.fusion), {}};
    if (const auto held = track.gate.held()) closed.dropped = {*held};
    for (const Waiting& waiting : track.held) closed.dropped.push_back(waiting.view.ticket);
    unseen_.erase(track.place);
    if (track.key.second != kUntracked) handles_.erase(track.key);
    tracks_.erase(found);
    closed_.push_back(std::move(closed));
}

std::optional<Handle> Tracks::find(std::uint32_t source, std::uint64_t id) const {
    const auto found = handles_.find({source, id});
    if (found == handles_.end()) return {};
    return found->second;
}

std::vector<Handle> Tracks::open() const {
    std::vector<Handle> handles;
    handles.reserve(tracks_.size());
    for (const auto& [handle, track] : tracks_) handles.push_back(handle);
    return handles;
}

const Fusion* Tracks::known(Handle handle) const {
    const auto found = tracks_.find(handle);
    return found == tracks_.end() || !found->second.embedded ? nullptr : &found->second.fusion;
}

}  // namespace pamtri::core
