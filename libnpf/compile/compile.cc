#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "compile/address_tables.h"
#include "compile/cells.h"
#include "compile/cold_tables.h"
#include "compile/deadline.h"
#include "compile/image_writer.h"
#include "compile/pair_tables.h"
#include "npf/compiler.h"
#include "resolve/resolve.h"

namespace npf {
namespace {

constexpr layout::SectionId kHotIpv4[] = {layout::kV4Top, layout::kV4Mid, layout::kV4Leaf};
constexpr layout::SectionId kHotIpv6[] = {
    layout::kV6Pilots,   layout::kV6Places, layout::kV6Highs,     layout::kV6Intervals,
    layout::kV6Segments, layout::kV6Lows,   layout::kV6LowClasses};
constexpr layout::SectionId kHotBoth[] = {
    layout::kProtocols,    layout::kPortIndex,   layout::kPairCells,   layout::kPairTiles,
    layout::kPairPilots,   layout::kPairPlaces,  layout::kSourceGroup, layout::kDestinationGroup,
    layout::kDefaultCells, layout::kCellOutcomes};

size_t SumBytes(std::span<const layout::SectionId> sections, const ImageWriter& writer) {
  size_t sum = 0;
  for (const layout::SectionId id : sections) sum += writer.SectionBytes(id);
  return sum;
}

class Compilation {
 public:
  Compilation(const Snapshot& snapshot, const CompileOptions& options, CompileReport& report)
      : snapshot_(snapshot), options_(options), report_(report), deadline_(options.time_ns_max) {}

  absl::StatusOr<Program> Run() {
    std::vector<resolve::Cost> costs;
    // A row entry takes eight bytes of the image.
    const resolve::ResolveLimits limits{.entries_max = options_.image_bytes_max / 8};
    auto policy = resolve::Resolve(snapshot_, limits, costs);
    ReportCosts(costs);
    if (!policy.ok()) return WithCostliest(policy.status());
    absl::Status status = deadline_.Check();
    if (status.ok()) status = Write(*policy);
    if (status.ok()) status = deadline_.Check();
    if (!status.ok()) return WithCostliest(status);
    Report(*policy);
    absl::StatusOr<Program> program = writer_.Seal();
    report_.compile_ns = deadline_.elapsed_ns();
    return program;
  }

 private:
  absl::Status Write(resolve::ResolvedPolicy& policy) {
    BuildV4Trie(policy, writer_);
    absl::Status status = BuildV6Tables(policy, writer_);
    if (!status.ok()) return status;
    WriteClasses(policy, writer_);
    WriteRows(policy, writer_);
    WriteEndpoints(policy, writer_);
    WritePorts(policy, writer_);
    WriteProvenance(policy, writer_);
    WriteDecisions(policy, writer_);
    CellTable cells(policy);
    status = PairTables(policy, cells, deadline_)
                 .Build(options_.pair_kind, options_.image_bytes_max, writer_);
    if (!status.ok()) return status;
    cells.Write(writer_);
    return absl::OkStatus();
  }

  void ReportCosts(const std::vector<resolve::Cost>& costs) {
    for (const resolve::Cost& cost : costs) {
      report_.policies.push_back({cost.policy, cost.subject_classes, cost.row_entries});
    }
  }

  void Report(const resolve::ResolvedPolicy& policy) {
    report_.pod_classes = policy.pod_class_count;
    report_.other_classes = policy.classes.size() - policy.pod_class_count;
    report_.port_classes = policy.port_classes.count;
    report_.cells = writer_.header.cell_count;
    const auto distinct_rows = [](std::vector<uint32_t> rows) {
      std::sort(rows.begin(), rows.end());
      rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      return rows.size() - (rows.empty() || rows.back() != resolve::kNone ? 0 : 1);
    };
    report_.ingress_rows = distinct_rows(policy.row_of_class[resolve::kIngress]);
    report_.egress_rows = distinct_rows(policy.row_of_class[resolve::kEgress]);
    report_.pair_kind = static_cast<PairKind>(writer_.header.pair_kind);
    const size_t both = SumBytes(kHotBoth, writer_);
    report_.hot_ipv4_bytes = SumBytes(kHotIpv4, writer_) + both;
    report_.hot_ipv6_bytes = SumBytes(kHotIpv6, writer_) + both;
    report_.cold_bytes =
        writer_.ImageBytes() - SumBytes(kHotIpv4, writer_) - SumBytes(kHotIpv6, writer_) - both;
  }

  absl::Status WithCostliest(const absl::Status& status) const {
    if (!absl::IsResourceExhausted(status) && !absl::IsDeadlineExceeded(status)) return status;
    std::vector<const PolicyCost*> order;
    for (const PolicyCost& cost : report_.policies) order.push_back(&cost);
    const size_t shown = std::min<size_t>(order.size(), 5);
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
                      [](const PolicyCost* a, const PolicyCost* b) {
                        if (a->row_entries != b->row_entries)
                          return a->row_entries > b->row_entries;
                        return a->policy < b->policy;
                      });
    std::string message = absl::StrCat(status.message(), "; the policies that cost most:");
    for (size_t i = 0; i < shown; ++i) {
      absl::StrAppend(&message, i == 0 ? " " : ", ", order[i]->policy, " (", order[i]->row_entries,
                      " entries for ", order[i]->subject_classes, " classes)");
    }
    return {status.code(), message};
  }

  const Snapshot& snapshot_;
  const CompileOptions& options_;
  CompileReport& report_;
  Deadline deadline_;
  ImageWriter writer_;
};

}  // namespace

absl::StatusOr<Program> Compile(const Snapshot& snapshot, const CompileOptions& options,
                                CompileReport* report) {
  CompileReport own_report;
  CompileReport& used_report = report != nullptr ? *report : own_report;
  used_report = {};
  return Compilation(snapshot, options, used_report).Run();
}

}  // namespace npf
