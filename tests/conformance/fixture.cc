#include "conformance/fixture.h"

#include <gtest/gtest.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "npf/load.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

Labels ReadLabels(const rapidjson::Value& object) {
  Labels labels;
  if (!object.HasMember("labels") || !object["labels"].IsObject()) return labels;
  for (const auto& entry : object["labels"].GetObject()) {
    labels.Set(entry.name.GetString(), entry.value.GetString());
  }
  return labels;
}

Pod ReadPod(const rapidjson::Value& object) {
  Pod pod;
  pod.ns = object["namespace"].GetString();
  pod.name = object["name"].GetString();
  pod.labels = ReadLabels(object);
  pod.phase = PodPhase::kRunning;
  if (object.HasMember("hostNetwork")) pod.host_network = object["hostNetwork"].GetBool();
  if (object.HasMember("node")) pod.node_name = object["node"].GetString();
  for (const auto& ip : object["ips"].GetArray()) pod.ips.emplace_back(ip.GetString());
  for (const auto& port : object["ports"].GetArray()) {
    pod.ports.push_back(
        {port["name"].GetString(), port["containerPort"].GetInt(), port["protocol"].GetString()});
  }
  return pod;
}

Node ReadNode(const rapidjson::Value& object) {
  Node node;
  node.name = object["name"].GetString();
  node.labels = ReadLabels(object);
  for (const auto& ip : object["ips"].GetArray()) node.addresses.emplace_back(ip.GetString());
  return node;
}

std::string CellName(const rapidjson::Value& pods, rapidjson::SizeType src,
                     rapidjson::SizeType dst) {
  const auto name = [&](rapidjson::SizeType i) {
    return absl::StrCat(pods[i]["namespace"].GetString(), "/", pods[i]["name"].GetString());
  };
  return absl::StrCat(name(src), " -> ", name(dst));
}

}  // namespace

rapidjson::Document ReadJson(const std::filesystem::path& path) {
  rapidjson::Document document;
  document.Parse(ReadFile(path).c_str());
  if (document.HasParseError()) {
    ADD_FAILURE() << path << " is not JSON";
    document.SetObject();
  }
  return document;
}

std::string ToText(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

absl::StatusOr<Snapshot> MakeSnapshot(const rapidjson::Value& namespaces,
                                      const rapidjson::Value& pods,
                                      const rapidjson::Value& policies,
                                      const rapidjson::Value* nodes) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  for (const auto& object : namespaces.GetArray()) {
    Namespace made;
    made.name = object["name"].GetString();
    made.labels = ReadLabels(object);
    builder.Add(std::move(made));
  }
  for (const auto& object : pods.GetArray()) builder.Add(ReadPod(object));
  if (nodes != nullptr) {
    for (const auto& object : nodes->GetArray()) builder.Add(ReadNode(object));
  }
  for (const auto& policy : policies.GetArray()) {
    LoadText(ToText(policy), "fixture", {}, builder, diagnostics, report);
  }
  return Finish(builder, diagnostics);
}

uint8_t ProtocolNumber(const std::string& name) {
  if (name == "TCP") return kProtocolTcp;
  if (name == "UDP") return kProtocolUdp;
  if (name == "SCTP") return kProtocolSctp;
  if (name == "ICMP") return kProtocolIcmp;
  if (name == "ICMPv6") return kProtocolIcmpv6;
  return static_cast<uint8_t>(std::atoi(name.c_str()));
}

size_t ExpectMatrix(const Snapshot& snapshot, const rapidjson::Value& pods,
                    const std::string& protocol, uint16_t port, const rapidjson::Value& matrix) {
  const rapidjson::SizeType count = pods.Size();
  std::vector<reference::Question> questions;
  for (rapidjson::SizeType src = 0; src < count; ++src) {
    for (rapidjson::SizeType dst = 0; dst < count; ++dst) {
      questions.push_back({Address(pods[src]["ips"][0].GetString()),
                           Address(pods[dst]["ips"][0].GetString()), ProtocolNumber(protocol),
                           port});
    }
  }
  for (const auto& judge : AllJudges(snapshot)) {
    const std::vector<Judgement> judgements = judge->Ask(questions);
    for (rapidjson::SizeType src = 0; src < count; ++src) {
      const std::string row = matrix[src].GetString();
      for (rapidjson::SizeType dst = 0; dst < count; ++dst) {
        const Judgement& judgement = judgements[src * count + dst];
        EXPECT_EQ(judgement.allowed, row[dst] != 'X')
            << judge->name() << ": " << CellName(pods, src, dst) << " " << protocol << " " << port
            << ": " << ToString(judgement);
      }
    }
  }
  return questions.size();
}

}  // namespace npf::testing
