#include "node/input.h"

namespace kadmesh {

NodeAnswer apply(Node& node, Turn turn, NodeInput input) {
  return std::visit(
      [&](auto& value) -> NodeAnswer {
        if constexpr (std::is_void_v<decltype(value.apply(node, turn))>)
          return value.apply(node, turn), std::monostate();
        else
          return value.apply(node, turn);
      },
      input);
}

}  // namespace kadmesh
