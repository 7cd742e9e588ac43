// The word that was probably meant: for "did you mean".
#ifndef NPF_MODEL_NEAREST_H_
#define NPF_MODEL_NEAREST_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace npf::model {

// Insertions, removals and replacements of one character, and swaps of two neighbours, that turn
// one word into the other.
size_t EditDistance(std::string_view a, std::string_view b);

// The first of those that differ least, by at most 3 edits and a third of the word; empty where
// none does, and for words beyond 64 bytes.
std::string_view NearestWord(std::string_view word, std::span<const std::string_view> known);

}  // namespace npf::model

#endif  // NPF_MODEL_NEAREST_H_
