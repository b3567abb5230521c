#include "base/backoff.h"

#include <doctest/doctest.h>

#include <set>

namespace {

using namespace fp;
using namespace std::chrono_literals;

TEST_CASE("Backoff: waits double from 100 ms to 5 s, each with at most a quarter taken off") {
  Backoff backoff;
  for (const Backoff::Duration whole : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms, 5000ms}) {
    const Backoff::Duration wait = backoff.next();
    CAPTURE(wait.count());
    CHECK(wait <= whole);
    CHECK(wait >= whole * 3 / 4);
  }
}

TEST_CASE("Backoff: begins anew after a success") {
  Backoff backoff;
  for (int i = 0; i < 10; ++i) (void)backoff.next();
  backoff.reset();
  CHECK(backoff.next() <= 100ms);
}

TEST_CASE("Backoff: a thousand clients do not come back in step") {
  std::set<Backoff::Duration> waits;
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff;
    for (int tries = 0; tries < 6; ++tries) (void)backoff.next();
    waits.insert(backoff.next());
  }
  CHECK(waits.size() > 100);
}

}  // namespace
