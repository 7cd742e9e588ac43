#include <algorithm>

#include "npf/model.h"

namespace npf {
namespace {

bool KeyBefore(const std::pair<std::string, std::string>& entry, std::string_view key) {
  return std::string_view(entry.first) < key;
}

}  // namespace

Labels::Labels(std::initializer_list<std::pair<std::string, std::string>> entries) {
  for (const auto& [key, value] : entries) Set(key, value);
}

void Labels::Set(std::string key, std::string value) {
  // Objects as kubectl prints them have sorted keys, so the new one usually goes to the end.
  if (entries_.empty() || entries_.back().first < key) {
    entries_.emplace_back(std::move(key), std::move(value));
    return;
  }
  auto place = std::lower_bound(entries_.begin(), entries_.end(), key, KeyBefore);
  if (place != entries_.end() && place->first == key) {
    place->second = std::move(value);
  } else {
    entries_.emplace(place, std::move(key), std::move(value));
  }
}

const std::string* Labels::Find(std::string_view key) const {
  const auto place = std::lower_bound(entries_.begin(), entries_.end(), key, KeyBefore);
  return place != entries_.end() && place->first == key ? &place->second : nullptr;
}

}  // namespace npf
