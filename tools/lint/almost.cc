#include "lint/almost.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "model/nearest.h"
#include "model/selector.h"
#include "model/validate.h"

namespace npf::lint {
namespace {

using Candidates = std::span<const Labels* const>;

std::vector<std::string_view> Views(const std::set<std::string>& words) {
  return {words.begin(), words.end()};
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// The word of those that differs in case only, or least.
std::string Nearest(const std::string& word, const std::set<std::string>& known) {
  for (const std::string& candidate : known) {
    if (Lower(candidate) == Lower(word)) return candidate;
  }
  return std::string(model::NearestWord(word, Views(known)));
}

// A label of another key with one of the values: "app.kubernetes.io/name=web" for "app=web".
std::string KeyWithValue(const std::vector<std::string>& values, Candidates candidates) {
  for (const Labels* labels : candidates) {
    for (const auto& [key, value] : *labels) {
      if (std::find(values.begin(), values.end(), value) != values.end()) return key + "=" + value;
    }
  }
  return "";
}

// What those label sets, which meet everything else, have in place of `key` with one of `values`.
std::string InPlaceOf(const std::string& key, const std::vector<std::string>& values,
                      Candidates candidates) {
  std::set<std::string> keys;
  std::set<std::string> found;
  for (const Labels* labels : candidates) {
    for (const auto& [name, value] : *labels) {
      keys.insert(name);
      if (name == key) found.insert(value);
    }
  }
  for (const std::string& value : values) {
    const std::string nearest = Nearest(value, found);
    if (!nearest.empty()) return key + "=" + nearest;
  }
  if (const std::string other = KeyWithValue(values, candidates); !other.empty()) return other;
  if (!found.empty() && found.size() <= 3) return key + "=" + *found.begin();
  const std::string near_key = Nearest(key, keys);
  return near_key.empty() || near_key == key ? "" : "the key " + near_key;
}

std::optional<Almost> Without(const LabelSelector& rest, std::string field, const std::string& key,
                              const std::vector<std::string>& values, Candidates candidates) {
  std::vector<const Labels*> others;
  for (const Labels* labels : candidates) {
    if (model::Matches(rest, *labels)) others.push_back(labels);
  }
  if (others.empty()) return std::nullopt;
  return Almost{std::move(field), InPlaceOf(key, values, others)};
}

}  // namespace

std::optional<Almost> FindAlmost(const LabelSelector& selector, Candidates candidates) {
  std::optional<Almost> found;
  const auto better = [&](std::optional<Almost> other) {
    if (other && (!found || (found->suggestion.empty() && !other->suggestion.empty()))) {
      found = std::move(other);
    }
  };
  for (const auto& [key, value] : selector.match_labels) {
    LabelSelector rest = selector;
    rest.match_labels = {};
    for (const auto& [name, kept] : selector.match_labels) {
      if (name != key) rest.match_labels.Set(name, kept);
    }
    better(Without(rest, "matchLabels." + key, key, {value}, candidates));
  }
  for (size_t i = 0; i < selector.match_expressions.size(); ++i) {
    LabelSelector rest = selector;
    rest.match_expressions.erase(rest.match_expressions.begin() + static_cast<ptrdiff_t>(i));
    const LabelRequirement& requirement = selector.match_expressions[i];
    better(Without(rest, model::Item("matchExpressions", i), requirement.key, requirement.values,
                   candidates));
  }
  return found;
}

}  // namespace npf::lint
