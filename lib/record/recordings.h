// Which files are played.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/block_reader.h"
#include "record/index.h"

namespace fp::record {

/// A recorded file. Of one that has an index the times are known before it is read.
struct Recording {
  std::string path;
  std::optional<Extent> extent;
};

/// The recordings that `names` stand for: files in the order they are named, and of each folder, down to eight below
/// it, the segments of frame-record that are whole, and other files ending in .mjpeg or .mkv, by the times of their
/// first frames. Matroska of others is opened by `foreign`. Errors: Io (no such file or folder); Malformed (a folder
/// without recordings).
[[nodiscard]] Result<std::vector<Recording>> find_recordings(const std::vector<std::string>& names,
                                                             const OpenBlocks& foreign = {});

}  // namespace fp::record
