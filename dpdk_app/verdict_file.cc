#include "verdict_file.h"

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "npf/replay_record.h"

namespace npf::appliance {
namespace {

class VerdictFile : public VerdictSink {
 public:
  VerdictFile(std::FILE* file, tools::AddressNames names) : file_(file), names_(std::move(names)) {}
  ~VerdictFile() override { std::fclose(file_); }
  VerdictFile(const VerdictFile&) = delete;
  VerdictFile& operator=(const VerdictFile&) = delete;

  void Tell(const Judgement& judgement, uint32_t wire_length, uint64_t now_ns) override {
    const std::lock_guard lock(mutex_);
    line_.clear();
    tools::AppendJsonLine({.number = ++number_,
                           .stamp_ns = now_ns,
                           .wire_length = wire_length,
                           .judgement = judgement},
                          names_, "", line_);
    std::fwrite(line_.data(), 1, line_.size(), file_);
  }

 private:
  std::FILE* file_;
  tools::AddressNames names_;
  std::mutex mutex_;
  uint64_t number_ = 0;
  std::string line_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VerdictSink>> OpenVerdictFile(const std::string& path,
                                                             const tools::AddressNames& names) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return absl::ErrnoToStatus(errno, path);
  return std::make_unique<VerdictFile>(file, names);
}

}  // namespace npf::appliance
