// A Matroska file with arbitrary bytes: as ours and as another's, what is read of it are whole frames in the order of
// the file, and what is mended is read again to the last frame.
#include <cstdint>
#include <filesystem>

#include "folder.h"
#include "record/index.h"
#include "record/libav.h"
#include "record/matroska.h"
#include "record/mender.h"
#include "record/segment_reader.h"

namespace {

using namespace fp::record;
using fp::fuzz::folder;
using fp::fuzz::require;
using fp::fuzz::write;

void read_all(const std::string& path, std::size_t size) {
  auto reader = SegmentReader::open(path, {}, 1u << 20, libav_blocks());
  if (!reader) return;
  std::uint64_t end = 0;
  for (;;) {
    auto frame = reader->next();
    if (!frame || !*frame) return;
    require((*frame)->jpeg.size() <= size);
    require(reader->offset() >= end || reader->end() == 0);
    require(reader->end() <= size);
    end = reader->end();
  }
}

// The same as a killed recorder leaves it.
void check_mended(std::string_view bytes) {
  write(folder() + "/.a.mkv.part", bytes);
  write(folder() + "/.a.mkv.index.part", kIndexHead);
  const Mended mended = mend(folder(), {});
  require(mended.segments <= 1 && mended.cut_bytes <= bytes.size());
  const std::string segment = folder() + "/a.mkv";
  if (mended.segments == 1) {
    const auto read = read_index(segment);
    const auto built = build_index(segment);
    require(read && built && *read == *built && read->size() == mended.frames);
    std::filesystem::remove(segment);
    std::filesystem::remove(index_of(segment));
  }
  require(std::filesystem::is_empty(folder()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fp::as_text({data, size});
  const std::string file = folder() + "/a.mkv";
  write(file, bytes);
  read_all(file, size);
  std::filesystem::remove(file);
  check_mended(bytes);
  return 0;
}
