#include "base/bytes.h"

#include <doctest/doctest.h>

#include <cstring>

namespace {

using namespace fp;

TEST_CASE("Buffer: growing keeps what is there") {
  Buffer buffer(4);
  std::memcpy(buffer.data(), "abcd", 4);
  buffer.reserve(8 << 20);
  CHECK(buffer.capacity() >= 8u << 20);
  CHECK(as_text({buffer.data(), 4}) == "abcd");
}

TEST_CASE("Buffer: asking for less than it has changes nothing") {
  Buffer buffer(1000);
  const std::uint8_t* const memory = buffer.data();
  buffer.reserve(10);
  CHECK(buffer.capacity() == 1000);
  CHECK(buffer.data() == memory);
}

TEST_CASE("Buffer: its memory becomes a Blob without a copy") {
  Buffer buffer(10);
  std::memcpy(buffer.data(), "0123456789", 10);
  const std::uint8_t* const memory = buffer.data();
  const Blob blob = std::move(buffer).into_blob(2, 5);
  CHECK(as_text(blob.view()) == "23456");
  CHECK(blob.data() == memory + 2);
}

TEST_CASE("Buffer: is empty and fit for use after its memory was given away") {
  Buffer buffer(10);
  const Blob blob = std::move(buffer).into_blob(0, 10);
  CHECK(buffer.capacity() == 0);  // NOLINT(bugprone-use-after-move): what the header promises
  buffer.reserve(3);
  std::memcpy(buffer.data(), "new", 3);
  CHECK(buffer.data() != blob.data());
}

TEST_CASE("Blob: copies and cuts share the memory, which lives as long as any of them") {
  Blob cut;
  const std::uint8_t* memory = nullptr;
  {
    const Blob whole = Blob::copy_of(as_bytes("hello world"));
    memory = whole.data();
    const Blob copy = whole;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is tested
    CHECK(copy.data() == memory);
    cut = whole.first(5);
  }
  CHECK(cut.data() == memory);
  CHECK(as_text(cut.view()) == "hello");
}

TEST_CASE("Blob: a copy of bytes does not depend on them") {
  std::string text = "before";
  const Blob blob = Blob::copy_of(as_bytes(text));
  text = "after!";
  CHECK(as_text(blob.view()) == "before");
}

TEST_CASE("Blob: nothing can be copied, too") {
  CHECK(Blob::copy_of({}).empty());
  CHECK(Blob().size() == 0);
}

}  // namespace
