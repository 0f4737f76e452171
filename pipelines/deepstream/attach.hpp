// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// What is known of vehicles, as DeepStream's metadata: for probes, brokers, the screen, and
// elements that know nothing of us. Stands on nothing but the metadata's library.
#pragma once

#include <nvdsmeta.h>

#include <cstdint>
#include <memory>
#include <string>

#include "crop_rules.hpp"
#include "known.hpp"

namespace pamtri::deepstream {

/// What becomes of the tracker's own embedding of an object (NVDS_TRACKER_OBJ_REID_META), which
/// deepstream-test5 and others send to brokers: of several they take the last.
enum class ReidMeta {
    kReplace,  ///< ours stands in its place
    kKeep,     ///< ours where the tracker has none
    kOff,      ///< none of ours
};

struct AttachSpec {
    int component_id = 0;  ///< unique_component_id of the classifier metas
    ReidMeta reid = ReidMeta::kReplace;
    bool text = true;  ///< color and type behind the text that the screen shows of the object
};

core::Box box_of(const NvDsObjectMeta* object);

/// The label of an object, which fills its place where that is too short for an end.
std::string label_of(const NvDsObjectMeta* object);

/// Puts on the vehicles of a batch what is known of them: two NvDsClassifierMeta, "color" and
/// "vehicletype"; a user meta PAMTRI_EDGE.REID.VEHICLE (vehicle_user_meta.h); and an NvDsObjReid.
/// Copies of a batch share the numbers, which do not change.
///
/// It holds the batch's lock as long as it lives.
class Attacher {
  public:
    Attacher(NvDsBatchMeta* batch, const AttachSpec& spec);
    Attacher(const Attacher&) = delete;
    Attacher& operator=(const Attacher&) = delete;
    ~Attacher();

    /// Attach what is known of an object; nothing where nothing is.
    void attach(NvDsObjectMeta* object, const std::shared_ptr<const gst::Known>& known);

    /// How many metas found no room in the batch's pools; each is left out whole.
    std::uint64_t lost() const { return lost_; }

  private:
    void attach_class(NvDsObjectMeta* object, const char* kind, unsigned place,
                      const std::string& label, double probability, std::size_t number);
    void attach_reid(NvDsObjectMeta* object, const std::shared_ptr<const gst::Known>& known);
    bool add_user(NvDsObjectMeta* object, NvDsMetaType type, void* data, NvDsMetaCopyFunc copy,
                  NvDsMetaReleaseFunc release);

    NvDsBatchMeta* batch_;
    AttachSpec spec_;
    NvDsMetaType vehicle_type_;
    std::uint64_t lost_ = 0;
};

}  // namespace pamtri::deepstream
