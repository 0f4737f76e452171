// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "processors.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

namespace pamtri {
namespace {

namespace fs = std::filesystem;

int allowed() {
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) return CPU_COUNT(&mask);
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// quota / period in processors; 0 where there is none, as "max" (version 2) and -1 (version 1).
int granted(const std::string& numbers) {
    std::istringstream words(numbers);
    long long quota = 0, period = 0;
    if (!(words >> quota >> period) || quota <= 0 || period <= 0) return 0;
    return static_cast<int>(std::ceil(static_cast<double>(quota) / static_cast<double>(period)));
}

/// The folder of a group and of all above it. Inside a container the group's path may be that of
/// the host, which the mount does not have: the mount itself is the container's group then.
std::vector<fs::path> upward(const fs::path& mount, const std::string& group) {
    std::vector<fs::path> folders;
    fs::path inside = fs::path(group).relative_path();
    const bool outside = std::find(inside.begin(), inside.end(), "..") != inside.end();
    for (; !outside && !inside.empty(); inside = inside.parent_path())
        folders.push_back(mount / inside);
    folders.push_back(mount);
    return folders;
}

/// The quotas of a line of /proc/self/cgroup, "number:controllers:group".
void add_grants(const fs::path& cgroups, const std::string& line, std::vector<int>& grants) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {  // version 2
        for (const fs::path& mount : {cgroups, cgroups / "unified"})
            for (const fs::path& folder : upward(mount, group))
                grants.push_back(granted(text_of(folder / "cpu.max")));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {  // version 1
        for (const fs::path& mount : {cgroups / controllers, cgroups / "cpu"})
            for (const fs::path& folder : upward(mount, group))
                grants.push_back(granted(text_of(folder / "cpu.cfs_quota_us") + " " +
                                         text_of(folder / "cpu.cfs_period_us")));
    }
}

}  // namespace

std::optional<int> processor_grant(const std::string& root) {
    std::string lines = text_of(fs::path(root) / "proc/self/cgroup");
    if (lines.empty()) lines = "0::/\n1:cpu:/\n";
    std::vector<int> grants;
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);)
        add_grants(fs::path(root) / "sys/fs/cgroup", line, grants);
    std::optional<int> least;
    for (const int grant : grants)
        if (grant > 0) least = std::min(least.value_or(grant), grant);
    return least;
}

int available_processors(const std::string& root) {
    const int count = allowed();
    return std::max(1, std::min(count, processor_grant(root).value_or(count)));
}

}  // namespace pamtri
