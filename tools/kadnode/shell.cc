#include "kadnode/shell.h"

#include <histedit.h>
#include <unistd.h>

#include <cstdio>

#include "kadnode/completion.h"
#include "kadnode/render.h"

namespace kadmesh::kadnode {
namespace {

constexpr int kHistorySize = 1000;
constexpr char kEndOfFile = 4;  // Ctrl-D, as libedit returns it
constexpr const char* kPrompt = "kadnode> ";

}  // namespace

struct Shell::State {
  State(asio::io_context& loop, std::filesystem::path file, Duration most,
        std::function<void()> call)
      : history_file(std::move(file)),
        limit(most),
        leave(std::move(call)),
        readable(loop, STDIN_FILENO, Readiness::For::reading),
        editor(el_init("kadnode", stdin, stdout, stderr)),
        history(history_init()) {
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_PROMPT, +[](EditLine*) { return const_cast<char*>(kPrompt); });
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, ::history, history);
    el_set(editor, EL_ADDFN, "complete", "completes a command, a peer or a topic", on_tab);
    el_set(editor, EL_BIND, "^I", "complete", nullptr);
    el_source(editor, nullptr);  // the user's ~/.editrc
    HistEvent event;
    ::history(history, &event, H_SETSIZE, kHistorySize);
    ::history(history, &event, H_SETUNIQUE, 1);
    ::history(history, &event, H_LOAD, history_file.c_str());
  }

  ~State() {
    hide_prompt();
    HistEvent event;
    ::history(history, &event, H_SAVE, history_file.c_str());
    history_end(history);
    el_end(editor);
  }

  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // --- the prompt is up exactly while libedit is in its unbuffered mode, one key a call.
  void show_prompt() {
    if (stopped || prompting) return;
    prompting = true;
    el_set(editor, EL_UNBUFFERED, 1);
    await_key();
  }

  void hide_prompt() {
    if (std::exchange(prompting, false)) el_set(editor, EL_UNBUFFERED, 0);
  }

  void await_key() {
    readable.wait([this] { on_key(); });
  }

  void on_key() {
    int count = 0;
    const char* typed = el_gets(editor, &count);
    if (!typed || count <= 0) return typed || count == 0 ? await_key() : end();
    const std::string_view line(typed, static_cast<std::size_t>(count));
    if (line.size() == 1 && line[0] == kEndOfFile) return end();
    if (line.back() != '\n' && line.back() != '\r') return await_key();
    hide_prompt();
    take(std::string(line.substr(0, line.size() - 1)));
  }

  void end() {
    hide_prompt();
    std::printf("\n");
    leave();
  }

  // --- commands
  void take(const std::string& line) {
    auto typed = parse_line(line);
    if (!typed) return show_prompt();
    HistEvent event;
    ::history(history, &event, H_ENTER, line.c_str());
    if (!typed->command) return refuse(typed->name, std::move(typed->command).error());
    const std::string_view name = typed->command->name;
    const bool quits = std::holds_alternative<QuitCommand>(typed->command->action);
    session->run(*std::move(typed->command), limit, [this, name, quits](Result<Answer> answer) {
      print(text_of(Outcome{name, std::move(answer)}));
      quits ? leave() : show_prompt();
    });
  }

  void refuse(std::string_view command, Error error) {
    print(text_of(Outcome{command, std::unexpected(std::move(error))}));
    show_prompt();
  }

  // Above the prompt, which is drawn anew.
  void print(const std::string& text) const {
    std::printf("%s%s\n", prompting ? "\r\033[K" : "", text.c_str());
    std::fflush(stdout);
    if (prompting) el_set(editor, EL_REFRESH);
  }

  // --- Tab
  static unsigned char on_tab(EditLine* editor, int) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return static_cast<State*>(self)->complete_word();
  }

  unsigned char complete_word() const {
    const LineInfo* line = el_line(editor);
    const std::string_view before(line->buffer,
                                  static_cast<std::size_t>(line->cursor - line->buffer));
    const std::size_t start = before.find_last_of(' ') + 1;  // npos + 1 is 0
    const std::string_view typed = before.substr(start);
    const Completion found =
        complete(typed, before.find_first_not_of(' ') >= start ? names() : session->known_words());
    if (found.candidates.empty()) return CC_ERROR;
    std::string more = found.common.substr(typed.size());
    if (found.candidates.size() == 1) more += ' ';
    if (more.empty()) return list(found.candidates);
    el_insertstr(editor, more.c_str());
    return CC_REFRESH;
  }

  static unsigned char list(const Words& candidates) {
    std::printf("\n");
    for (const std::string& candidate : candidates)
      std::printf("%s\n", printable(candidate).c_str());
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  static Words names() {
    Words all;
    for (const CommandInfo& info : commands()) all.emplace_back(info.name);
    return all;
  }

  std::filesystem::path history_file;
  Duration limit;
  std::function<void()> leave;
  Readiness readable;
  EditLine* editor;
  History* history;
  Session* session = nullptr;
  bool prompting = false, stopped = false;
};

Shell::Shell(asio::io_context& loop, std::filesystem::path history, Duration limit,
             std::function<void()> leave)
    : state_(std::make_unique<State>(loop, std::move(history), limit, std::move(leave))) {}

Shell::~Shell() = default;

void Shell::start(Session& session) {
  state_->session = &session;
  state_->print(text_of(session.ready()) + "\n`help` lists the commands, `quit` leaves");
  state_->show_prompt();
}

void Shell::on_event(const Event& event) { state_->print("* " + text_of(event)); }

void Shell::show(const std::string& line) { state_->print(line); }

void Shell::stop() {
  state_->stopped = true;
  state_->readable.cancel();
  state_->hide_prompt();
}

}  // namespace kadmesh::kadnode
