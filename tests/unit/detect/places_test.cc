#include "detect/places.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "support/io.h"

using namespace fp::detect;

namespace {

// A variable of the environment, as it was when this goes.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    if (value != nullptr) {
      ::setenv(name, value, 1);
    } else {
      ::unsetenv(name);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

bool has(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

}  // namespace

TEST_CASE("library_places: what the user names comes first, then the user's own, then the machine's") {
  const Variable own("FRAMEPIPE_LIB_DIR", "/opt/mine");
  const Variable data("XDG_DATA_HOME", "/nowhere/me/data");
  const Variable home("HOME", "/nowhere/me");
  const auto places = library_places("lib.so");
  REQUIRE(places.size() >= 4);
  CHECK(places[0] == "/opt/mine/lib.so");
  CHECK(places[1] == "/nowhere/me/data/framepipe/lib.so");
  CHECK(places.end()[-2] == "/usr/local/lib/framepipe/lib.so");
  CHECK(places.end()[-1] == "/usr/lib/framepipe/lib.so");
}

TEST_CASE("library_places: without XDG_DATA_HOME the user's own is under the home folder, and without that nowhere") {
  const Variable own("FRAMEPIPE_LIB_DIR", "");
  const Variable data("XDG_DATA_HOME", nullptr);
  {
    const Variable home("HOME", "/nowhere/me");
    CHECK(library_places("lib.so").front() == "/nowhere/me/.local/share/framepipe/lib.so");
  }
  const Variable home("HOME", nullptr);
  CHECK_FALSE(has(library_places("lib.so"), "/lib.so"));
  CHECK_FALSE(library_places("lib.so").front().starts_with("/.local"));
}

TEST_CASE("model_places: models are in a folder of their own") {
  const Variable own("FRAMEPIPE_LIB_DIR", "/opt/mine");
  const auto places = model_places("a.onnx");
  CHECK(places.front() == "/opt/mine/models/a.onnx");
  CHECK(places.back() == "/usr/share/framepipe/models/a.onnx");
}

TEST_CASE("first_readable: the first that is there, or nothing") {
  const fp::test::TempDir folder;
  const std::string there = folder.path() + "/there";
  const std::string later = folder.path() + "/later";
  fp::test::write_file(there, "x");
  fp::test::write_file(later, "x");
  CHECK(first_readable({folder.path() + "/not", there, later}) == there);
  CHECK(first_readable({folder.path() + "/not"}).empty());
  CHECK(first_readable({}).empty());
}
