// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// C11's threads by POSIX's, for programs with the thread sanitizer: it follows those of POSIX alone
// (GCC to 14 at least), and crashes in the threads that librdkafka makes by thrd_create. In a
// program these come before the C library's.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace {

using Start = std::pair<thrd_start_t, void*>;

void* begin(void* given) {
    const Start start = *static_cast<Start*>(given);
    delete static_cast<Start*>(given);
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(start.first(start.second)));
}

int told(int code) { return code == 0 ? thrd_success : thrd_error; }

pthread_mutex_t* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t run, void* with) {
    return told(pthread_create(thread, nullptr, begin, new Start(run, with)));
}

int thrd_join(thrd_t thread, int* result) {
    void* returned = nullptr;
    const int code = pthread_join(thread, &returned);
    if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
    return told(code);
}

int mtx_init(mtx_t* mutex, int type) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(
        &kind, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    const int code = pthread_mutex_init(posix(mutex), &kind);
    pthread_mutexattr_destroy(&kind);
    return told(code);
}

int mtx_lock(mtx_t* mutex) { return told(pthread_mutex_lock(posix(mutex))); }
int mtx_unlock(mtx_t* mutex) { return told(pthread_mutex_unlock(posix(mutex))); }
void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(posix(mutex)); }

int cnd_init(cnd_t* condition) { return told(pthread_cond_init(posix(condition), nullptr)); }
int cnd_signal(cnd_t* condition) { return told(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return told(pthread_cond_broadcast(posix(condition))); }
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return told(pthread_cond_wait(posix(condition), posix(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* end) {
    const int code = pthread_cond_timedwait(posix(condition), posix(mutex), end);
    return code == ETIMEDOUT ? thrd_timedout : told(code);
}
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }
}
