#include "serve/variant_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <set>

#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;

// A conversion that waits until the test lets it go on.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  int open = 0;     // so many may pass
  int entered = 0;  // so many have come
  void pass() {
    std::unique_lock lock(mutex);
    ++entered;
    changed.notify_all();
    changed.wait(lock, [this] { return open > 0; });
    --open;
  }
  void let(int count) {
    const std::lock_guard lock(mutex);
    open += count;
    changed.notify_all();
  }
  void await(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered >= count; });
  }
};

VariantPool::Convert through(Gate& gate) {
  return [&gate](jpeg::Converter&, const FramePtr& frame, const VariantKey&) -> Result<Converted> {
    gate.pass();
    return Converted{frame, jpeg::Converter::How::Encoded, {}, false};
  };
}
VariantJob job(std::uint64_t number) { return {test::make_frame(number), number, true}; }

struct Site {
  Loop loop;
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
};

TEST_CASE("VariantPool: there are threads only while there is a seat") {
  Site site;
  VariantPool pool(site.loop, 3);
  CHECK(pool.threads() == 0);
  for (int i = 0; i < 3; ++i) {
    {
      const VariantPool::Seat one(pool, {.quality_percent = 50}, {});
      const VariantPool::Seat other(pool, {.quality_percent = 60}, {});
      CHECK(pool.threads() >= 3);
    }
    CHECK(site.run_until([&] { return pool.threads() == 0; }));
  }
}

TEST_CASE("VariantPool: threads that are about to end stay when a seat comes") {
  Site site;
  VariantPool pool(site.loop, 2);
  for (std::uint64_t i = 0; i < 200; ++i) {
    bool came = false;
    VariantPool::Seat seat(pool, {.width_px = 16}, [&](const VariantResult& result) { came = result.job.origin == i; });
    seat.put(job(i));
    REQUIRE(site.run_until([&] { return came; }));
  }
  CHECK(site.run_until([&] { return pool.threads() == 0; }));
}

TEST_CASE("VariantPool: while a frame is at work the newest waits, and results come in order") {
  Site site;
  Gate gate;
  VariantPool pool(site.loop, 2, through(gate));
  std::vector<std::uint64_t> came;
  VariantPool::Seat seat(pool, {}, [&](const VariantResult& result) { came.push_back(result.job.origin); });
  CHECK_FALSE(seat.busy());
  CHECK_FALSE(seat.put(job(1)));
  gate.await(1);
  CHECK(seat.busy());
  CHECK_FALSE(seat.put(job(2)));
  CHECK(seat.put(job(3)));
  CHECK(seat.put(job(4)));
  gate.let(2);
  CHECK(site.run_until([&] { return !seat.busy(); }));
  CHECK(came == std::vector<std::uint64_t>{1, 4});
}

TEST_CASE("VariantPool: seats take turns, however much one of them wants") {
  Site site;
  Gate gate;
  VariantPool pool(site.loop, 1, through(gate));
  std::vector<int> came;
  VariantPool::Seat greedy(pool, {}, [&](const VariantResult&) { came.push_back(1); });
  VariantPool::Seat other(pool, {}, [&](const VariantResult&) { came.push_back(2); });
  greedy.put(job(1));
  gate.await(1);
  greedy.put(job(2));
  other.put(job(1));
  for (int i = 2; i <= 10; ++i) {
    gate.let(1);
    gate.await(i);
    greedy.put(job(static_cast<std::uint64_t>(i) + 1));
    other.put(job(static_cast<std::uint64_t>(i)));
  }
  gate.let(100);
  REQUIRE(site.run_until([&] { return !greedy.busy() && !other.busy(); }));
  REQUIRE(came.size() >= 10);
  for (std::size_t i = 0; i + 1 < 10; ++i) CHECK(came[i] != came[i + 1]);
}

TEST_CASE("VariantPool: what a seat has under way when it goes is thrown away, and harms nobody") {
  Site site;
  Gate gate;
  VariantPool pool(site.loop, 2, through(gate));
  int came = 0;
  VariantPool::Seat stays(pool, {}, [&](const VariantResult&) { ++came; });
  {
    VariantPool::Seat leaves(pool, {}, [](const VariantResult&) { FAIL("it has gone"); });
    leaves.put(job(1));
    gate.await(1);
    leaves.put(job(2));
  }
  gate.let(1);
  stays.put(job(3));
  gate.let(1);
  CHECK(site.run_until([&] { return came == 1; }));
}

TEST_CASE("VariantPool: may go while its threads work") {
  for (int i = 0; i < 50; ++i) {
    Site site;
    auto pool = std::make_unique<VariantPool>(site.loop, 2);
    {
      VariantPool::Seat seat(*pool, {.quality_percent = 50}, {});
      seat.put({test::make_frame(1, test::make_jpeg(1, 640, 480)), 1, true});
    }
    pool.reset();
  }
}

TEST_CASE("VariantPool: forgets what waits when it is told to") {
  Site site;
  Gate gate;
  VariantPool pool(site.loop, 1, through(gate));
  std::vector<std::uint64_t> came;
  VariantPool::Seat seat(pool, {}, [&](const VariantResult& result) { came.push_back(result.job.origin); });
  seat.put(job(1));
  gate.await(1);
  seat.put(job(2));
  seat.forget();
  gate.let(2);
  CHECK(site.run_until([&] { return !seat.busy(); }));
  CHECK(came == std::vector<std::uint64_t>{1});
}

TEST_CASE("VariantPool: many seats with real pictures each get their own, in order") {
  Site site;
  VariantPool pool(site.loop, 4);
  constexpr int kSeats = 8;
  struct One {
    std::unique_ptr<VariantPool::Seat> seat;
    std::uint64_t last = 0;
    bool right = true;
  };
  std::vector<One> all(kSeats);
  for (int i = 0; i < kSeats; ++i) {
    One& one = all[static_cast<std::size_t>(i)];
    one.seat = std::make_unique<VariantPool::Seat>(
        pool, VariantKey{.width_px = 16 + 8 * i}, [&one, i](const VariantResult& result) {
          one.right = one.right && result.outcome && result.outcome->frame->picture.width_px == 16 + 8 * i &&
                      result.outcome->frame->sequence == result.job.origin && result.job.origin > one.last;
          one.last = result.job.origin;
        });
  }
  const std::string jpeg = test::make_jpeg(1, 320, 240);
  for (std::uint64_t number = 1; number <= 60; ++number) {
    for (One& one : all) one.seat->put({test::make_frame(number, jpeg), number, true});
    ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
  }
  for (One& one : all) {
    CHECK(site.run_until([&] { return one.last == 60; }));
    CHECK(one.right);
  }
}

TEST_CASE("VariantPool: a picture for which there is no memory is an error, and the thread goes on") {
  Site site;
  std::atomic<int> calls{0};
  VariantPool pool(site.loop, 1, [&](jpeg::Converter&, const FramePtr& frame, const VariantKey&) -> Result<Converted> {
    if (++calls == 1) throw std::bad_alloc();
    return Converted{frame, jpeg::Converter::How::Untouched, {}, false};
  });
  std::vector<bool> good;
  VariantPool::Seat seat(pool, {}, [&](const VariantResult& result) { good.push_back(result.outcome.has_value()); });
  seat.put(job(1));
  REQUIRE(site.run_until([&] { return good.size() == 1; }));
  seat.put(job(2));
  REQUIRE(site.run_until([&] { return good.size() == 2; }));
  CHECK(good == std::vector<bool>{false, true});
}

}  // namespace
