#include "feeder/picture.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "common/crc32.h"

namespace fp::bench {

Picture load_picture(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::string jpeg(std::istreambuf_iterator<char>(in), {});
  if (!jpeg.starts_with("\xFF\xD8") || !jpeg.ends_with("\xFF\xD9"))
    throw std::runtime_error("not a whole JPEG: " + path);
  Picture picture{jpeg.substr(2), 0};
  picture.crc = crc32(picture.body);
  return picture;
}

}  // namespace fp::bench
