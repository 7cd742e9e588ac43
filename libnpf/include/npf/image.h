// Saving a Program to a file and loading it again. docs/image-format.md describes the bytes.
#ifndef NPF_IMAGE_H_
#define NPF_IMAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "npf/program.h"

namespace npf {

// Written beside `path` and renamed over it, so that a reader sees the old file or the whole new
// one. `mode` are its permissions.
absl::Status SaveImage(const Program& program, const std::string& path, unsigned mode = 0644);
// Read into private memory, then verified (see Program::FromImage).
absl::StatusOr<Program> LoadImage(const std::string& path);

}  // namespace npf

#endif  // NPF_IMAGE_H_
