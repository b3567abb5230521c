#include "base/event.h"

#include <sys/eventfd.h>

#include "base/result.h"

namespace fp {

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) throw Failure{Exit::System, io_error("eventfd").text};
}

void Event::raise() const {
  // Full (EAGAIN) is raised enough.
  (void)::eventfd_write(fd_.get(), 1);
}

void Event::lower() const {
  eventfd_t count = 0;
  (void)::eventfd_read(fd_.get(), &count);
}

}  // namespace fp
