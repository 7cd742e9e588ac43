# SARIF of npf as GitLab's code quality report wants it.
[ .runs[].results[] | select((.suppressions // []) == []) | {
    description: .message.text,
    check_name: .ruleId,
    fingerprint: ((.partialFingerprints // {}) | to_entries | map(.value) | join("-")),
    severity: ({error: "major", warning: "minor", note: "info"}[.level // "warning"]),
    location: {
      path: (.locations[0].physicalLocation.artifactLocation.uri // "deploy"),
      lines: { begin: (.locations[0].physicalLocation.region.startLine // 1) }
    }
} ]
