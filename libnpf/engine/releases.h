// What one call of Worker::Process() releases: an array that never grows.
#ifndef NPF_ENGINE_RELEASES_H_
#define NPF_ENGINE_RELEASES_H_

#include <cstddef>
#include <span>
#include <vector>

#include "npf/worker.h"

namespace npf {

class Releases {
 public:
  explicit Releases(size_t capacity) : releases_(capacity) {}

  void Clear() { count_ = 0; }
  size_t room() const { return releases_.size() - count_; }
  void Add(const Release& release) { releases_[count_++] = release; }  // needs room
  std::span<const Release> all() const { return std::span(releases_).first(count_); }

 private:
  std::vector<Release> releases_;
  size_t count_ = 0;
};

}  // namespace npf

#endif  // NPF_ENGINE_RELEASES_H_
