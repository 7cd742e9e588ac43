/* The plain structs that cross every boundary of npf: C and C++ callers share arrays of them.
 * Sizes and offsets are part of the ABI (static_asserts in classify/classify.cc). */
#ifndef NPF_ABI_H_
#define NPF_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a packet says about its connection's first packet. Addresses in network order; an IPv4
 * address in the first four bytes, the rest zero. Ports in host order; dst_port is ignored for
 * protocols other than TCP (6), UDP (17) and SCTP (132). */
typedef struct npf_flow_key {
  uint8_t src[16];
  uint8_t dst[16];
  uint16_t src_port;
  uint16_t dst_port;
  uint8_t protocol; /* IANA number */
  uint8_t family;   /* 4 or 6; anything else is denied as malformed */
  uint8_t reserved[2];
} npf_flow_key;

/* The engine's answer for one key. */
typedef struct npf_verdict {
  uint32_t cell;       /* deciding cell of the Program, see npf/program.h */
  uint32_t port_class; /* port class that was judged */
  uint32_t generation; /* of the Program that judged */
  uint8_t allowed;     /* 1 allow, 0 deny */
  uint8_t reason;      /* npf_reason, see npf/verdict.h */
  uint8_t directions; /* bit 0 ingress allowed, bit 1 egress allowed; a direction that was not asked
                         for is 1 */
  uint8_t flags;      /* reserved, 0 */
} npf_verdict;

#ifdef __cplusplus
}
#endif

#endif /* NPF_ABI_H_ */
