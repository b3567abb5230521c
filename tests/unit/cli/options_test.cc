#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/cli.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Reads `text` with the option that `add` made; false when it is refused.
bool accepts(CLI::App& app, const std::string& text) {
  try {
    app.parse(std::vector<std::string>{"--x=" + text});
    return true;
  } catch (const CLI::ParseError&) {
    return false;
  }
}

std::optional<milliseconds> duration(const std::string& text) {
  CLI::App app{"", "tool"};
  milliseconds value{7};
  cli::add_duration(app, "--x", value, "", 10ms, 24h);
  return accepts(app, text) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> bytes(const std::string& text) {
  CLI::App app{"", "tool"};
  std::uint64_t value = 7;
  cli::add_bytes(app, "--x", value, "", 1024, 1u << 30);
  return accepts(app, text) ? std::optional(value) : std::nullopt;
}

std::string size(const std::string& text) {
  CLI::App app{"", "tool"};
  int width = 0;
  int height = 0;
  cli::add_size(app, "--x", width, height, "");
  return accepts(app, text) ? std::to_string(width) + " by " + std::to_string(height) : "refused";
}

TEST_CASE("add_duration: a number with a unit, or seconds") {
  CHECK(duration("250ms") == 250ms);
  CHECK(duration("15s") == 15s);
  CHECK(duration("15") == 15s);
  CHECK(duration("1.5s") == 1500ms);
  CHECK(duration("0.25") == 250ms);
  CHECK(duration("2m") == 2min);
  CHECK(duration("1H") == 1h);
  CHECK(duration("10ms") == 10ms);
  CHECK(duration("24h") == 24h);
}

TEST_CASE("add_duration: what is no time, or too short or long, is refused") {
  for (const char* text :
       {"", "s", "x", "-1s", "1 s", "1.2.3s", "1e3", "5d", "0", "9ms", "25h", "99999999999999999999h", "nan", "inf"}) {
    CAPTURE(text);
    CHECK_FALSE(duration(text).has_value());
  }
}

TEST_CASE("add_bytes: a number, or powers of 1024") {
  CHECK(bytes("100000") == 100'000u);
  CHECK(bytes("1K") == 1024u);
  CHECK(bytes("512k") == 512u << 10);
  CHECK(bytes("32M") == 32u << 20);
  CHECK(bytes("1.5MiB") == 3u << 19);
  CHECK(bytes("1G") == 1u << 30);
  CHECK(bytes("1024") == 1024u);
}

TEST_CASE("add_bytes: what is no size, or too small or large, is refused") {
  for (const char* text : {"", "M", "-1M", "1 M", "1T", "1023", "1073741825", "2G", "0x400", "1e6"}) {
    CAPTURE(text);
    CHECK_FALSE(bytes(text).has_value());
  }
}

TEST_CASE("add_size: two sides with an x between") {
  CHECK(size("640x480") == "640 by 480");
  CHECK(size("1x16384") == "1 by 16384");
  for (const char* text : {"", "640", "x", "640x", "x480", "0x480", "640x0", "-640x480", "640x480x3", "16385x1",
                           "640 x 480", "640*480", "640x480 "}) {
    CAPTURE(text);
    CHECK(size(text) == "refused");
  }
}

TEST_CASE("to_text: a duration is written as it would be typed") {
  CHECK(cli::to_text(250ms) == "250ms");
  CHECK(cli::to_text(15s) == "15s");
  CHECK(cli::to_text(1500ms) == "1500ms");
}

TEST_CASE("completions: every visible option stands in each shell's file") {
  CLI::App app{"Do it.", "frame-tool"};
  cli::Common common;
  std::string order = "arrival";
  std::string secret;
  cli::add_common(app, common);
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_choice(app, "--order", order, "What's newest: [sorted]", {"arrival", "name"});
  app.add_option("--secret", secret, "Hidden")->group("");
  for (const std::string shell : {"bash", "zsh", "fish", "list"}) {
    CAPTURE(shell);
    const std::string text = cli::completions(app, shell);
    int seen = 0;
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group().empty()) continue;
      for (const std::string& name : option->get_lnames()) {
        CAPTURE(name);
        CHECK(text.find((shell == "fish" ? " -l " : "--") + name) != std::string::npos);
        ++seen;
      }
    }
    CHECK(seen >= 12);
    CHECK(text.find("secret") == std::string::npos);
    CHECK(text.find("--completions") == std::string::npos);
    if (shell != "list") CHECK(text.find("arrival name") != std::string::npos);
  }
}

TEST_CASE("completions: a shell that is not known gets nothing") {
  const CLI::App app{"Do it.", "frame-tool"};
  CHECK(cli::completions(app, "tcsh").empty());
}

TEST_CASE("run: a failure becomes its exit code, and no failure the work's own") {
  CHECK(cli::run("tool", [] { return Exit::Done; }) == 0);
  CHECK(cli::run("tool", [] { return Exit::BadData; }) == 65);
  for (const Exit code : {Exit::Usage, Exit::NoInput, Exit::Unavailable, Exit::Permission, Exit::Config}) {
    CHECK(cli::run("tool", [&]() -> Exit {
            throw Failure{code, "said on purpose by a test"};
          }) == static_cast<int>(code));
  }
}

TEST_CASE("run: what should never be thrown is an internal error, not a crash") {
  CHECK(cli::run("tool", []() -> Exit { throw std::runtime_error("said on purpose by a test"); }) == 70);
  CHECK(cli::run("tool", []() -> Exit { throw std::bad_alloc(); }) == 71);
}

}  // namespace
