// What no text of objects may hold, looked for before a parser sees it.
#ifndef NPF_LOAD_TEXT_CHECK_H_
#define NPF_LOAD_TEXT_CHECK_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace npf::load {

struct BadByte {
  size_t offset = 0;
  std::string detail;
};

// The first byte that is NUL or not part of well-formed UTF-8.
std::optional<BadByte> FindBadByte(std::string_view text);
// A carriage return without a line feed, which some readers take for the end of a line.
std::optional<BadByte> FindLoneCarriageReturn(std::string_view text);

// `helm install --dry-run` and its like print a release: a head, the hooks, the manifest, and notes
// in prose. Of such a text all but hooks and manifest becomes blanks, so that what is left is YAML
// and stands where it stood. Other texts are left alone.
void BlankReleaseProse(std::string& text);

// Whether a text is JSON. Every JSON text is YAML too, but is read much faster as what it is.
bool LooksLikeJson(std::string_view text, std::string_view name);

}  // namespace npf::load

#endif  // NPF_LOAD_TEXT_CHECK_H_
