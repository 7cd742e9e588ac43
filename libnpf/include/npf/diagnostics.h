// What is wrong, or suspicious, in the input: the API server's own field paths and error types,
// with the file, line and column.
#ifndef NPF_DIAGNOSTICS_H_
#define NPF_DIAGNOSTICS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npf/model.h"

namespace npf {

enum class Severity : uint8_t { kWarning, kError };

struct Diagnostic {
  Severity severity = Severity::kError;
  Position position;
  std::string object;  // "NetworkPolicy prod/db"; empty where no object is concerned
  std::string field;   // "spec.ingress[0].ports[1].endPort"; empty where none is
  std::string type;  // Required Invalid NotSupported Forbidden Duplicate TypeInvalid; may be empty
  std::string detail;  // what is wrong (what was found); what is allowed
};

// Collects diagnostics in input order. Bounded: beyond `kMax` they are counted, not kept.
class Diagnostics {
 public:
  static constexpr size_t kMax = 10'000;
  void Add(Diagnostic diagnostic);
  void AddError(Position position, std::string object, std::string field, std::string type,
                std::string detail);
  void AddWarning(Position position, std::string object, std::string field, std::string detail);

  std::span<const Diagnostic> all() const { return all_; }
  size_t error_count() const { return error_count_; }
  size_t warning_count() const { return warning_count_; }
  size_t dropped_count() const { return dropped_count_; }
  bool ok() const { return error_count_ == 0; }

 private:
  std::vector<Diagnostic> all_;
  size_t error_count_ = 0;
  size_t warning_count_ = 0;
  size_t dropped_count_ = 0;
};

// "FILE:LINE:COL: [warning: ]OBJECT: FIELD: DETAIL", absent parts left out. `files[i]` names file
// i; files[0] is unused. Text from the input is escaped and cut at 120 bytes; names of files are
// whole.
std::string Format(const Diagnostic& diagnostic, std::span<const std::string> files);
inline constexpr size_t kFileNameBytesMax = 4096;  // the longest path that the system has
std::string EscapeForMessage(std::string_view text, size_t bytes_max = 120);

}  // namespace npf

#endif  // NPF_DIAGNOSTICS_H_
