// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "batch_stream.hpp"

#include <limits>
#include <string>
#include <utility>

#include "manifest.hpp"
#include "message.hpp"

namespace pamtri::deepstream {

namespace {

constexpr std::size_t kDepth = 1;  // batches of a source that wait behind the one being embedded
// The muxer's stamps are of one clock: a leap forward is a gap, and tracks may expire in it.
constexpr double kNoLeap = std::numeric_limits<double>::infinity();
constexpr guint64 kYear2000 = 946684800ull * 1000000000;  // nanoseconds; earlier is no clock
constexpr double kSecond = 1e9;

void add(gst::Counts& to, const gst::Counts& from) {
    to.frames += from.frames;
    to.sightings += from.sightings;
    to.embedded += from.embedded;
    to.late += from.late;
    to.repeated += from.repeated;
    to.events += from.events;
    to.shorts += from.shorts;
    to.unseen += from.unseen;
    to.unfinished += from.unfinished;
}

std::shared_ptr<CUstream_st> new_shared_stream(int gpu) {
    const engines::DeviceGuard guard(gpu);
    return engines::new_stream();
}

template <typename T, typename Action>
void for_each(GList* list, Action action) {
    for (GList* at = list; at; at = at->next) action(static_cast<T*>(at->data));
}

/// The batch's lock, held.
class MetaLock {
  public:
    explicit MetaLock(NvDsBatchMeta* batch) : batch_(batch) { nvds_acquire_meta_lock(batch_); }
    MetaLock(const MetaLock&) = delete;
    MetaLock& operator=(const MetaLock&) = delete;
    ~MetaLock() { nvds_release_meta_lock(batch_); }

  private:
    NvDsBatchMeta* batch_;
};

}  // namespace

struct BatchStream::Source {
    Source(const gst::JournalSpec& spec, const engines::Manifest& manifest,
           std::unique_ptr<gst::Runner> runner)
        : camera(spec.camera),
          lane(std::move(runner)),
          journal(spec, manifest, *lane),
          clock(std::nullopt, kNoLeap) {}

    std::string camera;
    std::unique_ptr<gst::Runner> lane;
    gst::Journal journal;
    core::FrameClock clock;
    // What the last message of a track told.
    std::unordered_map<std::uint64_t, std::weak_ptr<const gst::Known>> told;
};

/// A vehicle on a frame, and what is known of it.
struct BatchStream::Found {
    NvDsFrameMeta* frame;
    NvDsObjectMeta* object;
    Source* source;
    core::FrameSize size;
    std::shared_ptr<const gst::Known> known;
};

BatchStream::BatchStream(const Settings& settings, std::shared_ptr<engines::Network> network,
                         std::shared_ptr<gst::Dump> dump)
    : settings_(settings),
      network_(std::move(network)),
      dump_(std::move(dump)),
      surfaces_(static_cast<int>(settings.gpu_id)),
      tools_(std::make_shared<PictureRoom>(static_cast<int>(settings.gpu_id),
                                           network_->picture_size().width)),
      describing_(new_shared_stream(static_cast<int>(settings.gpu_id))),
      lanes_(
          [network = network_, dump = dump_, gpu = static_cast<int>(settings.gpu_id),
           stream = describing_](const std::vector<gst::Picture>& pictures) {
              return gst::Dump::described(
                  dump.get(), pictures, network->manifest(), [&](std::vector<float>* images) {
                      return describe_on_device(*network, pictures, gpu, stream.get(), images);
                  });
          },
          kDepth, settings.common.sync) {}

BatchStream::~BatchStream() = default;

BatchStream::Source& BatchStream::source_of(const NvDsFrameMeta* frame) {
    std::unique_ptr<Source>& source = sources_[frame->pad_index];
    if (!source) {
        gst::JournalSpec spec = settings_.common.journal_spec(network_->manifest().trained);
        spec.camera = settings_.camera_of(frame);
        source = std::make_unique<Source>(spec, network_->manifest(), lanes_.lane());
    }
    return *source;
}

void BatchStream::take(NvDsBatchMeta* batch, NvBufSurface& surfaces) {
    std::vector<NvDsFrameMeta*> frames;
    {
        const MetaLock lock(batch);
        for_each<NvDsFrameMeta>(batch->frame_meta_list,
                                [&](NvDsFrameMeta* frame) { frames.push_back(frame); });
    }
    std::vector<Found> all;
    for (NvDsFrameMeta* frame : frames)
        for (Found& found : observe(frame, surfaces)) all.push_back(std::move(found));
    if (!all.empty()) attach(batch, all);
}

std::vector<BatchStream::Found> BatchStream::observe(NvDsFrameMeta* frame, NvBufSurface& surfaces) {
    Source& source = source_of(frame);
    std::vector<Found> found;
    std::vector<gst::Seen> seen;
    {
        const MetaLock lock(frame->base_meta.batch_meta);
        for_each<NvDsObjectMeta>(frame->obj_meta_list, [&](NvDsObjectMeta* object) {
            if (!settings_.wants(object)) return;
            seen.push_back({object->object_id, box_of(object), false});
            found.push_back({frame, object, &source, {}, nullptr});
        });
    }
    std::optional<double> stamp;
    if (GST_CLOCK_TIME_IS_VALID(frame->buf_pts))
        stamp = static_cast<double>(frame->buf_pts) / kSecond;
    const double time_s = source.clock.tick(stamp).time_s;
    if (settings_.common.start_utc.empty() && frame->ntp_timestamp > kYear2000)
        source.journal.set_start(static_cast<core::Moment>(frame->ntp_timestamp / 1000) -
                                 static_cast<core::Moment>(time_s * 1e6));
    const core::FrameSize size =
        seen.empty() ? core::FrameSize{} : Surfaces::size_of(surfaces, frame->batch_id);
    std::optional<gst::Origin> origin;
    if (dump_ && dump_->has_room())
        origin = gst::Origin{frame->pad_index, static_cast<std::uint64_t>(frame->frame_num)};
    DeviceCutter cutter(
        tools_, size, [&] { return surfaces_.read(surfaces, frame->batch_id); }, origin);
    const auto known = source.journal.observe(cutter, time_s, seen);
    source.journal.end_frame(time_s, seen);
    for (std::size_t i = 0; i < found.size(); ++i) {
        found[i].known = known[i];
        found[i].size = size;
    }
    collect(source);
    return found;
}

void BatchStream::attach(NvDsBatchMeta* batch, const std::vector<Found>& all) {
    Attacher attacher(batch, settings_.attach_spec());
    for (const Found& one : all) {
        attacher.attach(one.object, one.known);
        if (is_due(*one.source, one) &&
            !add_message(one.frame, one.object, *one.known,
                         {static_cast<int>(settings_.unique_id), one.source->camera, one.size}))
            ++lost_;
    }
    lost_ += attacher.lost();
}

/// Whether a message tells of an object on this frame.
bool BatchStream::is_due(Source& source, const Found& found) {
    if (!found.known || settings_.when_messages() == Messages::kOff) return false;
    if (settings_.when_messages() == Messages::kFrames) return true;
    if (found.object->object_id == core::kUntracked) return true;
    auto& told = source.told[found.object->object_id];
    if (told.lock() == found.known) return false;
    told = found.known;
    return true;
}

void BatchStream::collect(Source& source) {
    for (core::Event& event : source.journal.take_events()) {
        source.told.erase(event.track_id);
        events_.push_back(std::move(event));
    }
}

void BatchStream::finish(unsigned pad) {
    const auto found = sources_.find(pad);
    if (found == sources_.end()) return;
    found->second->journal.finish();
    collect(*found->second);
    add(ended_, found->second->journal.counts());
    sources_.erase(found);
}

void BatchStream::finish() {
    while (!sources_.empty()) finish(sources_.begin()->first);
}

void BatchStream::cut(unsigned pad) {
    const auto found = sources_.find(pad);
    if (found == sources_.end()) return;
    found->second->journal.abandon();
    collect(*found->second);
}

void BatchStream::cut() {
    for (const auto& [pad, source] : sources_) cut(pad);
}

BatchCounts BatchStream::counts() const {
    BatchCounts counts;
    counts.common = ended_;
    for (const auto& [pad, source] : sources_) add(counts.common, source->journal.counts());
    counts.lost = lost_;
    return counts;
}

}  // namespace pamtri::deepstream
