#include "hub/packet.h"

#include <sys/mman.h>

#include <algorithm>

namespace fp {

std::array<iovec, 3> Packet::pieces(std::size_t begin, std::size_t end) const {
  const std::array<iovec, 3> all = {iovec{const_cast<char*>(header_.data()), header_.size()},
                                    {const_cast<std::uint8_t*>(frame_->jpeg.data()), frame_->jpeg.size()},
                                    {const_cast<char*>(tail_.data()), tail_.size()}};
  std::array<iovec, 3> cut{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t from = std::clamp(begin, at, at + all[i].iov_len) - at;
    const std::size_t to = std::clamp(end, at, at + all[i].iov_len) - at;
    if (to > from) cut[i] = {static_cast<char*>(all[i].iov_base) + from, to - from};
    at += all[i].iov_len;
  }
  return cut;
}

int Packet::file() const {
  if (file_ || file_failed_) return file_.get();
  Fd file(::memfd_create("frame", MFD_CLOEXEC));
  const std::size_t size = header_.size() + frame_->jpeg.size() + tail_.size();
  const auto parts = pieces(0, size);
  file_failed_ =
      !file || ::writev(file.get(), parts.data(), static_cast<int>(parts.size())) != static_cast<ssize_t>(size);
  if (!file_failed_) file_ = std::move(file);
  return file_.get();
}

}  // namespace fp
