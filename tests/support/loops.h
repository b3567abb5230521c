// A loop of libev in a test: turned by hand, until what it waits for has come.
#pragma once

#include <functional>

#include "loop/loop.h"
#include "support/io.h"

namespace fp::test {

/// Whether `holds` came about within kPatience.
inline bool run_until(Loop& loop, const std::function<bool()>& holds) {
  return eventually([&] {
    ::ev_run(loop.raw(), EVRUN_NOWAIT);
    return holds();
  });
}

}  // namespace fp::test
