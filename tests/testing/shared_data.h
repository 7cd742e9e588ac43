// Reference data that lies beside the repository, and is not part of it.
#ifndef NPF_TESTS_TESTING_SHARED_DATA_H_
#define NPF_TESTS_TESTING_SHARED_DATA_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/snapshot.h"

namespace npf::testing {

// $NPF_SHARED, or ../shared beside the repository; nullopt where there is none.
std::optional<std::filesystem::path> SharedData();

// The whole file; *.gz is decompressed. Fails the current test where it cannot be read.
std::string ReadFile(const std::filesystem::path& path);

// Subdirectories, sorted by name.
std::vector<std::filesystem::path> Directories(const std::filesystem::path& parent);

// Through the library's own loader.
absl::StatusOr<Snapshot> LoadSnapshot(const std::vector<std::filesystem::path>& paths);
absl::StatusOr<Snapshot> LoadSnapshotText(const std::string& text, const std::string& name);

}  // namespace npf::testing

// In a test: `const std::filesystem::path shared = ...;`, or the test is skipped.
#define NPF_SHARED_OR_SKIP(variable)                                                        \
  const std::optional<std::filesystem::path> variable##_found = npf::testing::SharedData(); \
  if (!variable##_found) {                                                                  \
    GTEST_SKIP() << "needs the reference data: ../shared beside the repository, or "        \
                    "NPF_SHARED";                                                           \
  }                                                                                         \
  const std::filesystem::path variable = *variable##_found

#endif  // NPF_TESTS_TESTING_SHARED_DATA_H_
