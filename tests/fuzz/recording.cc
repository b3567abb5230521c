// An index and a recorded file with arbitrary bytes, the index being what stands in front of the first "--" or 0xFF:
// what is read of them holds together, and what is mended is whole.
#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "base/bytes.h"
#include "folder.h"
#include "record/index.h"
#include "record/limits.h"
#include "record/mender.h"
#include "record/moment.h"
#include "record/name_pattern.h"
#include "record/segment_reader.h"

namespace {

using fp::fuzz::folder;
using fp::fuzz::require;
using fp::fuzz::write;

// What read_index() takes is within the file, and reading begins at any of its places without harm.
void check_index(const std::string& segment, std::uint64_t bytes) {
  const auto index = fp::record::read_index(segment);
  const auto extent = fp::record::read_extent(segment);
  if (!index || index->empty()) return;
  require(extent && extent->bytes == bytes);
  require(extent->first == index->front().captured && extent->last == index->back().captured);
  require(std::ranges::is_sorted(*index, std::ranges::less_equal(), &fp::record::IndexEntry::offset) ||
          index->size() < 2);
  const auto& last = index->back();
  require(last.offset < bytes);
  require(fp::record::parse_index_line(
              fp::record::index_line(last).substr(0, fp::record::index_line(last).size() - 1)) == last);
  auto reader = fp::record::SegmentReader::open(segment, {last.offset, index->size() - 1});
  require(reader && reader->next());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace record = fp::record;
  const std::string_view all = fp::as_text({data, size});
  const std::size_t at = std::min({all.find("--"), all.find('\xFF'), all.size()});
  const std::string_view index = all.substr(0, at);
  const std::string_view frames = all.substr(at);
  (void)record::parse_moment(index, false);
  (void)record::parse_limits(index);
  if (const auto name = record::NamePattern::parse(std::string(index), ".mjpeg", false)) {
    require(!name->name(fp::WallTime()).empty() && name->name(fp::WallTime()).find("/../") == std::string::npos);
  }
  require(record::camera_folder(index).find('/') == std::string::npos &&
          !record::camera_folder(index).starts_with('.'));

  const std::string segment = folder() + "/a.mjpeg";
  write(segment, frames);
  write(record::index_of(segment), index);
  check_index(segment, frames.size());
  std::filesystem::remove(segment);
  std::filesystem::remove(record::index_of(segment));

  // The same as a killed recorder leaves it.
  write(folder() + "/.a.mjpeg.part", frames);
  write(folder() + "/.a.mjpeg.index.part", std::string(record::kIndexHead) + std::string(index));
  const record::Mended mended = record::mend(folder(), {});
  require(mended.segments <= 1 && mended.cut_bytes <= frames.size());
  require(std::filesystem::exists(segment) == (mended.segments == 1));
  if (mended.segments == 1) {
    const auto read = record::read_index(segment);
    const auto built = record::build_index(segment);
    require(read && built && *read == *built && read->size() == mended.frames);
    std::filesystem::remove(segment);
    std::filesystem::remove(record::index_of(segment));
  }
  require(std::filesystem::is_empty(folder()));
  return 0;
}
