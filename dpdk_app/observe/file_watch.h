// Tells when files are others than before: written to, replaced by another of their name, gone or
// new, or reached by a link that leads elsewhere, as those of a mounted ConfigMap are.
//
//   inotify on the folders ─► did a file's name, inode, size or time change? ─► all as it was a
//   every 10 s, without it ─►            no: nothing                            moment ago? tell
//
// The folders are watched, not the files: a file that is replaced takes its watch with it. Files
// are compared, not events: what else happens in those folders tells nothing. A file is not told of
// while it still changes, so that a half-written one is rarely read; who replaces it by rename is
// sure.
#ifndef NPF_DPDK_APP_OBSERVE_FILE_WATCH_H_
#define NPF_DPDK_APP_OBSERVE_FILE_WATCH_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace npf::observe {

struct FileWatchOptions {
  std::chrono::milliseconds settle{250};       // how long nothing changes before it is told
  std::chrono::milliseconds settle_max{5000};  // after which it is told all the same
  // Between looks without an event: a file system that others write to has none.
  std::chrono::milliseconds look_every{10'000};
};

class FileWatch {
 public:
  // `paths`: files and directories, by which whoever reads them finds them. `list` gives the files
  // that would be read now.
  FileWatch(std::vector<std::string> paths, std::function<std::vector<std::string>()> list,
            const FileWatchOptions& options = {});
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // True as soon as the files are others than when the watch was made, or than when this was last
  // true; false after `timeout`, or a little later where they are just changing.
  bool Wait(std::chrono::milliseconds timeout);

 private:
  struct File {
    std::string path;
    uint64_t device, inode, size;
    int64_t written_ns, changed_ns;
    bool operator==(const File&) const = default;
  };
  bool Changed();
  std::vector<File> Look() const;
  void WatchFolders() const;
  bool HasEvents(std::chrono::milliseconds timeout) const;
  std::vector<File> Settled(std::vector<File> now) const;

  const std::vector<std::string> paths_;
  const std::function<std::vector<std::string>()> list_;
  const FileWatchOptions options_;
  int events_;  // of inotify; -1 where there is none
  std::vector<File> known_;
  std::chrono::steady_clock::time_point looked_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_FILE_WATCH_H_
