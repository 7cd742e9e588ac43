// What is told of files that change, and what is not.
#include "observe/file_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "npf/load.h"

namespace npf::observe {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLong{5'000};
constexpr milliseconds kShort{120};

class ObserveFileWatch : public ::testing::Test {
 protected:
  ObserveFileWatch() {
    char name[] = "/tmp/npf-file-watch.XXXXXX";
    root_ = mkdtemp(name);
    Write("in/a.yaml", "one");
  }
  ~ObserveFileWatch() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  FileWatch Watch(const std::string& path, milliseconds look_every = milliseconds(600'000)) const {
    const std::string whole = (root_ / path).native();
    return FileWatch({whole}, [whole] { return ObjectFiles(whole); },
                     {.settle = milliseconds(30), .look_every = look_every});
  }
  // A link that is made anew and moved over the one before, as the kubelet does it.
  void Point(const std::string& link, const std::string& to) const {
    fs::create_symlink(to, root_ / (link + "_tmp"));
    fs::rename(root_ / (link + "_tmp"), root_ / link);
  }

  fs::path root_;
};

TEST_F(ObserveFileWatch, NothingIsToldWhereNothingChanges) {
  FileWatch watch = Watch("in");
  EXPECT_FALSE(watch.Wait(kShort));
}

TEST_F(ObserveFileWatch, AFileOfADirectoryIsWrittenReplacedMadeAndRemoved) {
  FileWatch watch = Watch("in");
  Write("in/a.yaml", "another");
  EXPECT_TRUE(watch.Wait(kLong));
  EXPECT_FALSE(watch.Wait(kShort));
  Write("in/new", "third");
  fs::rename(root_ / "in/new", root_ / "in/a.yaml");
  EXPECT_TRUE(watch.Wait(kLong));
  Write("in/b.yaml", "one more");
  EXPECT_TRUE(watch.Wait(kLong));
  fs::remove(root_ / "in/b.yaml");
  EXPECT_TRUE(watch.Wait(kLong));
  EXPECT_FALSE(watch.Wait(kShort));
}

TEST_F(ObserveFileWatch, AFileOfAFolderThatIsNewInside) {
  FileWatch watch = Watch("in");
  Write("in/more/b.yaml", "b");
  EXPECT_TRUE(watch.Wait(kLong));
  Write("in/more/b.yaml", "other");
  EXPECT_TRUE(watch.Wait(kLong));
}

TEST_F(ObserveFileWatch, WhatIsNotReadTellsNothing) {
  FileWatch watch = Watch("in");
  Write("in/deny.jsonl", "a log");
  Write("in/.a.yaml.swp", "an editor's");
  EXPECT_FALSE(watch.Wait(kShort));
}

TEST_F(ObserveFileWatch, AMountedConfigMapChangesByOneLink) {
  Write("map/..1/policies.yaml", "one");
  fs::create_symlink("..1", root_ / "map/..data");
  fs::create_symlink("..data/policies.yaml", root_ / "map/policies.yaml");
  FileWatch directory = Watch("map");
  FileWatch file = Watch("map/policies.yaml");
  Write("map/..2/policies.yaml", "two");
  Point("map/..data", "..2");
  fs::remove_all(root_ / "map/..1");
  EXPECT_TRUE(directory.Wait(kLong));
  EXPECT_TRUE(file.Wait(kLong));
  EXPECT_FALSE(file.Wait(kShort));
  Write("map/..3/policies.yaml", "three");
  Point("map/..data", "..3");
  EXPECT_TRUE(directory.Wait(kLong));
  EXPECT_TRUE(file.Wait(kLong));
}

TEST_F(ObserveFileWatch, TheDirectoryItselfIsReplaced) {
  Write("next/a.yaml", "next");
  fs::create_directory_symlink("in", root_ / "current");
  FileWatch watch = Watch("current");
  Point("current", "next");
  EXPECT_TRUE(watch.Wait(kLong));
}

TEST_F(ObserveFileWatch, AFileThatIsGoneAndComesBackAsItWasIsAnother) {
  FileWatch watch = Watch("in/a.yaml");
  fs::remove(root_ / "in/a.yaml");
  EXPECT_TRUE(watch.Wait(kLong));
  Write("in/a.yaml", "one");
  EXPECT_TRUE(watch.Wait(kLong));
}

TEST_F(ObserveFileWatch, WhileAFileStillChangesLittleIsTold) {
  FileWatch watch = Watch("in");
  constexpr int kWrites = 40;
  std::thread writer([&] {
    for (int i = 0; i < kWrites; ++i) {
      Write("in/a.yaml", std::string(static_cast<size_t>(i) + 4, 'x'));
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  int told = 0;
  while (watch.Wait(milliseconds(500))) ++told;
  writer.join();
  EXPECT_GE(told, 1);
  EXPECT_LT(told, kWrites / 4);  // one, where no pause is longer than that of the watch
}

// As on a file system that another machine writes to: a change of times only, of which no event
// tells.
TEST_F(ObserveFileWatch, WithoutEventsALookNowAndThenIsEnough) {
  FileWatch watch = Watch("in", milliseconds(50));
  fs::last_write_time(root_ / "in/a.yaml",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(watch.Wait(milliseconds(1'000)));
}

}  // namespace
}  // namespace npf::observe
