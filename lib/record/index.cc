#include "record/index.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "record/segment_reader.h"

namespace fp::record {
namespace {

constexpr std::size_t kMostBytes = 256u << 20;
// More than the longest line: X-Camera is at most what a header block holds.
constexpr std::size_t kEndBytes = 128u << 10;

Result<std::uint64_t> size_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail(io_error(path));
  return static_cast<std::uint64_t>(info.st_size);
}

std::optional<std::uint64_t> parse_end(std::string_view line) {
  constexpr std::string_view kEnd = "end ";
  if (!line.starts_with(kEnd)) return std::nullopt;
  return parse_integer<std::uint64_t>(line.substr(kEnd.size()));
}

// At most `most` bytes of the file, from `at` on.
Result<std::string> read_at(int fd, std::uint64_t at, std::size_t most) {
  std::string text(most, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), static_cast<off_t>(at));
  if (got < 0) return fail(io_error("read"));
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

std::string index_of(const std::string& segment) { return segment + ".index"; }

std::string index_line(const IndexEntry& entry) {
  std::string line =
      std::to_string(entry.offset) + ' ' + format_timestamp(entry.captured) + ' ' + std::to_string(entry.sequence);
  if (!entry.camera.empty()) line += ' ' + entry.camera;
  return line + '\n';
}

std::string index_end(std::uint64_t segment_bytes) { return "end " + std::to_string(segment_bytes) + '\n'; }

std::optional<IndexEntry> parse_index_line(std::string_view line) {
  std::array<std::string_view, 2> words;
  for (std::string_view& word : words) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    word = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  const auto space = line.find(' ');
  const auto offset = parse_integer<std::uint64_t>(words[0]);
  const auto captured = parse_timestamp(words[1]);
  const auto sequence = parse_integer<std::uint64_t>(line.substr(0, space));
  if (!offset || !captured || !sequence) return std::nullopt;
  return IndexEntry{*offset, *captured, *sequence,
                    space == std::string_view::npos ? "" : std::string(line.substr(space + 1))};
}

Result<std::vector<IndexEntry>> read_index(const std::string& segment) {
  const std::string path = index_of(segment);
  const auto bytes = size_of(segment);
  if (!bytes) return fail(bytes.error());
  const auto file = read_file(path, kMostBytes);
  if (!file) return fail(file.error());
  std::string_view text = as_text(file->view());
  if (!text.starts_with(kIndexHead)) return malformed(path + ": is no index");
  text.remove_prefix(kIndexHead.size());
  std::vector<IndexEntry> entries;
  entries.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
  while (!text.empty()) {
    const auto at = text.find('\n');
    if (at == std::string_view::npos) break;
    const std::string_view line = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (const auto end = parse_end(line)) {
      if (*end == *bytes && text.empty()) return entries;
      break;
    }
    auto entry = parse_index_line(line);
    const std::uint64_t least = entries.empty() ? 0 : entries.back().offset + 1;
    if (!entry || entry->offset < least || entry->offset >= *bytes) break;
    entries.push_back(std::move(*entry));
  }
  return malformed(path + ": does not belong to the file as it is");
}

Result<std::vector<IndexEntry>> build_index(const std::string& segment) {
  auto reader = SegmentReader::open(segment);
  if (!reader) return fail(std::move(reader).error());
  std::vector<IndexEntry> entries;
  for (;;) {
    auto frame = reader->next();
    if (!frame) return fail(std::move(frame).error().in(segment));
    if (!*frame) return entries;
    entries.push_back({reader->offset(), (*frame)->captured, (*frame)->sequence, (*frame)->camera});
  }
}

Result<Extent> read_extent(const std::string& segment) {
  const std::string path = index_of(segment);
  const auto bytes = size_of(segment);
  if (!bytes) return fail(bytes.error());
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return fail(io_error(path));
  if (!S_ISREG(info.st_mode)) return malformed(path + ": is no regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const auto front = read_at(fd.get(), 0, kEndBytes);
  if (!front) return fail(front.error());
  const auto back = read_at(fd.get(), size - std::min<std::uint64_t>(size, kEndBytes), kEndBytes);
  if (!back) return fail(back.error());
  const std::string_view head(*front);
  std::string_view tail(*back);
  if (!head.starts_with(kIndexHead) || !tail.ends_with('\n')) return malformed(path + ": is no index");
  const auto line_of = [](std::string_view text) { return text.substr(0, text.find('\n')); };
  const auto take_last = [&tail] {
    tail.remove_suffix(tail.ends_with('\n') ? 1 : 0);
    const std::string_view line = tail.substr(tail.rfind('\n') + 1);
    tail.remove_suffix(line.size());
    return line;
  };
  const auto end = parse_end(take_last());
  const auto last = parse_index_line(take_last());
  const auto first = parse_index_line(line_of(head.substr(kIndexHead.size())));
  if (!end || *end != *bytes || !first || !last) {
    return malformed(path + ": does not belong to the file as it is");
  }
  return Extent{first->captured, last->captured, *bytes};
}

bool has_index(const std::string& segment) {
  const Fd fd(::open(index_of(segment).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd) return false;
  const auto head = read_at(fd.get(), 0, kIndexHead.size());
  return head && *head == kIndexHead;
}

}  // namespace fp::record
