// Why a verdict is what it is, as records and comments tell it: the library's explanation, with the
// files and lines that an image does not have.
#ifndef NPF_TOOLS_NPF_WHY_H_
#define NPF_TOOLS_NPF_WHY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "npf/explain.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::tools {

struct Place {
  std::string file;  // empty: not known
  uint32_t line = 0;
};

// Finds what an explanation names in the objects it came from.
class Places {
 public:
  explicit Places(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  Place Of(std::string_view policy) const;  // a NetworkPolicy, "namespace/name"
  // Of the peer or the port where one is meant, else of the rule.
  Place Of(const RuleRef& ref) const;

 private:
  const NetworkPolicy* Find(std::string_view policy) const;
  Place OfClusterRule(const RuleRef& ref) const;
  Place At(const Position& position) const;

  Snapshot snapshot_;
};

// The member `why` of docs/verdict.schema.json.
std::string JsonWhy(const Explanation& explanation, const Places& places);

// Of a denial, for one line: "egress of shop/frontend: isolated by shop/default-deny, ...".
std::string DenialText(const Explanation& explanation);

// Explanations of the tuples of a capture. Each is asked for once, as long as at most kMax are
// kept.
class Explainer {
 public:
  struct Why {
    std::string json;
    std::string denial;  // empty where the tuple is allowed
  };

  Explainer(Program program, const Snapshot& snapshot, const ClassifyOptions& options)
      : program_(std::move(program)), places_(snapshot), options_(options) {}

  // Valid until the next call.
  const Why& Of(const FlowKey& key);

 private:
  static constexpr size_t kMax = 20'000;

  Program program_;
  Places places_;
  ClassifyOptions options_;
  absl::flat_hash_map<std::string, Why> known_;  // by the key without its source port
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_WHY_H_
