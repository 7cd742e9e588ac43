#include "gaps/seen.h"

namespace npf::gaps {

Grade GradeOf(Evidence evidence) {
  if (evidence >= Evidence::kRefused) return Grade::kProven;
  if (evidence >= Evidence::kArrived) return Grade::kSuggested;
  if (evidence >= Evidence::kRetransmitted) return Grade::kDropped;
  return Grade::kNothing;
}

std::string_view Name(Grade grade) {
  switch (grade) {
    case Grade::kNothing:
      return "nothing";
    case Grade::kDropped:
      return "dropped";
    case Grade::kSuggested:
      return "suggested";
    case Grade::kProven:
      return "proven";
  }
  return "";
}

std::string_view Name(Evidence evidence) {
  switch (evidence) {
    case Evidence::kUnseen:
      return "unseen";
    case Evidence::kRetransmitted:
      return "retransmitted";
    case Evidence::kRejected:
      return "rejected";
    case Evidence::kLogDropped:
      return "log_dropped";
    case Evidence::kArrived:
      return "arrived";
    case Evidence::kReset:
      return "reset";
    case Evidence::kAcknowledged:
      return "acknowledged";
    case Evidence::kAnswerOnly:
      return "answer_only";
    case Evidence::kMidstream:
      return "midstream";
    case Evidence::kForwarded:
      return "forwarded";
    case Evidence::kRefused:
      return "refused";
    case Evidence::kBothWays:
      return "both_ways";
    case Evidence::kReply:
      return "reply";
    case Evidence::kAnswered:
      return "answered";
    case Evidence::kHandshake:
      return "handshake";
    case Evidence::kLogReply:
      return "log_reply";
  }
  return "";
}

}  // namespace npf::gaps
