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
  while (!busy_ && !ended_ && output_.empty()) {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos) break;
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (std::exchange(too_long_, false)) continue;
    take(line);
  }
  if (busy_ || ended_ || !output_.empty()) return;
  readable_.cancel();
  readable_.wait([this] { read(); });
}

void Lines::read() {
  std::array<char, 64 * 1024> piece;
  const ssize_t count = ::read(config_.in, piece.data(), piece.size());
  if (count > 0) {
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
    if (too_long_ && buffer_.find('\n') == std::string::npos) buffer_.clear();
    if (buffer_.size() > kMostLine && buffer_.find('\n') == std::string::npos) {
      too_long_ = true;
      buffer_.clear();
      ++seq_;
      refuse("", {Errc::limit, "a line has more than 4 MiB"});
    }
    return next();
  }
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return next();
  end();
}

// A last line may lack its newline.
void Lines::end() {
  if (!buffer_.empty() && !too_long_) {
    take(std::exchange(buffer_, {}));
    if (busy_ || ended_) return;
  }
  ended_ = true;
  if (!config_.stay) leave_();
}

void Lines::take(const std::string& line) {
  const auto words = split_words(line);
  if (words && words->empty()) return;
  ++seq_;
  if (!words) return refuse(line.substr(0, line.find(' ')), words.error());
  auto command = parse_command(*words);
  if (!command) return refuse(words->front(), command.error());
  busy_ = true;
  const bool quits = std::holds_alternative<QuitCommand>(command->action);
  const std::string_view name = command->name;
  session_->run(*std::move(command), config_.limit, [this, name, quits](Result<Answer> result) {
    answer(name, std::move(result));
    busy_ = false;
    if (!quits) return next();
    ended_ = true;
    leave_();
  });
}

void Lines::refuse(std::string_view command, Error error) {
  answer(command, std::unexpected(std::move(error)));
}

void Lines::answer(std::string_view command, Result<Answer> answer) {
  const Outcome outcome{command, std::move(answer)};
  if (config_.json) return output_.answer(json_of(seq_, outcome));
  output_.answer((outcome.answer ? "" : "error: ") + text_of(outcome));
}

}  // namespace kadmesh::kadnode
