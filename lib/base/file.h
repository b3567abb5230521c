// A small file, read whole.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace fp {

/// What the regular file at `path` holds. Pipes and devices, which may have no end and could block, are refused.
/// Errors: Io ("open PATH: ...", "read PATH: ..."); Malformed (no regular file); TooLarge (more than `most_bytes`; no
/// more is read).
[[nodiscard]] Result<Blob> read_file(const std::string& path, std::size_t most_bytes);

}  // namespace fp
