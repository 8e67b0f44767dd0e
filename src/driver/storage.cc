#include "driver/storage.h"

#include <algorithm>
#include <asio/post.hpp>
#include <iterator>

#include "driver/machine.h"

namespace kadmesh {

Storage::Storage(std::unique_ptr<Store> store, asio::any_io_executor loop, Done done)
    : store_(std::move(store)),
      loop_(std::move(loop)),
      done_(std::make_shared<Done>(std::move(done))),
      rows_(store_->rows()),
      bytes_(store_->bytes()),
      worker_([this] { work(); }) {}

Storage::~Storage() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  more_.notify_one();
}

void Storage::submit(StoreOpId id, StoreRequest request) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({id, std::move(request)});
  }
  more_.notify_one();
}

std::size_t Storage::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

std::size_t Storage::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void Storage::work() {
  for (;;) {
    auto batch = next_batch();
    if (batch.empty()) return;
    run(std::move(batch));
  }
}

// Empty when closing and nothing is left.
std::vector<Storage::Waiting> Storage::next_batch() {
  std::unique_lock lock(mutex_);
  more_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMostBatch));
  std::vector<Waiting> batch(std::make_move_iterator(queue_.begin()),
                             std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

void Storage::run(std::vector<Waiting> batch) {
  std::vector<StoreRequest> requests;
  requests.reserve(batch.size());
  for (Waiting& waiting : batch) requests.push_back(std::move(waiting.request));
  auto results = store_->run(machine_now().wall, std::move(requests));
  {
    const std::lock_guard lock(mutex_);
    rows_ = store_->rows();
    bytes_ = store_->bytes();
  }
  asio::post(loop_, [batch = std::move(batch), results = std::move(results),
                     weak = std::weak_ptr<Done>(done_)]() mutable {
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (const auto done = weak.lock()) (*done)(batch[i].id, std::move(results[i]));
  });
}

}  // namespace kadmesh
