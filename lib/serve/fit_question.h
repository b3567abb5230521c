// One picture that a page has posted, until it is answered.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/connection.h"
#include "serve/filter.h"
#include "serve/fit_clients.h"
#include "serve/fit_request.h"

namespace fp {

class FitQuestion;

/// A client's place in the filter's queue. It keeps it while newer pictures come, so that one who posts often waits no
/// longer than others.
struct FitTicket {
  FitQuestion* who = nullptr;  ///< whose picture is worked on when its turn comes
  const Filter* filter = nullptr;
  std::string overlay;
  std::unique_ptr<Filter::Question> question;
};

/// Answers its request when the filter has, or when the client's next picture takes its place before its turn has come.
/// One whose turn has come is answered in any case: pages that post faster than the filter works would get no picture
/// at all if each took the place of the one before.
class FitQuestion final : public http::Body {
 public:
  using Respond = std::function<void(http::Connection&, http::Response)>;
  FitQuestion(const Clock& clock, http::Connection& connection, std::shared_ptr<FitClient> client, FitRequest request,
              Respond respond);
  FitQuestion(const FitQuestion&) = delete;
  FitQuestion& operator=(const FitQuestion&) = delete;
  ~FitQuestion() override;

  /// Once, when the connection has it. Takes the place of the client's question that waits, and answers that one.
  void ask(Filter& filter);
  /// Before its turn has come: answers with the picture as it came.
  void gate_closed();

  void writable() override {}
  bool finish() override { return true; }
  bool leaves_with_input() const override { return true; }  // a filter has more to do

 private:
  void superseded();
  [[nodiscard]] FramePtr begin();
  void answered(const FilterResult& result);
  [[nodiscard]] long took_ms() const;

  const Clock& clock_;
  http::Connection& connection_;
  const std::shared_ptr<FitClient> client_;
  FitRequest request_;
  const Respond respond_;
  const SteadyTime came_;
  std::unique_ptr<FitTicket> ticket_;  // its turn has come
};

/// {"success":false,"error":...}.
[[nodiscard]] http::Response fit_error(int status, std::string_view text);
/// The picture as it came: `frame` is base64, or the data: form of it.
[[nodiscard]] http::Response fit_untouched(std::string_view frame, long took_ms);

}  // namespace fp
