// Which error a Result holds; a Result that holds a value fails the test.
#pragma once

#include <doctest/doctest.h>

#include "base/result.h"

namespace kadmesh {

template <class T>
Errc refusal_of(const Result<T>& result) {
  REQUIRE(!result.has_value());
  return result.error().code;
}

}  // namespace kadmesh
