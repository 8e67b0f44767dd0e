// Looks at a whole lab: a row of the series now and then, and all there is to count at the end.
#pragma once

#include "kadsim/lab.h"
#include "kadsim/result.h"

namespace kadmesh::kadsim {

class Sampler {
 public:
  explicit Sampler(const Lab& lab);  // which outlives this

  void sample();
  // What `result` says of nodes, operations, messages, tables and traffic.
  void finish(RunResult& result);

 private:
  const Lab& lab_;
  Series series_;
};

}  // namespace kadmesh::kadsim
