// Requests that no client of ours makes: bytes that are no message, methods that are not there.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "control/fixture.h"

namespace npf::control {
namespace {

class RawTest : public ControlTest {
 protected:
  grpc::Status Call(const std::string& method, const std::string& bytes) {
    const auto channel =
        grpc::CreateChannel("unix:" + options_.path, grpc::InsecureChannelCredentials());
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call =
        stub.PrepareUnaryCall(&context, "/npf.v1.ControlService/" + method, request, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }
};

// What comes after a message's end, a length that leads outside, a text that is not UTF-8, and
// groups in groups in groups, as fields that nobody knows.
TEST_F(RawTest, B51WhatDoesNotParseIsAnInvalidArgument) {
  Start();
  const std::string not_utf8("\x0a\x05\x0a\x03\xff\xfe\x80", 7);
  const std::string bad[] = {std::string("\xff\xff\xff", 3), std::string("\x0a\x7f\x41", 3),
                             std::string("\x0f", 1), std::string(10'000, '\x0b'), not_utf8};
  for (const char* method : {"Load", "Explain", "ListConnections", "WouldCut", "Confirm",
                             "WaitForGeneration", "GetStatus"}) {
    for (const std::string& bytes : bad) {
      if (&bytes == &bad[4] && std::string(method) != "Load") continue;
      const grpc::Status status = Call(method, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << method << ": " << status.error_code() << " " << status.error_message();
    }
  }
  EXPECT_TRUE(handler_.loads().empty());
  EXPECT_TRUE(Answers());
}

TEST_F(RawTest, B53AMethodThatIsNotThere) {
  Start();
  EXPECT_EQ(Call("Flush", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Answers());
}

}  // namespace
}  // namespace npf::control
