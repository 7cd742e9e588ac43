// Flow logs as they come: many forms, values over lines, and what is wrong with them.
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "gaps/flow_log.h"
#include "gaps/json_stream.h"

namespace npf::gaps {
namespace {

// The text outlives it.
std::unique_ptr<capture::ByteSource> SourceOfText(const std::string& text) {
  return capture::MemorySource({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// What was told, a line each, and what was wrong.
struct Outcome {
  std::vector<std::string> told;
  std::string fault;
  FlowLogCounts counts;
};

std::string TextOf(const Seen& seen) {
  std::string text = std::string(Name(seen.evidence)) + " ";
  if (seen.key.family != 0) {
    text += ToString(SourceOf(seen.key)) + ">" + ToString(DestinationOf(seen.key));
  } else {
    text += seen.names->src.ns + "/" + seen.names->src.name + ">" + seen.names->dst.ns + "/" +
            seen.names->dst.name;
  }
  text += " " + std::to_string(seen.key.protocol);
  if (seen.has_ports) text += ":" + std::to_string(seen.key.dst_port);
  text += " " + std::to_string(seen.packets) + "/" + std::to_string(seen.replies);
  if (seen.opener != Opener::kSeen) text += " unsure";
  if (!seen.names->claim.empty()) text += " (" + seen.names->claim + ")";
  return text;
}

Outcome ReadLog(const std::string& text, size_t connections_max = 100) {
  Outcome outcome;
  FlowLog log(connections_max, [&](const Seen& seen) { outcome.told.push_back(TextOf(seen)); });
  const absl::Status status = log.Read(SourceOfText(text));
  if (!status.ok()) outcome.fault = std::string(status.message());
  log.Finish();
  outcome.counts = log.counts();
  return outcome;
}

// A Hubble event from 10.0.0.1 to 10.0.0.2 in IPv4; `more` are further members, with a comma.
std::string Event(const std::string& l4, const std::string& more, bool back = false,
                  const std::string& verdict = "FORWARDED") {
  const std::string src = back ? "10.0.0.2" : "10.0.0.1";
  const std::string dst = back ? "10.0.0.1" : "10.0.0.2";
  return R"({"flow":{"time":"2026-01-31T12:00:00Z","verdict":")" + verdict +
         R"(","IP":{"source":")" + src + R"(","destination":")" + dst + R"("},"l4":)" + l4 + more +
         "}}\n";
}
std::string Tcp(int from, int to, const std::string& flags) {
  return R"({"TCP":{"source_port":)" + std::to_string(from) + R"(,"destination_port":)" +
         std::to_string(to) + R"(,"flags":{)" + flags + "}}}";
}
const std::string kToEndpoint = R"(,"trace_observation_point":"TO_ENDPOINT")";
const std::string kSynFlag = R"("SYN":true)";
const std::string kSynAckFlags = R"("SYN":true,"ACK":true)";

TEST(FlowLog, HubbleGrades) {
  const std::string syn = Tcp(40000, 80, kSynFlag);
  const auto only = [](const std::string& text) {
    const Outcome outcome = ReadLog(text);
    EXPECT_EQ(outcome.fault, "");
    return outcome.told.size() == 1 ? outcome.told.front() : std::to_string(outcome.told.size());
  };
  const std::string rest = " 10.0.0.1>10.0.0.2 6:80 ";
  EXPECT_EQ(only(Event(syn, R"(,"trace_observation_point":"TO_STACK")")), "unseen" + rest + "1/0");
  EXPECT_EQ(only(Event(syn, kToEndpoint)), "forwarded" + rest + "1/0");
  EXPECT_EQ(only(Event(syn, kToEndpoint) +
                 Event(Tcp(80, 40000, kSynAckFlags), R"(,"is_reply":true)", true)),
            "log_reply" + rest + "2/1");
  EXPECT_EQ(only(Event(syn, "", false, "DROPPED") + Event(syn, "", false, "DROPPED")),
            "log_dropped" + rest + "2/0");
  EXPECT_EQ(only(Event(syn, R"(,"event_type":{"type":5},"traffic_direction":"INGRESS")")),
            "forwarded" + rest + "1/0");
  EXPECT_EQ(only(Event(syn, R"(,"event_type":{"type":5},"traffic_direction":"EGRESS")")),
            "unseen" + rest + "1/0");
  // A reply that is dropped was sent all the same; one that a proxy may have written proves
  // nothing.
  EXPECT_EQ(only(Event(syn, "") +
                 Event(Tcp(80, 40000, kSynAckFlags), R"(,"is_reply":true)", true, "DROPPED")),
            "answer_only" + rest + "2/1");
  EXPECT_EQ(only(Event(syn, "", false, "REDIRECTED") +
                 Event(Tcp(80, 40000, kSynAckFlags), R"(,"is_reply":true)", true)),
            "forwarded" + rest + "2/1");
}

TEST(FlowLog, HubbleRefusals) {
  const std::string syn = Event(Tcp(40000, 80, kSynFlag), kToEndpoint);
  const auto rst = [](const std::string& point) {
    return Event(Tcp(80, 40000, R"("RST":true,"ACK":true)"),
                 R"(,"is_reply":true,"trace_observation_point":")" + point + "\"", true);
  };
  EXPECT_EQ(ReadLog(syn + rst("FROM_ENDPOINT")).told.front(), "refused 10.0.0.1>10.0.0.2 6:80 2/1");
  // In the destination's name, by whomever.
  const std::string syn_sent = Event(Tcp(40000, 80, kSynFlag), "");
  EXPECT_EQ(ReadLog(syn_sent + rst("TO_ENDPOINT")).told.front(),
            "reset 10.0.0.1>10.0.0.2 6:80 2/1");
}

TEST(FlowLog, HubbleDirections) {
  // A reply alone, of a datagram: `is_reply` says which way.
  EXPECT_EQ(ReadLog(Event(R"({"UDP":{"source_port":53,"destination_port":40000}})",
                          R"(,"is_reply":true)"))
                .told.front(),
            "log_reply 10.0.0.2>10.0.0.1 17:53 1/1");
  // Nobody says; ports do, a little.
  const Outcome dropped = ReadLog(
      Event(R"({"UDP":{"source_port":53,"destination_port":40000}})", "", false, "DROPPED"));
  EXPECT_EQ(dropped.told.front(), "unseen 10.0.0.2>10.0.0.1 17:53 1/1 unsure");
  EXPECT_EQ(dropped.counts.unclear, 1u);
  // A guess that a later event corrects takes what it said with it.
  const std::string high = R"({"UDP":{"source_port":40000,"destination_port":53}})";
  EXPECT_EQ(ReadLog(Event(high, kToEndpoint) + Event(high, R"(,"is_reply":true)")).told.front(),
            "log_reply 10.0.0.2>10.0.0.1 17:40000 2/1");
  EXPECT_EQ(ReadLog(Event(high, kToEndpoint) +
                    Event(R"({"UDP":{"source_port":53,"destination_port":40000}})",
                          R"(,"is_reply":false)", true))
                .told.front(),
            "unseen 10.0.0.2>10.0.0.1 17:40000 2/0");
  EXPECT_EQ(ReadLog(Event(R"({"ICMPv4":{"type":8}})", kToEndpoint) +
                    Event(R"({"ICMPv4":{"type":0}})", "", true))
                .told.front(),
            "log_reply 10.0.0.1>10.0.0.2 1 2/1");
}

TEST(FlowLog, OtherValuesOfHubbleAreCounted) {
  const Outcome outcome = ReadLog(
      Event(Tcp(1, 2, ""), R"(,"Type":"L7","l7":{})") +
      R"({"lost_events":{"num_events_lost":"7"}} {"node_status":{}} {"flow":{"verdict":"DROPPED"}})");
  EXPECT_EQ(outcome.fault, "");
  EXPECT_TRUE(outcome.told.empty());
  EXPECT_EQ(outcome.counts.skipped, 4u);
  EXPECT_EQ(outcome.counts.lost, 7u);
}

TEST(FlowLog, GoldmaneInEveryForm) {
  const std::string camel =
      R"({"id":"1","flow":{"Key":{"sourceName":"web-7d4f*","sourceNamespace":"shop","destName":"db",)"
      R"("destNamespace":"shop","destPort":"5432","proto":"tcp","reporter":"Dst","action":"Allow",)"
      R"("policies":{"enforcedPolicies":[{"kind":"NetworkPolicy","namespace":"shop","name":"x",)"
      R"("action":"Pass"},{"kind":"Profile","name":"kns.shop","action":"Allow"}]}},)"
      R"("startTime":"1769860800","endTime":"1769860815","packetsIn":"3","packetsOut":"2",)"
      R"("numConnectionsStarted":"2"}})";
  const std::string snake =
      R"({"start_time":"2026-01-31T12:00:00Z","end_time":"2026-01-31T12:00:15Z","action":"Allow",)"
      R"("source_name":"web-7d4f*","source_namespace":"shop","dest_name":"db",)"
      R"("dest_namespace":"shop","protocol":"tcp","dest_port":5432,"reporter":"Dst",)"
      R"("policies":{"enforced":[{"kind":"Profile","name":"kns.shop","action":"Allow"}],)"
      R"("pending":null},"packets_in":3,"packets_out":2})";
  const std::string wanted =
      "log_reply shop/web-7d4f*>shop/db 6:5432 5/2 (allowed by Profile kns.shop)";
  for (const std::string& text :
       {camel, snake, R"({"meta":{"totalPages":"1"},"flows":[)" + camel + "]}",
        R"({"meta":{},"items":[)" + snake + "]}", "data: " + snake + "\n\n", "\n" + snake}) {
    const Outcome outcome = ReadLog(text);
    EXPECT_EQ(outcome.fault, "") << text;
    ASSERT_EQ(outcome.told.size(), 1u) << text;
    EXPECT_EQ(outcome.told.front(), wanted) << text;
  }
}

TEST(FlowLog, GoldmaneGrades) {
  const auto told = [](const std::string& reporter, const std::string& action, int in, int out) {
    return ReadLog(R"({"start_time":"1","end_time":"2","action":")" + action +
                   R"(","source_name":"a","source_namespace":"n","dest_name":"b",)"
                   R"("dest_namespace":"n","protocol":"udp","dest_port":1,"reporter":")" +
                   reporter + R"(","packets_in":)" + std::to_string(in) + R"(,"packets_out":)" +
                   std::to_string(out) + "}")
        .told.front();
  };
  EXPECT_EQ(told("Dst", "Allow", 1, 1), "log_reply n/a>n/b 17:1 2/1");
  EXPECT_EQ(told("Src", "Allow", 1, 2), "log_reply n/a>n/b 17:1 3/1");
  EXPECT_EQ(told("Dst", "Allow", 4, 0), "forwarded n/a>n/b 17:1 4/0");
  EXPECT_EQ(told("Src", "Allow", 0, 4), "unseen n/a>n/b 17:1 4/0");
  EXPECT_EQ(told("Dst", "Deny", 4, 0), "log_dropped n/a>n/b 17:1 4/0");
}

TEST(FlowLog, FaultsHaveTheirLineAndWhatCameBeforeIsTold) {
  const std::string good = Event(Tcp(40000, 80, kSynFlag), kToEndpoint);
  const auto fault_of = [&](const std::string& bad) {
    const Outcome outcome = ReadLog(good + bad + "\n" + Event(Tcp(40001, 80, kSynFlag), ""));
    EXPECT_EQ(outcome.told.size(), 1u) << bad;
    return outcome.fault;
  };
  EXPECT_EQ(fault_of("{\"flow\": nonsense}").substr(0, 23), "line 2: not valid JSON:");
  EXPECT_EQ(fault_of("hello").substr(0, 23), "line 2: not valid JSON:");
  EXPECT_EQ(fault_of("17"), "line 2: must be an object (found the number 17)");
  EXPECT_EQ(fault_of("{\"a\":1}"),
            "line 2: is no flow of Hubble or Goldmane (found an object of 1 members)");
  EXPECT_EQ(fault_of("\n\n{\n\"verdict\":\"FORWARDED\",\n\"verdict\":\"DROPPED\"}").substr(0, 8),
            "line 6: ");
  EXPECT_EQ(fault_of(Event(Tcp(1, 65536, ""), "")),
            "line 2: l4.destination_port: is no port (found \"65536\")");
  EXPECT_EQ(
      fault_of(
          R"({"verdict":"DROPPED","IP":{"source":"::1.","destination":"::1"},"l4":{"UDP":{}}})"),
      "line 2: IP.source: is no IP address (found \"::1.\")");
  EXPECT_EQ(fault_of(R"({"time":"x","IP":{"source":"::1","destination":"::2"},"l4":{"UDP":{}}})"),
            "line 2: time: is no RFC 3339 time (found \"x\")");
  EXPECT_EQ(
      fault_of(R"({"time":"1","IP":{"source":"::1","destination":"1.2.3.4"},"l4":{"UDP":{}}})"),
      "line 2: IP.destination: is of another family than IP.source (found \"1.2.3.4\")");
  EXPECT_EQ(fault_of(R"({"source_name":"a","protocol":"tcp","dest_port":-1})"),
            "line 2: dest_port: is no port (found \"-1\")");
  EXPECT_EQ(fault_of(R"({"source_name":"a","protocol":"?","dest_port":1})"),
            "line 2: protocol: is no protocol (found \"?\")");
  EXPECT_EQ(fault_of(R"({"source_name":"a","protocol":"tcp","start_time":"2","end_time":"1"})"),
            "line 2: start_time, end_time: are no window of time (found \"2, 1\")");
  EXPECT_EQ(fault_of(std::string("{\"verdict\":\"\0\"}", 15)).substr(0, 8), "line 2: ");
  EXPECT_EQ(ReadLog(good + "{\"flow\":{").fault.substr(0, 8), "line 2: ");
}

TEST(FlowLog, IsBounded) {
  const Outcome outcome =
      ReadLog(Event(Tcp(1, 80, kSynFlag), "") + Event(Tcp(2, 80, kSynFlag), "") +
                  Event(Tcp(3, 80, kSynFlag), ""),
              1);
  EXPECT_EQ(outcome.told.size(), 1u);
  EXPECT_EQ(outcome.counts.left_out, 2u);
  EXPECT_EQ(outcome.counts.flows, 3u);
  EXPECT_EQ(ReadLog(std::string(2000, '[')).fault.substr(0, 8), "line 1: ");
  const std::string text = "{}\n{\"a\":\"0123456789\"}";
  JsonStream stream(SourceOfText(text), 16);
  std::string value;
  uint64_t line = 0;
  EXPECT_TRUE(*stream.Next(value, line));
  EXPECT_EQ(value, "{}");
  EXPECT_EQ(stream.Next(value, line).status().message(), "line 2: a value is longer than 16 bytes");
}

TEST(JsonStream, FindsWhereValuesEnd) {
  const std::string text = " {\"a\":\"}\\\"{\"}{\"b\":[1,\n{}]}\n\n17\n \"x\ny";
  JsonStream stream(SourceOfText(text));
  std::string value;
  std::string found;
  uint64_t line = 0;
  while (*stream.Next(value, line)) found += std::to_string(line) + ":" + value + ";";
  EXPECT_EQ(found, "1:{\"a\":\"}\\\"{\"};1:{\"b\":[1,\n{}]};4:17;5:\"x;6:y;");
}

}  // namespace
}  // namespace npf::gaps
