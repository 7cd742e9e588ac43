// Makes frames that are nearly right: a seed with bytes, fields, layers or lengths that were
// changed, repaired afterwards or not.
#ifndef NPF_TESTS_PARSER_FRAME_MUTATOR_H_
#define NPF_TESTS_PARSER_FRAME_MUTATOR_H_

#include <array>
#include <span>
#include <vector>

#include "parser/frame_cut.h"
#include "parser/frame_seeds.h"
#include "testing/random.h"

namespace npf::testing {

struct MutatedFrame {
  Bytes captured;  // ends where its memory ends
  uint32_t wire_length = 0;
  PacketView view() const {
    return {captured.data(), static_cast<uint32_t>(captured.size()), wire_length};
  }
};

class FrameMutator {
 public:
  explicit FrameMutator(std::vector<FrameSeed> seeds);

  // Mostly of a seed of this link layer.
  MutatedFrame Make(LinkLayer link, Random& random) const;

 private:
  const FrameSeed& PickSeed(LinkLayer link, Random& random) const;

  std::vector<FrameSeed> seeds_;
  std::array<std::vector<size_t>, std::size(kLinkLayers)> of_link_;  // indices of seeds
};

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_FRAME_MUTATOR_H_
