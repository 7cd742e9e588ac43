// The reference data's JSON fixtures, as objects of the model.
#ifndef NPF_TESTS_CONFORMANCE_FIXTURE_H_
#define NPF_TESTS_CONFORMANCE_FIXTURE_H_

#include <rapidjson/document.h>

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "npf/snapshot.h"
#include "reference/evaluator.h"
#include "testing/judge.h"

namespace npf::testing {

// Fails the current test, and gives an empty object, where the file is not JSON.
rapidjson::Document ReadJson(const std::filesystem::path& path);
std::string ToText(const rapidjson::Value& value);

// `namespaces`, `pods` and `nodes` as the fixtures write them; `policies` as Kubernetes writes
// them, read by the library's loader.
absl::StatusOr<Snapshot> MakeSnapshot(const rapidjson::Value& namespaces,
                                      const rapidjson::Value& pods,
                                      const rapidjson::Value& policies,
                                      const rapidjson::Value* nodes = nullptr);

uint8_t ProtocolNumber(const std::string& name);  // "TCP" -> 6; a number stands for itself

// Compares every judge's answers with a matrix of '.' (allow), 'X' (deny) and '#' (a pod to itself,
// which is allowed whatever the policies say). Rows are sources, columns destinations, in the order
// of `pods`. Gives the number of cells compared.
size_t ExpectMatrix(const Snapshot& snapshot, const rapidjson::Value& pods,
                    const std::string& protocol, uint16_t port, const rapidjson::Value& matrix);

}  // namespace npf::testing

#endif  // NPF_TESTS_CONFORMANCE_FIXTURE_H_
