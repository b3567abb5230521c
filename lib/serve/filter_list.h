// The filters of a server.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/filter.h"

namespace fp {

/// In the order they were added; no two of one name.
class FilterList {
 public:
  void add(std::unique_ptr<Filter> filter) { filters_.push_back(std::move(filter)); }
  [[nodiscard]] Filter* find(std::string_view name) const {
    const auto found =
        std::find_if(filters_.begin(), filters_.end(), [&](const auto& filter) { return filter->name() == name; });
    return found == filters_.end() ? nullptr : found->get();
  }
  [[nodiscard]] Filter* first() const { return filters_.empty() ? nullptr : filters_.front().get(); }
  [[nodiscard]] const std::vector<std::unique_ptr<Filter>>& all() const { return filters_; }

 private:
  std::vector<std::unique_ptr<Filter>> filters_;
};

/// Which filter's frames somebody asks for.
struct FilterWish {
  Filter* filter = nullptr;  ///< nullptr: the camera's own pictures
  std::string overlay;       ///< as FilterOrder has it
};

}  // namespace fp
