// Covers: src/kad/routing_table.cc
#include "../kad/table_model.h"
#include "base/check.h"

using namespace kadmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  testing::TableModel both(testing::peer(0), 1 + data[0] % 4);
  for (std::size_t i = 1; i + 1 < size && i < 2000; i += 2) {
    both.step(data[i], data[i + 1]);
    KAD_CHECK(both.difference().empty());
  }
  return 0;
}
