// The log of denied packets: what a line stands for, and that no packet is missing from the count.
#include "observe/deny_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace npf::observe {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kStart = 1'700'000'000 * kSecond;

DenialEvent Event(uint32_t src, uint16_t dst_port, Reason reason = Reason::kPolicy) {
  return {.time_ns = kStart,
          .key = MakeFlowKey(IpAddress::V4(0x0a000000 + src), IpAddress::V4(0x0a010001),
                             kProtocolTcp, dst_port, 40'000),
          .reason = reason,
          .port = 1};
}

DenyLogOptions Options() {
  return {.ports = {"wan", "lan"}, .details = [](const DenialEvent&) {
            return DenialDetails{.src_pod = "shop/web",
                                 .dst_pod = "shop/db",
                                 .policy = "shop/deny",
                                 .why = "ingress of shop/db: isolated by shop/deny",
                                 .egress = true,
                                 .generation = 7};
          }};
}

// Both ends of a pipe or of a pair of sockets; the log has the end that is written.
class Reader {
 public:
  enum class Kind { kPipe, kSocket };
  explicit Reader(Kind kind = Kind::kPipe) {
    if (kind == Kind::kPipe) {
      EXPECT_EQ(pipe(ends_), 0);
    } else {
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    }
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Reader() {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  LineSink Sink() {
    absl::StatusOr<LineSink> sink = LineSink::OfDescriptor(ends_[1]);
    EXPECT_TRUE(sink.ok()) << sink.status();
    return std::move(*sink);
  }
  void StopReading() {
    close(ends_[0]);
    ends_[0] = -1;
  }
  bool WritingWaits() const { return (fcntl(ends_[1], F_GETFL) & O_NONBLOCK) == 0; }
  std::vector<std::string> Lines() {
    char buffer[1 << 16];
    for (ssize_t got; (got = read(ends_[0], buffer, sizeof(buffer))) > 0;) {
      rest_.append(buffer, static_cast<size_t>(got));
    }
    std::vector<std::string> lines;
    for (size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1)) {
      lines.push_back(rest_.substr(0, end));
    }
    return lines;
  }

 private:
  int ends_[2] = {-1, -1};
  std::string rest_;
};

rapidjson::Document Parse(const std::string& line) {
  rapidjson::Document document;
  document.Parse(line.c_str());
  EXPECT_FALSE(document.HasParseError()) << line;
  EXPECT_TRUE(document.IsObject()) << line;
  return document;
}

// Over both kinds of lines.
uint64_t PacketsTold(const std::vector<std::string>& lines) {
  uint64_t sum = 0;
  for (const std::string& line : lines) {
    const rapidjson::Document document = Parse(line);
    sum += document[document.HasMember("packets") ? "packets" : "suppressed"].GetUint64();
  }
  return sum;
}

TEST(ObserveDenyLog, ALineIsAsTheSchemaHasIt) {
  Reader reader;
  DenyLog log(Options(), reader.Sink());
  DenialEvent event = Event(1, 5432);
  event.reply = true;
  log.Add({&event, 1});
  log.Flush(kStart);
  const auto lines = reader.Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0],
            R"({"verdict":"deny","reason":"policy","egress":"allow","ingress":"deny",)"
            R"("time":"1700000000.000000000","src":"10.0.0.1","dst":"10.1.0.1",)"
            R"("src_pod":"shop/web","dst_pod":"shop/db","proto":"TCP","src_port":40000,)"
            R"("dst_port":5432,"reply":true,"generation":7,"policy":"shop/deny",)"
            R"("message":"ingress of shop/db: isolated by shop/deny","port":"lan","packets":1})");

  std::ifstream file(NPF_SOURCE_DIR "/docs/verdict.schema.json");
  std::stringstream text;
  text << file.rdbuf();
  const rapidjson::Document schema = Parse(text.str());
  const rapidjson::Document line = Parse(lines[0]);
  for (const auto& member : line.GetObject()) {
    EXPECT_TRUE(schema["properties"].HasMember(member.name)) << member.name.GetString();
  }
  for (const auto& name : schema["required"].GetArray()) {
    EXPECT_TRUE(line.HasMember(name)) << name.GetString();
  }
}

TEST(ObserveDenyLog, EqualDenialsOfOneIntervalAreOneLine) {
  Reader reader;
  DenyLog log(Options(), reader.Sink());
  log.Tick(kStart);
  std::vector<DenialEvent> events(5, Event(1, 80));
  events[3].key.src_port = 7;  // is no part of what is aggregated
  events.push_back(Event(1, 81));
  events.push_back(Event(2, 80));
  events.push_back(Event(1, 80, Reason::kNoState));
  log.Add(events);
  log.Tick(kStart + kSecond / 2);
  EXPECT_TRUE(reader.Lines().empty()) << "the interval is not over";
  log.Tick(kStart + kSecond);
  const auto lines = reader.Lines();
  EXPECT_EQ(lines.size(), 4u);
  EXPECT_EQ(Parse(lines[0])["packets"].GetUint64(), 5u);
  log.Add({events.data(), 1});
  log.Tick(kStart + 2 * kSecond);
  EXPECT_EQ(PacketsTold(reader.Lines()), 1u) << "the next interval begins anew";
}

TEST(ObserveDenyLog, NoMoreLinesASecondThanAskedForAndTheRestIsToldExactly) {
  Reader reader;
  DenyLogOptions options = Options();
  options.lines_per_second = 10;
  DenyLog log(options, reader.Sink());
  std::vector<DenialEvent> events;
  for (uint32_t i = 0; i < 1'000; ++i) events.push_back(Event(i, 80));
  log.Add(events);
  log.CountLost(50);
  log.Flush(kStart);
  const auto lines = reader.Lines();
  EXPECT_EQ(lines.size(), 11u);
  EXPECT_EQ(lines.back(), R"({"time":"1700000000.000000000","suppressed":1040})");
  EXPECT_EQ(PacketsTold(lines), 1'050u);
  EXPECT_EQ(log.suppressed(), 1'040u);
  log.Flush(kStart + kSecond);
  EXPECT_TRUE(reader.Lines().empty()) << "it is told once";
}

TEST(ObserveDenyLog, AFloodForOneReasonDoesNotHideAnother) {
  Reader reader;
  DenyLogOptions options = Options();
  options.lines_per_second = 10;
  DenyLog log(options, reader.Sink());
  std::vector<DenialEvent> events;
  for (uint32_t i = 0; i < 1'000; ++i) events.push_back(Event(i, 80, Reason::kPolicy));
  events.push_back(Event(1, 80, Reason::kSctpTag));
  log.Add(events);
  log.Flush(kStart);
  const auto lines = reader.Lines();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("\"sctp_tag\"") != std::string::npos;
  }));
}

class ObserveDenyLogFull : public testing::TestWithParam<Reader::Kind> {};

TEST_P(ObserveDenyLogFull, AFullPipeNeitherBlocksNorLosesCount) {
  Reader reader(GetParam());
  DenyLogOptions options = Options();
  options.lines_per_second = 5'000;
  uint64_t asked = 0;
  options.details = [&](const DenialEvent&) {
    ++asked;
    return DenialDetails{.why = std::string(500, 'x')};
  };
  DenyLog log(options, reader.Sink());
  EXPECT_TRUE(reader.WritingWaits()) << "the flags of the one who gave it stay as they were";
  std::vector<DenialEvent> events;
  for (uint32_t i = 0; i < 5'000; ++i) events.push_back(Event(i, 80));
  log.Add(events);
  log.Flush(kStart);  // would never return, if it waited: nobody reads
  EXPECT_GT(log.suppressed(), 1'000u);
  auto lines = reader.Lines();
  log.Flush(kStart + kSecond);  // now there is room
  for (std::string& line : reader.Lines()) lines.push_back(line);
  EXPECT_EQ(PacketsTold(lines), 5'000u);
  EXPECT_EQ(asked, 5'000u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ObserveDenyLogFull,
                         testing::Values(Reader::Kind::kPipe, Reader::Kind::kSocket));

TEST_P(ObserveDenyLogFull, AReaderThatIsGoneEndsNothing) {
  Reader reader(GetParam());
  DenyLog log(Options(), reader.Sink());
  reader.StopReading();
  const DenialEvent event = Event(1, 80);
  log.Add({&event, 1});
  log.Flush(kStart);
  EXPECT_EQ(log.suppressed(), 1u);
}

TEST(ObserveDenyLog, NamesCannotForgeLinesNorMoveACursor) {
  Reader reader;
  DenyLogOptions options = Options();
  options.details = [](const DenialEvent&) {
    return DenialDetails{.src_pod = "a\n{\"verdict\":\"allow\"}\x1b[2J",
                         .dst_pod =
                             "b\xc2\x9b"
                             "31m\xff",
                         .policy = std::string(10'000, '\x01'),
                         .why = std::string(10'000, 'w')};
  };
  DenyLog log(options, reader.Sink());
  const DenialEvent event = Event(1, 80);
  log.Add({&event, 1});
  log.Flush(kStart);
  const auto lines = reader.Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LT(lines[0].size(), 4'096u);
  EXPECT_TRUE(std::all_of(lines[0].begin(), lines[0].end(),
                          [](char c) { return static_cast<uint8_t>(c) >= 0x20 && c != 0x7f; }));
  EXPECT_EQ(lines[0].find("\xc2\x9b"), std::string::npos);
  EXPECT_STREQ(Parse(lines[0])["src_pod"].GetString(), "a\n{\"verdict\":\"allow\"}\x1b[2J");
}

TEST(ObserveDenyLog, AFileIsAppendedToAndABadPathIsAnError) {
  const std::string path = testing::TempDir() + "/observe_deny_log.jsonl";
  std::ofstream(path) << "before\n";
  absl::StatusOr<LineSink> sink = LineSink::Open(path);
  ASSERT_TRUE(sink.ok()) << sink.status();
  DenyLog log(Options(), std::move(*sink));
  const DenialEvent event = Event(1, 80);
  log.Add({&event, 1});
  log.Flush(kStart);
  std::ifstream file(path);
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_EQ(line, "before");
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_EQ(Parse(line)["packets"].GetUint64(), 1u);
  EXPECT_FALSE(LineSink::Open("/nowhere/at/all").ok());
  unlink(path.c_str());
}

TEST(ObserveDenyLog, AListenerHasWhatLinesSayAndItsQueueIsBounded) {
  DenyLogOptions options = Options();
  options.lines_per_second = 1'000;
  DenyLog log(options, {});
  const auto listener = log.Subscribe();
  std::vector<DenialEvent> events;
  for (uint32_t i = 0; i < 300; ++i) events.push_back(Event(i, 80));
  log.Add(events);
  log.Flush(kStart);
  for (size_t i = 0; i < DenyLog::Listener::kQueueMax; ++i) {
    const auto packet = listener->Next(0);
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->suppressed, 0u);
    EXPECT_EQ(packet->port, "lan");
    EXPECT_EQ(packet->reason, "policy");
    EXPECT_EQ(packet->src_pod, "shop/web");
    EXPECT_EQ(packet->why, "ingress of shop/db: isolated by shop/deny");
  }
  EXPECT_FALSE(listener->Next(0).has_value());
  log.CountLost(6);
  log.Add({events.data(), 1});
  log.Flush(kStart + kSecond);
  EXPECT_EQ(listener->Next(0)->suppressed, 300 - DenyLog::Listener::kQueueMax + 6);
}

TEST(ObserveDenyLog, ListenersAreBoundedAndLeave) {
  DenyLog log(Options(), {});
  std::vector<std::shared_ptr<DenyLog::Listener>> listeners;
  for (size_t i = 0; i < DenyLog::kListenersMax; ++i) listeners.push_back(log.Subscribe());
  EXPECT_NE(listeners.back(), nullptr);
  EXPECT_EQ(log.Subscribe(), nullptr);
  EXPECT_FALSE(log.Watch([](const control::DeniedPacket*) { return false; }));
  listeners.pop_back();
  EXPECT_NE(log.Subscribe(), nullptr);
}

TEST(ObserveDenyLog, WatchCallsWithoutAPacketToo) {
  DenyLog log(Options(), {});
  size_t packets = 0;
  std::atomic<size_t> empty = 0;
  std::thread watcher([&] {
    EXPECT_TRUE(log.Watch([&](const control::DeniedPacket* packet) {
      packet == nullptr ? ++empty : ++packets;
      return packets == 0;
    }));
  });
  while (empty == 0) std::this_thread::yield();
  const DenialEvent event = Event(1, 80);
  log.Add({&event, 1});
  log.Flush(kStart);
  watcher.join();
  EXPECT_EQ(packets, 1u);
}

}  // namespace
}  // namespace npf::observe
