// Runs a Store beside the loop: requests that come while a transaction is being written form the
// next one, so a slow disk costs latency and never the loop.
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

  // `done` runs on `loop`, in the order of the requests, never inside a call.
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
  void work();
  std::vector<Waiting> next_batch();
  void run(std::vector<Waiting> batch);

  const std::unique_ptr<Store> store_;
  const asio::any_io_executor loop_;
  const std::shared_ptr<Done> done_;  // handlers on the loop hold it weakly
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Waiting> queue_;  // bounded by the operations that cores have outstanding
  bool closing_ = false;
  std::size_t rows_ = 0, bytes_ = 0;
  std::jthread worker_;
};

}  // namespace kadmesh
