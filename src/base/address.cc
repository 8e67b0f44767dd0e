#include "base/address.h"

namespace kadmesh {

std::string_view name(Source source) {
  switch (source) {
    case Source::configured:
      return "configured";
    case Source::dialed:
      return "dialed";
    case Source::signed_record:
      return "signed_record";
    case Source::identify:
      return "identify";
    case Source::hint:
      return "hint";
  }
  return "unknown";
}

}  // namespace kadmesh
