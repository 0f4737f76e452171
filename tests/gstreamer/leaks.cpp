// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// How programs on GStreamer look for leaks, where they have sanitizers. GLib lets go of a table of
// names that it outgrows: made while it is loaded, so told apart by that, which whole stacks alone
// show. Twelve callers are whole enough; each takes time, at every allocation.
extern "C" const char* __asan_default_options() {
    return "fast_unwind_on_malloc=0:malloc_context_size=12";
}
extern "C" const char* __lsan_default_suppressions() { return "leak:call_init\nleak:_dl_init\n"; }
