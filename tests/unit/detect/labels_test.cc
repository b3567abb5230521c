#include "detect/labels.h"

#include <doctest/doctest.h>

#include "support/io.h"

using namespace fp;
using namespace fp::detect;
using fp::test::TempDir;

namespace {

Result<Labels> labels_of(const std::string& text) {
  const TempDir folder;
  fp::test::write_file(folder.path() + "/labels.txt", text);
  return read_labels(folder.path() + "/labels.txt");
}

std::string trouble_of(const std::string& text) {
  const auto labels = labels_of(text);
  REQUIRE_FALSE(labels);
  CHECK(labels.error().kind == Error::Kind::Malformed);
  return labels.error().text;
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("read_labels: one name a line, without the blanks around it and the blank lines behind") {
  CHECK(labels_of("person\n  traffic light\t\r\ncaf\xC3\xA9\n\n \n").value() ==
        Labels{"person", "traffic light", "caf\xC3\xA9"});
  CHECK(labels_of("only").value() == Labels{"only"});
}

TEST_CASE(
    "read_labels: an empty line in the middle is refused by its number, since all names behind it would be wrong") {
  CHECK(mentions(trouble_of("person\n\n\ndog\n"), "line 2: is empty"));
}

TEST_CASE("read_labels: what is no list of names is refused with the line") {
  CHECK(mentions(trouble_of("person\n\xFF\xD8\xFF\xE0\n"), "line 2: is not UTF-8"));
  CHECK(mentions(trouble_of(std::string(257, 'x')), "line 1: is over 256 bytes"));
  CHECK(labels_of(std::string(256, 'x')).value().front().size() == 256);
  CHECK(mentions(trouble_of(" \n\n"), "no names"));
  CHECK(mentions(trouble_of(""), "no names"));
}

TEST_CASE("read_labels: 65536 names are read, and one more is refused") {
  std::string text;
  for (int i = 0; i < 65536; ++i) text += "x\n";
  CHECK(labels_of(text).value().size() == 65536);
  CHECK(mentions(trouble_of(text + "x\n"), "line 65537: more than 65536"));
}

TEST_CASE("read_labels: a file that is not there is an error of the system") {
  const auto labels = read_labels("/nonexistent/labels.txt");
  REQUIRE_FALSE(labels);
  CHECK(labels.error().kind == Error::Kind::Io);
  CHECK(labels.error().sys == ENOENT);
}

TEST_CASE("parse_names: a dict as Python writes it") {
  CHECK(parse_names("{0: 'person', 1: 'bus'}") == Labels{"person", "bus"});
  CHECK(parse_names(" { 0 :'person' , 1 : \"bus\" , } ") == Labels{"person", "bus"});
  CHECK(parse_names("{1: 'bus', 0: 'person'}") == Labels{"person", "bus"});
  CHECK(parse_names("{0: ''}") == Labels{""});
}

TEST_CASE("parse_names: quotes within a name, in both of Python's ways") {
  CHECK(parse_names(R"({0: "it's a dog", 1: 'say "hello"', 2: 'it\'s "one"', 3: 'back\\slash'})") ==
        Labels{"it's a dog", "say \"hello\"", "it's \"one\"", "back\\slash"});
}

TEST_CASE("parse_names: the escapes that Python writes for what cannot be printed") {
  CHECK(parse_names(R"({0: 'caf\xe9', 1: 'a\tb', 2: '\u2014', 3: '\U0001f600'})") ==
        Labels{"caf\xC3\xA9", "a\tb", "\xE2\x80\x94", "\xF0\x9F\x98\x80"});
}

TEST_CASE("parse_names: anything else gives no names") {
  for (const char* text : {"",
                           "{}",
                           "[]",
                           "['person', 'bus']",
                           "{0: person}",
                           "{0: 'person'",
                           "{0: 'person",
                           "{0 'person'}",
                           "{0: 'a' 1: 'b'}",
                           "{-1: 'a'}",
                           "{1: 'a'}",
                           "{0: 'a', 2: 'c'}",
                           "{0: 'a', 99999999999999999999: 'b'}",
                           "{65536: 'a'}",
                           "{0: None}",
                           "{'0': 'a'}",
                           "{0: 'a\\",
                           "{0: 'a\\'}",
                           "{0: '\\x4'}",
                           "{0: '\\ud800'}"}) {
    CAPTURE(text);
    CHECK(parse_names(text).empty());
  }
  CHECK(parse_names("{0: '" + std::string(300, 'x') + "'}").empty());
}
