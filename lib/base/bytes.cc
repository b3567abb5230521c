#include "base/bytes.h"

#include <cstring>
#include <new>
#include <utility>

namespace fp {

Blob Blob::copy_of(ByteView bytes) {
  Buffer buffer(bytes.empty() ? 1 : bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return std::move(buffer).into_blob(0, bytes.size());
}

void Buffer::reserve(std::size_t capacity_bytes) {
  if (capacity_bytes <= capacity_) return;
  auto* grown = static_cast<std::uint8_t*>(std::realloc(memory_.get(), capacity_bytes));
  if (grown == nullptr) throw std::bad_alloc();
  (void)memory_.release();  // realloc has freed or kept it
  memory_.reset(grown);
  capacity_ = capacity_bytes;
}

Blob Buffer::into_blob(std::size_t begin, std::size_t size) && {
  std::uint8_t* const memory = memory_.release();
  capacity_ = 0;
  std::shared_ptr<const void> owner(memory, [](void* bytes) { std::free(bytes); });
  return {std::move(owner), ByteView(memory + begin, size)};
}

}  // namespace fp
