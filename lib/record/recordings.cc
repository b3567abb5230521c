#include "record/recordings.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "record/matroska.h"
#include "record/segment_reader.h"

namespace fp::record {
namespace {

constexpr int kDeepest = 8;

std::optional<Extent> extent_of(const std::string& path) {
  auto extent = read_extent(path);
  return extent ? std::optional(*extent) : std::nullopt;
}

// When the first frame was captured, as far as that can be told.
WallTime first_of(const Recording& recording, const OpenBlocks& foreign) {
  if (recording.extent) return recording.extent->first;
  auto reader = SegmentReader::open(recording.path, {}, SegmentReader::kMostFrameBytes, foreign);
  if (!reader) return {};
  auto frame = reader->next();
  return frame && *frame ? (*frame)->captured : WallTime();
}

void add_folder(std::vector<Recording>& recordings, const std::string& folder, const OpenBlocks& foreign) {
  namespace fs = std::filesystem;
  std::vector<std::pair<WallTime, Recording>> found;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    if (walk.depth() >= kDeepest) walk.disable_recursion_pending();
    const std::string path = walk->path().string();
    std::error_code ignored;
    const bool hidden = walk->path().filename().string().starts_with('.');
    const bool named = path.ends_with(".mjpeg") || path.ends_with(matroska::kExtension);
    if (hidden || !named || !walk->is_regular_file(ignored)) continue;
    Recording recording{path, extent_of(path)};
    const WallTime first = first_of(recording, foreign);
    found.emplace_back(first, std::move(recording));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.path < b.second.path;
  });
  for (auto& [first, recording] : found) recordings.push_back(std::move(recording));
}

}  // namespace

Result<std::vector<Recording>> find_recordings(const std::vector<std::string>& names, const OpenBlocks& foreign) {
  std::vector<Recording> recordings;
  for (const std::string& name : names) {
    struct stat info {};
    if (::stat(name.c_str(), &info) != 0) return fail(io_error(name));
    if (!S_ISDIR(info.st_mode)) {
      recordings.push_back({name, extent_of(name)});
      continue;
    }
    const std::size_t before = recordings.size();
    add_folder(recordings, name, foreign);
    if (recordings.size() == before) return fail(io_error(name + ": holds no recordings", ENOENT));
  }
  return recordings;
}

}  // namespace fp::record
