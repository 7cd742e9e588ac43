#include "observe/deny_log.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <utility>

#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::observe {
namespace {

// With these a line is shorter than PIPE_BUF, so that a pipe takes all of it or nothing. A name is
// "namespace/name", of 63 and 253 bytes.
constexpr size_t kNameBytesMax = 320;
constexpr size_t kWhyBytesMax = 600;
constexpr size_t kEscapedBytesMax = 6;  // of one byte
constexpr uint64_t kWatchWaitNs = 200'000'000;

bool HasAddresses(const FlowKey& key) { return key.family == 4 || key.family == 6; }

// What events of one line have in common, beside the reason.
std::string KeyOf(const DenialEvent& event) {
  const FlowKey& key = event.key;
  std::string out(reinterpret_cast<const char*>(key.src), sizeof(key.src));
  out.append(reinterpret_cast<const char*>(key.dst), sizeof(key.dst));
  const uint16_t port = HasPorts(key.protocol) ? key.dst_port : uint16_t{0};
  for (const int byte : {port >> 8, port & 0xff, int{key.protocol}, int{key.family}}) {
    out += static_cast<char>(byte);
  }
  return out;
}

std::string TimeText(uint64_t ns) {
  char text[40];
  std::snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64, ns / 1'000'000'000,
                ns % 1'000'000'000);
  return text;
}

std::string Cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  bytes_max -= 3;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void AppendText(std::string_view name, std::string_view text, size_t bytes_max, std::string& out) {
  if (text.empty()) return;
  std::string json = tools::JsonString(text.substr(0, bytes_max + 1));
  if (json.size() > bytes_max + 2) {
    const bool is_plain = json.size() == std::min(text.size(), bytes_max + 1) + 2;
    json = tools::JsonString(Cut(text, is_plain ? bytes_max : bytes_max / kEscapedBytesMax));
  }
  out.append(",\"").append(name).append("\":").append(json);
}

void AppendNumber(std::string_view name, uint64_t number, std::string& out) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

void AppendWord(std::string_view name, bool allowed, std::string& out) {
  out.append(",\"").append(name).append(allowed ? "\":\"allow\"" : "\":\"deny\"");
}

}  // namespace

std::optional<control::DeniedPacket> DenyLog::Listener::Next(uint64_t timeout_ns) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [&] { return !queue_.empty(); });
  if (queue_.empty()) return std::nullopt;
  control::DeniedPacket packet = std::move(queue_.front());
  queue_.pop_front();
  return packet;
}

void DenyLog::Listener::Give(const control::DeniedPacket& packet, uint64_t suppressed_before) {
  const std::lock_guard lock(mutex_);
  suppressed_ += suppressed_before - std::exchange(seen_suppressed_, suppressed_before);
  if (queue_.size() >= kQueueMax) {
    suppressed_ += packet.packets;
    return;
  }
  queue_.push_back(packet);
  queue_.back().suppressed = std::exchange(suppressed_, 0);
  arrived_.notify_one();
}

DenyLog::DenyLog(DenyLogOptions options, LineSink sink)
    : options_(std::move(options)), sink_(std::move(sink)) {}

void DenyLog::Add(std::span<const DenialEvent> events) {
  for (const DenialEvent& event : events) AddOne(event);
}

// Of one reason no more lines than a second may have are gathered: a later one could not be
// written.
void DenyLog::AddOne(const DenialEvent& event) {
  Group& group = groups_[event.reason];
  const auto [found, is_new] = group.by_key.try_emplace(KeyOf(event), group.lines.size());
  if (!is_new) {
    ++group.lines[found->second].packets;
    return;
  }
  if (group.lines.size() >= options_.lines_per_second) {
    group.by_key.erase(found);
    Suppress(1);
    return;
  }
  group.lines.push_back({event, 1});
}

void DenyLog::Tick(uint64_t now_ns) {
  const bool clock_went_back = now_ns < interval_began_ns_;
  if (clock_went_back || now_ns - interval_began_ns_ >= options_.interval_ns) Flush(now_ns);
}

// One line of each reason in turn, so that a flood for one reason does not hide the others.
void DenyLog::Flush(uint64_t now_ns) {
  interval_began_ns_ = now_ns;
  size_t left = options_.lines_per_second;
  bool any = true;
  for (size_t turn = 0; any; ++turn) {
    any = false;
    for (const auto& [reason, group] : groups_) {
      if (turn >= group.lines.size()) continue;
      any = true;
      if (left > 0) {
        --left;
        Emit(group.lines[turn]);
      } else {
        Suppress(group.lines[turn].packets);
      }
    }
  }
  groups_.clear();
  TellSuppressed(now_ns);
}

void DenyLog::Emit(const Line& line) {
  const DenialDetails details = options_.details ? options_.details(line.first) : DenialDetails{};
  GiveToListeners(line, details, suppressed());
  if (sink_.is_open() && !sink_.Write(JsonLine(line, details))) Suppress(line.packets);
}

void DenyLog::TellSuppressed(uint64_t now_ns) {
  const uint64_t all = suppressed();
  if (all == told_) return;
  std::string line = "{\"time\":\"" + TimeText(now_ns) + "\"";
  AppendNumber("suppressed", all - told_, line);
  if (sink_.Write(line + "}\n")) told_ = all;
}

std::string DenyLog::PortName(uint32_t port) const {
  return port < options_.ports.size() ? options_.ports[port] : std::to_string(port);
}

std::string DenyLog::JsonLine(const Line& line, const DenialDetails& details) const {
  const FlowKey& key = line.first.key;
  std::string out = "{\"verdict\":\"deny\",\"reason\":\"";
  out.append(Name(line.first.reason)).append("\"");
  AppendWord("egress", details.egress, out);
  AppendWord("ingress", details.ingress, out);
  AppendText("time", TimeText(line.first.time_ns), kNameBytesMax, out);
  if (HasAddresses(key)) {
    AppendText("src", ToString(SourceOf(key)), kNameBytesMax, out);
    AppendText("dst", ToString(DestinationOf(key)), kNameBytesMax, out);
    AppendText("src_pod", details.src_pod, kNameBytesMax, out);
    AppendText("dst_pod", details.dst_pod, kNameBytesMax, out);
    AppendText("proto", tools::ProtocolName(key.protocol), kNameBytesMax, out);
    if (HasPorts(key.protocol) && (key.src_port != 0 || key.dst_port != 0)) {
      AppendNumber("src_port", key.src_port, out);
      AppendNumber("dst_port", key.dst_port, out);
    }
  }
  if (line.first.reply) out += ",\"reply\":true";
  AppendNumber("generation", details.generation, out);
  AppendText("policy", details.policy, kNameBytesMax, out);
  AppendText("message", details.why, kWhyBytesMax, out);
  AppendText("port", PortName(line.first.port), kNameBytesMax, out);
  AppendNumber("packets", line.packets, out);
  return out + "}\n";
}

void DenyLog::GiveToListeners(const Line& line, const DenialDetails& details,
                              uint64_t suppressed_before) {
  const auto listeners = Listeners();
  if (listeners.empty()) return;
  control::DeniedPacket packet;
  packet.time_ns = line.first.time_ns;
  packet.key = line.first.key;
  packet.reason = std::string(Name(line.first.reason));
  packet.port = PortName(line.first.port);
  packet.src_pod = details.src_pod;
  packet.dst_pod = details.dst_pod;
  packet.why = details.why;
  packet.packets = line.packets;
  for (const auto& listener : listeners) listener->Give(packet, suppressed_before);
}

std::vector<std::shared_ptr<DenyLog::Listener>> DenyLog::Listeners() {
  const std::lock_guard lock(listeners_mutex_);
  std::vector<std::shared_ptr<Listener>> out;
  for (const auto& weak : listeners_) {
    if (auto listener = weak.lock()) out.push_back(std::move(listener));
  }
  return out;
}

std::shared_ptr<DenyLog::Listener> DenyLog::Subscribe() {
  const std::lock_guard lock(listeners_mutex_);
  std::erase_if(listeners_, [](const auto& other) { return other.expired(); });
  if (listeners_.size() >= kListenersMax) return nullptr;
  auto listener = std::make_shared<Listener>();
  listener->seen_suppressed_ = suppressed();
  listeners_.push_back(listener);
  return listener;
}

bool DenyLog::Watch(const std::function<bool(const control::DeniedPacket*)>& use) {
  const std::shared_ptr<Listener> listener = Subscribe();
  if (listener == nullptr) return false;
  while (true) {
    const std::optional<control::DeniedPacket> packet = listener->Next(kWatchWaitNs);
    if (!use(packet.has_value() ? &*packet : nullptr)) return true;
  }
}

}  // namespace npf::observe
