// Results as JSON objects, for those who put them into larger ones.
#pragma once

#include <nlohmann/json.hpp>

#include "kadsim/result.h"

namespace kadmesh::kadsim {

using Json = nlohmann::ordered_json;

Json json_of(const Histogram& histogram);  // [[value, times], ...]
Json json_of(const Series& series);
Json json_of(const RunResult& result, bool with_series);
std::string hex(std::uint64_t hash);

}  // namespace kadmesh::kadsim
