#include "cli/credentials.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

#include "base/result.h"
#include "support/io.h"

namespace {

using namespace fp;

struct Site {
  std::string write(const std::string& text) {
    const std::string path = folder / "secret";
    std::ofstream(path) << text;
    return path;
  }
  test::TempDir folder;
};

TEST_CASE("read_credentials: one line is for all") {
  Site site;
  const auto read = cli::read_credentials(site.write("# the porch\n\nme:se:cret=\n"), "FP_NOSUCH");
  CHECK(read.of("door") == "me:se:cret=");
}

TEST_CASE("read_credentials: a camera's own line goes before the common one") {
  Site site;
  const auto read = cli::read_credentials(site.write("all:one\ndoor=me:two\n"), "FP_NOSUCH");
  CHECK(read.of("door") == "me:two");
  CHECK(read.of("yard") == "all:one");
}

TEST_CASE("read_credentials: a user with an odd sign in it is no camera's name") {
  Site site;
  CHECK(cli::read_credentials(site.write("me@home=x:y\n"), "FP_NOSUCH").common == "me@home=x:y");
}

TEST_CASE("read_credentials: what is no password is refused with its line") {
  Site site;
  const std::string path = site.write("a:b\nnonsense\n");
  CHECK_THROWS_AS((void)cli::read_credentials(path, "FP_NOSUCH"), Failure);
  CHECK_THROWS_AS((void)cli::read_credentials(site.write(""), "FP_NOSUCH"), Failure);
  CHECK_THROWS_AS((void)cli::read_credentials(site.folder / "nosuch", "FP_NOSUCH"), Failure);
}

TEST_CASE("read_credentials: without a file the environment has it") {
  ::setenv("FP_TEST_SECRET", "u:p", 1);
  CHECK(cli::read_credentials("", "FP_TEST_SECRET").common == "u:p");
  CHECK(cli::read_credentials("", "FP_NOSUCH").common.empty());
}

}  // namespace
