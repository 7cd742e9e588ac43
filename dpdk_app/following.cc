#include "following.h"

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "npf/load.h"
#include "npf/output.h"

namespace npf::appliance {
namespace {

// What the policy is read from.
std::vector<std::string> PathsOf(const Options& options) {
  std::vector<std::string> paths = options.input.paths;
  paths.insert(paths.end(), options.input.domains.begin(), options.input.domains.end());
  if (!options.image.empty()) paths.push_back(options.image);
  return paths;
}

std::vector<std::string> FilesOf(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    for (std::string& file : ObjectFiles(path)) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

Following::Following(const Options& options, Appliance& appliance) : appliance_(appliance) {
  if (!options.follow) return;
  const std::vector<std::string> paths = PathsOf(options);
  watch_ = std::make_unique<observe::FileWatch>(paths, [paths] { return FilesOf(paths); });
}

Following::~Following() {
  stop_.store(true);
  if (thread_.joinable()) thread_.join();
}

bool Following::Stop() {
  stop_.store(true);
  if (reads_.load()) return false;
  if (thread_.joinable()) thread_.join();
  return true;
}

void Following::Start(const observe::Notifier& notifier) {
  notifier_ = &notifier;
  if (watch_ != nullptr || appliance_.has_unread_files()) thread_ = std::thread([this] { Run(); });
}

void Following::Run() {
  constexpr std::chrono::milliseconds kStep{200};
  bool changed = appliance_.has_unread_files();
  do {
    reads_.store(true);
    if (changed && !stop_.load()) ReadAgain();
    reads_.store(false);
    changed = watch_ != nullptr && watch_->Wait(kStep);
  } while (watch_ != nullptr && !stop_.load());
}

void Following::ReadAgain() {
  notifier_->Reloading();
  if (const absl::Status status = appliance_.Reload(); status.ok()) {
    tools::PrintError("read again: " + appliance_.policy()->source);
  } else {
    tools::PrintError(std::string(status.message()));
    tools::PrintError("nothing has changed; npf status tells what decides");
  }
  notifier_->Ready("forwarding");
}

}  // namespace npf::appliance
