// The buffers of a V4L2 device, mapped into memory, and the stream through them.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "source/v4l2_device.h"

namespace fp::v4l2 {

/// A buffer that the driver has filled. Its bytes are the driver's again after give_back().
struct Filled {
  unsigned index = 0;
  ByteView bytes;
  std::uint32_t sequence = 0;
  bool flagged = false;             ///< the driver says that its data is damaged
  std::optional<SteadyTime> taken;  ///< the driver's own time; nothing when it has none on our clock
};

/// Streams while it lives. One thread; the device must live longer.
class Stream {
 public:
  static constexpr unsigned kBuffers = 4;

  /// Errors: Io, with the reason explained (EBUSY, ENOSPC).
  [[nodiscard]] static Result<Stream> start(const Device& device);
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  /// The next filled buffer, or nothing yet. Does not block. Errors: Io: the device is gone (ENODEV), broken (EIO).
  [[nodiscard]] Result<std::optional<Filled>> take();
  [[nodiscard]] Result<Done> give_back(const Filled& filled);
  [[nodiscard]] std::size_t buffers() const { return maps_.size(); }

 private:
  struct Map {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };
  explicit Stream(const Device& device) : device_(&device) {}
  Result<Done> queue(unsigned index);

  const Device* device_;
  std::vector<Map> maps_;
  bool on_ = false;
};

}  // namespace fp::v4l2
