#include "appliance.h"

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random_bits.h"
#include "bindings.h"
#include "npf/explain.h"
#include "npf/image.h"
#include "npf/output.h"
#include "npf/version.h"
#include "npf/why.h"
#include "observe/privileges.h"
#include "verdict_file.h"

namespace npf::appliance {
namespace {

constexpr unsigned kDenialsMax = 1 << 16;
constexpr unsigned kSeenMax = 1 << 12;
// In which every worker takes a new Program.
constexpr uint64_t kTakeTimeoutNs = 5 * kSecondNs;

struct Running {
  WireWorker* worker;
  const std::atomic<bool>* stop;
};

std::string ImagePath(const Options& options) { return options.state_dir + "/policy.image"; }

bool IsOurs(const Options& options, const struct stat& info) {
  const bool by_us =
      info.st_uid == geteuid() || observe::UidOf(options.user) == std::optional(info.st_uid);
  return S_ISREG(info.st_mode) && by_us && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Of --user where it is given, for the policy is kept after root has been given up.
absl::Status MakeFolders(const Options& options) {
  for (const std::string& folder : {options.state_dir, options.flows_dir}) {
    if (folder.empty()) continue;
    if (absl::Status status = observe::MakeFolder(folder, 0700, options.user); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// Whoever loads by the socket is told there.
void TellWarnings(const Policy& policy) {
  constexpr size_t kToldMax = 50;
  const std::vector<std::string>& warnings = policy.warnings;
  for (size_t i = 0; i < std::min(warnings.size(), kToldMax); ++i) tools::PrintError(warnings[i]);
  if (warnings.size() <= kToldMax) return;
  tools::PrintError(absl::StrCat("... and ", warnings.size() - kToldMax, " more warnings"));
}

int RunWorker(void* argument) {
  auto* running = static_cast<Running*>(argument);
  running->worker->Run(*running->stop);
  delete running;
  return 0;
}

}  // namespace

Appliance::~Appliance() {
  Stop();
  workers_.clear();
  rte_ring_free(denials_);
  rte_ring_free(seen_);
}

absl::StatusOr<PolicyPtr> Appliance::ReadAgain() const {
  if (!options_.image.empty()) return ReadPolicyImage(options_.image);
  return ReadPolicy(options_.input, {}, options_.allow_all);
}

// An image is mapped in a moment, where many objects take seconds to read and compile.
absl::StatusOr<PolicyPtr> Appliance::ReadFirst() {
  PolicyPtr last = ReadLastGood();
  if (last == nullptr) {
    absl::StatusOr<PolicyPtr> policy = ReadAgain();
    return policy.ok() || !options_.fail_open ? policy : OpenToAll(policy.status());
  }
  tools::PrintError("the last good policy decides: " + last->source);
  has_unread_files_.store(true);
  return last;
}

// What a cluster without objects is: everything is allowed.
absl::StatusOr<PolicyPtr> Appliance::OpenToAll(const absl::Status& why) {
  absl::StatusOr<PolicyPtr> policy = ReadPolicy({}, {}, true);
  if (!policy.ok()) return policy;
  last_refusal_ = std::string(why.message());
  tools::PrintError(last_refusal_);
  tools::PrintError("WARNING: --fail-open: NO POLICY IS ENFORCED; everything passes until one is");
  failing_open_.store(true);
  return policy;
}

// Of a file that somebody else could have written, nothing is believed.
PolicyPtr Appliance::ReadLastGood() const {
  if (options_.state_dir.empty()) return nullptr;
  const std::string path = ImagePath(options_);
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return nullptr;
  absl::StatusOr<PolicyPtr> last = absl::PermissionDeniedError(
      path + ": is not a file that this user, and nobody else, can write");
  if (IsOurs(options_, info)) last = ReadPolicyImage(path);
  if (last.ok()) return *std::move(last);
  tools::PrintError(absl::StrCat("the last good policy is not used: ", last.status().message()));
  return nullptr;
}

absl::StatusOr<Appliance::Current> Appliance::MakeCurrent(PolicyPtr policy) const {
  Current current{.policy = std::move(policy), .since_ns = MonotonicNs()};
  if (current.policy->snapshot.has_value()) {
    absl::StatusOr<std::unique_ptr<const SourceBindings>> sources =
        BindSources(options_, ports_.all(), *current.policy->snapshot);
    if (!sources.ok()) return sources.status();
    current.sources = *std::move(sources);
  }
  for (uint32_t i = 0; i < options_.workers; ++i) {
    current.decisions.push_back(std::make_unique<DecisionCounts>());
    current.deliveries.push_back(std::make_unique<Delivery>(
        Delivery{current.policy->program, current.decisions.back().get(), current.sources.get()}));
  }
  return current;
}

absl::Status Appliance::Open() {
  opened_ns_ = MonotonicNs();
  if (absl::Status status = MakeFolders(options_); !status.ok()) return status;
  absl::StatusOr<PolicyPtr> first = ReadFirst();
  if (!first.ok()) return first.status();
  if (absl::Status status = ports_.Open(options_); !status.ok()) return status;
  TellWarnings(**first);
  absl::StatusOr<Current> current = MakeCurrent(*std::move(first));
  if (!current.ok()) return current.status();
  current_ = *std::move(current);
  if (!has_unread_files() && !failing_open()) KeepImage(*current_.policy);
  denials_ =
      rte_ring_create_elem("denials", sizeof(Denial), kDenialsMax, SOCKET_ID_ANY, RING_F_SC_DEQ);
  seen_ = rte_ring_create_elem("seen", sizeof(Seen), kSeenMax, SOCKET_ID_ANY, RING_F_SC_DEQ);
  if (denials_ == nullptr || seen_ == nullptr) {
    return absl::ResourceExhaustedError("no memory for rings; give more with -m before --");
  }
  return MakeWorkers();
}

absl::Status Appliance::MakeWorkers() {
  unsigned lcore;
  RTE_LCORE_FOREACH_WORKER(lcore) lcores_.push_back(lcore);
  if (lcores_.size() < options_.workers) {
    return absl::InvalidArgumentError(
        absl::StrCat("--workers ", options_.workers, ": EAL has ", lcores_.size(),
                     " lcores beside the main one; give one more than there are workers, as -l 0-",
                     options_.workers, " or --lcores '0@0,1@0' where they share a processor"));
  }
  if (!options_.verdicts.empty()) {
    absl::StatusOr<std::unique_ptr<VerdictSink>> sink =
        OpenVerdictFile(options_.verdicts, current_.policy->names);
    if (!sink.ok()) return sink.status();
    sink_ = *std::move(sink);
  }
  const absl::StatusOr<uint64_t> secret = OwnerSecret();
  if (!secret.ok()) return secret.status();
  const WireShared shared{.ports = ports_.all(),
                          .receive_queues = ports_.receive_queues(),
                          .workers = options_.workers,
                          .owner_secret = *secret,
                          .mode = options_.mode,
                          .packet_clock = options_.packet_clock,
                          .opaque_pass = !options_.worker.opaque_deny,
                          .reject = options_.reject && options_.mode == Mode::kEnforce,
                          .pool = ports_.pool(),
                          .denials = denials_,
                          .seen = seen_,
                          .sink = sink_.get()};
  std::vector<rte_ring*> inboxes;
  for (uint32_t i = 0; i < options_.workers; ++i) {
    if (absl::Status status = MakeWorker(i, shared); !status.ok()) return status;
    inboxes.push_back(workers_.back()->inbox());
  }
  for (const std::unique_ptr<WireWorker>& worker : workers_) worker->SetInboxes(inboxes);
  return absl::OkStatus();
}

// To whom a packet belongs must not change where connections are taken over.
absl::StatusOr<uint64_t> Appliance::OwnerSecret() const {
  const std::optional<uint64_t> fresh = TryRandomBits();
  if (!fresh.has_value()) {
    return absl::UnavailableError(
        "the kernel gives no random numbers (getrandom), without which senders can aim at hashes");
  }
  if (options_.flows_dir.empty()) return *fresh;
  const std::string path = options_.flows_dir + "/owner";
  uint64_t secret = 0;
  if (const absl::StatusOr<MappedFile> kept = MappedFile::Open(path);
      kept.ok() && kept->bytes().size() == sizeof secret) {
    std::memcpy(&secret, kept->bytes().data(), sizeof secret);
    return secret;
  }
  const absl::StatusOr<MappedFile> made = MappedFile::Create(path, sizeof secret);
  if (!made.ok()) return made.status();
  std::memcpy(made->bytes().data(), &*fresh, sizeof *fresh);
  if (const absl::Status status = made->Rename(); !status.ok()) return status;
  return *fresh;
}

// What the process before knew stays where it is until it has been taken over.
absl::Status Appliance::MakeWorker(uint32_t number, const WireShared& shared) {
  WorkerOptions worker_options = options_.worker;
  worker_options.sources = current_.sources.get();
  const bool kept = !options_.flows_dir.empty() && !worker_options.stateless;
  const std::string path =
      absl::StrCat(options_.flows_dir, "/flows.", number, "-of-", options_.workers);
  if (kept) {
    absl::StatusOr<MappedFile> memory =
        MappedFile::Create(path, Worker::FlowsBytes(worker_options.flows_max));
    if (!memory.ok()) return memory.status();
    worker_options.flows_memory = memory->bytes();
    flow_memory_.push_back(*std::move(memory));
  }
  workers_.push_back(std::make_unique<WireWorker>(
      number, shared, current_.policy->program, current_.decisions[number].get(), worker_options));
  if (!kept) return absl::OkStatus();
  if (const absl::StatusOr<MappedFile> old = MappedFile::Open(path); old.ok()) {
    const TakenOver taken = workers_.back()->Adopt(old->bytes(), MonotonicNs());
    tools::PrintError(
        taken.problem.empty()
            ? absl::StrCat("took over ", taken.connections, " connections; ", taken.refused,
                           " were not sound, or over")
            : absl::StrCat("took over no connections: ", path, ": ", std::string(taken.problem)));
  }
  return flow_memory_.back().Rename();
}

absl::Status Appliance::Start() {
  if (absl::Status status = ports_.Start(); !status.ok()) return status;
  started_ = true;
  started_ns_ = MonotonicNs();
  for (uint32_t i = 0; i < options_.workers; ++i) {
    rte_eal_remote_launch(RunWorker, new Running{workers_[i].get(), &stop_}, lcores_[i]);
  }
  rollback_ = std::thread([this] { RollBackWhenDue(); });
  return absl::OkStatus();
}

void Appliance::Stop() {
  if (!started_) return;
  {
    const std::lock_guard lock(mutex_);
    stop_.store(true);
  }
  wake_.notify_all();
  rollback_.join();
  for (uint32_t i = 0; i < options_.workers; ++i) rte_eal_wait_lcore(lcores_[i]);
  ports_.Stop();
  sink_.reset();
  started_ = false;
}

// The workers take the Program between two bursts. The one before is kept until all have, so that
// none of them frees it.
absl::Status Appliance::Publish(PolicyPtr policy) {
  absl::StatusOr<Current> made = MakeCurrent(std::move(policy));
  if (!made.ok()) return made.status();
  Current next = *std::move(made);
  const uint32_t generation = workers_[0]->counters().generation.load() + 1;
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->Deliver(next.deliveries[i].get());
  const absl::Status taken = WaitUntilTaken(generation, kTakeTimeoutNs);
  const std::lock_guard lock(mutex_);
  // A worker that hangs may still take it: both stay where they are, and the watchdog ends all.
  if (!taken.ok()) {
    static auto& kept = *new std::deque<Current>;
    kept.push_back(std::move(next));
    return taken;
  }
  failing_open_.store(false);
  std::swap(current_, next);
  Fold(next, totals_);
  KeepImage(*current_.policy);
  return absl::OkStatus();
}

absl::Status Appliance::WaitUntilTaken(uint32_t generation, uint64_t timeout_ns) const {
  const uint64_t end_ns = MonotonicNs() + timeout_ns;
  const auto taken = [&] {
    return std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
      return static_cast<int32_t>(worker->counters().generation.load() - generation) >= 0;
    });
  };
  while (!taken()) {
    if (MonotonicNs() > end_ns) {
      return absl::DeadlineExceededError(
          absl::StrCat("generation ", generation, " does not decide in every worker yet"));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return absl::OkStatus();
}

absl::Status Appliance::Reload() {
  const std::lock_guard publishing(publishing_);
  absl::StatusOr<PolicyPtr> policy = ReadAgain();
  has_unread_files_.store(false);
  absl::Status status = policy.status();
  // What is the same already decides; but an image knows no names, and the objects do.
  const PolicyPtr current = this->policy();
  const bool same = status.ok() && (*policy)->hash == current->hash &&
                    (*policy)->snapshot.has_value() == current->snapshot.has_value();
  if (status.ok()) TellWarnings(**policy);
  if (status.ok() && !same) status = Publish(*std::move(policy));
  const std::lock_guard lock(mutex_);
  last_refusal_ = status.ok() ? "" : std::string(status.message());
  if (status.ok()) before_ = nullptr;  // whoever loads for good confirms what came before
  return status;
}

void Appliance::KeepImage(const Policy& policy) const {
  if (options_.state_dir.empty()) return;
  const absl::Status saved = SaveImage(policy.program, ImagePath(options_), 0600);
  if (!saved.ok()) tools::PrintError(absl::StrCat("the policy is not kept: ", saved.message()));
}

void Appliance::RollBackWhenDue() {
  std::unique_lock lock(mutex_);
  while (!stop_.load()) {
    wake_.wait_for(lock, std::chrono::milliseconds(100));
    if (before_ == nullptr || MonotonicNs() < confirm_until_ns_) continue;
    PolicyPtr before = std::exchange(before_, nullptr);
    last_refusal_ = absl::StrCat("generation ", unconfirmed_, " was not confirmed in time");
    tools::PrintError(last_refusal_ + ": the policy before it decides again");
    lock.unlock();
    {
      const std::lock_guard publishing(publishing_);
      if (absl::Status status = Publish(std::move(before)); !status.ok()) {
        tools::PrintError(std::string(status.message()));
      }
    }
    lock.lock();
  }
}

size_t Appliance::TakeDenials(std::span<Denial> denials) {
  return rte_ring_sc_dequeue_burst_elem(denials_, denials.data(), sizeof(Denial),
                                        static_cast<unsigned>(denials.size()), nullptr);
}

size_t Appliance::TakeSeen(std::span<Seen> seen) {
  return rte_ring_sc_dequeue_burst_elem(seen_, seen.data(), sizeof(Seen),
                                        static_cast<unsigned>(seen.size()), nullptr);
}

PolicyPtr Appliance::policy() const {
  const std::lock_guard lock(mutex_);
  return current_.policy;
}

absl::StatusOr<control::LoadResult> Appliance::Load(const control::LoadRequest& request) {
  const std::lock_guard publishing(publishing_);
  tools::InputFlags input = options_.input;
  input.paths = request.paths;
  absl::StatusOr<PolicyPtr> policy = ReadPolicy(input, request.text, options_.allow_all);
  PolicyPtr before = this->policy();
  absl::Status status = policy.status();
  if (status.ok()) status = Publish(*policy);
  const std::lock_guard lock(mutex_);
  last_refusal_ = status.ok() ? "" : std::string(status.message());
  if (!status.ok()) return status;
  const uint32_t generation = workers_[0]->counters().generation.load();
  // What an unconfirmed change replaced is what comes back, however many were loaded since.
  if (request.confirm_ns != 0) {
    if (before_ == nullptr) before_ = std::move(before);
    unconfirmed_ = generation;
    confirm_until_ns_ = MonotonicNs() + request.confirm_ns;
  } else {
    before_ = nullptr;
  }
  const Policy& loaded = **policy;
  return control::LoadResult{.generation = generation,
                             .policy_hash = loaded.hash,
                             .pods = loaded.pods,
                             .policies = loaded.policies,
                             .compile_ns = loaded.compile_ns,
                             .warnings = loaded.warnings};
}

absl::Status Appliance::Confirm(uint32_t generation) {
  const std::lock_guard lock(mutex_);
  if (before_ == nullptr || unconfirmed_ != generation) {
    return absl::FailedPreconditionError(
        absl::StrCat("generation ", generation, " does not wait to be confirmed"));
  }
  before_ = nullptr;
  return absl::OkStatus();
}

absl::Status Appliance::WaitFor(uint32_t generation, uint64_t timeout_ns) {
  return WaitUntilTaken(generation, timeout_ns);
}

}  // namespace npf::appliance
