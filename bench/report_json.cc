#include "report_json.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <fstream>
#include <sstream>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "measure.h"

namespace npf::bench {
namespace {

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

template <typename T, typename Plain>
concept Is = std::is_same_v<std::remove_const_t<T>, Plain>;

// The fields of each struct, for the writer and the reader alike.
template <typename Visitor, Is<Figure> T>
void VisitFields(Visitor& visit, T& value) {
  visit("contender", value.contender);
  visit("rival", value.rival);
  visit("ns", value.ns);
  visit("wall_ns", value.wall_ns);
  visit("cycles", value.cycles);
  visit("table_bytes", value.table_bytes);
  visit("build_ns", value.build_ns);
  visit("checked", value.checked);
  visit("disagreements", value.disagreements);
}

template <typename Visitor, Is<Latency> T>
void VisitFields(Visitor& visit, T& value) {
  visit("kernel", value.kernel);
  visit("p50_ns", value.p50_ns);
  visit("p99_ns", value.p99_ns);
  visit("p999_ns", value.p999_ns);
}

template <typename Visitor, Is<Scene> T>
void VisitFields(Visitor& visit, T& value) {
  visit("workload", value.workload);
  visit("family", value.family);
  visit("traffic", value.traffic);
  visit("sweep", value.sweep);
  visit("pods", value.pods);
  visit("policies", value.policies);
  visit("cidrs", value.cidrs);
  visit("packets", value.packets);
  visit("seed", value.seed);
  visit("v4_bytes", value.v4_bytes);
  visit("v6_bytes", value.v6_bytes);
  visit("compile_ns", value.compile_ns);
  visit("verdicts", value.verdicts);
  visit("figures", value.figures);
  visit("latencies", value.latencies);
}

template <typename Visitor, Is<Report> T>
void VisitFields(Visitor& visit, T& value) {
  visit("command", value.command);
  visit("version", value.version);
  visit("cpu_model", value.cpu_model);
  visit("system", value.system);
  visit("kernel", value.kernel);
  visit("cpu_count", value.cpu_count);
  visit("load", value.load);
  visit("core_ghz", value.core_ghz);
  visit("tsc_ghz", value.tsc_ghz);
  visit("missing", value.missing);
}

class FieldWriter {
 public:
  explicit FieldWriter(Writer& writer) : writer_(writer) {}

  template <typename T>
  void operator()(const char* name, const T& value) {
    writer_.Key(name);
    Value(value);
  }

  template <typename T>
  void Value(const T& value) {
    writer_.StartObject();
    VisitFields(*this, value);
    writer_.EndObject();
  }
  void Value(const std::string& value) { writer_.String(value.data(), Size(value)); }
  void Value(bool value) { writer_.Bool(value); }
  void Value(double value) { writer_.Double(value); }
  void Value(uint64_t value) { writer_.Uint64(value); }
  template <typename T>
  void Value(const std::vector<T>& values) {
    writer_.StartArray();
    for (const T& value : values) Value(value);
    writer_.EndArray();
  }
  void Value(const std::map<std::string, uint64_t>& values) {
    writer_.StartObject();
    for (const auto& [name, value] : values) {
      writer_.Key(name.data(), Size(name));
      writer_.Uint64(value);
    }
    writer_.EndObject();
  }

 private:
  static rapidjson::SizeType Size(const std::string& text) {
    return static_cast<rapidjson::SizeType>(text.size());
  }
  Writer& writer_;
};

// Fields that are missing or of another type are told by name.
class FieldReader {
 public:
  explicit FieldReader(const rapidjson::Value& object, std::string& fault)
      : object_(object), fault_(fault) {}

  template <typename T>
  void operator()(const char* name, T& value) {
    if (!object_.IsObject() || !object_.HasMember(name) || !Read(object_[name], value)) {
      if (fault_.empty()) fault_ = absl::StrCat("no field ", name, " of the right type");
    }
  }

 private:
  template <typename T>
  bool Read(const rapidjson::Value& from, T& value) {
    FieldReader reader(from, fault_);
    VisitFields(reader, value);
    return fault_.empty();
  }
  bool Read(const rapidjson::Value& from, std::string& value) {
    if (!from.IsString()) return false;
    value.assign(from.GetString(), from.GetStringLength());
    return true;
  }
  bool Read(const rapidjson::Value& from, bool& value) {
    if (!from.IsBool()) return false;
    value = from.GetBool();
    return true;
  }
  bool Read(const rapidjson::Value& from, double& value) {
    if (!from.IsNumber()) return false;
    value = from.GetDouble();
    return true;
  }
  bool Read(const rapidjson::Value& from, uint64_t& value) {
    if (!from.IsUint64()) return false;
    value = from.GetUint64();
    return true;
  }
  template <typename T>
  bool Read(const rapidjson::Value& from, std::vector<T>& values) {
    if (!from.IsArray()) return false;
    for (const rapidjson::Value& item : from.GetArray()) {
      if (!Read(item, values.emplace_back())) return false;
    }
    return true;
  }
  bool Read(const rapidjson::Value& from, std::map<std::string, uint64_t>& values) {
    if (!from.IsObject()) return false;
    for (const auto& member : from.GetObject()) {
      if (!Read(member.value, values[member.name.GetString()])) return false;
    }
    return true;
  }

  const rapidjson::Value& object_;
  std::string& fault_;
};

void WriteContext(const Report& report, Writer& writer) {
  FieldWriter field(writer);
  writer.Key("context");
  writer.StartObject();
  field("date", report.date);
  field("executable", std::string("npf-bench"));
  field("num_cpus", report.cpu_count);
  field("mhz_per_cpu", static_cast<uint64_t>(report.core_ghz * 1000));
  field("cpu_scaling_enabled", false);
  writer.Key("caches");
  writer.StartArray();
  writer.EndArray();
  field("load_avg", std::vector<double>{report.load});
  field("library_build_type", std::string("release"));
  writer.Key("npf");
  field.Value(report);
  writer.EndObject();
}

// A line of `benchmarks`: a round, or an aggregate of them all.
struct Line {
  std::string run_name;
  std::string aggregate;  // empty: of one round
  uint64_t family = 0;
  uint64_t rounds = 0;
  uint64_t round = 0;
  uint64_t iterations = 0;
  double ns = 0;
  double wall_ns = 0;
};

void WriteLine(const Line& line, const Figure& figure, Writer& writer) {
  FieldWriter field(writer);
  const bool aggregate = !line.aggregate.empty();
  writer.StartObject();
  field("name", aggregate ? absl::StrCat(line.run_name, "_", line.aggregate) : line.run_name);
  field("family_index", line.family);
  field("per_family_instance_index", uint64_t{0});
  field("run_name", line.run_name);
  field("run_type", std::string(aggregate ? "aggregate" : "iteration"));
  field("repetitions", line.rounds);
  if (!aggregate) field("repetition_index", line.round);
  field("threads", uint64_t{1});
  if (aggregate) {
    field("aggregate_name", line.aggregate);
    field("aggregate_unit", std::string("time"));
  }
  field("iterations", line.iterations);
  field("real_time", line.wall_ns);
  field("cpu_time", line.ns);
  field("time_unit", std::string("ns"));
  field("items_per_second", line.ns > 0 ? 1e9 / line.ns : 0.0);
  if (aggregate) {
    field("cycles", figure.median_cycles());
    field("table_bytes", figure.table_bytes);
    field("build_ns", figure.build_ns);
  }
  writer.EndObject();
}

void WriteLines(const Scene& scene, const Figure& figure, uint64_t family, Writer& writer) {
  Line line{.run_name = absl::StrCat(scene.Name(), "/", figure.contender),
            .family = family,
            .rounds = figure.ns.size(),
            .iterations = scene.packets};
  for (size_t i = 0; i < figure.ns.size(); ++i) {
    line.round = i;
    line.ns = figure.ns[i];
    line.wall_ns = figure.wall_ns[i];
    WriteLine(line, figure, writer);
  }
  line.iterations = figure.ns.size();
  line.aggregate = "median";
  line.ns = figure.median_ns();
  line.wall_ns = Median(figure.wall_ns);
  WriteLine(line, figure, writer);
  line.aggregate = "min";
  line.ns = figure.best_ns();
  line.wall_ns = Best(figure.wall_ns);
  WriteLine(line, figure, writer);
}

}  // namespace

std::string ToJson(const Report& report) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetIndent(' ', 1);
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.SetMaxDecimalPlaces(4);
  writer.StartObject();
  WriteContext(report, writer);
  writer.Key("benchmarks");
  writer.StartArray();
  uint64_t family = 0;
  for (const Scene& scene : report.scenes) {
    for (const Figure& figure : scene.figures) WriteLines(scene, figure, family++, writer);
  }
  writer.EndArray();
  FieldWriter field(writer);
  field("scenes", report.scenes);
  writer.EndObject();
  return absl::StrCat(std::string(buffer.GetString(), buffer.GetSize()), "\n");
}

absl::StatusOr<Report> ReadReport(std::string_view text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError()) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset ", document.GetErrorOffset(), ": ",
                     rapidjson::GetParseError_En(document.GetParseError())));
  }
  Report report;
  std::string fault;
  if (!document.IsObject() || !document.HasMember("context")) {
    return absl::InvalidArgumentError("no field context");
  }
  FieldReader context(document["context"], fault);
  context("date", report.date);
  context("npf", report);
  FieldReader top(document, fault);
  top("scenes", report.scenes);
  if (!fault.empty()) return absl::InvalidArgumentError(fault);
  return report;
}

absl::StatusOr<Report> ReadReportFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::ostringstream text;
  text << file.rdbuf();
  absl::StatusOr<Report> report = ReadReport(text.str());
  if (report.ok()) return report;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", std::string(report.status().message())));
}

}  // namespace npf::bench
