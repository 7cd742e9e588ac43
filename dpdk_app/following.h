// Reads the files again: where somebody asks for it, where they change and --follow is given, and
// once after a start at which the last good policy was taken over before they were read.
#ifndef NPF_DPDK_APP_FOLLOWING_H_
#define NPF_DPDK_APP_FOLLOWING_H_

#include <atomic>
#include <memory>
#include <thread>

#include "appliance.h"
#include "observe/file_watch.h"
#include "observe/systemd.h"
#include "options.h"

namespace npf::appliance {

class Following {
 public:
  // Before the appliance reads the files: what changes from now on is followed.
  Following(const Options& options, Appliance& appliance);
  ~Following();
  Following(const Following&) = delete;
  Following& operator=(const Following&) = delete;

  // The appliance is open; `notifier` outlives this.
  void Start(const observe::Notifier& notifier);
  // At once, in the caller's thread.
  void ReadAgain();
  // False where files are just being read: that may take seconds, and it then goes on, so that this
  // and the appliance must not go before the process does.
  bool Stop();

 private:
  void Run();

  Appliance& appliance_;
  std::unique_ptr<observe::FileWatch> watch_;  // null without --follow
  const observe::Notifier* notifier_ = nullptr;
  std::atomic<bool> stop_{false};
  std::atomic<bool> reads_{false};  // the thread, now
  std::thread thread_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_FOLLOWING_H_
