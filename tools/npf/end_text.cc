#include "npf/end_text.h"

#include <algorithm>

#include "model/names.h"
#include "npf/diagnostics.h"
#include "npf/flow.h"
#include "npf/protocol.h"
#include "npf/selector_text.h"

namespace npf::tools {
namespace {

constexpr uint16_t kPortMax = 65535;
constexpr std::string_view kWords[] = {"any", "pods", "nodes", "internet", "external"};

std::string Quoted(std::string_view text) { return " (\"" + EscapeForMessage(text) + "\")"; }

bool LooksLikeAddress(std::string_view text) {
  return text.find_first_not_of("0123456789./") == std::string_view::npos &&
         text.find('.') != std::string_view::npos;
}

bool IsSelector(std::string_view text) {
  return text.starts_with('!') || text.find_first_of("=,()") != std::string_view::npos;
}

bool ParseName(std::string_view text, const std::string& default_namespace, EndText& end,
               std::string& fault) {
  const size_t slash = text.find('/');
  const bool has_namespace = slash != std::string_view::npos;
  end.ns = has_namespace ? std::string(text.substr(0, slash)) : default_namespace;
  end.name = text.substr(has_namespace ? slash + 1 : 0);
  if (has_namespace && end.name == "*") {
    end.form = EndText::Form::kPods;
    end.name.clear();
  } else if (!model::Dns1123SubdomainFaults(end.name).empty()) {
    fault = "not a name" + Quoted(text) +
            "; NAME, NAMESPACE/NAME, NAMESPACE/*, a selector as app=web, an address, a CIDR, any, "
            "pods, nodes, internet or external";
    return false;
  }
  if (model::Dns1123LabelFaults(end.ns).empty()) return true;
  fault = "not the name of a namespace" + Quoted(end.ns);
  return false;
}

// What stands before the port.
bool ParseWho(std::string_view text, const std::string& default_namespace, EndText& end,
              std::string& fault) {
  if (std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords)) {
    end.form = EndText::Form::kWord;
    end.name = text;
    return true;
  }
  if (LooksLikeAddress(text)) {
    const auto block = ParseBlock(text, fault);
    if (!block) return false;
    end.form = EndText::Form::kBlock;
    end.block = *block;
    return true;
  }
  if (!IsSelector(text)) return ParseName(text, default_namespace, end, fault);
  auto selector = ParseSelector(text, fault);
  if (!selector) return false;
  end.form = EndText::Form::kPods;
  end.ns = default_namespace;
  end.pods = *std::move(selector);
  return true;
}

bool TakePort(std::string_view text, EndText& end, std::string& fault) {
  auto port = ParsePort(text, std::nullopt, fault);
  if (!port) return false;
  end.ports.push_back(*std::move(port));
  return true;
}

// "[2001:db8::/32]:443".
bool ParseBracketed(std::string_view text, EndText& end, std::string& fault) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos) {
    fault = "a bracket without its other one" + Quoted(text);
    return false;
  }
  const auto block = ParseBlock(text.substr(1, close - 1), fault);
  if (!block) return false;
  end.form = EndText::Form::kBlock;
  end.block = *block;
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return true;
  if (rest.starts_with(':')) return TakePort(rest.substr(1), end, fault);
  fault = "only a port may stand behind the bracket, as :443" + Quoted(text);
  return false;
}

std::optional<PortText> ParseSpan(std::string_view text, uint8_t protocol, std::string& fault) {
  const size_t dash = text.find('-');
  const auto first = ParseNumber(text.substr(0, dash), kPortMax);
  const auto last =
      dash == std::string_view::npos ? first : ParseNumber(text.substr(dash + 1), kPortMax);
  if (!first || !last || *first == 0 || *last < *first) {
    fault = "not a port" + Quoted(text) + "; 1 to 65535, or FIRST-LAST";
    return std::nullopt;
  }
  return analysis::ProtocolRange{protocol, static_cast<uint16_t>(*first),
                                 static_cast<uint16_t>(*last)};
}

}  // namespace

std::optional<IpPrefix> ParseBlock(std::string_view text, std::string& fault) {
  if (const auto address = ParseIpAddress(text)) {
    return IpPrefix{*address, static_cast<uint8_t>(address->bit_count())};
  }
  const ParsedPrefix parsed = ParseIpPrefix(text);
  if (parsed.fault == PrefixFault::kNone && !parsed.host_bits_set) return parsed.prefix;
  fault = "not an address or CIDR" + Quoted(text);
  if (parsed.fault == PrefixFault::kNone) {
    fault += "; bits beyond its length are set, it could be " + ToString(parsed.prefix);
  }
  return std::nullopt;
}

std::optional<PortText> ParsePort(std::string_view text, std::optional<uint8_t> default_protocol,
                                  std::string& fault) {
  const size_t slash = text.find('/');
  const std::string_view what = text.substr(0, slash);
  const bool digits = !what.empty() && what.front() >= '0' && what.front() <= '9';
  if (!digits) {
    if (const auto protocol = ParseProtocol(text)) {
      if (!HasPorts(protocol->number)) return analysis::ProtocolRange{};
      return analysis::ProtocolRange{protocol->number, 1, kPortMax};
    }
  }
  std::optional<uint8_t> protocol = default_protocol;
  if (slash != std::string_view::npos) {
    const auto named = ParseProtocol(text.substr(slash + 1));
    if (!named || !HasPorts(named->number)) {
      fault = "only TCP, UDP and SCTP have ports" + Quoted(text);
      return std::nullopt;
    }
    protocol = named->number;
  }
  if (digits) return ParseSpan(what, protocol.value_or(kProtocolTcp), fault);
  if (model::PortNameFaults(std::string(what)).empty()) {
    return PortName{std::string(what), protocol};
  }
  fault = "not a port" + Quoted(text) + "; a number, FIRST-LAST or a name, each also with /UDP, " +
          "or a protocol";
  return std::nullopt;
}

bool ParseEnd(std::string_view text, const std::string& default_namespace, EndText& end,
              std::string& fault) {
  end.text = text;
  if (text.starts_with('[')) return ParseBracketed(text, end, fault);
  // A colon would be part of an IPv6 address.
  if (std::count(text.begin(), text.end(), ':') > 1) {
    const auto block = ParseBlock(text, fault);
    if (!block) return false;
    end.form = EndText::Form::kBlock;
    end.block = *block;
    return true;
  }
  const size_t colon = text.find(':');
  if (!ParseWho(text.substr(0, colon), default_namespace, end, fault)) return false;
  return colon == std::string_view::npos || TakePort(text.substr(colon + 1), end, fault);
}

}  // namespace npf::tools
