// Files, directories, compressed files, and everything that is none of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "unit/load_test_util.h"

namespace npf {
namespace {

namespace fs = std::filesystem;

std::string NamespaceText(const std::string& name) {
  return "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n";
}

class LoadFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "npf_load_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) {
    const fs::path path = directory_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string WriteCompressed(const std::string& name, const std::string& text) {
    const std::string path = (directory_ / name).string();
    gzFile file = gzopen(path.c_str(), "wb");
    EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
              static_cast<int>(text.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
    return path;
  }

  Loaded Read(const std::string& path, const LoadOptions& options = {}) {
    SnapshotBuilder builder;
    Loaded loaded;
    LoadPath(path, options, builder, loaded.diagnostics, loaded.report);
    return Finish(builder, std::move(loaded));
  }
  std::string ErrorOf(const std::string& path, const LoadOptions& options = {}) {
    const Loaded loaded = Read(path, options);
    EXPECT_EQ(loaded.diagnostics.error_count(), 1u);
    return loaded.diagnostics.all().empty() ? "" : Summary(loaded.diagnostics.all()[0]);
  }

  fs::path directory_;
};

TEST_F(LoadFilesTest, ExpectationsBesidePoliciesAreNoObjects) {
  Write("a.yaml", NamespaceText("a"));
  Write("expectations.yaml", "namespace: a\nexpectations:\n- {from: x, to: y, expect: deny}\n");
  const Loaded loaded = Read(directory_.string());
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.report.skipped.at("npf expectations"), 1u);
  EXPECT_EQ(loaded.diagnostics.warning_count(), 0u);
  Write("b.yaml", "kind: Foo\nexpectations: []\n");
  EXPECT_NE(ErrorOf(directory_.string()).find("apiVersion | Required"), std::string::npos);
}

TEST_F(LoadFilesTest, ADirectoryIsReadRecursivelyInOrder) {
  Write("b.yaml", NamespaceText("b"));
  Write("a/z.yml", NamespaceText("az"));
  Write("a/c.json", R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ac"}})");
  WriteCompressed("d.yaml.gz", NamespaceText("d"));
  Write("README.md", "not yaml: [");
  Write("e.yaml.bak", "not yaml: [");
  Write(".hidden.yaml", "not yaml: [");
  Write("..data/b.yaml", NamespaceText("b"));
  const Loaded loaded = Read(directory_.string());
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.report.used.at("Namespace"), 4u);
  std::vector<std::string> names;
  for (size_t i = 1; i < loaded.files.size(); ++i) {
    names.push_back(fs::relative(loaded.files[i], directory_).string());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a/c.json", "a/z.yml", "b.yaml", "d.yaml.gz"}));
}

TEST_F(LoadFilesTest, AnEmptyFileIsAnErrorByItselfAndAWarningAmongOthers) {
  const std::string empty = Write("a.yaml", "# nothing\n");
  EXPECT_EQ(ErrorOf(empty), " |  | no objects");
  EXPECT_NE(ErrorOf(directory_.string()).find("no objects"), std::string::npos);
  Write("b.yaml", NamespaceText("b"));
  const Loaded loaded = Read(directory_.string());
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_NE(loaded.Warnings().find("a.yaml: warning: no objects"), std::string::npos);
}

TEST_F(LoadFilesTest, ADirectoryWithoutObjectFilesIsAnError) {
  Write("x.txt", "x");
  EXPECT_NE(ErrorOf(directory_.string()).find("no objects in this directory"), std::string::npos);
}

TEST_F(LoadFilesTest, CompressedFilesAreReadWhateverTheirName) {
  const Loaded loaded = Read(WriteCompressed("a.yaml", NamespaceText("a")));
  EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
}

TEST_F(LoadFilesTest, BrokenCompressionIsRefused) {
  const std::string path = WriteCompressed("a.yaml.gz", NamespaceText("a"));
  fs::resize_file(path, fs::file_size(path) - 4);
  EXPECT_EQ(ErrorOf(path), " |  | not a whole gzip file (truncated)");
  EXPECT_NE(ErrorOf(Write("b.yaml.gz", "\x1f\x8b\x08 nonsense")).find("not a whole gzip file"),
            std::string::npos);
}

TEST_F(LoadFilesTest, CompressionBombsAreRefused) {
  const std::string path = WriteCompressed("a.yaml.gz", std::string(64u << 20, ' '));
  EXPECT_NE(ErrorOf(path).find("LimitExceeded | decompresses to more than 500 times"),
            std::string::npos);
  EXPECT_NE(ErrorOf(path, {.file_bytes_max = 1000}).find("LimitExceeded | larger than 1000 bytes"),
            std::string::npos);
}

TEST_F(LoadFilesTest, SizeIsBoundedBeforeReading) {
  const std::string path = Write("a.yaml", NamespaceText("a"));
  fs::resize_file(path, uint64_t{1} << 40);  // sparse
  EXPECT_NE(ErrorOf(path).find("LimitExceeded | larger than"), std::string::npos);
}

TEST_F(LoadFilesTest, WhatIsNoFileIsNamed) {
  EXPECT_EQ(ErrorOf((directory_ / "none.yaml").string()),
            " | Unreadable | cannot open: No such file or directory");
  const std::string fifo = (directory_ / "fifo").string();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_NE(ErrorOf(fifo).find("is a FIFO; a file, a directory, or - for standard input"),
            std::string::npos);
  EXPECT_NE(ErrorOf("/dev/zero").find("is a character device"), std::string::npos);
  const fs::path loop = directory_ / "loop.yaml";
  fs::create_symlink(loop, loop);
  EXPECT_NE(ErrorOf(loop.string()).find("Unreadable | cannot open: Too many levels of symbolic"),
            std::string::npos);
}

TEST_F(LoadFilesTest, WhatIsNoFileInADirectoryIsNamed) {
  Write("a.yaml", NamespaceText("a"));
  const fs::path loop = directory_ / "loop.yaml";
  fs::create_symlink(loop, loop);
  ASSERT_EQ(mkfifo((directory_ / "z.yaml").c_str(), 0600), 0);
  const Loaded loaded = Read(directory_.string());
  EXPECT_NE(loaded.Errors().find("loop.yaml: cannot open: Too many levels"), std::string::npos);
  EXPECT_NE(loaded.Errors().find("z.yaml: is a FIFO"), std::string::npos);
}

TEST_F(LoadFilesTest, UnreadableFilesAreNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const std::string path = Write("a.yaml", NamespaceText("a"));
  fs::permissions(path, fs::perms::none);
  EXPECT_EQ(ErrorOf(path), " | Unreadable | cannot open: Permission denied");
}

TEST_F(LoadFilesTest, StandardInput) {
  const std::string path = Write("a.yaml", NamespaceText("a"));
  const int saved = dup(STDIN_FILENO);
  const int file = open(path.c_str(), O_RDONLY);
  dup2(file, STDIN_FILENO);
  const Loaded loaded = Read("-");
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(file);
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.files[1], "(standard input)");
}

TEST_F(LoadFilesTest, ErrorsNameTheirFile) {
  Write("a.yaml", NamespaceText("a"));
  Write("b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: A_}\n");
  EXPECT_EQ(Read(directory_.string()).Errors().find((directory_ / "b.yaml").string() + ":3:18: "),
            0u);
}

}  // namespace
}  // namespace npf
