#include "loop/loop.h"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <thread>
#include <vector>

#include "support/io.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

// Ends a test that would otherwise hang.
struct Guard {
  explicit Guard(Loop& loop)
      : timer(loop, [this, &loop] {
          expired = true;
          loop.stop();
        }) {
    timer.once(test::kPatience);
  }
  bool expired = false;
  Timer timer;
};

TEST_CASE("IoWatch: is called when its descriptor is readable") {
  Loop loop;
  Guard guard(loop);
  const test::Pair pipe = test::make_pipe();
  int events_seen = 0;
  IoWatch watch(loop, [&](int events) {
    events_seen = events;
    loop.stop();
  });
  watch.watch(pipe.read.get(), IoWatch::kRead);
  REQUIRE(test::write_all(pipe.write.get(), "x"));
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(events_seen == IoWatch::kRead);
}

TEST_CASE("IoWatch: watches for what it was told last") {
  Loop loop;
  Guard guard(loop);
  const test::Pair pair = test::make_socketpair();
  std::vector<int> seen;
  IoWatch watch(loop, [&](int events) {
    seen.push_back(events);
    loop.stop();
  });
  watch.watch(pair.read.get(), IoWatch::kRead);
  watch.watch(pair.read.get(), IoWatch::kWrite);
  loop.run();
  CHECK(seen == std::vector{IoWatch::kWrite});
}

TEST_CASE("IoWatch: told to watch nothing, or destroyed, it is not called") {
  Loop loop;
  Guard guard(loop);
  const test::Pair pipe = test::make_pipe();
  REQUIRE(test::write_all(pipe.write.get(), "x"));
  int calls = 0;
  IoWatch idle(loop, [&](int) { ++calls; });
  idle.watch(pipe.read.get(), IoWatch::kRead);
  idle.watch(-1, 0);
  std::optional<IoWatch> gone(std::in_place, loop, [&](int) { ++calls; });
  gone->watch(pipe.read.get(), IoWatch::kRead);
  gone.reset();
  IoWatch other(loop, [&](int) { loop.stop(); });
  other.watch(pipe.read.get(), IoWatch::kRead);
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(calls == 0);
}

TEST_CASE("IoWatch: another file under the same number is watched anew") {
  Loop loop;
  Guard guard(loop);
  test::Pair old_pipe = test::make_pipe();
  test::Pair new_pipe = test::make_pipe();
  const int number = old_pipe.read.get();
  int calls = 0;
  IoWatch watch(loop, [&](int) {
    ++calls;
    loop.stop();
  });
  watch.watch(number, IoWatch::kRead);
  ::ev_run(loop.raw(), EVRUN_NOWAIT);  // epoll knows the old file now
  REQUIRE(::dup3(new_pipe.read.get(), number, O_CLOEXEC) == number);
  watch.watch(number, IoWatch::kRead, /*reopened=*/true);
  REQUIRE(test::write_all(new_pipe.write.get(), "x"));
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(calls == 1);
}

TEST_CASE("Loop: a watch may be destroyed in its own callback by deferring it") {
  Loop loop;
  Guard guard(loop);
  const test::Pair pipe = test::make_pipe();
  REQUIRE(test::write_all(pipe.write.get(), "x"));
  int calls = 0;
  std::unique_ptr<IoWatch> watch;
  watch = std::make_unique<IoWatch>(loop, [&](int) {
    ++calls;
    std::shared_ptr<IoWatch> dying = std::move(watch);
    loop.defer([dying, &loop] { loop.stop(); });
  });
  watch->watch(pipe.read.get(), IoWatch::kRead);
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(calls == 1);  // still readable, and nobody watches any more
  CHECK(watch == nullptr);
}

TEST_CASE("Loop: deferred tasks run in order, also those that a task defers, before the loop waits") {
  Loop loop;
  Guard guard(loop);
  std::vector<int> order;
  Timer timer(loop, [&] {
    loop.defer([&] {
      order.push_back(1);
      loop.defer([&] {
        order.push_back(3);
        loop.stop();
      });
    });
    loop.defer([&] { order.push_back(2); });
    order.push_back(0);
  });
  timer.once(0ms);
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(order == std::vector{0, 1, 2, 3});
}

TEST_CASE("Loop: what was deferred and never ran is destroyed with the loop") {
  const auto token = std::make_shared<int>(1);
  {
    Loop loop;
    loop.defer([token] { FAIL("ran"); });
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("Timer: once() calls once, not before its time") {
  Loop loop;
  Guard guard(loop);
  int calls = 0;
  Timer timer(loop, [&] { ++calls; });
  Timer stop(loop, [&] { loop.stop(); });
  const auto begin = std::chrono::steady_clock::now();
  timer.once(20ms);
  stop.once(60ms);
  CHECK(timer.active());
  loop.run();
  CHECK(std::chrono::steady_clock::now() - begin >= 59ms);
  CHECK(calls == 1);
  CHECK_FALSE(timer.active());
}

TEST_CASE("Timer: every() calls again and again until it is cancelled") {
  Loop loop;
  Guard guard(loop);
  int calls = 0;
  Timer timer(loop, [&] {
    if (++calls == 3) {
      timer.cancel();
      loop.defer([&] { loop.stop(); });
    }
  });
  timer.every(1ms);
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(calls == 3);
  CHECK_FALSE(timer.active());
}

TEST_CASE("Timer: what is set last counts") {
  Loop loop;
  Guard guard(loop);
  int calls = 0;
  Timer timer(loop, [&] {
    ++calls;
    loop.stop();
  });
  timer.every(1ms);
  timer.once(1h);
  timer.once(2ms);
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(calls == 1);
}

TEST_CASE("Timer: a time that is over already is called at the next turn") {
  Loop loop;
  Guard guard(loop);
  Timer timer(loop, [&] { loop.stop(); });
  timer.once(-5s);
  loop.run();
  CHECK_FALSE(guard.expired);
}

TEST_CASE("Loop: what other threads post is done by the loop's thread, in each one's order") {
  Loop loop;
  Guard guard(loop);
  constexpr int kThreads = 4;
  constexpr int kTasks = 1000;
  std::array<int, kThreads> next{};
  int done = 0;
  bool in_order = true;
  const auto self = std::this_thread::get_id();
  bool elsewhere = false;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int task = 0; task < kTasks; ++task) {
        loop.post([&, thread, task] {
          in_order = in_order && next.at(static_cast<std::size_t>(thread))++ == task;
          elsewhere = elsewhere || std::this_thread::get_id() != self;
          if (++done == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  CHECK_FALSE(guard.expired);
  CHECK(done == kThreads * kTasks);
  CHECK(in_order);
  CHECK_FALSE(elsewhere);
}

}  // namespace
