// The captures of the reference data: every one is read to its end or refused by name, every packet
// is parsed, and where a cluster belongs to a capture, the engine's stateless verdict on each
// packet is the reference evaluator's on the same tuple.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "capture/capture.h"
#include "npf/compiler.h"
#include "npf/worker.h"
#include "reference/evaluator.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<std::string> SplitCsv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::vector<Row> ReadIndex(const std::filesystem::path& path) {
  std::istringstream text(ReadFile(path));
  std::string line;
  std::getline(text, line);
  const std::vector<std::string> header = SplitCsv(line);
  std::vector<Row> rows;
  while (std::getline(text, line)) {
    const std::vector<std::string> fields = SplitCsv(line);
    Row& row = rows.emplace_back();
    for (size_t i = 0; i < std::min(header.size(), fields.size()); ++i) row[header[i]] = fields[i];
  }
  return rows;
}

// What the reader refuses, and says so: link types and versions that it does not read, and records
// whose lengths contradict the file or themselves.
bool IsRefusalByName(const std::string& error) {
  return error.starts_with("link type ") || error.starts_with("pcap version ") ||
         (error.starts_with("packet ") && error.find("captured length ") != std::string::npos);
}

struct Totals {
  size_t files = 0;
  size_t refused = 0;
  size_t packets = 0;
  std::array<size_t, 3> outcomes{};
};

// Reads and parses all of one file; returns the error, if any.
std::string ReadCapture(const std::filesystem::path& path, uint64_t& packets, Totals& totals) {
  auto reader = capture::OpenCapture(path.string());
  if (!reader.ok()) return std::string(reader.status().message());
  capture::CapturePacket packet;
  while (true) {
    const auto more = (*reader)->Next(packet);
    packets = (*reader)->counts().packets;
    if (!more.ok()) return std::string(more.status().message());
    if (!*more) return "";
    const std::vector<uint8_t> exact(packet.data.begin(), packet.data.end());
    const ParsedPacket parsed = ParsePacket({.data = exact.data(),
                                             .length = static_cast<uint32_t>(exact.size()),
                                             .wire_length = packet.wire_length},
                                            {.link = packet.link});
    ++totals.outcomes[static_cast<size_t>(parsed.outcome)];
  }
}

TEST(TracesTest, EveryCaptureIsReadToItsEndOrRefusedByName) {
  NPF_SHARED_OR_SKIP(shared);
  const std::vector<Row> rows = ReadIndex(shared / "traces" / "INDEX.csv");
  ASSERT_GT(rows.size(), 400u);
  Totals totals;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.at("file"));
    uint64_t packets = 0;
    const std::string error = ReadCapture(shared / "traces" / row.at("file"), packets, totals);
    ++totals.files;
    totals.packets += packets;
    const uint64_t indexed = std::stoull(row.at("packets"));
    if (error.empty()) {
      EXPECT_EQ(packets, indexed);
    } else if (packets == indexed && row.at("file_truncated") == "1") {
      // What the file was cut off in is no packet.
      EXPECT_EQ(error.substr(0, 7), "packet ");
    } else {
      ++totals.refused;
      EXPECT_TRUE(IsRefusalByName(error)) << error;
      EXPECT_LE(packets, indexed);
      std::printf("refused: %s: %s\n", row.at("file").c_str(), error.c_str());
    }
  }
  std::printf("%zu captures, %zu refused; %zu packets: %zu to judge, %zu pass, %zu denied\n",
              totals.files, totals.refused, totals.packets, totals.outcomes[0], totals.outcomes[1],
              totals.outcomes[2]);
  EXPECT_LT(totals.refused * 10, totals.files);
  EXPECT_GT(totals.outcomes[0] * 10, totals.packets * 8);
}

std::filesystem::path FindCapture(const std::filesystem::path& traces, const std::string& name) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(traces)) {
    const std::filesystem::path& path = entry.path();
    const std::string extension = path.extension().string();
    if (path.stem() == name && (extension == ".pcap" || extension == ".pcapng")) return path;
  }
  return {};
}

// The evaluator's answers, each question asked once.
class Answers {
 public:
  explicit Answers(const Snapshot& snapshot) : evaluator_(snapshot) {}

  const reference::Answer& Of(FlowKey key) {
    key.src_port = 0;
    std::string name(sizeof(key), '\0');
    std::memcpy(name.data(), &key, sizeof(key));
    const auto [found, is_new] = answers_.try_emplace(name);
    if (is_new) {
      found->second = evaluator_.Evaluate({.src = SourceOf(key),
                                           .dst = DestinationOf(key),
                                           .protocol = key.protocol,
                                           .dst_port = key.dst_port});
    }
    return found->second;
  }
  size_t size() const { return answers_.size(); }

 private:
  reference::Evaluator evaluator_;
  std::map<std::string, reference::Answer> answers_;
};

struct Compared {
  size_t packets = 0;
  size_t allowed = 0;
  size_t tuples = 0;
};

void ExpectSame(const Judgement& judgement, const reference::Answer& answer, uint64_t number) {
  const Verdict& verdict = judgement.verdict;
  EXPECT_EQ(verdict.allowed != 0, answer.allowed) << "packet " << number;
  EXPECT_EQ((verdict.directions & kIngressAllowed) != 0, answer.ingress.allowed) << number;
  EXPECT_EQ((verdict.directions & kEgressAllowed) != 0, answer.egress.allowed) << number;
  const bool early_fragment = judgement.packet.later_fragment && !answer.allowed;
  const Reason reason = early_fragment ? Reason::kFragmentNoFirst : answer.reason;
  EXPECT_EQ(Name(static_cast<Reason>(verdict.reason)), Name(reason)) << "packet " << number;
}

// Up to the record that is refused, where there is one.
Compared Compare(const std::filesystem::path& trace, const Snapshot& snapshot) {
  Compared compared;
  absl::StatusOr<Program> program = Compile(snapshot);
  EXPECT_TRUE(program.ok()) << program.status();
  auto reader = capture::OpenCapture(trace.string());
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!program.ok() || !reader.ok()) return compared;
  Worker worker(*program, {.checksums = Checksums::kIgnore, .stateless = true});
  Answers answers(snapshot);
  capture::CapturePacket packet;
  absl::StatusOr<bool> more = false;
  while ((more = (*reader)->Next(packet)).ok() && *more && !::testing::Test::HasFailure()) {
    const Frame frame{.packet = {.data = packet.data.data(),
                                 .length = static_cast<uint32_t>(packet.data.size()),
                                 .wire_length = packet.wire_length},
                      .link = packet.link};
    Judgement judgement;
    worker.Process({&frame, 1}, packet.time_ns, {&judgement, 1});
    if (judgement.packet.outcome != ParseOutcome::kJudge) continue;
    ExpectSame(judgement, answers.Of(judgement.packet.key), packet.number);
    ++compared.packets;
    compared.allowed += judgement.verdict.allowed;
  }
  compared.tuples = answers.size();
  return compared;
}

TEST(TracesTest, StatelessVerdictsAreTheReferenceEvaluators) {
  NPF_SHARED_OR_SKIP(shared);
  Compared total;
  size_t clusters = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shared / "traces" / "clusters")) {
    const std::string file = entry.path().filename().string();
    const std::string name = file.substr(0, file.find(".cluster.yaml"));
    SCOPED_TRACE(name);
    const std::filesystem::path trace = FindCapture(shared / "traces", name);
    ASSERT_FALSE(trace.empty());
    const absl::StatusOr<Snapshot> snapshot = LoadSnapshot({entry.path()});
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    const Compared compared = Compare(trace, *snapshot);
    ASSERT_FALSE(HasFailure());
    ++clusters;
    total.packets += compared.packets;
    total.allowed += compared.allowed;
    total.tuples += compared.tuples;
  }
  std::printf(
      "%zu clusters, %zu packets of %zu tuples, %zu allowed: as the reference evaluator says\n",
      clusters, total.packets, total.tuples, total.allowed);
  EXPECT_GT(clusters, 30u);
  EXPECT_GT(total.packets, 50'000u);
}

}  // namespace
}  // namespace npf::testing
