// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

namespace pamtri::deepstream {

/// The element nvpamtri, as a type.
GType nvpamtri_element_type();

/// Register it: of a plugin, or with nullptr for this program alone.
gboolean register_element(GstPlugin* plugin);

}  // namespace pamtri::deepstream
