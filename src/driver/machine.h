// What the operating system alone can say: the time, and luck to start from.
#pragma once

#include "base/rng.h"
#include "base/turn.h"

namespace kadmesh {

Now machine_now();
// From the kernel's generator; aborts when there is none.
Rng::Key machine_entropy();

}  // namespace kadmesh
