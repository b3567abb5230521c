// A small file, read whole.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace fp {

/// What `path` holds, to its end; a pipe or a device may stand there, too. Blocks until then.
/// Errors: Io ("open PATH: ...", "read PATH: ..."); TooLarge (more than `most_bytes`; no more is read).
[[nodiscard]] Result<Blob> read_file(const std::string& path, std::size_t most_bytes);

}  // namespace fp
