#include "source/v4l2_stream.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fp::v4l2 {
namespace {

constexpr std::uint32_t kType = V4L2_BUF_TYPE_VIDEO_CAPTURE;

v4l2_buffer buffer_of(unsigned index) {
  v4l2_buffer buffer{};
  buffer.type = kType;
  buffer.memory = V4L2_MEMORY_MMAP;
  buffer.index = index;
  return buffer;
}

}  // namespace

Result<Stream> Stream::start(const Device& device) {
  Stream stream(device);
  v4l2_requestbuffers request{};
  request.count = kBuffers;
  request.type = kType;
  request.memory = V4L2_MEMORY_MMAP;
  if (const int sys = control(device.fd(), VIDIOC_REQBUFS, &request); sys != 0) {
    return fail(camera_error(device.path(), "asking for buffers", sys));
  }
  if (request.count < 2) return fail(camera_error(device.path(), "asking for buffers", ENOMEM));
  for (unsigned i = 0; i < request.count; ++i) {
    v4l2_buffer buffer = buffer_of(i);
    if (const int sys = control(device.fd(), VIDIOC_QUERYBUF, &buffer); sys != 0) {
      return fail(camera_error(device.path(), "asking for buffers", sys));
    }
    void* const memory = ::mmap(nullptr, buffer.length, PROT_READ, MAP_SHARED, device.fd(), buffer.m.offset);
    if (memory == MAP_FAILED) return fail(camera_error(device.path(), "mapping buffers", errno));
    stream.maps_.push_back({memory, buffer.length});
    if (auto queued = stream.queue(i); !queued) return fail(std::move(queued).error());
  }
  int type = static_cast<int>(kType);
  if (const int sys = control(device.fd(), VIDIOC_STREAMON, &type); sys != 0) {
    return fail(camera_error(device.path(), "starting the stream", sys));
  }
  stream.on_ = true;
  return stream;
}

Stream::Stream(Stream&& other) noexcept
    : device_(other.device_), maps_(std::exchange(other.maps_, {})), on_(std::exchange(other.on_, false)) {}

Stream::~Stream() {
  int type = static_cast<int>(kType);
  if (on_) (void)control(device_->fd(), VIDIOC_STREAMOFF, &type);
  for (const Map& map : maps_) ::munmap(map.memory, map.bytes);
}

Result<Done> Stream::queue(unsigned index) {
  v4l2_buffer buffer = buffer_of(index);
  if (const int sys = control(device_->fd(), VIDIOC_QBUF, &buffer); sys != 0) {
    return fail(camera_error(device_->path(), "queueing a buffer", sys));
  }
  return Done{};
}

Result<std::optional<Filled>> Stream::take() {
  v4l2_buffer buffer = buffer_of(0);
  const int sys = control(device_->fd(), VIDIOC_DQBUF, &buffer);
  if (sys == EAGAIN) return std::optional<Filled>();
  if (sys != 0) return fail(camera_error(device_->path(), "taking a frame", sys));
  if (buffer.index >= maps_.size()) return fail(camera_error(device_->path(), "taking a frame", EPROTO));
  const Map& map = maps_[buffer.index];
  Filled filled;
  filled.index = buffer.index;
  filled.bytes = {static_cast<const std::uint8_t*>(map.memory), std::min<std::size_t>(buffer.bytesused, map.bytes)};
  filled.sequence = buffer.sequence;
  filled.flagged = (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0;
  const bool monotonic = (buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  const auto time = std::chrono::seconds(buffer.timestamp.tv_sec) + std::chrono::microseconds(buffer.timestamp.tv_usec);
  if (monotonic && time.count() > 0) filled.taken = SteadyTime(time);
  return std::optional(filled);
}

Result<Done> Stream::give_back(const Filled& filled) { return queue(filled.index); }

}  // namespace fp::v4l2
