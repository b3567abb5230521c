// A small file, read whole.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace fp {

/// What the regular file at `path` holds. Pipes and devices, which may have no end and could block, are refused.
/// Errors: Io ("open PATH: ...", "read PATH: ..."); Malformed (no regular file); TooLarge (more than `most_bytes`; no
/// more is read).
[[nodiscard]] Result<Blob> read_file(const std::string& path, std::size_t most_bytes);

/// By what a file is known to be another one, or to have been written. Default: there is none.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size_bytes = 0;
  std::int64_t written_ns = 0;  ///< UNIX time
  bool for_all = false;         ///< every user of the machine may read it
  bool operator==(const FileStamp&) const = default;
};
[[nodiscard]] FileStamp stamp_of(const std::string& path);

}  // namespace fp
