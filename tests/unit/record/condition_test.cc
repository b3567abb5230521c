#include "record/condition.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

bool holds(const std::string& condition, const std::string& label, double confidence) {
  return Condition::parse(condition).value().holds(label, confidence);
}

bool holds_for(const std::string& detections, const char* condition = "person>0.5") {
  Frame frame = *test::make_frame(1);
  frame.extra = {{"X-Own", "x"}, {"x-detections", detections}};
  const std::vector<Condition> conditions = {Condition::parse(condition).value()};
  return any_holds(conditions, frame);
}

TEST_CASE("Condition: compares the confidence of its label") {
  CHECK(holds("person>0.5", "person", 0.51));
  CHECK_FALSE(holds("person>0.5", "person", 0.5));
  CHECK(holds("person>=0.5", "person", 0.5));
  CHECK(holds("person<0.5", "person", 0.4));
  CHECK_FALSE(holds("person<0.5", "person", 0.5));
  CHECK(holds("person<=0.5", "person", 0.5));
  CHECK_FALSE(holds("person>0.5", "dog", 0.9));
}

TEST_CASE("Condition: a label alone is any confidence, a star any label, and spaces do no harm") {
  CHECK(holds("motion", "motion", 0));
  CHECK(holds("*>0.5", "dog", 0.9));
  CHECK(holds(" traffic light >= 0.5 ", "traffic light", 0.5));
}

TEST_CASE("Condition: what is none is refused") {
  for (const char* const text :
       {"", ">0.5", "person>", "person>x", "person>2", "person>-1", "person=0.5", "person==0.5", "person>>0.5", " "}) {
    CAPTURE(text);
    CHECK_FALSE(Condition::parse(text).has_value());
  }
}

TEST_CASE("any_holds: finds an object in X-Detections, any of them") {
  CHECK(holds_for(R"({"objects":[{"label":"dog","confidence":0.9},{"label":"person","confidence":0.7}]})"));
  CHECK_FALSE(holds_for(R"({"objects":[{"label":"dog","confidence":0.9},{"label":"person","confidence":0.2}]})"));
  CHECK_FALSE(holds_for(R"({"objects":[]})"));
  Frame frame = *test::make_frame(1);
  frame.extra = {{"X-Detections", R"({"objects":[]})"},
                 {"X-Detections", R"({"objects":[{"label":"a","confidence":1}]})"}};
  const std::vector<Condition> conditions = {Condition::parse("b").value(), Condition::parse("a").value()};
  CHECK(any_holds(conditions, frame));
}

TEST_CASE("any_holds: holds for nothing that is not as it should be, and survives it") {
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("[]"), std::string(R"({"objects":{}})"),
        std::string(R"({"objects":[1,null,[],{"label":1,"confidence":1},{"label":"person"},{"confidence":1}]})"),
        std::string(R"({"objects":[{"label":"person","confidence":"1"}]})"), std::string(60'000, '[')}) {
    CHECK_FALSE(holds_for(text, "*"));
  }
}

}  // namespace
