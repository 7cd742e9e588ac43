#include "npf/expectation.h"

#include <utility>

#include "load/decode.h"
#include "load/decode_parts.h"
#include "load/document.h"
#include "load/files.h"
#include "npf/end_text.h"
#include "npf/flow.h"
#include "npf/protocol.h"
#include "npf/selector_text.h"

namespace npf::tools {
namespace {

using load::Decoding;
using load::Node;
using load::NodeKind;
using load::Path;
using load::StrictMap;

constexpr size_t kFileBytesMax = size_t{16} << 20;
constexpr size_t kExpectationsMax = 100'000;

std::string SelectorText(const LabelSelector& selector) {
  std::string text;
  for (const auto& [key, value] : selector.match_labels) {
    text += (text.empty() ? "" : ",") + key + "=" + value;
  }
  return text;
}

class ExpectationDecoder {
 public:
  ExpectationDecoder(Decoding& decoding, std::string default_namespace, ExpectationFile& out)
      : decoding_(decoding), namespace_(std::move(default_namespace)), out_(out) {}

  void Decode(const Node& root) {
    const Path path;
    StrictMap map(decoding_, &root, path);
    namespace_ = TakeText(map, path, "namespace", namespace_);
    const Path list_path = path.Member("expectations");
    const Node* list = decoding_.List(map.Take("expectations"), list_path);
    if (list == nullptr || list->first == nullptr) {
      decoding_.Error(root.mark, "expectations", "Required", "there is none");
      return;
    }
    size_t i = 0;
    for (const Node* item = list->first; item != nullptr; item = item->next) {
      if (out_.expectations.size() == kExpectationsMax) {
        decoding_.Error(item->mark, "expectations", "LimitExceeded",
                        "more than " + std::to_string(kExpectationsMax));
        return;
      }
      DecodeItem(*item, list_path.Item(i++));
    }
  }

 private:
  std::string TakeText(StrictMap& map, const Path& path, std::string_view key,
                       const std::string& otherwise) {
    return decoding_.String(map.Take(key), path.Member(key)).value_or(otherwise);
  }

  void DecodeItem(const Node& node, const Path& path) {
    if (!load::IsWrittenOut(decoding_, node, path)) return;
    Expectation out;
    out.position = decoding_.PositionOf(node.mark);
    out.field = path.ToString();
    StrictMap map(decoding_, &node, path);
    out.name = TakeText(map, path, "name", "");
    const std::string outer = namespace_;
    namespace_ = TakeText(map, path, "namespace", namespace_);
    out.from = TakeEnds(map, node, path, "from", /*required=*/true);
    out.not_from = TakeEnds(map, node, path, "not-from", /*required=*/false);
    out.to = TakeEnds(map, node, path, "to", /*required=*/true);
    out.not_to = TakeEnds(map, node, path, "not-to", /*required=*/false);
    out.ports = TakePorts(map, path);
    TakeVerdict(map, node, path, out);
    namespace_ = outer;
    if (out.name.empty() && !out.from.empty() && !out.to.empty()) out.name = MadeName(out);
    out_.expectations.push_back(std::move(out));
  }

  static std::string MadeName(const Expectation& out) {
    std::string name = out.from[0].text + (out.from.size() > 1 ? " and others" : "") + " to " +
                       out.to[0].text + (out.to.size() > 1 ? " and others" : "");
    return name + (out.allow ? " is allowed" : " is denied");
  }

  void TakeVerdict(StrictMap& map, const Node& node, const Path& path, Expectation& out) {
    const Node* verdict = map.Take("expect");
    if (verdict == nullptr) {
      decoding_.Error(node.mark, path.Member("expect").ToString(), "Required",
                      "is missing; allow or deny");
      return;
    }
    out.allow = verdict->text == "allow";
    if (verdict->kind == NodeKind::kString && (out.allow || verdict->text == "deny")) return;
    decoding_.Error(verdict->mark, path.Member("expect").ToString(), "NotSupported",
                    "must be allow or deny (found " + load::Describe(*verdict) + ")");
  }

  std::vector<EndText> TakeEnds(StrictMap& map, const Node& parent, const Path& path,
                                std::string_view key, bool required) {
    std::vector<EndText> out;
    const bool with_ports = key == "to";
    const Node* node = map.Take(key);
    const Path at = path.Member(key);
    if (node == nullptr || (node->kind == NodeKind::kList && node->first == nullptr)) {
      if (required) {
        decoding_.Error(node == nullptr ? parent.mark : node->mark, at.ToString(), "Required",
                        "is missing");
      }
      return out;
    }
    if (node->kind != NodeKind::kList) {
      DecodeEnd(*node, at, with_ports, out);
      return out;
    }
    size_t i = 0;
    for (const Node* item = node->first; item != nullptr; item = item->next) {
      DecodeEnd(*item, at.Item(i++), with_ports, out);
    }
    return out;
  }

  void DecodeEnd(const Node& node, const Path& path, bool with_ports, std::vector<EndText>& out) {
    EndText end;
    end.position = decoding_.PositionOf(node.mark);
    end.field = path.ToString();
    if (node.kind == NodeKind::kMap) {
      if (!DecodeEndMap(node, path, end)) return;
    } else if (node.kind != NodeKind::kString) {
      decoding_.WrongType(path, node, "a string or a map");
      return;
    } else if (std::string fault; !ParseEnd(node.text, namespace_, end, fault)) {
      decoding_.Error(node.mark, path.ToString(), "Invalid", std::move(fault));
      return;
    }
    if (!end.ports.empty() && !with_ports) {
      decoding_.Error(node.mark, path.ToString(), "Forbidden",
                      "has a port; ports stand in `to`, or in `ports`");
    }
    out.push_back(std::move(end));
  }

  bool DecodeEndMap(const Node& node, const Path& path, EndText& end) {
    const size_t errors = decoding_.error_count();
    StrictMap map(decoding_, &node, path);
    const bool has_namespace = load::FindMember(node, "namespace") != nullptr;
    end.ns = TakeText(map, path, "namespace", namespace_);
    end.text = has_namespace ? end.ns + "/" : "";
    size_t forms = 0;
    const auto take_name = [&](std::string_view key, EndText::Form form) {
      const std::string name = TakeText(map, path, key, "");
      if (name.empty()) return;
      end.form = form;
      end.name = name;
      end.text = std::string(key) + " " + end.text + name;
      ++forms;
    };
    take_name("pod", EndText::Form::kPod);
    take_name("workload", EndText::Form::kWorkload);
    take_name("service", EndText::Form::kService);
    if (const auto cidr = decoding_.String(map.Take("cidr"), path.Member("cidr"))) {
      TakeBlock(*cidr, node, path, end);
      ++forms;
    }
    const Node* pods = map.Take("pods");
    const Node* namespaces = map.Take("namespaces");
    if (pods != nullptr || namespaces != nullptr || (forms == 0 && has_namespace)) {
      TakeSelectors(pods, namespaces, path, end);
      ++forms;
    }
    if (forms != 1) {
      decoding_.Error(node.mark, path.ToString(), forms == 0 ? "Required" : "Forbidden",
                      "needs one of pod, workload, service, cidr, or pods with namespace or "
                      "namespaces");
    } else if (namespaces != nullptr && has_namespace) {
      decoding_.Error(node.mark, path.ToString(), "Forbidden", "has both namespace and namespaces");
    }
    end.ports = TakePorts(map, path);
    return decoding_.error_count() == errors;
  }

  void TakeBlock(const std::string& cidr, const Node& node, const Path& path, EndText& end) {
    std::string fault;
    const auto block = ParseBlock(cidr, fault);
    end.form = EndText::Form::kBlock;
    end.text = cidr;
    if (block) {
      end.block = *block;
    } else {
      decoding_.Error(node.mark, path.Member("cidr").ToString(), "Invalid", std::move(fault));
    }
  }

  void TakeSelectors(const Node* pods, const Node* namespaces, const Path& path, EndText& end) {
    end.form = EndText::Form::kPods;
    std::string shown = "pods";
    end.pods = TakeSelector(pods, path.Member("pods"), shown);
    if (namespaces != nullptr) {
      shown += " in namespaces";
      end.namespaces = TakeSelector(namespaces, path.Member("namespaces"), shown);
    } else {
      shown += " in " + end.ns;
    }
    end.text = shown;
  }

  // A selector in one line, or a map of labels.
  LabelSelector TakeSelector(const Node* node, const Path& path, std::string& shown) {
    LabelSelector selector;
    if (node == nullptr) return selector;
    if (node->kind != NodeKind::kString) {
      selector.match_labels = decoding_.StringMap(node, path);
      shown += " " + SelectorText(selector);
      return selector;
    }
    std::string fault;
    const auto parsed = ParseSelector(node->text, fault);
    if (!parsed) decoding_.Error(node->mark, path.ToString(), "Invalid", std::move(fault));
    shown += " " + std::string(node->text);
    return parsed.value_or(selector);
  }

  // `port` or `ports`, one or several, and the `protocol` of those that name none.
  std::vector<PortText> TakePorts(StrictMap& map, const Path& path) {
    std::vector<PortText> out;
    const Node* protocol_node = map.Take("protocol");
    const Node* one = map.Take("port");
    const Node* several = map.Take("ports");
    std::optional<uint8_t> protocol;
    if (protocol_node != nullptr) {
      const bool with_ports = one != nullptr || several != nullptr;
      const auto parsed = ParseProtocol(protocol_node->text);
      if (!parsed || (with_ports && !HasPorts(parsed->number))) {
        decoding_.Error(protocol_node->mark, path.Member("protocol").ToString(), "NotSupported",
                        "must be TCP, UDP or SCTP (found " + load::Describe(*protocol_node) + ")");
        return out;
      }
      protocol = parsed->number;
      if (!with_ports) {
        TakePort(protocol_node->text, std::nullopt, path.Member("protocol"), protocol_node->mark,
                 out);
      }
    }
    for (const auto& [node, key] : {std::pair(one, "port"), std::pair(several, "ports")}) {
      if (node == nullptr) continue;
      const Path at = path.Member(key);
      const Node* item = node->kind == NodeKind::kList ? node->first : node;
      if (item == nullptr) decoding_.Error(node->mark, at.ToString(), "Required", "is empty");
      for (; item != nullptr; item = node->kind == NodeKind::kList ? item->next : nullptr) {
        if (item->kind != NodeKind::kInt && item->kind != NodeKind::kString) {
          decoding_.WrongType(at, *item, "a port");
        } else {
          TakePort(item->text, protocol, at, item->mark, out);
        }
      }
    }
    return out;
  }

  void TakePort(std::string_view text, std::optional<uint8_t> protocol, const Path& path,
                load::Mark mark, std::vector<PortText>& out) {
    std::string fault;
    auto port = ParsePort(text, protocol, fault);
    if (port) {
      out.push_back(*std::move(port));
    } else {
      decoding_.Error(mark, path.ToString(), "Invalid", std::move(fault));
    }
  }

  Decoding& decoding_;
  std::string namespace_;  // of names that say none
  ExpectationFile& out_;
};

void ReadText(const std::string& text, const std::string& name,
              const std::string& default_namespace, ExpectationFile& out,
              Diagnostics& diagnostics) {
  const auto file = static_cast<uint32_t>(out.files.size());
  out.files.push_back(name);
  const size_t errors = diagnostics.error_count();
  bool some = false;
  load::ReadDocuments(text, name, file, diagnostics,
                      [&](const load::TextSource& source, const load::ParsedObject& document) {
                        some = true;
                        Decoding decoding(source, *document.root, "", "", {}, diagnostics);
                        decoding.Report(document.remarks);
                        ExpectationDecoder(decoding, default_namespace, out).Decode(*document.root);
                      });
  if (!some && diagnostics.error_count() == errors) {
    diagnostics.AddError({file, 0, 0}, "", "", "", "no expectations");
  }
}

}  // namespace

ExpectationFile ReadExpectationText(const std::string& text, const std::string& name,
                                    const std::string& default_namespace,
                                    Diagnostics& diagnostics) {
  ExpectationFile out;
  out.files.emplace_back();
  ReadText(text, name, default_namespace, out, diagnostics);
  return out;
}

ExpectationFile ReadExpectations(const std::vector<std::string>& paths,
                                 const std::string& default_namespace, Diagnostics& diagnostics) {
  ExpectationFile out;
  out.files.emplace_back();
  for (const std::string& path : paths) {
    std::string text;
    load::FileKind kind = load::FileKind::kFile;
    load::FileFault fault = load::KindOfFile(path, kind);
    if (fault.ok() && kind == load::FileKind::kDirectory) fault.detail = "is a directory";
    if (fault.ok()) fault = load::ReadWhole(path, kFileBytesMax, text);
    const std::string name = path == "-" ? "(standard input)" : path;
    if (fault.ok()) {
      ReadText(text, name, default_namespace, out, diagnostics);
    } else {
      out.files.push_back(name);
      diagnostics.AddError({static_cast<uint32_t>(out.files.size() - 1), 0, 0}, "", "", fault.type,
                           fault.detail);
    }
  }
  return out;
}

}  // namespace npf::tools
