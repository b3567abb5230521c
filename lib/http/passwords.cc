#include "http/passwords.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <sys/resource.h>

#include <csignal>
#include <memory>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

namespace fp::http {
namespace {

constexpr const char* kMend = "(htpasswd -B or openssl passwd -6 make one that is taken)";
constexpr int kNice = 10;

}  // namespace

Result<PasswordFile> PasswordFile::load(const std::string& path) {
  const auto bytes = read_file(path, kMostBytes);
  if (!bytes) return fail(bytes.error());
  return parse(as_text(bytes->view()), path);
}

Result<PasswordFile> PasswordFile::parse(std::string_view text, const std::string& path) {
  PasswordFile file;
  for (const auto& [number, line] : entries_of(text)) {
    const std::string where = path + ", line " + std::to_string(number);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return malformed(where + ": not of the form USER:HASH " + kMend);
    const std::string user(line.substr(0, colon));
    // What some programs write behind it, after another colon, is no part of the hash.
    const std::string_view rest = line.substr(colon + 1);
    const std::string hash(rest.substr(0, rest.find(':')));
    if (::crypt_checksalt(hash.c_str()) != CRYPT_SALT_OK) {
      return malformed(where + ": the hash of " + printable(user, 40) + " is weak, or none " + kMend);
    }
    if (!file.hashes_.emplace(user, hash).second)
      return malformed(where + ": a second line for " + printable(user, 40));
  }
  if (file.hashes_.empty()) return malformed(path + ": nobody is in it (htpasswd -B FILE USER puts somebody in)");
  return file;
}

const std::string& PasswordFile::hash_of(std::string_view user) const {
  const auto found = hashes_.find(user);
  return found != hashes_.end() ? found->second : hashes_.begin()->second;
}

bool is_password(std::string_view password, const std::string& hash) {
  // Behind a zero byte crypt(3) would see nothing: what is not all of it is not the password.
  if (password.size() > PasswordFile::kMostPasswordBytes || password.find('\0') != std::string_view::npos) return false;
  auto data = std::make_unique<crypt_data>();  // 32 KiB
  const char* const made = ::crypt_r(std::string(password).c_str(), hash.c_str(), data.get());
  const bool same = made != nullptr && made[0] != '*' && std::string_view(made).size() == hash.size() &&
                    ::CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  ::OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return same;
}

PasswordChecker::PasswordChecker(Loop& loop) : loop_(loop), alive_(std::make_shared<bool>(true)) {
  // Signals are the loop's: one that found this thread would end the program.
  sigset_t all{};
  sigset_t before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PasswordChecker::~PasswordChecker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool PasswordChecker::check(std::string password, std::string hash, Then then) {
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kMostWaiting) return false;
    questions_.push_back({std::move(password), std::move(hash), std::move(then)});
  }
  changed_.notify_one();
  return true;
}

void PasswordChecker::work() {
  ::setpriority(PRIO_PROCESS, 0, kNice);  // on Linux of this thread alone
  for (;;) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !questions_.empty(); });
      if (ending_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    const auto began = std::chrono::steady_clock::now();
    const bool right = is_password(question.password, question.hash);
    const auto took = std::chrono::steady_clock::now() - began;
    loop_.post([this, alive = std::weak_ptr<bool>(alive_), right, took, then = std::move(question.then)] {
      if (alive.expired()) return;
      ++figures_.checks;
      figures_.time += took;
      then(right);
    });
  }
}

}  // namespace fp::http
