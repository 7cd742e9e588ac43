// Somebody who sends what no honest end would: numbers at and beside every bound that matters, tags
// that are known or guessed, errors about this and that, fragments of nothing.
#ifndef NPF_TESTS_SIMULATOR_FORGER_H_
#define NPF_TESTS_SIMULATOR_FORGER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulator/model.h"
#include "simulator/wire.h"
#include "testing/random.h"

namespace npf::simulator {

// Where something begins or ends, of what `side` may send.
std::vector<int64_t> EdgesOf(const Connection& connection, size_t side);

struct ForgerOptions {
  size_t errors = 12;  // in percent
  size_t parts = 12;
  bool one_fragment_source = false;
};

class Forger {
 public:
  Forger(testing::Random& random, const ForgerOptions& options)
      : random_(random), options_(options) {}

  void Saw(const Wire& wire);
  // `key` is of a conversation, or of none.
  Wire Forge(const Model& model, const Key& key);

 private:
  Wire ForgeTcp(const Connection* connection, const Key& key);
  Wire ForgeSctp(const Connection* connection, const Key& key);
  Wire ForgeError(const Model& model);
  Wire ForgePart();
  void ChangeQuoted(const Model& model, Wire& quoted);
  uint32_t Near(const std::vector<int64_t>& edges);

  testing::Random& random_;
  ForgerOptions options_;
  std::vector<Wire> seen_;  // the last ones, in no order
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_FORGER_H_
