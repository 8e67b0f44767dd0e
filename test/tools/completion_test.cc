#include "kadnode/completion.h"

#include <doctest/doctest.h>

namespace kadmesh::kadnode {
namespace {

TEST_CASE("completion: one candidate is completed, several as far as they agree") {
  const Words names{"provide", "providers", "put", "publish"};
  CHECK(complete("pu", names).common == "pu");
  CHECK(complete("pub", names).common == "publish");
  CHECK(complete("pro", names).common == "provide");
  CHECK(complete("pro", names).candidates == Words{"provide", "providers"});
  CHECK(complete("", names).common == "p");
}

TEST_CASE("completion: nothing fits, nothing is offered") {
  CHECK(complete("x", {"put"}).candidates.empty());
  CHECK(complete("puts", {"put"}).candidates.empty());
}

}  // namespace
}  // namespace kadmesh::kadnode
