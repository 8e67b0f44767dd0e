#include "base/moment.h"

#include <algorithm>
#include <optional>
#include <string>

namespace kadmesh {
namespace {

using namespace std::chrono;

constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kMostFraction = 9;  // digits that a nanosecond needs

// Takes the parts of a text off its front. What is not there is remembered, and reads as 0.
class Parts {
 public:
  explicit Parts(std::string_view text) : rest_(text) {}

  bool ended() const { return ok_ && rest_.empty(); }

  bool taken(char expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void must(char expected) { ok_ = taken(expected) && ok_; }

  // That many digits, together at most `most`.
  int number(std::size_t width, int most) {
    const std::string_view digits = rest_.substr(0, width);
    const bool fits =
        digits.size() == width && digits.find_first_not_of(kDigits) == std::string_view::npos;
    ok_ = ok_ && fits && value_of(digits) <= most;
    if (!ok_) return 0;
    rest_.remove_prefix(width);
    return value_of(digits);
  }

  // Of a second, in nanoseconds: one digit or more.
  int fraction() {
    const std::size_t count = std::min(rest_.find_first_not_of(kDigits), rest_.size());
    ok_ = ok_ && count > 0;
    std::string digits(rest_.substr(0, std::min(count, kMostFraction)));
    digits.resize(kMostFraction, '0');
    rest_.remove_prefix(count);
    return ok_ ? value_of(digits) : 0;
  }

 private:
  // At most nine digits.
  static int value_of(std::string_view digits) {
    int value = 0;
    for (const char digit : digits) value = value * 10 + (digit - '0');
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

year_month_day date(Parts& parts) {
  const year in_year(parts.number(4, 9999));
  parts.must('-');
  const month in_month(static_cast<unsigned>(parts.number(2, 12)));
  parts.must('-');
  const day in_day(static_cast<unsigned>(parts.number(2, 31)));
  return in_year / in_month / in_day;
}

seconds time_of_day(Parts& parts) {
  const hours hour(parts.number(2, 23));
  parts.must(':');
  const minutes minute(parts.number(2, 59));
  parts.must(':');
  return hour + minute + seconds(parts.number(2, 59));
}

// How far the clock that was read is ahead of UTC.
seconds offset(Parts& parts) {
  if (parts.taken('Z')) return 0s;
  const bool behind = parts.taken('-');
  if (!behind) parts.must('+');
  const hours hour(parts.number(2, 23));
  parts.must(':');
  const seconds ahead = hour + minutes(parts.number(2, 59));
  return behind ? -ahead : ahead;
}

}  // namespace

Moment moment_of(WallTime time) {
  using std::chrono::floor;
  const auto since = time.time_since_epoch();
  const std::int64_t seconds = floor<std::chrono::seconds>(since).count();
  // Not their difference: the first second of all begins before the first nanosecond that there is.
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {seconds, static_cast<std::uint32_t>((since.count() % kSecond + kSecond) % kSecond)};
}

Result<Moment> moment_from_rfc3339(std::string_view text) {
  Parts parts(text);
  const year_month_day on = date(parts);
  parts.must('T');
  const seconds at = time_of_day(parts);
  const int nanoseconds = parts.taken('.') ? parts.fraction() : 0;
  const seconds ahead = offset(parts);
  if (!parts.ended() || !on.ok()) return fail(Errc::malformed, "no time of RFC 3339");
  const seconds since = sys_days(on).time_since_epoch() + at - ahead;
  return Moment{since.count(), static_cast<std::uint32_t>(nanoseconds)};
}

}  // namespace kadmesh
