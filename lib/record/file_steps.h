// Steps with files that outlive a power cut.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace fp::record {

[[nodiscard]] std::string folder_of(const std::string& path);  ///< "a" of "a/b", "." of "b"

/// Makes the folders between `root` and the file `name` below it, each on the disk when it returns. Errors: Io.
Result<Done> make_folders(const std::string& root, const std::string& name);
/// fsync(2) of a folder: the names in it are on the disk. Errors: Io.
Result<Done> sync_folder(const std::string& folder);
/// All of the bytes at `at`. Errors: Io.
Result<Done> write_at(int fd, ByteView bytes, std::uint64_t at);
/// Gives `from` the name `to` unless that is taken (sys EEXIST). Errors: Io.
Result<Done> rename_to_free(const std::string& from, const std::string& to);

}  // namespace fp::record
