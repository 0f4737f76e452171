// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Writes our message about a vehicle as NVIDIA's converter turns it into each of its forms, into a
// folder: json, minimal and protobuf; and what deepstream-test5 reads of the embedding we attach.
#include <nvds_tracker_meta.h>
#include <nvdsmeta_schema.h>
#include <nvmsgconv.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "attach.hpp"
#include "batches.hpp"
#include "message.hpp"

namespace {

/// As deepstream-test5 does it: the last of the metas of this type, from its host pointer.
const NvDsObjReid* reid_of(const NvDsObjectMeta* object) {
    const NvDsObjReid* found = nullptr;
    for (const GList* at = object->obj_user_meta_list; at; at = at->next) {
        const auto* user = static_cast<const NvDsUserMeta*>(at->data);
        if (user->base_meta.meta_type != NVDS_TRACKER_OBJ_REID_META) continue;
        const auto* reid = static_cast<const NvDsObjReid*>(user->user_meta_data);
        if (reid && reid->ptr_host && reid->featureSize > 0) found = reid;
    }
    return found;
}

void write(const std::string& path, const void* data, std::size_t size) {
    std::ofstream(path, std::ios::binary).write(static_cast<const char*>(data), size);
}

bool convert(const std::string& folder, const char* form, NvDsPayloadType type,
             NvDsEventMsgMeta* message) {
    NvDsMsg2pCtx* context = nvds_msg2p_ctx_create((folder + "/msgconv.txt").c_str(), type);
    if (!context) return false;
    NvDsEvent event{message->type, message};
    NvDsPayload* payload = nvds_msg2p_generate(context, &event, 1);
    if (payload && payload->payload)
        write(folder + "/" + form, payload->payload, payload->payloadSize);
    if (payload) nvds_msg2p_release(context, payload);
    nvds_msg2p_ctx_destroy(context);
    return true;
}

}  // namespace

/// The converter calls it for tensors on a GPU alone, which our messages have none of.
extern "C" int cudaMemcpy(void*, const void*, std::size_t, int) { return 1; }

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const std::string folder = arguments[1];
    const test::Batch batch = test::new_batch();
    NvDsFrameMeta* frame = test::add_frame(batch.get(), 3, 12);
    NvDsObjectMeta* object = test::add_object(frame, 7, {10, 20, 110, 80});
    const auto known = test::some_known(1, 4);
    {
        pamtri::deepstream::Attacher attacher(batch.get(), {});
        attacher.attach(object, known);
    }
    if (!pamtri::deepstream::add_message(frame, object, *known, {2, "north", {}})) return 1;
    const auto users = test::users_of(frame->frame_user_meta_list, NVDS_EVENT_MSG_META);
    auto* message = static_cast<NvDsEventMsgMeta*>(users.at(0)->user_meta_data);
    const NvDsObjReid* reid = reid_of(object);
    if (reid) write(folder + "/reid", reid->ptr_host, reid->featureSize * sizeof(float));
    return convert(folder, "json", NVDS_PAYLOAD_DEEPSTREAM, message) &&
                   convert(folder, "minimal", NVDS_PAYLOAD_DEEPSTREAM_MINIMAL, message) &&
                   convert(folder, "protobuf", NVDS_PAYLOAD_DEEPSTREAM_PROTOBUF, message)
               ? 0
               : 1;
}
