#include "http/passwords.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/io.h"

namespace {

using namespace fp;
using namespace fp::http;

// "swordfish", with the fewest rounds there are.
constexpr const char* kSha512 =
    "$6$rounds=1000$framepipe$dMy9f4Pcb0l9SGFSVzlOs3n/6w9ZmkqrV8.MxAlEbeUeiR.8N.8oM1iRFm8T4pwbuoiOE2QQ1io6iqGSf8ajB1";
constexpr const char* kBcrypt = "$2y$04$abcdefghijklmnopqrstuugIEnm3ZbWF6xb2GcoE3L1CoGJFMKtu.";

struct Site {
  void turn() { ::ev_run(loop.raw(), EVRUN_NOWAIT); }
  Loop loop;
  PasswordChecker checker{loop};
};

}  // namespace

TEST_CASE("is_password: knows the right one, of each form") {
  CHECK(is_password("swordfish", kSha512));
  CHECK(is_password("swordfish", kBcrypt));
  CHECK_FALSE(is_password("Swordfish", kSha512));
  CHECK_FALSE(is_password("", kSha512));
  CHECK_FALSE(is_password("swordfish", "nonsense"));
}

TEST_CASE("is_password: a zero byte does not end a password, and one too long for crypt is none") {
  using namespace std::string_view_literals;
  CHECK_FALSE(is_password("swordfish\0more"sv, kSha512));
  CHECK_FALSE(is_password(std::string(100'000, 'x'), kSha512));
}

TEST_CASE("PasswordFile: takes users, comments and what stands behind a second colon") {
  const auto file =
      PasswordFile::parse("# ours\n\nanna:" + std::string(kSha512) + "\r\nben:" + kBcrypt + ":Ben's\n", "users");
  REQUIRE(file.has_value());
  CHECK(file->knows("anna"));
  CHECK(file->knows("ben"));
  CHECK_FALSE(file->knows("# ours"));
  CHECK(file->hash_of("anna") == kSha512);
  CHECK(file->hash_of("ben") == kBcrypt);
}

TEST_CASE("PasswordFile: whoever is not there costs a comparison as well") {
  const auto file = PasswordFile::parse("anna:" + std::string(kSha512), "users");
  REQUIRE(file.has_value());
  CHECK_FALSE(file->knows("nobody"));
  CHECK(file->hash_of("nobody") == kSha512);
}

TEST_CASE("PasswordFile: says which line is wrong, and how to make a right one") {
  const std::string mend = " (htpasswd -B or openssl passwd -6 make one that is taken)";
  const auto error = [](const std::string& text) {
    const auto file = PasswordFile::parse(text, "users");
    return file ? "" : file.error().text;
  };
  CHECK(error("# a\nanna") == "users, line 2: not of the form USER:HASH" + mend);
  CHECK(error("anna:swordfish") == "users, line 1: the hash of anna is weak, or none" + mend);
  CHECK(error("anna:$apr1$Kx2cOvRl$AAAAAAAAAAAAAAAAAAAAA/") ==
        "users, line 1: the hash of anna is weak, or none" + mend);
  CHECK(error("anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=") == "users, line 1: the hash of anna is weak, or none" + mend);
  CHECK(error("anna:" + std::string(kSha512) + "\nanna:" + kSha512) == "users, line 2: a second line for anna");
  CHECK(error("\n") == "users: nobody is in it (htpasswd -B FILE USER puts somebody in)");
}

TEST_CASE("PasswordFile: a file that is not there is named") {
  CHECK(PasswordFile::load("/nowhere/users").error().text == "open /nowhere/users: No such file or directory");
}

TEST_CASE("PasswordChecker: answers each in the order they came, from the loop") {
  Site site;
  std::vector<bool> answers;
  for (const char* const password : {"swordfish", "wrong", "swordfish"}) {
    REQUIRE(site.checker.check(password, kSha512, [&](bool right) { answers.push_back(right); }));
  }
  CHECK(answers.empty());
  REQUIRE(test::eventually([&] {
    site.turn();
    return answers.size() == 3;
  }));
  CHECK(answers == std::vector<bool>{true, false, true});
  CHECK(site.checker.figures().checks == 3);
  CHECK(site.checker.figures().time.count() > 0);
}

TEST_CASE("PasswordChecker: takes no more than can wait, and then more again") {
  Site site;
  std::size_t answers = 0;
  std::size_t taken = 0;
  // Faster than they can be compared: the queue is full at some time.
  while (site.checker.check("wrong", kSha512, [&](bool) { ++answers; })) ++taken;
  CHECK(taken >= PasswordChecker::kMostWaiting);
  REQUIRE(test::eventually([&] {
    site.turn();
    return answers == taken;
  }));
  CHECK(site.checker.check("wrong", kSha512, [&](bool) { ++answers; }));
}

TEST_CASE("PasswordChecker: when it goes nobody is told any more") {
  Loop loop;
  bool told = false;
  {
    PasswordChecker checker(loop);
    REQUIRE(checker.check("wrong", kSha512, [&](bool) { told = true; }));
  }
  ::ev_run(loop.raw(), EVRUN_NOWAIT);
  CHECK_FALSE(told);
}
