// What every harness here is: a function over arbitrary bytes that must neither crash, nor trip a
// sanitizer, nor break a promise, whatever the bytes are.
//
// Built with Clang (preset `fuzz`), each is a libFuzzer program, fuzz_NAME, to be run over a copy
// of corpus/NAME. Built with any compiler, each is a test, fuzz_replay.NAME, that runs it over
// corpus/NAME once.
#ifndef NPF_TESTS_FUZZ_FUZZ_H_
#define NPF_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace npf::fuzzing {

// A promise that does not hold ends the process, which is what a fuzzer looks for.
inline void Expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace npf::fuzzing

#endif  // NPF_TESTS_FUZZ_FUZZ_H_
