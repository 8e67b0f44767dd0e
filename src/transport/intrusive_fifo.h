// A first-in first-out list whose links lie inside its members: no allocation, and a member that
// dies leaves it in O(1). Owns nothing. A member is in one Fifo of its kind at most once, so such a
// list is never longer than there are members.
#pragma once

namespace kadmesh {

template <class T>
struct FifoLink {
  T* before = nullptr;
  T* after = nullptr;
  bool linked = false;
};

template <class T, FifoLink<T> T::* kLink>
class Fifo {
 public:
  bool empty() const { return front_ == nullptr; }
  T* front() const { return front_; }
  // Exactly one member.
  bool single() const { return front_ != nullptr && front_ == back_; }
  static bool has(const T& member) { return (member.*kLink).linked; }

  // A member that is already in stays where it is.
  void push_back(T& member) {
    if (has(member)) return;
    member.*kLink = {back_, nullptr, true};
    (back_ != nullptr ? (back_->*kLink).after : front_) = &member;
    back_ = &member;
  }

  // A member that is not in is ignored.
  void remove(T& member) {
    if (!has(member)) return;
    const FifoLink<T> link = member.*kLink;
    (link.before != nullptr ? (link.before->*kLink).after : front_) = link.after;
    (link.after != nullptr ? (link.after->*kLink).before : back_) = link.before;
    member.*kLink = {};
  }

 private:
  T* front_ = nullptr;
  T* back_ = nullptr;
};

}  // namespace kadmesh
