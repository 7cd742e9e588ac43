// The tables that turn an address into its class.
#ifndef NPF_COMPILE_ADDRESS_TABLES_H_
#define NPF_COMPILE_ADDRESS_TABLES_H_

#include "absl/status/status.h"
#include "compile/image_writer.h"
#include "resolve/resolved_policy.h"

namespace npf {

// kV4Top, kV4Mid, kV4Leaf: a trie of strides 16, 8, 8 in which every path has three steps. The
// first class_count entries of mid and leaf are the classes themselves, so a constant entry of
// class c is c << 1 at every level: no branch tells a node from a constant. Equal chunks are stored
// once.
void BuildV4Trie(const resolve::ResolvedPolicy& policy, ImageWriter& writer);

// kV6Pilots, kV6Places: a perfect hash of the exact addresses of endpoints, three a cache line.
// kV6Highs and the four behind it: the intervals that regions cut all addresses into. A search
// among sorted upper halves takes as many steps for every address, so no branch depends on one; few
// networks are longer than 64 bits, so the second search, among lower halves, is rare.
absl::Status BuildV6Tables(const resolve::ResolvedPolicy& policy, ImageWriter& writer);

}  // namespace npf

#endif  // NPF_COMPILE_ADDRESS_TABLES_H_
