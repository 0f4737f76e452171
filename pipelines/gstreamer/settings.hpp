// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The properties of the element pamtri: names, words, ranges and defaults.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "dump.hpp"
#include "journal.hpp"
#include "network.hpp"

namespace pamtri::gst {

/// Where what is known of vehicles is attached; a set of bits.
enum Attach { kAttachMeta = 1, kAttachRegion = 2, kAttachAnalytics = 4 };

struct Settings {
    std::string bundle, device = "auto", camera = "camera", classes, start_utc, dump_dir;
    gint threads = 0, min_side, max_views, reinfer_interval;
    gdouble reinfer_overlap;
    guint batch = 8, longest_wait_ms = 500, expiry_ms = 2000, min_frames = 1, max_tracks = 1000;
    guint max_waiting = 64, budget = 0, dump_count = 200;
    gint crop_rule = 0;
    guint attach_to = kAttachMeta | kAttachRegion | kAttachAnalytics;
    gboolean sync = FALSE, post_messages = TRUE, build_engine = TRUE;

    Settings();

    /// Throws core::InputError: bundle is not set, or what journal_spec throws.
    void check() const;

    engines::NetworkOptions network_options() const;

    /// How the journal keeps tracks. Throws core::InputError: start-utc is no date and time.
    JournalSpec journal_spec(bool trained) const;

    std::vector<std::string> class_list() const;

    /// What writes views into dump-dir; null where that is not set. Throws core::InputError.
    std::shared_ptr<Dump> new_dump() const;
};

/// Install them on the class, but for those named; all but stats are read and written by the two
/// functions below. Numbers of other properties begin behind that of stats.
void install_settings(GObjectClass* object, const std::set<std::string>& but = {});

/// Whether there is a property of that number; sets it, or reads it.
bool set_setting(Settings* settings, guint id, const GValue* value);
bool get_setting(const Settings& settings, guint id, GValue* value);

/// Number of the property stats, which is read only.
guint stats_setting();

}  // namespace pamtri::gst
