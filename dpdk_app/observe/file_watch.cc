#include "observe/file_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

namespace npf::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint32_t kMask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileWatch::FileWatch(std::vector<std::string> paths, std::function<std::vector<std::string>()> list,
                     const FileWatchOptions& options)
    : paths_(std::move(paths)),
      list_(std::move(list)),
      options_(options),
      events_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      looked_(steady_clock::now()) {
  WatchFolders();
  known_ = Look();
}

FileWatch::~FileWatch() {
  if (events_ >= 0) close(events_);
}

std::vector<FileWatch::File> FileWatch::Look() const {
  std::vector<File> files;
  for (std::string& path : list_()) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) continue;
    files.push_back({.path = std::move(path),
                     .device = info.st_dev,
                     .inode = info.st_ino,
                     .size = static_cast<uint64_t>(info.st_size),
                     .written_ns = Nanoseconds(info.st_mtim),
                     .changed_ns = Nanoseconds(info.st_ctim)});
  }
  return files;
}

// Those of the files, those where links of theirs lead, and the one above each path. To watch one
// again changes nothing.
void FileWatch::WatchFolders() const {
  namespace fs = std::filesystem;
  std::set<fs::path> folders;
  const auto add = [&](const fs::path& path) {
    std::error_code error;
    folders.insert(path.has_parent_path() ? path.parent_path() : fs::path("."));
    const fs::path real = fs::canonical(path, error);
    if (!error) folders.insert(real.parent_path());
  };
  for (const std::string& path : paths_) {
    add(path);
    std::error_code error;
    if (!fs::is_directory(path, error)) continue;
    folders.insert(path);
    fs::recursive_directory_iterator entries(path, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      if (entries->is_directory(error)) folders.insert(entries->path());
    }
  }
  for (const std::string& path : list_()) add(path);
  for (const fs::path& folder : folders) inotify_add_watch(events_, folder.c_str(), kMask);
}

bool FileWatch::HasEvents(milliseconds timeout) const {
  if (events_ < 0) {
    std::this_thread::sleep_for(timeout);
    return false;
  }
  pollfd waited{.fd = events_, .events = POLLIN, .revents = 0};
  if (poll(&waited, 1, static_cast<int>(timeout.count())) <= 0) return false;
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (read(events_, buffer.data(), buffer.size()) > 0) {
  }
  return true;
}

// As they are when nothing has changed for a while.
std::vector<FileWatch::File> FileWatch::Settled(std::vector<File> now) const {
  const auto end = steady_clock::now() + options_.settle_max;
  while (steady_clock::now() < end) {
    const bool quiet = !HasEvents(options_.settle);
    std::vector<File> later = Look();
    if (quiet && later == now) break;
    now = std::move(later);
  }
  return now;
}

bool FileWatch::Changed() {
  looked_ = steady_clock::now();
  WatchFolders();
  std::vector<File> now = Look();
  if (now == known_) return false;
  known_ = Settled(std::move(now));
  WatchFolders();
  return true;
}

bool FileWatch::Wait(milliseconds timeout) {
  const auto end = steady_clock::now() + timeout;
  while (true) {
    const auto next = looked_ + options_.look_every;
    const auto left = std::chrono::ceil<milliseconds>(std::min(end, next) - steady_clock::now());
    const bool happened = HasEvents(std::max(left, milliseconds(0)));
    if ((happened || steady_clock::now() >= next) && Changed()) return true;
    if (steady_clock::now() >= end) return false;
  }
}

}  // namespace npf::observe
