#include "driver/machine.h"

#include <sys/random.h>

#include <chrono>

#include "base/check.h"

namespace kadmesh {

Now machine_now() {
  return {Time(std::chrono::steady_clock::now().time_since_epoch()),
          WallTime(std::chrono::system_clock::now().time_since_epoch())};
}

Rng::Key machine_entropy() {
  Rng::Key key;
  KAD_CHECK(getrandom(key.data(), key.size(), 0) == static_cast<ssize_t>(key.size()));
  return key;
}

}  // namespace kadmesh
