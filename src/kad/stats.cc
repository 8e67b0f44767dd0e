#include "kad/stats.h"

namespace kadmesh {

std::string_view name(QueryType type) {
  switch (type) {
    case QueryType::get:
      return "get";
    case QueryType::put:
      return "put";
    case QueryType::provide:
      return "provide";
    case QueryType::find_providers:
      return "find_providers";
    case QueryType::find_peer:
      return "find_peer";
    case QueryType::find_closest:
      return "find_closest";
  }
  return "unknown";
}

}  // namespace kadmesh
