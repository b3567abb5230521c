// Frames from an endpoint, opened and opened again, without blocking and without a loop of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/connector.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/report.h"
#include "base/result.h"
#include "frame/endpoint.h"
#include "frame/frame.h"
#include "frame/parser.h"
#include "frame/producer.h"
#include "http/client.h"

namespace fp {

/// Reads one endpoint and gives its newest frame. What ends is opened again with back-off: commands, connections, FIFOs
/// and listening ends go on for ever; standard input, a descriptor and a regular file end. A URL whose
/// answer is one picture is asked again each second.
///
/// Each advance() reads at most some 16 MiB, to be fair to others. With every_frame it gives the next frame instead of
/// the newest. Memory: StreamParser's, and the newest frame.
class Input final : public Producer {
 public:
  struct Options {
    std::size_t max_frame_bytes = StreamParser::kDefaultMaxFrameBytes;
    bool every_frame = false;  ///< give every frame, in order; else only the newest of those that have arrived
    /// Of exec: endpoints. What the command reads on its standard input.
    std::string exec_input = {};
    /// Its standard error is kept, and the last line of it is the reason when it ends, as this function words it.
    std::function<std::string(const std::string&)> exec_errors = {};
    bool exec_once = false;  ///< a command that ends is not run again: the stream has ended
    /// What is open, or being opened, is opened again when no whole frame comes for so long; 0: never. Nothing: 10 s
    /// for http, never for others.
    std::optional<std::chrono::milliseconds> frame_timeout = {};
    http::Client::Options http = {};  ///< of http: endpoints
  };
  enum class State {
    Opening,  ///< connecting, listening for a producer, or waiting to try again
    Open,     ///< bytes may come
    Ended,    ///< nothing will ever come again
  };
  struct Figures {
    std::uint64_t frames = 0;      ///< whole frames that arrived
    std::uint64_t superseded = 0;  ///< of those, dropped because a newer one had arrived too
    std::uint64_t bytes = 0;
    std::uint64_t opened = 0;  ///< how many times
    std::uint64_t lost = 0;    ///< how many times it was lost or could not be opened
  };

  /// Opens what must be there now: a path that does not exist or a port that is taken is an Error, and ends the tool. A
  /// peer that does not answer yet is not. `clock` and `report` must live as long.
  [[nodiscard]] static Result<Input> open(const Endpoint& endpoint, Options options, const Clock& clock, Report report);

  Input(Input&&) = default;
  Input& operator=(Input&&) = default;
  ~Input() override = default;

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return state_ == State::Ended; }
  [[nodiscard]] std::uint64_t superseded() const override { return figures_.superseded; }

  /// Gives every frame in order: asked for, or a regular file.
  [[nodiscard]] bool in_order() const { return every_frame_; }
  [[nodiscard]] bool regular_file() const { return reading_ == Reading::Plain; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  ///< why it is not open; "" when it is
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] Skips skips() const;
  /// Of the stream that is open, or of the last one.
  [[nodiscard]] const Framing& framing() const {
    return state_ == State::Open || !last_framing_ ? parser_.framing() : *last_framing_;
  }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  /// The port of a listening TCP end, which may have been asked for as 0.
  [[nodiscard]] std::uint16_t port() const;
  /// Gives up what is open, as if it had been lost for this reason; it is opened again with back-off.
  void restart(const std::string& why);
  /// Closes everything; a command is told to end. closed() says when it has, and kills it after a second.
  void begin_close();
  [[nodiscard]] bool closed();
  /// The same, waiting for a command at most `grace` before it is killed.
  void close(std::chrono::milliseconds grace);

 private:
  enum class Reading { Poll, Socket, NonBlocking, Plain };

  Input(Endpoint endpoint, Options options, const Clock& clock, Report report);
  Result<Done> start();  // opens or begins to open
  void opened();
  void lost(const std::string& why);
  void read_child_errors();
  void end_stream();
  void drop_connector();
  [[nodiscard]] int source_fd() const;
  bool adopt(int fd);
  Result<std::size_t> read_some(std::span<std::uint8_t> room, bool& again);
  FramePtr read_frames();
  FramePtr turn();
  bool open_http();
  bool answer_over();
  [[nodiscard]] std::string http_remark() const;
  [[nodiscard]] bool answer_is_page() const;
  [[nodiscard]] Wait bytes_wait() const;
  [[nodiscard]] std::optional<SteadyTime> frame_due() const;
  void give_up(const std::string& why);

  Endpoint endpoint_;
  Options options_;
  const Clock* clock_;
  Report report_;
  State state_ = State::Opening;
  Reading reading_ = Reading::Poll;
  Fd owned_;  // what is read from, unless borrowed
  int borrowed_ = -1;
  Fd listener_;
  std::optional<ChildProcess> child_;
  std::string child_error_;  // its last whole line
  std::uint64_t generation_ = 0;
  SteadyTime closing_since_{};
  SteadyTime last_read_{};
  std::optional<Connector> connector_;    // a TCP connection in the making
  bool connecting_ = false;               // a unix one
  std::unique_ptr<http::Client> client_;  // of an http: endpoint, kept for what it has learned of passwords
  bool snapshot_ = false;                 // its answer is one picture,
  bool has_picture_ = false;              // which has come
  SteadyTime asked_{};                    // when it was asked for
  std::optional<SteadyTime> ask_at_;      // when to ask for the next one
  SteadyTime frame_since_{};              // the last frame, or the begin of opening
  bool took_bytes_ = false;               // in the turn at hand
  bool reopens_ = false;
  bool every_frame_ = false;
  bool drained_ = true;  // all that was parsed has been given out (every_frame)
  std::optional<SteadyTime> retry_at_;
  std::optional<SteadyTime> connect_until_;
  Backoff backoff_;
  std::string trouble_ = "not open yet";
  std::string told_trouble_;  // and no frame has come since
  SkipReporter skip_reporter_;
  StreamParser parser_;
  Skips skips_before_;  // of earlier streams
  std::optional<Framing> last_framing_;
  Figures figures_;
  bool frame_since_open_ = false;
};

}  // namespace fp
