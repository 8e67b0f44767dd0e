#include "kad/table_entry.h"

namespace kadmesh {

std::string_view name(Standing standing) {
  switch (standing) {
    case Standing::provisional:
      return "provisional";
    case Standing::server:
      return "server";
  }
  return "unknown";
}

}  // namespace kadmesh
