// Covers: src/kad/lookup.cc src/kad/policies.cc
#include "../kad/lookup_model.h"
#include "base/check.h"

using namespace kadmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  testing::LookupModel both(data[0], testing::at(60s));
  for (std::size_t i = 1; i + 1 < size && i < 2000; i += 2) {
    both.step(data[i], data[i + 1]);
    KAD_CHECK(both.difference().empty());
  }
  return 0;
}
