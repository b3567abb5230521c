#include "webrtc-ingest/pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::ingest;
using namespace std::chrono_literals;

struct Yard {
  Pool& open(const std::string& command, std::size_t warm) {
    return pool.emplace(loop, clock, ChildOptions{command, test::kPatience}, warm,
                        [this](Severity, const std::string& text) { said.push_back(text); });
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  SystemClock clock;
  Loop loop;
  std::vector<std::string> said;
  std::optional<Pool> pool;
};

bool lives(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_CASE("Pool: children are warm before they are wanted, and one that is taken is replaced at once") {
  Yard yard;
  Pool& pool = yard.open("exec cat >/dev/null", 2);
  CHECK(pool.warm() == 2);
  auto one = pool.take();
  REQUIRE(one);
  CHECK(pool.warm() == 1);
  CHECK(yard.run_until([&] { return pool.warm() == 2; }));
  CHECK(pool.figures().started == 3);
  pool.retire(std::move(*one));
}

TEST_CASE("Pool: when none is warm one is started for whoever takes it") {
  Yard yard;
  Pool& pool = yard.open("exec cat >/dev/null", 0);
  auto one = pool.take();
  auto two = pool.take();
  REQUIRE(one);
  REQUIRE(two);
  CHECK((*one)->pid() != (*two)->pid());
  CHECK(pool.warm() == 0);
  pool.retire(std::move(*one));
  pool.retire(std::move(*two));
}

TEST_CASE("Pool: one that is retired is asked to end, and is killed when it does not") {
  Yard yard;
  Pool& pool = yard.open("trap '' TERM; while :; do sleep 0.01; done", 0);
  auto one = pool.take();
  REQUIRE(one);
  const pid_t pid = (*one)->pid();
  pool.retire(std::move(*one));
  CHECK(yard.run_until([&] { return !lives(pid); }));
}

TEST_CASE("Pool: a command that ends at once is started again with growing waits, and told of once") {
  Yard yard;
  Pool& pool = yard.open("exit 127", 1);
  REQUIRE(yard.run_until([&] { return pool.figures().ended >= 3; }));
  CHECK(pool.trouble() == "exit code 127");
  CHECK(yard.said ==
        std::vector<std::string>{"--exec: a child that nobody uses yet has ended: exit code 127; starting it again"});
}

TEST_CASE("Pool: a warm child that is killed is replaced") {
  Yard yard;
  Pool& pool = yard.open("exec cat >/dev/null", 1);
  auto one = pool.take();
  REQUIRE(one);
  REQUIRE(yard.run_until([&] { return pool.warm() == 1; }));
  auto two = pool.take();
  REQUIRE(two);
  const pid_t pid = (*two)->pid();
  REQUIRE(yard.run_until([&] { return pool.warm() == 1; }));
  pool.retire(std::move(*one));
  pool.retire(std::move(*two));
  CHECK(yard.run_until([&] { return !lives(pid); }));
  CHECK(pool.figures().ended == 0);
}

TEST_CASE("Pool: what children of one command say of themselves is told once for all of them") {
  Yard yard;
  Pool& pool = yard.open("echo hello; exec sleep 1000", 3);
  REQUIRE(yard.run_until([&] { return !yard.said.empty(); }));
  for (int i = 0; i < 3; ++i) {
    auto one = pool.take();
    REQUIRE(one);
    REQUIRE(yard.run_until([&] { return (*one)->figures().malformed == 1; }));
    pool.retire(std::move(*one));
  }
  CHECK(yard.said.size() == 1);
  CHECK(pool.figures().malformed == 3);
}

TEST_CASE("Pool: when it goes its children go") {
  Yard yard;
  Pool& pool = yard.open("trap '' TERM; while :; do sleep 0.01; done", 0);
  auto one = pool.take();
  REQUIRE(one);
  const pid_t pid = (*one)->pid();
  pool.retire(std::move(*one));
  yard.pool.reset();
  CHECK_FALSE(lives(pid));
}

}  // namespace
