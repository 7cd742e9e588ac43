// The C ABI as a C program meets it: what it refuses, and that it answers as the C++ one does.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "npf/c.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "npf/image.h"

namespace npf {
namespace {

Program MakeProgram() {
  SnapshotBuilder builder;
  for (int host = 1; host <= 2; ++host) {
    Pod pod;
    pod.ns = "default";
    pod.name = "pod-" + std::to_string(host);
    pod.labels = {{"app", pod.name}};
    pod.ips = {"10.0.0." + std::to_string(host)};
    builder.Add(pod);
  }
  NetworkPolicy policy;
  policy.ns = "default";
  policy.name = "two";
  policy.pod_selector.match_labels = {{"app", "pod-2"}};
  policy.policy_types = {"Ingress"};
  PolicyRule rule;
  rule.ports = {{.protocol = "TCP", .port = 80, .end_port = {}, .position = {}}};
  policy.ingress = {rule};
  builder.Add(policy);
  Diagnostics diagnostics;
  return *Compile(*builder.Build(diagnostics));
}

class CApiTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto image = cpp_.image();
    ASSERT_EQ(npf_program_load_bytes(image.data(), image.size(), &program_, nullptr, 0),
              NPF_STATUS_OK);
  }
  void TearDown() override { npf_program_free(program_); }

  static npf_flow_key Key(uint16_t port) {
    return MakeFlowKey(*ParseIpAddress("10.0.0.1"), *ParseIpAddress("10.0.0.2"), kProtocolTcp,
                       port);
  }
  static npf_classify_options Options() {
    npf_classify_options options{};
    options.size = sizeof(options);
    options.directions = NPF_CLASSIFY_INGRESS | NPF_CLASSIFY_EGRESS;
    return options;
  }

  const Program cpp_ = MakeProgram();
  npf_program* program_ = nullptr;
};

TEST_F(CApiTest, AnswersAsCppDoes) {
  std::vector<npf_flow_key> keys;
  for (uint16_t port = 0; port < 300; ++port) keys.push_back(Key(port));
  std::vector<npf_verdict> c(keys.size());
  std::vector<Verdict> cpp(keys.size());
  npf_classify_options options = Options();
  options.generation = 7;
  ASSERT_EQ(npf_classify(program_, &options, keys.data(), c.data(), keys.size()), NPF_STATUS_OK);
  Classify(cpp_, {.generation = 7}, keys, cpp);
  EXPECT_EQ(std::memcmp(c.data(), cpp.data(), c.size() * sizeof(npf_verdict)), 0);
  EXPECT_EQ(c[80].allowed, 1);
  EXPECT_EQ(c[81].allowed, 0);
  EXPECT_EQ(c[81].generation, 7u);
  EXPECT_STREQ(npf_classify_reason_text(c[81].reason), "policy");
}

TEST_F(CApiTest, NullOptionsAreBothDirectionsOffline) {
  const npf_flow_key key = Key(81);
  npf_verdict verdict{};
  ASSERT_EQ(npf_classify(program_, nullptr, &key, &verdict, 1), NPF_STATUS_OK);
  EXPECT_EQ(verdict.directions, NPF_CLASSIFY_EGRESS);
  npf_classify_options egress = Options();
  egress.directions = NPF_CLASSIFY_EGRESS;
  ASSERT_EQ(npf_classify(program_, &egress, &key, &verdict, 1), NPF_STATUS_OK);
  EXPECT_EQ(verdict.allowed, 1);
}

TEST_F(CApiTest, UnknownOptionsAndNullsAreRefusedAndNothingIsWritten) {
  const npf_flow_key key = Key(80);
  npf_verdict verdict{};
  verdict.allowed = 99;
  const auto refuse = [&](auto change) {
    npf_classify_options options = Options();
    change(options);
    EXPECT_EQ(npf_classify(program_, &options, &key, &verdict, 1), NPF_STATUS_BAD_ARGUMENT);
    EXPECT_EQ(verdict.allowed, 99);
  };
  refuse([](auto& o) { o.size = 4; });
  refuse([](auto& o) { o.directions = 0; });
  refuse([](auto& o) { o.directions = 4; });
  refuse([](auto& o) { o.placement = 4; });
  refuse([](auto& o) { o.deny_unknown_pod = 2; });
  refuse([](auto& o) { o.reserved = 1; });
  EXPECT_EQ(npf_classify(nullptr, nullptr, &key, &verdict, 1), NPF_STATUS_BAD_ARGUMENT);
  EXPECT_EQ(npf_classify(program_, nullptr, nullptr, &verdict, 1), NPF_STATUS_BAD_ARGUMENT);
  EXPECT_EQ(npf_classify(program_, nullptr, &key, nullptr, 1), NPF_STATUS_BAD_ARGUMENT);
  EXPECT_EQ(npf_classify(program_, nullptr, nullptr, nullptr, 0), NPF_STATUS_OK);
  npf_program_free(nullptr);
}

TEST_F(CApiTest, BadImagesAreRefusedWithATextThatFits) {
  npf_program* program = nullptr;
  char message[12];
  std::memset(message, 'x', sizeof(message));
  EXPECT_EQ(npf_program_load_bytes("not an image", 12, &program, message, sizeof(message)),
            NPF_STATUS_BAD_IMAGE);
  EXPECT_EQ(program, nullptr);
  EXPECT_GT(std::strlen(message), 0u);
  EXPECT_LT(std::strlen(message), sizeof(message));
  EXPECT_EQ(npf_program_load_bytes("x", 1, &program, nullptr, 0), NPF_STATUS_BAD_IMAGE);
  EXPECT_EQ(npf_program_load(nullptr, &program, message, sizeof(message)), NPF_STATUS_BAD_ARGUMENT);
  EXPECT_EQ(npf_program_load("/no/such/image", &program, message, sizeof(message)),
            NPF_STATUS_ENVIRONMENT);
}

TEST_F(CApiTest, LoadsWhatSaveImageWrote) {
  const std::string path = testing::TempDir() + "/capi_test.npf";
  ASSERT_TRUE(SaveImage(cpp_, path).ok());
  npf_program* loaded = nullptr;
  char message[200] = "";
  EXPECT_EQ(npf_program_load(path.c_str(), &loaded, message, sizeof(message)), NPF_STATUS_OK)
      << message;
  npf_program_free(loaded);
  std::remove(path.c_str());
}

TEST_F(CApiTest, ExplainsAndSaysHowLongItIs) {
  const npf_flow_key key = Key(81);
  size_t length = 0;
  ASSERT_EQ(npf_explain(program_, nullptr, &key, nullptr, 0, &length), NPF_STATUS_OK);
  ASSERT_GT(length, 20u);
  std::string text(length + 1, 'x');
  ASSERT_EQ(npf_explain(program_, nullptr, &key, text.data(), text.size(), nullptr), NPF_STATUS_OK);
  EXPECT_EQ(std::strlen(text.c_str()), length);
  EXPECT_NE(text.find("default/two"), std::string::npos) << text;
  char small[10];
  ASSERT_EQ(npf_explain(program_, nullptr, &key, small, sizeof(small), nullptr), NPF_STATUS_OK);
  EXPECT_EQ(std::strlen(small), sizeof(small) - 1);
}

TEST(CApiTextTest, EveryStatusAndVersionHasAText) {
  for (int status = NPF_STATUS_OK; status <= NPF_STATUS_INTERNAL; ++status) {
    EXPECT_STRNE(npf_status_text(static_cast<npf_status>(status)), "unknown status");
  }
  EXPECT_STREQ(npf_version_text(), "0.1.0");
  EXPECT_EQ(npf_version_abi(), 1u);
  EXPECT_STREQ(npf_classify_reason_text(250), "unknown");
}

}  // namespace
}  // namespace npf
