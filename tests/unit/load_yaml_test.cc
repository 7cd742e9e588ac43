// YAML as text: documents, positions, scalars, anchors, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "load/yaml_scalar.h"
#include "unit/load_test_util.h"

namespace npf {
namespace {

using load::NodeKind;

constexpr char kNamespaceA[] = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}";

std::string Repeated(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(LoadYamlTest, PlainScalarsMeanWhatYaml11SaysAboutThem) {
  const std::vector<std::pair<NodeKind, std::vector<std::string>>> kinds = {
      {NodeKind::kNull, {"", "~", "null", "Null", "NULL"}},
      {NodeKind::kBool, {"y", "Y", "yes", "No", "on", "OFF", "true", "FALSE", "n"}},
      {NodeKind::kInt, {"0", "80", "-1", "+80", "0x50", "0o17", "017", "0b101", "1_000"}},
      {NodeKind::kFloat, {"1.5", "1e3", "1.", ".5", "-1.5e-3", ".inf", "-.inf", ".nan", "0080"}},
      {NodeKind::kString,
       {"a", "yEs", "nULL", "12:30:45", "2001:db8::1", "1.2.3", "0x", "0xg", "1e", "-", ".",
        "10.0.0.0/8", "2024-01-01", "2024-01-01T00:00:00Z", "True1", "_1", "tRUE"}},
  };
  for (const auto& [kind, texts] : kinds) {
    for (const std::string& text : texts) {
      EXPECT_EQ(load::PlainScalarKind(text), kind) << "'" << text << "'";
    }
  }
}

TEST(LoadYamlTest, WholeNumbers) {
  const std::vector<std::tuple<std::string, int64_t, bool>> good = {
      {"80", 80, false},   {"-1", -1, false},    {"0", 0, false},
      {"0x50", 80, true},  {"0X5a", 90, true},   {"0120", 80, true},
      {"0o120", 80, true}, {"0b11", 3, true},    {"1_000", 1000, true},
      {"+80", 80, true},   {"-0x10", -16, true}, {"4294967376", 4294967376, false}};
  for (const auto& [text, value, odd] : good) {
    const auto number = load::ParseWholeNumber(text);
    ASSERT_TRUE(number.has_value()) << text;
    EXPECT_EQ(number->value, value) << text;
    EXPECT_EQ(number->odd, odd) << text;
  }
  for (const char* bad : {"18446744073709551696", "9223372036854775808", "", "x", "0x", "08"}) {
    EXPECT_FALSE(load::ParseWholeNumber(bad).has_value()) << bad;
  }
}

TEST(LoadYamlTest, DocumentsThatAreEmptyAreSkipped) {
  const Loaded loaded = Load(
      "---\n# nothing\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n...\n"
      "---\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n---\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces().size(), 2u);
}

TEST(LoadYamlTest, NoObjectsIsAnError) {
  for (const char* text : {"", "# nothing", "---\n", "---\n---\n# x\n...\n", "\n\n"}) {
    EXPECT_EQ(Load(text).Errors(), "t.yaml: no objects\n") << "'" << text << "'";
  }
}

TEST(LoadYamlTest, ByteOrderMarkAndWindowsLineEndsAreAccepted) {
  const Loaded loaded = Load(
      "\xef\xbb\xbf"
      "apiVersion: v1\r\nkind: Namespace\r\nmetadata: {name: a}\r\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces()[0].name, "a");
}

TEST(LoadYamlTest, BytesThatNoTextHasAreRefusedWithTheirOffset) {
  const auto errors = [](std::string_view text) { return Load(text).Errors(); };
  EXPECT_EQ(errors(std::string_view("a: b\n\0", 6)), "t.yaml:2:1: NUL byte at offset 5\n");
  EXPECT_EQ(errors("a: \xff"), "t.yaml:1:4: not UTF-8 at offset 3\n");
  EXPECT_EQ(errors("a: b\rc: d\n"),
            "t.yaml:1:5: carriage return without a line feed at offset 4\n");
  for (const char* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80",
                          "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_NE(errors(std::string("12345678") + bad).find("not UTF-8 at offset 8"),
              std::string::npos);
  }
  EXPECT_NE(errors("a: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80").find("kind: is missing"),
            std::string::npos);
}

TEST(LoadYamlTest, SyntaxErrorsHaveTheirPosition) {
  EXPECT_EQ(Load("a: [1, 2\nb: 3\n").Errors().find("t.yaml:2:"), 0u);
  EXPECT_NE(Load("a: b: c\n").Errors().find("t.yaml:1:5: not valid YAML: "), std::string::npos);
  EXPECT_NE(Load("spec:\n\tx: 1\n").Errors().find("not valid YAML"), std::string::npos);
  for (const char* text : {", a\n", "--- a\n...\n, b\n"}) {
    EXPECT_NE(Load(text).Errors().find("nothing can begin"), std::string::npos) << text;
  }
  for (const char* text : {"] a\n", "} a\n"}) {
    EXPECT_EQ(Load(text).Errors().find("t.yaml:1:1: not valid YAML: "), 0u) << text;
  }
}

TEST(LoadYamlTest, ObjectsBeforeASyntaxErrorDoNotMakeASnapshot) {
  EXPECT_FALSE(Load(std::string(kNamespaceA) + "\n---\na: b: c\n").snapshot.has_value());
}

TEST(LoadYamlTest, NestingIsBounded) {
  EXPECT_EQ(Load("x: " + Repeated("[", 5'000)).Errors(), "t.yaml:1:36: nesting deeper than 64\n");
  EXPECT_EQ(Load("x: " + Repeated("[", 100) + Repeated("]", 100)).Errors(),
            "t.yaml:1:67: nesting deeper than 64\n");
  EXPECT_NE(
      Load("x: " + Repeated("{a: ", 100) + Repeated("}", 100)).Errors().find("nesting deeper"),
      std::string::npos);
  std::string block;
  for (size_t i = 0; i < 100; ++i) block += std::string(i, ' ') + "-\n";
  EXPECT_NE(Load(block).Errors().find("nesting deeper than 64"), std::string::npos);
  const std::string deepest = "x: " + Repeated("[", 63) + Repeated("]", 63);
  EXPECT_EQ(Load("apiVersion: v1\nkind: Foo\n" + deepest).Errors(), "");
}

// yaml-cpp would keep a token for each of them before it tells of the first.
TEST(LoadYamlTest, WhatYamlCppMustHoldIsBounded) {
  EXPECT_EQ(Load("x: " + std::string(8u << 20, '[')).Errors(),
            "t.yaml:1:4: nesting deeper than 64\n");
  const Loaded loaded = Load("x: " + std::string(8u << 20, 'a'));
  ASSERT_EQ(loaded.diagnostics.all().size(), 1u);
  EXPECT_EQ(loaded.diagnostics.all()[0].type, "LimitExceeded");
  EXPECT_EQ(loaded.Errors().find("t.yaml:1:1: a flow collection or a scalar of more than"), 0u);
  EXPECT_NE(
      Load("x: [" + Repeated("a,", 2'000'100) + "]").Errors().find("more than 2000000 values"),
      std::string::npos);
}

TEST(LoadYamlTest, AliasesAreExpanded) {
  const Loaded loaded = Load(
      "apiVersion: v1\nkind: List\nitems:\n"
      "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: &name one\n    labels: &labels {a: "
      "b}\n"
      "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: two\n    namespace: *name\n"
      "    labels: *labels\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  ASSERT_EQ(loaded.snapshot->pods().size(), 2u);
  EXPECT_EQ(loaded.snapshot->pods()[1].ns, "one");
  EXPECT_EQ(loaded.snapshot->pods()[1].labels, (Labels{{"a", "b"}}));
}

TEST(LoadYamlTest, AnchorsHoldForOneDocument) {
  EXPECT_NE(Load(std::string("x: &a b\napiVersion: v1\nkind: Foo\n---\ny: *a\n"))
                .Errors()
                .find("not valid YAML"),
            std::string::npos);
}

TEST(LoadYamlTest, AliasBombsAreRefusedQuickly) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j) bomb += "," + last;
    bomb += "]\n";
  }
  EXPECT_NE(Load(bomb).Errors().find("aliases expand beyond 100000 nodes"), std::string::npos);
  EXPECT_NE(Load("a: &a [*a]\n").Errors().find("t.yaml:1:8: this alias refers to itself"),
            std::string::npos);
  EXPECT_NE(Load("a: &a {b: *a}\n").Errors().find("refers to itself"), std::string::npos);
  // Each alias doubles the depth.
  std::string deep = "a0: &a0 [[[[[[[[x]]]]]]]]\n";
  for (int i = 1; i < 9; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[*a" +
            std::to_string(i - 1) + "]]]]]]]]\n";
  }
  EXPECT_NE(Load(deep).Errors().find("nesting deeper than 64"), std::string::npos);
}

TEST(LoadYamlTest, TagsAreRefused) {
  const auto errors = [](const std::string& value) {
    return Load(PolicyText("  podSelector: {}\n  egress: " + value + "\n")).Errors();
  };
  EXPECT_EQ(errors("!!python/object:os.system []"),
            "t.yaml:6:11: NetworkPolicy prod/p: spec.egress: the tag !!python/object:os.system is "
            "not supported\n");
  EXPECT_NE(errors("!include x").find("the tag !include is not supported"), std::string::npos);
  EXPECT_NE(errors("!!binary aGk=").find("the tag !!binary is not supported"), std::string::npos);
  EXPECT_NE(errors("!!map []").find("the tag !!map"), std::string::npos);
  EXPECT_EQ(errors("!!seq []"), "");
}

TEST(LoadYamlTest, AStringTagMakesAString) {
  const Loaded loaded =
      Load(PolicyText("  podSelector: {matchLabels: {a: !!str 80, b: \"yes\"}}\n"));
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(*loaded.snapshot->policies()[0].pod_selector.match_labels.Find("a"), "80");
}

TEST(LoadYamlTest, KeysMustBeStrings) {
  const auto errors = [](const std::string& labels) {
    return Load(PolicyText("  podSelector: {matchLabels: {" + labels + "}}\n")).Errors();
  };
  EXPECT_NE(errors("yes: b").find("a key must be a string (found a boolean)"), std::string::npos);
  EXPECT_NE(errors("~: b").find("a key must be a string (found null)"), std::string::npos);
  EXPECT_NE(errors("[a]: b").find("a key must be a string (found a map or a list)"),
            std::string::npos);
  EXPECT_NE(errors("<<: {a: b}").find("merge keys are not supported"), std::string::npos);
  EXPECT_EQ(errors("\"yes\": b"), "");
}

TEST(LoadYamlTest, DuplicateKeysAreErrors) {
  EXPECT_EQ(Load(PolicyText("  podSelector: {}\n  podSelector: {}\n")).Errors(),
            "t.yaml:6:3: NetworkPolicy prod/p: spec.podSelector: duplicate key (found "
            "\"podSelector\" more than once); each key may stand once\n");
  std::string many = "  podSelector:\n    matchLabels:\n";
  for (int i = 0; i < 40; ++i) many += "      k" + std::to_string(i) + ": v\n";
  EXPECT_EQ(Load(PolicyText(many)).Errors(), "");
  EXPECT_NE(Load(PolicyText(many + "      k7: v\n")).Errors().find("t.yaml:47:7: "),
            std::string::npos);
  const Loaded lenient =
      Load(PolicyText("  podSelector: {}\n  podSelector: {matchLabels: {a: b}}\n"), "t.yaml",
           {.lenient = true});
  ASSERT_TRUE(lenient.snapshot.has_value());
  EXPECT_FALSE(lenient.snapshot->policies()[0].pod_selector.match_labels.empty());
  EXPECT_NE(lenient.Warnings().find("the last one counts"), std::string::npos);
}

// A file that was cut off may lose rules, but whatever is accepted of it says so or means the same.
TEST(LoadYamlTest, EveryTruncationIsRefusedOrIsAWholePolicy) {
  const std::string whole = PolicyText(
      "  podSelector: {matchLabels: {app: db}}\n  policyTypes: [Ingress]\n  ingress:\n"
      "  - from: [{podSelector: {matchLabels: {app: web}}}]\n    ports: [{port: 5432}]\n");
  size_t accepted = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    const Loaded loaded = Load(whole.substr(0, size));
    if (!loaded.snapshot.has_value()) {
      EXPECT_NE(loaded.Errors(), "") << size;
      continue;
    }
    ++accepted;
  }
  EXPECT_LT(accepted, whole.size() / 2);
}

}  // namespace
}  // namespace npf
