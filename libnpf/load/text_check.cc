#include "load/text_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace npf::load {
namespace {

unsigned Byte(std::string_view text, size_t at) { return static_cast<unsigned char>(text[at]); }

// Bytes of the well-formed character at `at`; 0 where it is none. Neither overlong forms nor
// surrogates nor what lies beyond U+10FFFF.
size_t CharacterLength(std::string_view text, size_t at) {
  const unsigned first = Byte(text, at);
  if (first < 0x80) return 1;
  size_t length = 0;
  unsigned second_min = 0x80;
  unsigned second_max = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) second_min = 0xa0;
    if (first == 0xed) second_max = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) second_min = 0x90;
    if (first == 0xf4) second_max = 0x8f;
  }
  if (length == 0 || text.size() - at < length) return 0;
  if (Byte(text, at + 1) < second_min || Byte(text, at + 1) > second_max) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((Byte(text, at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Eight bytes, none of them NUL or beyond ASCII.
bool IsPlainWord(std::string_view text, size_t at) {
  constexpr uint64_t kLow = 0x0101010101010101;
  constexpr uint64_t kHigh = 0x8080808080808080;
  uint64_t word;
  std::memcpy(&word, text.data() + at, sizeof(word));
  return ((word | (word - kLow)) & kHigh) == 0;
}

// Where the line `line` begins, from `from` on, which is the start of a line; npos where nowhere.
size_t FindLine(std::string_view text, std::string_view line, size_t from) {
  for (size_t at = from; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view found = text.substr(at, end - at);
    if (found.ends_with('\r')) found.remove_suffix(1);
    if (found == line) return at;
    at = end + 1;
  }
  return std::string_view::npos;
}

void Blank(std::string& text, size_t from, size_t to) {
  for (size_t i = from; i < std::min(to, text.size()); ++i) {
    if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
  }
}

}  // namespace

std::optional<BadByte> FindBadByte(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(uint64_t) && IsPlainWord(text, at)) {
      at += sizeof(uint64_t);
      continue;
    }
    const size_t length = CharacterLength(text, at);
    if (length == 0) {
      return BadByte{at, "not UTF-8 at offset " + std::to_string(at)};
    }
    if (text[at] == '\0') return BadByte{at, "NUL byte at offset " + std::to_string(at)};
    at += length;
  }
  return std::nullopt;
}

std::optional<BadByte> FindLoneCarriageReturn(std::string_view text) {
  for (size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 < text.size() && text[at + 1] == '\n') continue;
    return BadByte{at, "carriage return without a line feed at offset " + std::to_string(at)};
  }
  return std::nullopt;
}

void BlankReleaseProse(std::string& text) {
  constexpr std::string_view kHooks = "HOOKS:";
  constexpr std::string_view kManifest = "MANIFEST:";
  if (!text.starts_with("NAME: ") && !text.starts_with("Release \"")) return;
  const size_t manifest = FindLine(text, kManifest, 0);
  if (manifest == std::string_view::npos) return;
  const size_t hooks = FindLine(text, kHooks, 0);
  Blank(text, 0, hooks < manifest ? hooks + kHooks.size() : manifest);
  Blank(text, manifest, manifest + kManifest.size());
  const size_t notes = FindLine(text, "NOTES:", manifest);
  if (notes != std::string_view::npos) Blank(text, notes, text.size());
}

bool LooksLikeJson(std::string_view text, std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".json")) return true;
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos || text[first] != '{') return false;
  const size_t second = text.find_first_not_of(kSpace, first + 1);
  if (second == std::string_view::npos || (text[second] != '"' && text[second] != '}'))
    return false;
  return text.find("\n---") == std::string_view::npos;
}

}  // namespace npf::load
