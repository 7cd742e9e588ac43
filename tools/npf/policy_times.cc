#include "npf/policy_times.h"

#include <algorithm>
#include <map>
#include <utility>

#include "gaps/flow_fields.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/path_list.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

std::pair<uint64_t, std::vector<std::string>> ParseTimedUpdate(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string_view when = std::string_view(text).substr(0, equals);
  std::optional<uint64_t> time_ns = gaps::ParseTimeNs(when);
  if (const auto seconds = ParseNumber(when, UINT32_MAX)) time_ns = *seconds * kSecondNs;
  if (equals == std::string::npos || !time_ns.has_value() || *time_ns == 0) {
    throw BadUsage(
        "--update: needs TIME=PATH,PATH with a time such as 2026-01-31T12:00:00Z, or seconds since "
        "1970 (" +
        EscapeForMessage(text) + ")");
  }
  return {*time_ns, SplitPaths("--update", std::string_view(text).substr(equals + 1))};
}

}  // namespace

PolicyPhase::PolicyPhase(uint64_t begin_ns, Snapshot snapshot, Program program)
    : begin_ns_(begin_ns),
      snapshot_(std::move(snapshot)),
      program_(std::move(program)),
      names_(snapshot_),
      places_(snapshot_) {}

std::vector<const Pod*> PolicyPhase::PodsThatBegin(std::string_view ns, std::string_view prefix,
                                                   size_t max) const {
  const std::vector<Pod>& pods = snapshot_.pods();
  const std::pair<std::string_view, std::string_view> from(ns, prefix);
  auto pod = std::lower_bound(pods.begin(), pods.end(), from, [](const Pod& a, const auto& b) {
    return std::pair<std::string_view, std::string_view>(a.ns, a.name) < b;
  });
  std::vector<const Pod*> found;
  for (; pod != pods.end() && pod->ns == ns && pod->name.starts_with(prefix); ++pod) {
    if (HasPodAddresses(*pod)) found.push_back(&*pod);
    if (found.size() > max) break;
  }
  return found;
}

const Pod* PolicyPhase::FindPod(std::string_view ns, std::string_view name) const {
  const std::vector<const Pod*> found = PodsThatBegin(ns, name, 0);
  return !found.empty() && found.front()->name == name ? found.front() : nullptr;
}

bool PolicyPhase::HasNode(std::string_view name) const {
  const auto is_node = [name](const Node& node) { return node.name == name; };
  const auto is_on = [name](const Pod& pod) { return pod.node_name == name; };
  return std::any_of(snapshot_.nodes().begin(), snapshot_.nodes().end(), is_node) ||
         std::any_of(snapshot_.pods().begin(), snapshot_.pods().end(), is_on);
}

std::unique_ptr<PolicyTimes> PolicyTimes::Load(const InputFlags& input,
                                               const std::vector<std::string>& updates,
                                               uint64_t grace_ns, int& exit_status) {
  std::map<uint64_t, std::vector<std::string>> paths{{0, input.paths}};
  for (const std::string& update : updates) {
    auto [time_ns, of_update] = ParseTimedUpdate(update);
    if (!paths.emplace(time_ns, std::move(of_update)).second) {
      throw BadUsage("--update: names a time twice (" + EscapeForMessage(update) + ")");
    }
  }
  std::unique_ptr<PolicyTimes> times(new PolicyTimes(grace_ns));
  for (auto& [time_ns, of_time] : paths) {
    InputFlags flags = input;
    flags.paths = std::move(of_time);
    CompiledInput compiled = CompileInput(flags);
    if (!compiled.program.has_value()) {
      exit_status = compiled.exit_status;
      return nullptr;
    }
    times->phases_.emplace_back(time_ns, *compiled.input.snapshot, *compiled.program);
  }
  return times;
}

size_t PolicyTimes::IndexAt(uint64_t time_ns) const {
  size_t index = phases_.size() - 1;
  while (index > 0 && phases_[index].begin_ns() > time_ns) --index;
  return index;
}

const PolicyPhase& PolicyTimes::At(uint64_t time_ns) const { return phases_[IndexAt(time_ns)]; }

std::span<const PolicyPhase> PolicyTimes::During(uint64_t first_ns, uint64_t last_ns) const {
  const size_t begin = IndexAt(first_ns < grace_ns_ ? 0 : first_ns - grace_ns_);
  const size_t end = IndexAt(last_ns) + 1;
  return std::span(phases_).subspan(begin, end - begin);
}

}  // namespace npf::tools
