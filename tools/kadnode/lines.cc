#include "kadnode/lines.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "kadnode/render.h"

namespace kadmesh::kadnode {

Lines::Lines(asio::io_context& loop, Output& output, Config config, std::function<void()> leave)
    : output_(output),
      config_(config),
      leave_(std::move(leave)),
      readable_(loop, config.in, Readiness::For::reading) {
  output_.on_empty([this] { next(); });
}

void Lines::start(Session& session) {
  session_ = &session;
  on_event(session.ready());
  next();
}

void Lines::on_event(const Event& event) {
  const auto text = [this](const Event& e) {
    return config_.json ? json_of(e) : "* " + text_of(e);
  };
  if (dropped_ > 0 && output_.event(text(DroppedEvent{dropped_}))) dropped_ = 0;
  if (dropped_ > 0 || !output_.event(text(event))) ++dropped_;
}

void Lines::stop() {
  ended_ = true;
  readable_.cancel();
}

// A whole line that is here already, or more input.
void Lines::next() {
  while (may_take()) {
    auto line = lines_.next();
    if (!line) return await_input();
    if (*line)
      take(**line);
    else
      refuse("", std::move(line->error()));
  }
}

bool Lines::may_take() const { return !busy_ && !ended_ && output_.empty(); }

void Lines::await_input() {
  readable_.cancel();
  readable_.wait([this] { read(); });
}

void Lines::read() {
  std::array<char, 64 * 1024> piece;
  const ssize_t count = ::read(config_.in, piece.data(), piece.size());
  if (count > 0) lines_.add({piece.data(), static_cast<std::size_t>(count)});
  if (count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN))) return next();
  end();
}

void Lines::end() {
  if (const auto line = lines_.last()) take(*line);
  if (busy_ || ended_) return;  // asked again when that command is answered
  ended_ = true;
  if (!config_.stay) leave_();
}

void Lines::take(const std::string& line) {
  auto typed = parse_line(line);
  if (!typed) return;
  if (!typed->command) return refuse(typed->name, std::move(typed->command).error());
  busy_ = true;
  const bool quits = std::holds_alternative<QuitCommand>(typed->command->action);
  const std::string_view name = typed->command->name;
  session_->run(*std::move(typed->command), config_.limit,
                [this, name, quits](Result<Answer> result) {
                  busy_ = false;
                  answer(name, std::move(result));
                  if (!quits) return next();
                  ended_ = true;
                  leave_();
                });
}

void Lines::refuse(std::string_view command, Error error) {
  answer(command, std::unexpected(std::move(error)));
}

void Lines::answer(std::string_view command, Result<Answer> answer) {
  ++seq_;
  const Outcome outcome{command, std::move(answer)};
  if (config_.json) return output_.answer(json_of(seq_, outcome));
  output_.answer((outcome.answer ? "" : "error: ") + text_of(outcome));
}

}  // namespace kadmesh::kadnode
