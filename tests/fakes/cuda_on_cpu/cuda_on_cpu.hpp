// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// The words of CUDA C++ that our kernels use, on a CPU: a .cu file that is compiled after this
// header runs as it is. The threads of a block are fibers of one thread of the system, so that
// barriers really wait and shuffles really exchange. Between two of them a thread runs alone; which
// thread runs first is the caller's choice, and shared memory is poisoned before every block, so
// that a missing barrier gives another result in one of the orders.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define EMULATED_UNCHECKED __attribute__((no_sanitize_address))
#else
#define EMULATED_UNCHECKED
#endif

#define __host__
#define __device__
#define __global__
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static __attribute__((section("emulated_shared")))

extern "C" unsigned char __start_emulated_shared[], __stop_emulated_shared[];

namespace emulated {

struct Index {
    unsigned x, y, z;
};

constexpr int kWarp = 32;
constexpr std::size_t kStack = 128 * 1024;

enum class State { kReady, kAtBarrier, kAtShuffle, kDone };

struct Fiber {
    ucontext_t context;
    jmp_buf place;
    bool begun;
    std::vector<unsigned char> stack;
    Index index;
    int number;
    State state;
    std::uint64_t posted;
    void* sanitizer;
};

/// One block's threads. A block at a time runs, on the thread that launched it.
struct Block {
    std::vector<Fiber> fibers;
    std::vector<std::uint64_t> exchanged;
    ucontext_t scheduler;
    jmp_buf scheduler_place;
    std::function<void()> body;
    Fiber* running = nullptr;
    const char* failure = nullptr;
    void* sanitizer = nullptr;
    const void* scheduler_stack = nullptr;
    std::size_t scheduler_size = 0;
};

inline Block block;
inline Index block_index, block_size, grid_size;

#if defined(__SANITIZE_ADDRESS__)

inline void yield_as(State state) {
    Fiber& fiber = *block.running;
    fiber.state = state;
    __sanitizer_start_switch_fiber(&fiber.sanitizer, block.scheduler_stack, block.scheduler_size);
    swapcontext(&fiber.context, &block.scheduler);
    __sanitizer_finish_switch_fiber(fiber.sanitizer, &block.scheduler_stack, &block.scheduler_size);
}

inline void resume(Fiber& fiber) {
    block.running = &fiber;
    __sanitizer_start_switch_fiber(&block.sanitizer, fiber.stack.data(), fiber.stack.size());
    swapcontext(&block.scheduler, &fiber.context);
    __sanitizer_finish_switch_fiber(block.sanitizer, nullptr, nullptr);
}

#else  // the same without a call of the system at every switch

inline void yield_as(State state) {
    block.running->state = state;
    if (_setjmp(block.running->place) == 0) _longjmp(block.scheduler_place, 1);
}

inline void resume(Fiber& fiber) {
    block.running = &fiber;
    if (_setjmp(block.scheduler_place) != 0) return;
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    setcontext(&fiber.context);
}

#endif

inline void thread_main() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &block.scheduler_stack, &block.scheduler_size);
#endif
    for (;;) {  // a block after another: making a fiber costs more than resuming it
        block.body();
        yield_as(State::kDone);
    }
}

EMULATED_UNCHECKED inline void poison_shared() {
    for (volatile unsigned char* byte = __start_emulated_shared; byte < __stop_emulated_shared;
         ++byte) {
        *byte = 0xA7;
    }
}

/// Let go the threads that wait for one another, where all of them have come. Whether any went.
inline bool release() {
    bool any = false;
    const std::size_t count = block.fibers.size();
    for (std::size_t first = 0; first < count; first += kWarp) {
        std::size_t waiting = 0, done = 0, size = 0;
        for (std::size_t i = first; i < count && i < first + kWarp; ++i, ++size) {
            waiting += block.fibers[i].state == State::kAtShuffle;
            done += block.fibers[i].state == State::kDone;
        }
        if (waiting == 0) continue;
        if (done > 0 || size != kWarp) {
            block.failure = "a shuffle waits for a thread that has returned or never was";
            return false;
        }
        if (waiting != kWarp) continue;
        for (std::size_t i = first; i < first + kWarp; ++i) {
            block.exchanged[i] = block.fibers[i].posted;
            block.fibers[i].state = State::kReady;
        }
        any = true;
    }
    if (any) return true;
    std::size_t waiting = 0, living = 0;
    for (const Fiber& fiber : block.fibers) {
        waiting += fiber.state == State::kAtBarrier;
        living += fiber.state != State::kDone;
    }
    if (living == 0) return false;
    if (waiting != living) {
        block.failure = "some threads wait at a barrier, others at a shuffle";
        return false;
    }
    for (Fiber& fiber : block.fibers) {
        if (fiber.state == State::kAtBarrier) fiber.state = State::kReady;
    }
    return true;
}

/// order: 0 threads run by number, 1 backwards. What one thread is to find in another's memory is
/// not there yet, or no longer, in one of the two.
inline void run_block(int order) {
    const std::size_t count = std::size_t{block_size.x} * block_size.y * block_size.z;
    if (block.fibers.size() != count) {
        block.fibers = std::vector<Fiber>(count);
        block.exchanged.resize(count);
        for (Fiber& fiber : block.fibers) {
            fiber.stack.resize(kStack);
            getcontext(&fiber.context);
            fiber.context.uc_stack.ss_sp = fiber.stack.data();
            fiber.context.uc_stack.ss_size = fiber.stack.size();
            fiber.context.uc_link = nullptr;
            makecontext(&fiber.context, thread_main, 0);
        }
    }
    std::vector<std::size_t> turns(count);
    for (std::size_t i = 0; i < count; ++i) turns[i] = order == 1 ? count - 1 - i : i;
    for (std::size_t i = 0; i < count; ++i) {
        Fiber& fiber = block.fibers[i];
        const unsigned number = static_cast<unsigned>(i);
        fiber.index = {number % block_size.x, number / block_size.x % block_size.y,
                       number / block_size.x / block_size.y};
        fiber.number = static_cast<int>(i);
        fiber.state = State::kReady;
    }
    poison_shared();
    do {
        for (const std::size_t turn : turns) {
            if (block.fibers[turn].state == State::kReady) resume(block.fibers[turn]);
        }
    } while (release());
}

inline std::uint64_t exchange(std::uint64_t value, int source) {
    block.running->posted = value;
    yield_as(State::kAtShuffle);
    return block
        .exchanged[static_cast<std::size_t>(block.running->number / kWarp * kWarp + source)];
}

/// A kernel by its name, its arguments as cuLaunchKernel takes them: a pointer to each.
struct Kernel {
    const char* name;
    const void* address;
    std::vector<std::size_t> sizes;
    std::function<void(void**)> call;
};

/// All kernels of the library; defined behind them.
const std::vector<Kernel>& kernels();

inline int order_of_launches = 0;

template <typename... Arguments, std::size_t... Places>
Kernel kernel(const char* name, void (*function)(Arguments...), std::index_sequence<Places...>) {
    return {name,
            reinterpret_cast<const void*>(function),
            {sizeof(Arguments)...},
            [function](void** arguments) {
                function(*static_cast<std::remove_const_t<Arguments>*>(arguments[Places])...);
            }};
}

template <typename... Arguments>
Kernel kernel(const char* name, void (*function)(Arguments...)) {
    return kernel(name, function, std::index_sequence_for<Arguments...>{});
}

/// Run a kernel to its end. Null, or what went wrong.
inline const char* run(const Kernel& kernel, Index grid, Index threads, void** arguments,
                       int order) {
    if (std::size_t{threads.x} * threads.y * threads.z > 1024)
        return "a block of over 1024 threads";
    grid_size = grid;
    block_size = threads;
    block.failure = nullptr;
    block.body = [&] { kernel.call(arguments); };
    for (unsigned z = 0; z < grid.z; ++z) {
        for (unsigned y = 0; y < grid.y; ++y) {
            for (unsigned x = 0; x < grid.x; ++x) {
                block_index = {x, y, z};
                run_block(order);
                if (block.failure != nullptr) {
                    block.fibers.clear();  // some stand in the middle of this block
                    return block.failure;
                }
            }
        }
    }
    return nullptr;
}

/// Run a kernel by its name. Null, or what went wrong.
inline const char* launch(const char* name, Index grid, Index threads, void** arguments,
                          const std::size_t* sizes, std::size_t count, int order) {
    for (const Kernel& known : kernels()) {
        if (std::strcmp(known.name, name) != 0) continue;
        if (known.sizes != std::vector<std::size_t>(sizes, sizes + count)) {
            return "the arguments are not as many or not as large as the kernel's";
        }
        return run(known, grid, threads, arguments, order);
    }
    return "there is no kernel of that name";
}

}  // namespace emulated

#define threadIdx (emulated::block.running->index)
#define blockIdx (emulated::block_index)
#define blockDim (emulated::block_size)
#define gridDim (emulated::grid_size)

inline void __syncthreads() { emulated::yield_as(emulated::State::kAtBarrier); }

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
    static_assert(sizeof(T) <= 8);
    if (mask != 0xffffffffu) emulated::block.failure = "a shuffle of a part of a warp";
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = emulated::exchange(bits, emulated::block.running->number % emulated::kWarp ^ lanes);
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}
