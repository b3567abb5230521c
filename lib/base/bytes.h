// Bytes: views, growing buffers, and shared immutable blobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace fp {

using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Immutable bytes that many may hold: a view into memory that lives as long as any copy of the Blob.
/// Copying one copies a pointer. Safe to share between threads.
class Blob {
 public:
  Blob() = default;
  Blob(std::shared_ptr<const void> owner, ByteView view) : owner_(std::move(owner)), view_(view) {}
  /// A Blob with a copy of `bytes`.
  [[nodiscard]] static Blob copy_of(ByteView bytes);

  /// The first `size` bytes, sharing the memory.
  [[nodiscard]] Blob first(std::size_t size) const { return {owner_, view_.first(size)}; }

  [[nodiscard]] ByteView view() const { return view_; }
  [[nodiscard]] const std::uint8_t* data() const { return view_.data(); }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }

 private:
  std::shared_ptr<const void> owner_;
  ByteView view_;
};

/// A buffer that bytes are read into: uninitialised memory, grown by realloc (so that growing a large one moves pages
/// and copies nothing), turned into a Blob without a copy.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity_bytes) { reserve(capacity_bytes); }

  [[nodiscard]] std::uint8_t* data() { return memory_.get(); }
  [[nodiscard]] const std::uint8_t* data() const { return memory_.get(); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Makes room for at least `capacity_bytes`, keeping what is there. Throws std::bad_alloc.
  void reserve(std::size_t capacity_bytes);
  /// Gives the memory away as a Blob showing [begin, begin + size); this buffer is empty afterwards.
  [[nodiscard]] Blob into_blob(std::size_t begin, std::size_t size) &&;

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::uint8_t[], Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace fp
