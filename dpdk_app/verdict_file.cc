#include "verdict_file.h"

#include <cerrno>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "npf/replay_queue.h"
#include "npf/replay_record.h"

namespace npf::appliance {
namespace {

class VerdictFile : public VerdictSink {
 public:
  VerdictFile(std::FILE* file, tools::AddressNames names) : file_(file), names_(std::move(names)) {}
  // What is still held then never becomes whole.
  ~VerdictFile() override {
    for (auto& [worker, queue] : queues_) {
      while (!queue.empty()) {
        if (!queue.ready()) queue.GiveUp(queue.first_ticket());
        Write(queue.TakeFirst());
      }
    }
    std::fclose(file_);
  }
  VerdictFile(const VerdictFile&) = delete;
  VerdictFile& operator=(const VerdictFile&) = delete;

  void Tell(uint32_t worker, const Judgement& judgement, uint32_t wire_length,
            uint64_t now_ns) override {
    const std::lock_guard lock(mutex_);
    tools::JudgedPacket packet{
        .packet = {.number = ++number_, .stamp_ns = now_ns, .wire_length = wire_length},
        .judgement = judgement};
    Queue(worker).Add(std::move(packet));
    WriteReady(worker);
  }

  void Settle(uint32_t worker, const Release& release) override {
    const std::lock_guard lock(mutex_);
    Queue(worker).Settle(release, 0);
    WriteReady(worker);
  }

 private:
  // Of each worker: tickets are its own.
  tools::ReplayQueue& Queue(uint32_t worker) {
    return queues_.try_emplace(worker, tools::ReplayQueue::Limits{}).first->second;
  }
  void WriteReady(uint32_t worker) {
    while (Queue(worker).ready()) Write(Queue(worker).TakeFirst());
  }
  void Write(const tools::JudgedPacket& judged) {
    line_.clear();
    tools::AppendJsonLine({.number = judged.packet.number,
                           .stamp_ns = judged.packet.stamp_ns,
                           .wire_length = judged.packet.wire_length,
                           .judgement = judged.judgement},
                          names_, "", line_);
    std::fwrite(line_.data(), 1, line_.size(), file_);
  }

  std::FILE* file_;
  tools::AddressNames names_;
  std::mutex mutex_;
  uint64_t number_ = 0;
  std::map<uint32_t, tools::ReplayQueue> queues_;
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
