// Users and their passwords: a file in the form of htpasswd(1), and the thread that compares.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "loop/loop.h"

namespace fp::http {

/// Lines USER:HASH, where HASH is of a form that crypt(5) of this machine calls strong: bcrypt ($2y$, `htpasswd -B`),
/// SHA-512 ($6$, `openssl passwd -6`), yescrypt ($y$, `mkpasswd`). Empty lines and those that begin with # are left
/// out. Weak forms (MD5, SHA-1, DES) are refused with the line's number: a file that leaks would give the passwords
/// away.
class PasswordFile {
 public:
  static constexpr std::size_t kMostBytes = 1u << 20;
  static constexpr std::size_t kMostPasswordBytes = 511;  ///< crypt(3) takes no more

  /// Errors: those of read_file(); Malformed ("FILE, line 3: ..."), also when nobody is in it.
  static Result<PasswordFile> load(const std::string& path);
  static Result<PasswordFile> parse(std::string_view text, const std::string& path);

  [[nodiscard]] bool knows(std::string_view user) const { return hashes_.find(user) != hashes_.end(); }
  /// The user's; of one who is not there somebody else's, so that comparing takes as long.
  [[nodiscard]] const std::string& hash_of(std::string_view user) const;

 private:
  std::map<std::string, std::string, std::less<>> hashes_;  // never empty
};

/// Whether `hash` is of `password`; takes the time that the hash was made to take (2 ms to 1 s). Any thread.
[[nodiscard]] bool is_password(std::string_view password, const std::string& hash);

/// Compares one after the other on a thread of its own, with less right to the processor than all others of the
/// program: frames do not wait for guesses. Made and used on the loop's thread.
class PasswordChecker {
 public:
  static constexpr std::size_t kMostWaiting = 32;
  struct Figures {
    std::uint64_t checks = 0;
    std::chrono::nanoseconds time{};  ///< of the thread, for all of them
  };
  using Then = std::function<void(bool right)>;

  explicit PasswordChecker(Loop& loop);
  PasswordChecker(const PasswordChecker&) = delete;
  PasswordChecker& operator=(const PasswordChecker&) = delete;
  /// Waits for the comparison at hand. Nobody is told any more.
  ~PasswordChecker();

  /// `then` is called from the loop, later. False: kMostWaiting wait already, and it is not called.
  bool check(std::string password, std::string hash, Then then);
  [[nodiscard]] Figures figures() const { return figures_; }

 private:
  struct Question {
    std::string password;
    std::string hash;
    Then then;
  };
  void work();

  Loop& loop_;
  Figures figures_;
  std::shared_ptr<bool> alive_;  // for what was posted and has not run yet
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;  // under mutex_
  bool ending_ = false;             // under mutex_
  std::thread thread_;
};

}  // namespace fp::http
