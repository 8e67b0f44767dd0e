// Runs a Store beside the loop: requests that come while a transaction is being written form the
// next one, so a slow disk costs latency and never the loop. One in memory runs on the loop itself:
// it never waits, and to wake a thread for it, and be woken, takes longer than what it does.
#pragma once

#include <asio/any_io_executor.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "node/node.h"
#include "store/store.h"

namespace kadmesh {

class Storage {
 public:
  using Done = std::function<void(StoreOpId, StoreResult)>;
  // Requests in one transaction: bounds how long the first of them waits.
  static constexpr std::size_t kMostBatch = 1024;

  // None: a store in memory. `done` runs on `loop`, in the order of the requests, never inside a
  // call.
  Storage(std::unique_ptr<Store> store, asio::any_io_executor loop, Done done);
  // Writes what is queued; no `done` runs any more.
  ~Storage();

  void submit(StoreOpId id, StoreRequest request);
  std::size_t rows() const;
  std::size_t bytes() const;

 private:
  struct Waiting {
    StoreOpId id;
    StoreRequest request;
  };
  using Batch = std::vector<Waiting>;
  using Results = std::vector<StoreResult>;

  void work();
  void work_here();
  Batch next_batch();
  Results run(Batch& batch);
  static void tell(const std::weak_ptr<Done>& done, const Batch& batch, Results results);

  const bool beside_;  // in a thread of its own

  const std::unique_ptr<Store> store_;
  const asio::any_io_executor loop_;
  const std::shared_ptr<Done> done_;  // handlers on the loop hold it weakly
  mutable std::mutex mutex_;
  std::condition_variable more_;
  Batch queue_;  // bounded by the operations that cores have outstanding
  bool closing_ = false;
  std::size_t rows_ = 0, bytes_ = 0;
  std::jthread worker_;
};

}  // namespace kadmesh
