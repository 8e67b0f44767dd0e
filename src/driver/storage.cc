#include "driver/storage.h"

#include <algorithm>
#include <asio/post.hpp>
#include <iterator>
#include <utility>

#include "driver/machine.h"
#include "store/memory_store.h"

namespace kadmesh {

Storage::Storage(std::unique_ptr<Store> store, asio::any_io_executor loop, Done done)
    : beside_(store != nullptr),
      store_(store ? std::move(store) : std::make_unique<MemoryStore>(StoreLimits{})),
      loop_(std::move(loop)),
      done_(std::make_shared<Done>(std::move(done))),
      rows_(store_->rows()),
      bytes_(store_->bytes()) {
  if (beside_) worker_ = std::jthread([this] { work(); });
}

Storage::~Storage() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  more_.notify_one();
}

void Storage::submit(StoreOpId id, StoreRequest request) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = queue_.empty();
    queue_.push_back({id, std::move(request)});
  }
  if (beside_) return more_.notify_one();
  if (!first) return;
  asio::post(loop_, [this, weak = std::weak_ptr(done_)] {
    if (!weak.expired()) work_here();
  });
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
    Batch batch = next_batch();
    if (batch.empty()) return;
    Results results = run(batch);
    asio::post(loop_,
               [batch = std::move(batch), results = std::move(results),
                weak = std::weak_ptr(done_)]() mutable { tell(weak, batch, std::move(results)); });
  }
}

// All that is queued by then: what the answers bring comes later.
void Storage::work_here() {
  const std::weak_ptr weak(done_);
  Batch batch = std::exchange(queue_, {});
  Results results = run(batch);
  tell(weak, batch, std::move(results));
}

// Empty when closing and nothing is left.
Storage::Batch Storage::next_batch() {
  std::unique_lock lock(mutex_);
  more_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMostBatch));
  Batch batch(std::make_move_iterator(queue_.begin()),
              std::make_move_iterator(queue_.begin() + count));
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return batch;
}

Storage::Results Storage::run(Batch& batch) {
  std::vector<StoreRequest> requests;
  requests.reserve(batch.size());
  for (Waiting& waiting : batch) requests.push_back(std::move(waiting.request));
  Results results = store_->run(machine_now().wall, std::move(requests));
  const std::lock_guard lock(mutex_);
  rows_ = store_->rows();
  bytes_ = store_->bytes();
  return results;
}

void Storage::tell(const std::weak_ptr<Done>& done, const Batch& batch, Results results) {
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (const auto alive = done.lock()) (*alive)(batch[i].id, std::move(results[i]));
}

}  // namespace kadmesh
