// Makes a failing cluster small enough to read.
#ifndef NPF_TESTS_TESTING_SHRINK_H_
#define NPF_TESTS_TESTING_SHRINK_H_

#include <functional>

#include "testing/cluster.h"

namespace npf::testing {

// Takes out, one at a time, every object, list item, optional field and label whose absence keeps
// `fails` true, until nothing more can go. `fails(cluster)` must hold at first, and must be false
// for clusters that are invalid.
Cluster Shrink(Cluster cluster, const std::function<bool(const Cluster&)>& fails);

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_SHRINK_H_
