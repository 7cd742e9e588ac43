// JSON as text: positions, escapes, several values, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "load/json_events.h"
#include "load/text_check.h"
#include "load/yaml_events.h"
#include "unit/load_test_util.h"

namespace npf {
namespace {

// Writes down every node with its line and column.
class Recorder : public load::ObjectSink {
 public:
  explicit Recorder(const load::TextSource& source) : source_(source) {}
  bool OnItem(const load::Node&, const load::ParsedObject&) override { return false; }
  void OnDocument(const load::ParsedObject& document, bool,
                  std::span<const load::ParsedObject>) override {
    Write(*document.root);
  }
  const std::string& text() const { return text_; }

 private:
  void Write(const load::Node& node) {
    const auto place = [&](load::Mark mark) {
      const Position position = source_.PositionOf(mark);
      return std::to_string(position.line) + ":" + std::to_string(position.column);
    };
    if (!node.key.empty()) text_ += std::string(node.key) + "@" + place(node.key_mark) + "=";
    text_ += std::string(node.text) + "@" + place(node.mark) + " ";
    for (const load::Node* child = node.first; child != nullptr; child = child->next) Write(*child);
  }

  const load::TextSource& source_;
  std::string text_;
};

std::string Record(const std::string& text) {
  const load::TextSource source(text, 0, load::TextSource::Marks::kOffsets);
  Recorder recorder(source);
  const LoadOptions options;
  load::TreeBuilder builder(options, recorder);
  EXPECT_FALSE(load::ReadJson(text, builder).has_value());
  return recorder.text();
}

TEST(LoadJsonTest, EveryTokenHasItsPosition) {
  EXPECT_EQ(Record("{\"a\": 1,\n \"b\": [true, null,\n  \"x\\n\", -2.5],\n \"c\": {}}"),
            "@1:1 a@1:2=1@1:7 b@2:2=@2:7 true@2:8 @2:14 x\n@3:3 -2.5@3:10 c@4:2=@4:7 ");
  EXPECT_EQ(Record("[false]\n[ ]"), "@1:1 false@1:2 @2:1 ");
}

TEST(LoadJsonTest, EscapesAreUndone) {
  EXPECT_EQ(Record(R"({"a\u0062\"": "\u00e9\ud83d\ude00\/\t\\"})"),
            "@1:1 ab\"@1:2=\xc3\xa9\xf0\x9f\x98\x80/\t\\@1:15 ");
}

TEST(LoadJsonTest, ValuesFollowEachOther) {
  const Loaded loaded = Load(
      R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
         {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}})",
      "t.json");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces().size(), 2u);
}

TEST(LoadJsonTest, ErrorsHaveTheirPosition) {
  EXPECT_NE(Load("{\"a\":\n  tru}", "t.json").Errors().find("t.json:2:"), std::string::npos);
  EXPECT_NE(Load("{\"a\": 1", "t.json").Errors().find("not valid JSON: "), std::string::npos);
  EXPECT_NE(Load("{\"a\": 01}", "t.json").Errors().find("not valid JSON: "), std::string::npos);
  EXPECT_NE(Load("{\"a\": \"\\x\"}", "t.json").Errors().find("not valid JSON: "),
            std::string::npos);
  EXPECT_EQ(
      Load(R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
 "metadata": {"name": "p"},
 "spec": {"podSelector": {},
   "ingress": [{"ports": [{"port": 0}]}]}})",
           "t.json")
          .Errors(),
      "t.json:4:36: NetworkPolicy default/p: spec.ingress[0].ports[0].port: must be between 1 "
      "and 65535, inclusive (found 0)\n");
}

TEST(LoadJsonTest, NoObjectsIsAnError) {
  for (const char* text : {"", " \n", "null"}) {
    EXPECT_EQ(Load(text, "t.json").Errors(), "t.json: no objects\n") << text;
  }
}

TEST(LoadJsonTest, NestingIsBounded) {
  const std::string brackets(100'000, '[');
  EXPECT_EQ(Load("{\"a\": " + brackets, "t.json").Errors(),
            "t.json:1:70: nesting deeper than 64\n");
}

TEST(LoadJsonTest, DuplicateKeysAreErrors) {
  EXPECT_NE(Load(R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                     "metadata": {"name": "p"}, "spec": {"podSelector": {}, "podSelector": {}}})",
                 "t.json")
                .Errors()
                .find("spec.podSelector: duplicate key"),
            std::string::npos);
}

TEST(LoadJsonTest, IsKnownByNameOrBySight) {
  EXPECT_TRUE(load::LooksLikeJson("x", "a.json"));
  EXPECT_TRUE(load::LooksLikeJson("x", "a.json.gz"));
  EXPECT_TRUE(load::LooksLikeJson("\n { \"kind\": 1}", "-"));
  EXPECT_FALSE(load::LooksLikeJson("{kind: Pod}", "a.yaml"));
  EXPECT_FALSE(load::LooksLikeJson("kind: Pod", "-"));
  EXPECT_FALSE(load::LooksLikeJson("{\"a\": 1}\n---\nb: 2\n", "-"));
}

TEST(LoadJsonTest, AYamlFileMayHoldJsonDocuments) {
  const std::string object = R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ")";
  const Loaded loaded = Load(object + "a\"}}\n---\n" + object + "b\"}}\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces().size(), 2u);
}

}  // namespace
}  // namespace npf
