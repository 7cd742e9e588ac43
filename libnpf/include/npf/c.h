/* The runtime of npf for programs in C: load a compiled image, classify flows, explain a verdict.
 *
 * Conventions. (1) Every function that can fail returns an npf_status, and those with `message` and
 * `message_size` also write a text there, cut to fit and always terminated; both may be zero.
 * (2) An npf_program is immutable: any number of threads may use one at once, and whoever frees it
 * sees to it that none still does. (3) npf_program_free(NULL) does nothing; every other pointer is
 * needed unless its comment says otherwise. (4) Structs that may grow begin with `size`, which the
 * caller sets to their sizeof. (5) No exception leaves these functions, none calls back, and
 * npf_classify neither allocates nor locks.
 *
 * npf/abi.h has npf_flow_key and npf_verdict. C++ programs use npf/program.h and npf/classify.h. */
#ifndef NPF_C_H_
#define NPF_C_H_

#include <stddef.h>
#include <stdint.h>

#include "npf/abi.h"

#ifdef __cplusplus
extern "C" {
#define NPF_C_NOEXCEPT noexcept
#else
#define NPF_C_NOEXCEPT
#endif

#if defined(__GNUC__)
#define NPF_C_API __attribute__((visibility("default")))
#else
#define NPF_C_API
#endif

/* Numbers are stable. */
typedef enum npf_status {
  NPF_STATUS_OK = 0,
  NPF_STATUS_BAD_ARGUMENT =
      1, /* a null pointer, a `size` or an option that this build does not know */
  NPF_STATUS_BAD_IMAGE = 2,   /* not an image, damaged, or of another format version */
  NPF_STATUS_ENVIRONMENT = 3, /* the file cannot be read */
  NPF_STATUS_LIMIT = 4,       /* out of memory, or the image is larger than this machine can hold */
  NPF_STATUS_INTERNAL = 5     /* a fault of npf's own */
} npf_status;

/* "the file cannot be read" and the like; never NULL, never freed. */
NPF_C_API const char* npf_status_text(npf_status status) NPF_C_NOEXCEPT;

typedef struct npf_program npf_program;

/* Reads and verifies the image at `path`; on success *program is to be freed. */
NPF_C_API npf_status npf_program_load(const char* path, npf_program** program, char* message,
                                      size_t message_size) NPF_C_NOEXCEPT;
/* The same, of an image that is in memory; it is copied. */
NPF_C_API npf_status npf_program_load_bytes(const void* bytes, size_t size, npf_program** program,
                                            char* message, size_t message_size) NPF_C_NOEXCEPT;
NPF_C_API void npf_program_free(npf_program* program) NPF_C_NOEXCEPT;

/* Bits of npf_classify_options.directions and of npf_verdict.directions. */
#define NPF_CLASSIFY_INGRESS 1
#define NPF_CLASSIFY_EGRESS 2

/* Where the verdict is made; docs/embedding.md says what each means. */
typedef enum npf_classify_placement {
  NPF_CLASSIFY_OFFLINE = 0,
  NPF_CLASSIFY_POD_PORT = 1,
  NPF_CLASSIFY_NODE_WIRE = 2,
  NPF_CLASSIFY_FABRIC = 3
} npf_classify_placement;

typedef struct npf_classify_options {
  uint32_t size;            /* sizeof(npf_classify_options) */
  uint32_t generation;      /* stamped on every verdict */
  uint8_t directions;       /* NPF_CLASSIFY_INGRESS, NPF_CLASSIFY_EGRESS or both */
  uint8_t placement;        /* npf_classify_placement */
  uint8_t deny_unknown_pod; /* 1: an address in a pod CIDR that no pod has is denied */
  uint8_t reserved;         /* 0 */
} npf_classify_options;

/* Judges keys[i] into verdicts[i], each as the first packet of a connection. `options` may be NULL:
 * both directions, offline. Nothing is written where the status is not NPF_STATUS_OK. */
NPF_C_API npf_status npf_classify(const npf_program* program, const npf_classify_options* options,
                                  const npf_flow_key* keys, npf_verdict* verdicts,
                                  size_t count) NPF_C_NOEXCEPT;
/* "policy", "no_policy", ...: the name of npf_verdict.reason; never NULL, never freed. */
NPF_C_API const char* npf_classify_reason_text(uint8_t reason) NPF_C_NOEXCEPT;

/* Why `key` is allowed or denied, in lines of text as `npf explain` prints them, written to `text`,
 * cut to fit and terminated. *length, where `length` is not NULL, is what the whole text needs
 * without its terminator. */
NPF_C_API npf_status npf_explain(const npf_program* program, const npf_classify_options* options,
                                 const npf_flow_key* key, char* text, size_t text_size,
                                 size_t* length) NPF_C_NOEXCEPT;

/* "0.1.0"; never NULL, never freed. */
NPF_C_API const char* npf_version_text(void) NPF_C_NOEXCEPT;
/* Rises when these functions or structs change in a way that callers must know of. */
NPF_C_API uint32_t npf_version_abi(void) NPF_C_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif /* NPF_C_H_ */
