// Something that has happened, as a descriptor for poll(2).
#pragma once

#include "base/fd.h"

namespace fp {

/// An eventfd: readable once raised, until lowered. Any thread.
class Event {
 public:
  Event();  ///< throws Failure when there are no more descriptors
  void raise() const;
  void lower() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace fp
