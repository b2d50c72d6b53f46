/**
 * @file gptimage.hpp
 * libgptimage for C++17 and newer: gptimage.h with classes, exceptions and futures. Header only.
 *
 * @code
 * #include <gptimage.hpp>
 * #include <iostream>
 *
 * int main() {
 *   try {
 *     gptimage::Client client;  // the key is read from AIMLAPI_KEY
 *     const auto request = gptimage::GenerateRequest("A T-Rex relaxing on a beach").quality("low");
 *     const auto generated = client.generate_to(request, "t-rex.png");
 *     std::cout << generated.image().path()->string() << '\n';
 *   } catch (const gptimage::Error &error) {
 *     std::cerr << error.what() << '\n';
 *     return error.status();
 *   }
 * }
 * @endcode
 *
 * Compile with: c++ -std=c++17 demo.cpp $(pkg-config --cflags --libs gptimage)
 *
 * What gptimage.h says of money, threads, signals, fork and ending holds here, too. Beyond it:
 *
 * @par Ownership
 * Every class that owns something frees it in its destructor and can be moved, not copied. One that
 * was moved from owns nothing: its getters give empty values, all else throws InvalidArgumentError.
 * Views (Image, Bytes, GeneratedView, std::string_view) live as long as what they came from.
 *
 * @par Errors
 * What can fail throws an Error; each kind is a class of its own. Functions may throw
 * std::bad_alloc, too. No destructor throws.
 *
 * @par Texts
 * UTF-8. A text or path with a NUL in it is an InvalidArgumentError.
 *
 * @par Threads
 * Functions that are const may be called by any number of threads at once, the others by one.
 *
 * @par Functions that are called back
 * They run on the thread "gptimage-calls", one at a time, and must not wait for a call. What one
 * throws is dropped. When the function that replaces one has returned, or the destructor
 * of what it was given to, it is not running and is never called again, and what it holds is gone;
 * only one that replaces itself, or destroys its owner, runs to its end.
 */

#ifndef GPTIMAGE_HPP
#define GPTIMAGE_HPP

#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "gptimage.hpp needs C++17; gptimage.h is for C and for older C++"
#endif

#include "gptimage.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

/** Makes and edits images with gpt-image-2. */
namespace gptimage {

/** Whether money was spent. */
enum class Charge {
  /** It was not, and that is proved. */
  not_charged,
  /** It may have been: look the ids up before trying again. */
  unknown,
  /** It was. */
  charged,
};

/** How far an attempt is. It only goes forward; newer libraries may have more of them. */
enum class Phase : gptimage_phase_t {
  /** Nothing was done yet. */
  planned = GPTIMAGE_PHASE_PLANNED,
  /** Name lookup, TCP, TLS, proxy. */
  connecting = GPTIMAGE_PHASE_CONNECTING,
  /** The transport is taking the request's body. */
  sending = GPTIMAGE_PHASE_SENDING,
  /** The transport took the body whole: from here on the call may be paid. */
  sent = GPTIMAGE_PHASE_SENT,
  /** Status and headers of the answer came. */
  head_received = GPTIMAGE_PHASE_HEAD_RECEIVED,
  /** The answer's body came whole. */
  body_complete = GPTIMAGE_PHASE_BODY_COMPLETE,
  /** The pictures are where they were asked to be. */
  stored = GPTIMAGE_PHASE_STORED,
};

/** How grave a log line is. */
enum class LogLevel : gptimage_log_level_t {
  /** Something was lost. */
  error = GPTIMAGE_LOG_LEVEL_ERROR,
  /** Something may be lost, or be paid for nothing. */
  warn = GPTIMAGE_LOG_LEVEL_WARN,
  /** An attempt is about to be sent, under the id that is named; something is tried again. */
  info = GPTIMAGE_LOG_LEVEL_INFO,
  /** Every result, with payloads as sizes and hashes. */
  debug = GPTIMAGE_LOG_LEVEL_DEBUG,
};

/** One look at a call on its way. */
struct Progress {
  /** 1 for the first attempt. */
  std::uint32_t attempt;
  /** Most attempts that the call may take. */
  std::uint32_t max_attempts;
  /** How far the attempt is. */
  Phase phase;
  /** Set between two attempts: how long the pause is. */
  std::optional<std::chrono::milliseconds> pause;
  /** Bytes of the request's body that the transport took. */
  std::uint64_t bytes_sent;
  /** Length of the request's body in bytes. */
  std::uint64_t bytes_total;
  /** Bytes that came, of the answer and of downloads. */
  std::uint64_t bytes_received;
  /** The id that the attempt is sent with, as X-Client-Request-Id. Known before its first byte leaves. */
  std::string client_request_id;
};

/** One broken rule. The texts live as long as the error that they are of. */
struct Violation {
  /** The API's name of the parameter, such as "size" or "image[2]". */
  std::string_view param;
  /** The stable name of the rule, such as "one_of". */
  std::string_view rule;
  /** What was given, shortened where it is long. */
  std::string_view given;
  /** What is wrong and what to do, without the parameter's name. */
  std::string_view message;
};

/** Bytes that belong to somebody else, as std::span has them, to which they convert in C++20. */
class Bytes {
 public:
  /** What they are. */
  using value_type = std::uint8_t;

  /** None. */
  constexpr Bytes() noexcept = default;

  /** So many from here on. */
  Bytes(const void *data, std::size_t size) noexcept
      : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

  /** Those of a std::vector, std::array, std::string, std::span and so on of single bytes. */
  template <class Container,
            class Element = std::remove_pointer_t<decltype(std::declval<Container &>().data())>,
            class = std::enable_if_t<
                sizeof(Element) == 1 && std::is_trivially_copyable_v<Element> &&
                !std::is_same_v<std::decay_t<Container>, Bytes>>>
  Bytes(const Container &container) noexcept : Bytes(container.data(), container.size()) {}

  /** The first, or null if there are none. */
  constexpr const std::uint8_t *data() const noexcept { return data_; }
  /** How many. */
  constexpr std::size_t size() const noexcept { return size_; }
  /** Whether there are none. */
  constexpr bool empty() const noexcept { return size_ == 0; }
  /** The first. */
  constexpr const std::uint8_t *begin() const noexcept { return data_; }
  /** Beyond the last. */
  constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
  /** One of them; `index` must be below size(). */
  constexpr std::uint8_t operator[](std::size_t index) const noexcept { return data_[index]; }

 private:
  const std::uint8_t *data_ = nullptr;
  std::size_t size_ = 0;
};

/**
 * A time of whatever std::chrono type, rounded up to milliseconds; less than nothing is nothing,
 * and more than 285,000 years are as many.
 */
class Time {
 public:
  /** The same time. */
  template <class Rep, class Period>
  Time(std::chrono::duration<Rep, Period> time) noexcept {
    constexpr double longest = 9e15;
    const double exact = std::chrono::duration<double, std::milli>(time).count();
    if (exact > 0) {
      milliseconds_ = static_cast<std::uint64_t>(exact < longest ? std::ceil(exact) : longest);
    }
  }

  /** How many. */
  std::uint64_t milliseconds() const noexcept { return milliseconds_; }

 private:
  std::uint64_t milliseconds_ = 0;
};

/** How a budget stands. Amounts are US dollars, exactly, as decimal text. */
struct BudgetStatus {
  /** The limit. */
  std::string max_usd;
  /** What was spent, assumed_usd included. */
  std::string spent_usd;
  /** The part of it that may be charged, or was at no stated price: counted at its reservation. */
  std::string assumed_usd;
  /** What is reserved for calls on their way. */
  std::string reserved_usd;
  /** What is left for further calls; "0" once it is closed. */
  std::string remaining_usd;
  /** Whether a call cost more than was reserved for it: none is let through any more. */
  bool closed;
};

/** A call that may be paid and is in nobody's hands yet. */
struct PendingCall {
  /** The id of its last attempt; none where a call ended before it had one. */
  std::optional<std::string> client_request_id;
  /** How far that came. */
  Phase phase;
  /** Whether it has ended, and its result waits for Client::collect(). */
  bool ended;
};

/** What is known of an attempt after the vendor's log was asked. */
struct Reconciled {
  /** not_charged: it failed and cost nothing, and may be sent again. */
  Charge charge;
  /** The price in the log in US dollars, exactly, as decimal text. */
  std::optional<std::string> usd_spent;
  /** The price in the log in the vendor's credits. */
  std::optional<std::string> credits_used;
  /** The vendor's id of the work. */
  std::optional<std::string> inference_id;
  /** One line that says what to do next; for what was charged, with all that a refund needs. */
  std::string message;
};

/** The version of the library that is loaded; GPTIMAGE_VERSION is the header's. */
inline std::string_view version() noexcept { return gptimage_version(); }

// What is in here may change at any time.
namespace detail {

/** What a word says of money. */
inline Charge charge(std::string_view word) noexcept {
  return word == "not_charged" ? Charge::not_charged
         : word == "charged"   ? Charge::charged
                               : Charge::unknown;
}

/** A copy of a text that may not be there. */
inline std::optional<std::string> optional_copy(const char *text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

/** This process, to tell it from a child that was forked. */
inline long process() noexcept {
#if __has_include(<unistd.h>)
  return static_cast<long>(::getpid());
#else
  return 0;
#endif
}

/** Frees whatever handle. */
struct Free {
  void operator()(gptimage_budget_t *budget) const noexcept { gptimage_budget_free(budget); }
  void operator()(gptimage_cancel_token_t *token) const noexcept {
    gptimage_cancel_token_free(token);
  }
  void operator()(gptimage_client_t *client) const noexcept { gptimage_client_free(client); }
  void operator()(gptimage_config_t *config) const noexcept { gptimage_config_free(config); }
  void operator()(gptimage_edit_request_t *request) const noexcept {
    gptimage_edit_request_free(request);
  }
  void operator()(gptimage_error_t *error) const noexcept { gptimage_error_free(error); }
  void operator()(gptimage_generate_request_t *request) const noexcept {
    gptimage_generate_request_free(request);
  }
  void operator()(gptimage_generated_t *generated) const noexcept {
    gptimage_generated_free(generated);
  }
  void operator()(gptimage_job_t *job) const noexcept { gptimage_job_free(job); }
  void operator()(gptimage_pending_t *pending) const noexcept { gptimage_pending_free(pending); }
  void operator()(gptimage_reconciled_t *reconciled) const noexcept {
    gptimage_reconciled_free(reconciled);
  }
};

template <class T>
using Handle = std::unique_ptr<T, Free>;

/** What came of a call. */
struct Outcome {
  gptimage_status_t status = GPTIMAGE_STATUS_OK;
  Handle<gptimage_generated_t> generated;
  Handle<gptimage_error_t> error;

  std::size_t bytes() const noexcept {
    const gptimage_generated_t *pictures = generated.get();
    if (pictures == nullptr) {
      pictures = gptimage_error_generated(error.get());
    }
    std::size_t sum = 0;
    for (std::size_t index = 0; index < gptimage_generated_image_count(pictures); ++index) {
      sum += gptimage_generated_image_bytes(pictures, index).len;
    }
    return sum;
  }
};

/** The outcomes of one client's futures at which nobody looked: paid, and therefore kept. */
class Kept {
 public:
  using Outcomes = std::list<Outcome>;

  explicit Kept(std::size_t most_bytes) noexcept : most_bytes_(most_bytes) {}

  /** Takes over the only element of `outcome`. Too much pushes out the oldest. */
  void put(Outcomes &outcome) noexcept {
    const std::size_t bytes = outcome.front().bytes();
    Outcomes lost;
    const std::lock_guard<std::mutex> lock(mutex_);
    outcomes_.splice(outcomes_.end(), outcome);
    bytes_ += bytes;
    while (bytes_ > most_bytes_ && outcomes_.size() > 1) {
      bytes_ -= outcomes_.front().bytes();
      lost.splice(lost.end(), outcomes_, outcomes_.begin());
    }
  }

  /** Hands over the oldest, or none. */
  Outcomes take() {
    Outcomes taken;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!outcomes_.empty()) {
      taken.splice(taken.end(), outcomes_, outcomes_.begin());
      bytes_ -= taken.front().bytes();
    }
    return taken;
  }

 private:
  const std::size_t most_bytes_;
  std::mutex mutex_;
  Outcomes outcomes_;
  std::size_t bytes_ = 0;
};

/** Goes with what a future got: if nobody looks at that, it goes back to the client. */
class Receipt {
 public:
  explicit Receipt(const std::shared_ptr<Kept> &kept) : kept_(kept), outcome_(1) {}

  void look() noexcept { looked_.store(true, std::memory_order_relaxed); }

  /** Whether it went back; then it is the client's. */
  bool give_back(gptimage_generated_t *generated, gptimage_error_t *error) noexcept {
    const auto kept = kept_.lock();
    if (kept == nullptr || looked_.load(std::memory_order_relaxed) || outcome_.empty() ||
        (error != nullptr && std::strcmp(gptimage_error_charge(error), "not_charged") == 0)) {
      return false;
    }
    outcome_.front().status = gptimage_error_status(error);
    outcome_.front().generated.reset(generated);
    outcome_.front().error.reset(error);
    kept->put(outcome_);
    return true;
  }

 private:
  std::weak_ptr<Kept> kept_;
  // Made now, for no destructor is to allocate.
  Kept::Outcomes outcome_;
  std::atomic<bool> looked_{false};
};

/** Frees an outcome, or gives it back. */
struct Return {
  std::shared_ptr<Receipt> receipt;

  void operator()(gptimage_generated_t *generated) const noexcept {
    if (receipt == nullptr || !receipt->give_back(generated, nullptr)) {
      gptimage_generated_free(generated);
    }
  }
  void operator()(gptimage_error_t *error) const noexcept {
    if (receipt == nullptr || !receipt->give_back(nullptr, error)) {
      gptimage_error_free(error);
    }
  }
};

template <class T>
using Returned = std::unique_ptr<T, Return>;

/** A function of the user's that is called from the library's thread, and may change meanwhile. */
template <class... Arguments>
class Listener : public std::enable_shared_from_this<Listener<Arguments...>> {
 public:
  using Function = std::function<void(Arguments...)>;

  Listener() = default;
  explicit Listener(Function function) { replace(std::move(function)); }

  /** When it returns, the one before is not running, unless it is the one that is calling. */
  void replace(Function function) {
    // What is running in the process that this one was forked from never ends here.
    if (process_ != process()) {
      return;
    }
    auto before = function ? std::make_shared<Function>(std::move(function)) : nullptr;
    std::unique_lock<std::mutex> lock(mutex_);
    current_.swap(before);
    if (speaker_ != std::this_thread::get_id()) {
      ended_.wait(lock, [&] { return before == nullptr || running_ != before.get(); });
    }
  }

  void tell(Arguments... arguments) noexcept {
    std::shared_ptr<Function> function;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      function = current_;
      running_ = function.get();
      speaker_ = std::this_thread::get_id();
    }
    if (function != nullptr) {
      try {
        (*function)(arguments...);
      } catch (...) {
        // There is nobody here who could be told.
      }
      function.reset();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      running_ = nullptr;
      speaker_ = std::thread::id();
    }
    ended_.notify_all();
  }

 private:
  const long process_ = process();
  std::mutex mutex_;
  std::condition_variable ended_;
  std::shared_ptr<Function> current_;
  const Function *running_ = nullptr;
  std::thread::id speaker_;
};

using ProgressListener = Listener<const Progress &>;
using EndListener = Listener<>;

inline std::string_view view(const char *text) noexcept {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

inline std::optional<std::string_view> optional_view(const char *text) noexcept {
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
}

inline std::optional<std::string> optional_text(const char *text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

inline std::filesystem::path path_of(const char *text) {
#if defined(_WIN32) && defined(__cpp_char8_t)
  return std::filesystem::path(std::u8string(text, text + std::strlen(text)));
#elif defined(_WIN32)
  return std::filesystem::u8path(text);
#else
  return std::filesystem::path(text);
#endif
}

/** Throws the error of this status. */
[[noreturn]] void raise(gptimage_status_t status, Returned<gptimage_error_t> error);

/** Throws an InvalidArgumentError. */
[[noreturn]] void refuse(const std::string &message);

/** Calls a function with these arguments and a place for its error, and throws that. */
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  gptimage_error_t *error = nullptr;
  const gptimage_status_t status = function(arguments..., &error);
  if (status != GPTIMAGE_STATUS_OK) {
    raise(status, Returned<gptimage_error_t>(error));
  }
}

/** A text as C has it. */
inline std::string text(std::string_view value, const char *name) {
  if (value.find('\0') != std::string_view::npos) {
    refuse(std::string(name) + " has a NUL in it");
  }
  return std::string(value);
}

/** A path as C has it. */
inline std::string path_text(const std::filesystem::path &path, const char *name) {
#ifdef _WIN32
  const auto utf8 = path.u8string();
  return text(std::string(utf8.begin(), utf8.end()), name);
#else
  return text(path.native(), name);
#endif
}

/** A deadline as C has it, where 0 is none: which one that has passed already must not become. */
inline std::uint64_t deadline(Time time) {
  if (time.milliseconds() == 0) {
    refuse("deadline must be longer than nothing");
  }
  return time.milliseconds();
}

}  // namespace detail

/** One picture of a result: a view, which lives as long as the result. */
class Image {
 public:
  /**
   * The picture's file, if it is in memory; no bytes if it is in a file or at its URL. Gone with
   * the result, or when Client::fetch() changes this picture.
   */
  Bytes bytes() const noexcept {
    const gptimage_bytes_t bytes = gptimage_generated_image_bytes(generated_, index_);
    return Bytes(bytes.data, bytes.len);
  }

  /** The format, from the bytes: "png", "jpeg" or "webp"; none while they are still at the URL. */
  std::optional<std::string_view> format() const noexcept {
    return detail::optional_view(gptimage_generated_image_format(generated_, index_));
  }

  /** The width in pixels, from the bytes; 0 while they are still at the URL. */
  std::uint32_t width() const noexcept {
    return gptimage_generated_image_width(generated_, index_);
  }

  /** The height in pixels, from the bytes; 0 while they are still at the URL. */
  std::uint32_t height() const noexcept {
    return gptimage_generated_image_height(generated_, index_);
  }

  /** The link that the server gave, if it did. */
  std::optional<std::string_view> url() const noexcept {
    return detail::optional_view(gptimage_generated_image_url(generated_, index_));
  }

  /** The file that the picture was saved to while it came, if it was. */
  std::optional<std::filesystem::path> path() const {
    const char *path = gptimage_generated_image_path(generated_, index_);
    return path == nullptr ? std::nullopt : std::optional(detail::path_of(path));
  }

  /** The prompt as the model rewrote it, if the server says it. */
  std::optional<std::string_view> revised_prompt() const noexcept {
    return detail::optional_view(gptimage_generated_image_revised_prompt(generated_, index_));
  }

  /**
   * Saves a copy to a file or folder: whole, under its final name, or not at all. An existing
   * folder or a path that ends in "/" takes a name of the library's making; a missing extension is
   * added; what exists is refused, unless `overwrite` is true. Waits until it is done.
   */
  void save(const std::filesystem::path &to, bool overwrite = false) const {
    const std::string file = detail::path_text(to, "to");
    detail::call(gptimage_generated_image_save, generated_, index_, file.c_str(),
                 overwrite ? 1 : 0);
  }

 private:
  friend class GeneratedView;
  friend class Images;

  Image(const gptimage_generated_t *generated, std::size_t index) noexcept
      : generated_(generated), index_(index) {}

  const gptimage_generated_t *generated_;
  std::size_t index_;
};

/** The pictures of a result, for a loop: a view, which lives as long as the result. */
class Images {
 public:
  /** Goes from picture to picture. */
  class Iterator {
   public:
    /** An input iterator, for it makes what it gives. */
    using iterator_category = std::input_iterator_tag;
    /** What it gives. */
    using value_type = Image;
    /** Between two of them. */
    using difference_type = std::ptrdiff_t;
    /** Nothing to point at. */
    using pointer = void;
    /** What it gives. */
    using reference = Image;

    /** The picture. */
    Image operator*() const noexcept { return Image(generated_, index_); }
    /** Goes to the next. */
    Iterator &operator++() noexcept {
      ++index_;
      return *this;
    }
    /** Goes to the next, and gives where it was. */
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++index_;
      return before;
    }
    /** Whether both are at the same picture. */
    friend bool operator==(const Iterator &one, const Iterator &other) noexcept {
      return one.index_ == other.index_;
    }
    /** Whether they are at different pictures. */
    friend bool operator!=(const Iterator &one, const Iterator &other) noexcept {
      return !(one == other);
    }

   private:
    friend class Images;
    Iterator(const gptimage_generated_t *generated, std::size_t index) noexcept
        : generated_(generated), index_(index) {}

    const gptimage_generated_t *generated_;
    std::size_t index_;
  };

  /** The first. */
  Iterator begin() const noexcept { return Iterator(generated_, 0); }
  /** Beyond the last. */
  Iterator end() const noexcept { return Iterator(generated_, size()); }
  /** How many. */
  std::size_t size() const noexcept { return gptimage_generated_image_count(generated_); }
  /** Whether there are none. */
  bool empty() const noexcept { return size() == 0; }
  /** One of them; beyond the last, one whose getters give empty values. */
  Image operator[](std::size_t index) const noexcept { return Image(generated_, index); }

 private:
  friend class GeneratedView;
  explicit Images(const gptimage_generated_t *generated) noexcept : generated_(generated) {}

  const gptimage_generated_t *generated_;
};

class Generated;

/** The pictures of one call, what they cost, and how they came, which belong to somebody else. */
class GeneratedView {
 public:
  /** Of nothing. */
  GeneratedView() noexcept = default;

  /** How many pictures there are. */
  std::size_t size() const noexcept { return gptimage_generated_image_count(look()); }

  /** The pictures. */
  Images images() const noexcept { return Images(look()); }

  /** One picture; beyond the last, an InvalidArgumentError. */
  Image image(std::size_t index = 0) const {
    if (index >= size()) {
      detail::refuse("there is no image " + std::to_string(index));
    }
    return Image(look(), index);
  }

  /** What the call cost in US dollars, exactly, as decimal text, if the server said it. */
  std::optional<std::string> usd() const {
    return detail::optional_text(gptimage_generated_usd_spent(look()));
  }

  /** The same in the vendor's credits. */
  std::optional<std::string> credits() const {
    return detail::optional_text(gptimage_generated_credits_used(look()));
  }

  /** The vendor's id of the work, if it is known. */
  std::optional<std::string_view> inference_id() const noexcept {
    return detail::optional_view(gptimage_generated_inference_id(look()));
  }

  /** The id that the successful attempt was given. */
  std::optional<std::string_view> client_request_id() const noexcept {
    return detail::optional_view(gptimage_generated_client_request_id(look()));
  }

  /** How many attempts were made, the successful one included. */
  std::size_t attempts() const noexcept { return gptimage_generated_attempt_count(look()); }

  /** Everything but the pixels as a JSON object; gone when Client::fetch() changes the result. */
  std::string_view json() const noexcept { return detail::view(gptimage_generated_json(look())); }

  /**
   * A copy that is its holder's own, whose pictures Client::fetch() can get: also of an error's.
   * Bytes in memory are shared.
   */
  Generated copy() const;

 protected:
  /** Of this result. */
  explicit GeneratedView(const gptimage_generated_t *generated,
                         detail::Receipt *receipt = nullptr) noexcept
      : generated_(generated), receipt_(receipt) {}

 private:
  friend class Error;

  const gptimage_generated_t *look() const noexcept {
    if (receipt_ != nullptr) {
      receipt_->look();
    }
    return generated_;
  }

  const gptimage_generated_t *generated_ = nullptr;
  detail::Receipt *receipt_ = nullptr;
};

/** The pictures of one call, what they cost, and how they came. */
class Generated : public GeneratedView {
 public:
  /**
   * A picture that was made earlier, at the link that the server gave; nothing else is known of it.
   * Client::fetch() gets it.
   */
  static Generated from_url(std::string_view url) {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_generated_from_url, detail::text(url, "url").c_str(), &generated);
    return Generated(detail::Returned<gptimage_generated_t>(generated));
  }

  /** Takes over what the other one has. */
  Generated(Generated &&other) noexcept
      : GeneratedView(std::exchange(static_cast<GeneratedView &>(other), GeneratedView())),
        generated_(std::move(other.generated_)) {}

  /** Takes over what the other one has. */
  Generated &operator=(Generated &&other) noexcept {
    Generated taken(std::move(other));
    std::swap(static_cast<GeneratedView &>(*this), static_cast<GeneratedView &>(taken));
    std::swap(generated_, taken.generated_);
    return *this;
  }

  /** Frees it, and with it everything that came from it. */
  ~Generated() = default;

  /** The pictures. */
  Images images() const &noexcept { return GeneratedView::images(); }
  /** Those of a result that nobody holds would be gone at once. */
  Images images() const && = delete;

 private:
  friend class Client;
  friend class GeneratedView;
  friend class Job;

  explicit Generated(detail::Returned<gptimage_generated_t> generated) noexcept
      : GeneratedView(generated.get(), generated.get_deleter().receipt.get()),
        generated_(std::move(generated)) {}

  detail::Returned<gptimage_generated_t> generated_;
};

inline Generated GeneratedView::copy() const {
  return Generated(detail::Returned<gptimage_generated_t>(gptimage_generated_copy(look())));
}

/** Why a call failed, and what it cost. Each kind is a class derived from this one. */
class Error : public std::runtime_error {
 public:
  /** One line that says what went wrong and what to do next; never the key. */
  const char *what() const noexcept override {
    look();
    return std::runtime_error::what();
  }

  /** The number of its kind, a GPTIMAGE_STATUS_. The command ends with the same ones. */
  gptimage_status_t status() const noexcept {
    look();
    return status_;
  }

  /** The stable name of its kind, such as "rate_limited". */
  std::string_view kind() const noexcept { return gptimage_status_name(status()); }

  /** Whether money was spent, over all attempts. */
  Charge charge() const noexcept { return detail::charge(gptimage_error_charge(look())); }

  /** The answer's HTTP status, if there was an answer. */
  std::optional<std::uint16_t> http_status() const noexcept {
    const std::uint16_t status = gptimage_error_http_status(look());
    return status == 0 ? std::nullopt : std::optional(status);
  }

  /** How long the server asks to wait, if it says so. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    const std::int64_t wait = gptimage_error_retry_after_ms(look());
    return wait < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(wait));
  }

  /** The id of the last attempt, by which the vendor can find it, if there was one. */
  std::optional<std::string_view> client_request_id() const noexcept {
    return detail::optional_view(gptimage_error_client_request_id(look()));
  }

  /** The vendor's id of the last attempt's work, if it is known. */
  std::optional<std::string_view> inference_id() const noexcept {
    return detail::optional_view(gptimage_error_inference_id(look()));
  }

  /** The rules that the request broke. */
  std::vector<Violation> violations() const {
    std::vector<Violation> violations(gptimage_error_violation_count(look()));
    for (std::size_t index = 0; index < violations.size(); ++index) {
      const gptimage_violation_t one = gptimage_error_violation(error_.get(), index);
      violations[index] = Violation{detail::view(one.param), detail::view(one.rule),
                                    detail::view(one.given), detail::view(one.message)};
    }
    return violations;
  }

  /**
   * What was paid for and arrived in spite of the error, if anything did. A picture that was not
   * obtained stands in it with its URL. Lives as long as the error and its copies.
   */
  std::optional<GeneratedView> generated() const noexcept {
    const gptimage_generated_t *generated = gptimage_error_generated(look());
    return generated == nullptr ? std::nullopt : std::optional(GeneratedView(generated));
  }

  /**
   * What the server answered, where that could not be used: without its pictures, at most 64 KiB of
   * it.
   */
  std::optional<std::string_view> response_body() const noexcept {
    return detail::optional_view(gptimage_error_response_body(look()));
  }

  /**
   * The file that holds the whole answer, where that could not be used: beside the pictures' target,
   * or in the salvage folder. The file stays.
   */
  std::optional<std::string_view> response_file() const noexcept {
    return detail::optional_view(gptimage_error_response_file(look()));
  }

  /**
   * The whole answer, where that could not be used and there was no folder for response_file(); else
   * empty. Belongs to the error.
   */
  std::string_view response_bytes() const noexcept {
    const gptimage_bytes_t bytes = gptimage_error_response_bytes(look());
    return {reinterpret_cast<const char *>(bytes.data), bytes.len};
  }

  /**
   * The id of the task that the gateway answered with in place of pictures: ask the gateway what
   * became of it.
   */
  std::optional<std::string_view> task_id() const noexcept {
    return detail::optional_view(gptimage_error_task_id(look()));
  }

  /**
   * The whole error as a JSON object, with every attempt and at most 64 KiB of the answer; without
   * pictures.
   */
  std::string_view json() const noexcept { return detail::view(gptimage_error_json(look())); }

  /** Only the library makes them. */
  Error(gptimage_status_t status, std::shared_ptr<gptimage_error_t> error, const char *message,
        std::shared_ptr<detail::Receipt> receipt)
      : std::runtime_error(message),
        status_(status),
        error_(std::move(error)),
        receipt_(std::move(receipt)) {}

 private:
  const gptimage_error_t *look() const noexcept {
    if (receipt_ != nullptr) {
      receipt_->look();
    }
    return error_.get();
  }

  gptimage_status_t status_;
  std::shared_ptr<gptimage_error_t> error_;
  std::shared_ptr<detail::Receipt> receipt_;
};

namespace detail {

/** An error of one kind. */
template <gptimage_status_t Number>
class ErrorOf : public Error {
 public:
  /** The number of the kind. */
  static constexpr gptimage_status_t number = Number;
  using Error::Error;
};

}  // namespace detail

// The one table of errors, first half: a class for each status of gptimage.h.

/** An argument that cannot be: moved from, not UTF-8, a NUL in a text, an index beyond the end. */
class InvalidArgumentError : public detail::ErrorOf<GPTIMAGE_STATUS_INVALID_ARGUMENT> {
  using ErrorOf::ErrorOf;
};

/** The rules refused the request; Error::violations() lists why. Nothing was sent. */
class InvalidRequestError : public detail::ErrorOf<GPTIMAGE_STATUS_INVALID_REQUEST> {
  using ErrorOf::ErrorOf;
};

/** A key, URL, header, proxy or trust store that cannot be used. */
class ConfigError : public detail::ErrorOf<GPTIMAGE_STATUS_CONFIG> {
  using ErrorOf::ErrorOf;
};

/** A local file. A target that exists is refused before anything is sent. */
class IoError : public detail::ErrorOf<GPTIMAGE_STATUS_IO> {
  using ErrorOf::ErrorOf;
};

/** Provably not delivered whole: nothing was charged. */
class ConnectionError : public detail::ErrorOf<GPTIMAGE_STATUS_CONNECTION> {
  using ErrorOf::ErrorOf;
};

/** Sent whole, and no answer came that proves anything: it may be charged. */
class OutcomeUnknownError : public detail::ErrorOf<GPTIMAGE_STATUS_OUTCOME_UNKNOWN> {
  using ErrorOf::ErrorOf;
};

/** Cancelled by a token or a job's cancel. */
class CancelledError : public detail::ErrorOf<GPTIMAGE_STATUS_CANCELLED> {
  using ErrorOf::ErrorOf;
};

/** Every 4xx that no other class names. */
class BadRequestError : public detail::ErrorOf<GPTIMAGE_STATUS_BAD_REQUEST> {
  using ErrorOf::ErrorOf;
};

/** 401: the key is missing or invalid. */
class AuthenticationError : public detail::ErrorOf<GPTIMAGE_STATUS_AUTHENTICATION> {
  using ErrorOf::ErrorOf;
};

/** 403: the key may not do this. */
class PermissionDeniedError : public detail::ErrorOf<GPTIMAGE_STATUS_PERMISSION_DENIED> {
  using ErrorOf::ErrorOf;
};

/** 402, or a refusal that says so: the account is out of credits. */
class InsufficientCreditsError : public detail::ErrorOf<GPTIMAGE_STATUS_INSUFFICIENT_CREDITS> {
  using ErrorOf::ErrorOf;
};

/** 404: no such route or model. */
class NotFoundError : public detail::ErrorOf<GPTIMAGE_STATUS_NOT_FOUND> {
  using ErrorOf::ErrorOf;
};

/** The prompt or an image was refused by moderation. */
class ModerationBlockedError : public detail::ErrorOf<GPTIMAGE_STATUS_MODERATION_BLOCKED> {
  using ErrorOf::ErrorOf;
};

/** 429. */
class RateLimitedError : public detail::ErrorOf<GPTIMAGE_STATUS_RATE_LIMITED> {
  using ErrorOf::ErrorOf;
};

/** 5xx in the vendor's own words, who says that failures are free. */
class ServerError : public detail::ErrorOf<GPTIMAGE_STATUS_SERVER> {
  using ErrorOf::ErrorOf;
};

/** A success that cannot be used. It was paid for, or may be. */
class ResponseInvalidError : public detail::ErrorOf<GPTIMAGE_STATUS_RESPONSE_INVALID> {
  using ErrorOf::ErrorOf;
};

/** The picture was paid for, exists at its URL and could not be fetched. */
class DownloadFailedError : public detail::ErrorOf<GPTIMAGE_STATUS_DOWNLOAD_FAILED> {
  using ErrorOf::ErrorOf;
};

/** The budget does not allow the call. */
class BudgetExceededError : public detail::ErrorOf<GPTIMAGE_STATUS_BUDGET_EXCEEDED> {
  using ErrorOf::ErrorOf;
};

/** A bug of the library. */
class InternalError : public detail::ErrorOf<GPTIMAGE_STATUS_INTERNAL> {
  using ErrorOf::ErrorOf;
};

namespace detail {

template <class... Classes>
[[noreturn]] void raise_as(gptimage_status_t status, std::shared_ptr<gptimage_error_t> error,
                           const char *message, std::shared_ptr<Receipt> receipt) {
  // The one whose number it is.
  ((status == Classes::number ? throw Classes(status, error, message, receipt) : void()), ...);
  // One that only a newer library knows.
  throw Error(status, std::move(error), message, std::move(receipt));
}

// The one table of errors, second half: the same classes.
[[noreturn]] inline void raise_message(gptimage_status_t status,
                                       std::shared_ptr<gptimage_error_t> error,
                                       const char *message, std::shared_ptr<Receipt> receipt) {
  raise_as<InvalidArgumentError, InvalidRequestError, ConfigError, IoError, ConnectionError,
           OutcomeUnknownError, CancelledError, BadRequestError, AuthenticationError,
           PermissionDeniedError, InsufficientCreditsError, NotFoundError, ModerationBlockedError,
           RateLimitedError, ServerError, ResponseInvalidError, DownloadFailedError,
           BudgetExceededError, InternalError>(status, std::move(error), message,
                                               std::move(receipt));
}

[[noreturn]] inline void raise(gptimage_status_t status, Returned<gptimage_error_t> error) {
  auto receipt = error.get_deleter().receipt;
  const char *message = gptimage_error_message(error.get());
  raise_message(status, std::shared_ptr<gptimage_error_t>(std::move(error)), message,
                std::move(receipt));
}

[[noreturn]] inline void refuse(const std::string &message) {
  raise_message(GPTIMAGE_STATUS_INVALID_ARGUMENT, nullptr, message.c_str(), nullptr);
}

}  // namespace detail

/**
 * A limit on what calls may cost together, in US dollars. May be shared by any number of clients
 * and threads. What does not fit is a BudgetExceededError, and nothing is sent.
 */
class Budget {
 public:
  /** Of so much: decimal text such as "5.00". 0.50 is reserved for each picture of a call. */
  explicit Budget(std::string_view max_usd) : Budget(detail::text(max_usd, "max_usd"), nullptr) {}

  /** As above; `max_usd_per_call` is the most that one call may cost, with all its pictures. */
  Budget(std::string_view max_usd, std::string_view max_usd_per_call)
      : Budget(detail::text(max_usd, "max_usd"),
               detail::text(max_usd_per_call, "max_usd_per_call").c_str()) {}

  /** How it stands now. */
  BudgetStatus status() const {
    gptimage_budget_status_t status;
    detail::call(gptimage_budget_status, budget_.get(), &status);
    return BudgetStatus{status.max_usd,      status.spent_usd,     status.assumed_usd,
                        status.reserved_usd, status.remaining_usd, status.closed != 0};
  }

 private:
  friend class Config;

  Budget(const std::string &max_usd, const char *max_usd_per_call) {
    gptimage_budget_t *budget = nullptr;
    detail::call(gptimage_budget_new, max_usd.c_str(), max_usd_per_call, &budget);
    budget_.reset(budget);
  }

  detail::Handle<gptimage_budget_t> budget_;
};

/** What a client is told once. Its setters can be chained; all is judged when a client is made. */
class Config {
 public:
  /**
   * Key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY, in this
   * order; AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE) and every default.
   */
  Config() : config_(gptimage_config_new()) {}

  /** The API key. Sent to the base URL's origin alone, printed nowhere. */
  Config &api_key(std::string_view key) & {
    return set(gptimage_config_set_api_key, detail::text(key, "key").c_str());
  }
  /** @overload */
  Config &&api_key(std::string_view key) && { return std::move(api_key(key)); }

  /** Where the API is: https, or http on this machine; with or without "/v1". */
  Config &base_url(std::string_view url) & {
    return set(gptimage_config_set_base_url, detail::text(url, "url").c_str());
  }
  /** @overload */
  Config &&base_url(std::string_view url) && { return std::move(base_url(url)); }

  /**
   * Whether plain http to another machine is allowed, which shows it the key and everybody between.
   * false unless set.
   */
  Config &allow_http(bool allow) & { return set(gptimage_config_set_allow_http, allow ? 1 : 0); }
  /** @overload */
  Config &&allow_http(bool allow) && { return std::move(allow_http(allow)); }

  /**
   * The longest that a call may take in all, attempts and waits included; no bound unless set. One
   * that is not longer than nothing is an InvalidArgumentError.
   */
  Config &deadline(Time deadline) & {
    return set(gptimage_config_set_deadline_ms, detail::deadline(deadline));
  }
  /** @overload */
  Config &&deadline(Time deadline) && { return std::move(this->deadline(deadline)); }

  /**
   * Most attempts of a call, the first included. Only what provably cost nothing is tried again.
   * 3 unless set.
   */
  Config &max_attempts(std::uint32_t attempts) & {
    return set(gptimage_config_set_max_attempts, attempts);
  }
  /** @overload */
  Config &&max_attempts(std::uint32_t attempts) && { return std::move(max_attempts(attempts)); }

  /** Sets a timer by its name; gptimage_config_set_timer_ms() lists the names. */
  Config &timer(std::string_view name, Time value) & {
    return set(gptimage_config_set_timer_ms, detail::text(name, "name").c_str(),
               value.milliseconds());
  }
  /** @overload */
  Config &&timer(std::string_view name, Time value) && { return std::move(timer(name, value)); }

  /** A file (PEM or DER) or folder of certificates that are trusted beside the system's. */
  Config &ca_file(const std::filesystem::path &file) & {
    return set(gptimage_config_set_ca_file, detail::path_text(file, "file").c_str());
  }
  /** @overload */
  Config &&ca_file(const std::filesystem::path &file) && { return std::move(ca_file(file)); }

  /**
   * A proxy for every request, such as "http://host:3128" or "socks5h://host:1080", also to this
   * machine itself; "" for none. Unless set, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
   * decide, and never for this machine itself. One that cannot be used is a ConfigError.
   */
  Config &proxy(std::string_view url) & {
    return set(gptimage_config_set_proxy, detail::text(url, "url").c_str());
  }
  /** @overload */
  Config &&proxy(std::string_view url) && { return std::move(proxy(url)); }

  /** One more header on every request to the gateway; never sent to where pictures are. */
  Config &header(std::string_view name, std::string_view value) & {
    return set(gptimage_config_add_header, detail::text(name, "name").c_str(),
               detail::text(value, "value").c_str());
  }
  /** @overload */
  Config &&header(std::string_view name, std::string_view value) && {
    return std::move(header(name, value));
  }

  /** Whether pictures that come as URLs are fetched at once. true unless set. */
  Config &fetch(bool fetch) & { return set(gptimage_config_set_fetch, fetch ? 1 : 0); }
  /** @overload */
  Config &&fetch(bool fetch) && { return std::move(this->fetch(fetch)); }

  /**
   * Whether a 5xx in the vendor's own words is tried again, which may be paid twice. false unless
   * set.
   */
  Config &retry_server_errors(bool retry) & {
    return set(gptimage_config_set_retry_server_errors, retry ? 1 : 0);
  }
  /** @overload */
  Config &&retry_server_errors(bool retry) && { return std::move(retry_server_errors(retry)); }

  /**
   * Whether a call that is cancelled after it was sent is given up. false unless set: it runs on,
   * and Client::collect() has its result.
   */
  Config &abort_on_cancel(bool abort) & {
    return set(gptimage_config_set_abort_on_cancel, abort ? 1 : 0);
  }
  /** @overload */
  Config &&abort_on_cancel(bool abort) && { return std::move(abort_on_cancel(abort)); }

  /** The most bytes of pictures that are kept in memory for Client::collect(). Default: 256 MiB. */
  Config &salvage_max_bytes(std::uint64_t bytes) & {
    return set(gptimage_config_set_salvage_max_bytes, bytes);
  }
  /** @overload */
  Config &&salvage_max_bytes(std::uint64_t bytes) && {
    return std::move(salvage_max_bytes(bytes));
  }

  /**
   * A folder that keeps the results of calls whose callers are gone, in place of memory and across
   * processes: any client of this folder collects them. None unless set.
   */
  Config &salvage_folder(const std::filesystem::path &folder) & {
    return set(gptimage_config_set_salvage_folder, detail::path_text(folder, "folder").c_str());
  }
  /** @overload */
  Config &&salvage_folder(const std::filesystem::path &folder) && {
    return std::move(salvage_folder(folder));
  }

  /** What the client's calls count against, with those of others. No limit unless set. */
  Config &budget(const Budget &budget) & {
    const gptimage_budget_t *shared = budget.budget_.get();
    return set(gptimage_config_set_budget, shared);
  }
  /** @overload */
  Config &&budget(const Budget &budget) && { return std::move(this->budget(budget)); }

  /** The longest picture that is accepted, in bytes. 64 MiB unless set. */
  Config &max_image_bytes(std::uint64_t bytes) & {
    return set(gptimage_config_set_max_image_bytes, bytes);
  }
  /** @overload */
  Config &&max_image_bytes(std::uint64_t bytes) && { return std::move(max_image_bytes(bytes)); }

 private:
  friend class Client;

  template <class Setter, class... Values>
  Config &set(Setter setter, Values... values) {
    detail::call(setter, config_.get(), values...);
    return *this;
  }

  detail::Handle<gptimage_config_t> config_;
};

namespace detail {

/** The functions of requests to make a picture. */
struct GenerateFunctions {
  using Request = gptimage_generate_request_t;
  static constexpr auto make = gptimage_generate_request_new;
  static constexpr auto set = gptimage_generate_request_set;
  static constexpr auto set_n = gptimage_generate_request_set_n;
  static constexpr auto set_compression = gptimage_generate_request_set_output_compression;
  static constexpr auto set_extra = gptimage_generate_request_set_extra;
  static constexpr auto set_deadline = gptimage_generate_request_set_deadline_ms;
  static constexpr auto set_overwrite = gptimage_generate_request_set_overwrite;
  static constexpr auto set_structural_rules = gptimage_generate_request_set_structural_rules;
};

/** The functions of requests to edit pictures. */
struct EditFunctions {
  using Request = gptimage_edit_request_t;
  static constexpr auto make = gptimage_edit_request_new;
  static constexpr auto set = gptimage_edit_request_set;
  static constexpr auto set_n = gptimage_edit_request_set_n;
  static constexpr auto set_compression = gptimage_edit_request_set_output_compression;
  static constexpr auto set_extra = gptimage_edit_request_set_extra;
  static constexpr auto set_deadline = gptimage_edit_request_set_deadline_ms;
  static constexpr auto set_overwrite = gptimage_edit_request_set_overwrite;
  static constexpr auto set_structural_rules = gptimage_edit_request_set_structural_rules;
};

/**
 * What both kinds of requests have. What is not set is not sent: the server has defaults of its
 * own. All values are judged together when the request is sent.
 */
template <class Self, class Functions>
class Request {
 public:
  /** The model; "openai/gpt-image-2" unless set. */
  Self &model(std::string_view model) & { return set("model", model); }
  /** @overload */
  Self &&model(std::string_view model) && { return std::move(set("model", model)); }

  /** Width × height in pixels: "1024x1024" (the server's default), "1024x1536" or "1536x1024". */
  Self &size(std::string_view size) & { return set("size", size); }
  /** @overload */
  Self &&size(std::string_view size) && { return std::move(set("size", size)); }

  /** "low", "medium" (the server's default) or "high". */
  Self &quality(std::string_view quality) & { return set("quality", quality); }
  /** @overload */
  Self &&quality(std::string_view quality) && { return std::move(set("quality", quality)); }

  /** "png" (the server's default), "jpeg" or "webp". */
  Self &output_format(std::string_view format) & { return set("output_format", format); }
  /** @overload */
  Self &&output_format(std::string_view format) && {
    return std::move(set("output_format", format));
  }

  /** "auto" (the server's default), "transparent" (png and webp only) or "opaque". */
  Self &background(std::string_view background) & { return set("background", background); }
  /** @overload */
  Self &&background(std::string_view background) && {
    return std::move(set("background", background));
  }

  /** "url" (the server's default) or "b64_json". */
  Self &response_format(std::string_view format) & { return set("response_format", format); }
  /** @overload */
  Self &&response_format(std::string_view format) && {
    return std::move(set("response_format", format));
  }

  /** How many pictures: exactly 1 when making, 1 (the server's default) to 10 when editing. */
  Self &n(std::int64_t n) & { return change(Functions::set_n, n); }
  /** @overload */
  Self &&n(std::int64_t n) && { return std::move(change(Functions::set_n, n)); }

  /** Quality of jpeg and webp in percent, 0 to 100 (the server's default). */
  Self &output_compression(std::int64_t percent) & {
    return change(Functions::set_compression, percent);
  }
  /** @overload */
  Self &&output_compression(std::int64_t percent) && {
    return std::move(change(Functions::set_compression, percent));
  }

  /** Any parameter by the API's name, for those that this header does not name. */
  Self &set(std::string_view name, std::string_view value) & {
    return change(Functions::set, text(name, "name").c_str(),
                  text(value, std::string(name).c_str()).c_str());
  }
  /** @overload */
  Self &&set(std::string_view name, std::string_view value) && {
    return std::move(set(name, value));
  }

  /** Fields beyond the API's documentation, as a JSON object. */
  Self &extra(std::string_view json) & {
    return change(Functions::set_extra, text(json, "json").c_str());
  }
  /** @overload */
  Self &&extra(std::string_view json) && { return std::move(extra(json)); }

  /**
   * The longest that calls of this request may take in all; as the client has it unless set. One
   * that is not longer than nothing is an InvalidArgumentError.
   */
  Self &deadline(Time deadline) & {
    return change(Functions::set_deadline, detail::deadline(deadline));
  }
  /** @overload */
  Self &&deadline(Time deadline) && { return std::move(this->deadline(deadline)); }

  /** Whether a file may be replaced. false unless set. */
  Self &overwrite(bool overwrite) & {
    return change(Functions::set_overwrite, overwrite ? 1 : 0);
  }
  /** @overload */
  Self &&overwrite(bool overwrite) && { return std::move(this->overwrite(overwrite)); }

  /**
   * Whether only what no server could accept is refused, for values that the API learned after this
   * library was made. false unless set.
   */
  Self &structural_rules(bool on) & {
    return change(Functions::set_structural_rules, on ? 1 : 0);
  }
  /** @overload */
  Self &&structural_rules(bool on) && { return std::move(structural_rules(on)); }

 protected:
  /** A request that says nothing but the prompt. */
  explicit Request(std::string_view prompt) {
    typename Functions::Request *request = nullptr;
    call(Functions::make, text(prompt, "prompt").c_str(), &request);
    request_.reset(request);
  }

  /** Calls a setter. */
  template <class Setter, class... Values>
  Self &change(Setter setter, Values... values) {
    call(setter, request_.get(), values...);
    return static_cast<Self &>(*this);
  }

  /** The request, or null if it was moved from. */
  const typename Functions::Request *get() const noexcept { return request_.get(); }

 private:
  Handle<typename Functions::Request> request_;
};

}  // namespace detail

/** A request to make a picture. Its setters can be chained; several calls may be made of it. */
class GenerateRequest : public detail::Request<GenerateRequest, detail::GenerateFunctions> {
 public:
  /** `prompt` says what is to be seen, in 1 to 32,000 characters. */
  explicit GenerateRequest(std::string_view prompt) : Request(prompt) {}

  /** "auto" (the server's default) or "low". */
  GenerateRequest &moderation(std::string_view moderation) & {
    return set("moderation", moderation);
  }
  /** @overload */
  GenerateRequest &&moderation(std::string_view moderation) && {
    return std::move(set("moderation", moderation));
  }

 private:
  friend class Client;
};

/** A request to edit pictures. Its setters can be chained; several calls may be made of it. */
class EditRequest : public detail::Request<EditRequest, detail::EditFunctions> {
 public:
  /** `prompt` says what is to be seen, in 1 to 32,000 characters. */
  explicit EditRequest(std::string_view prompt) : Request(prompt) {}

  /**
   * One more image, after those given already, 1 to 16 in all: a PNG, JPEG or WebP of at most
   * 50 MB, which is streamed from disk when the request is sent.
   */
  EditRequest &add_image(const std::filesystem::path &file) & {
    return change(gptimage_edit_request_add_image_path, detail::path_text(file, "image").c_str());
  }
  /** @overload */
  EditRequest &&add_image(const std::filesystem::path &file) && {
    return std::move(add_image(file));
  }

  /** As add_image(), of a file's bytes, which are copied now. */
  EditRequest &add_image_bytes(Bytes bytes) & {
    return change(gptimage_edit_request_add_image_bytes, bytes.data(), bytes.size());
  }
  /** @overload */
  EditRequest &&add_image_bytes(Bytes bytes) && { return std::move(add_image_bytes(bytes)); }

  /**
   * Where the first image may be edited: a PNG of that image's size, under 4 MB, that is
   * transparent there.
   */
  EditRequest &mask(const std::filesystem::path &file) & {
    return change(gptimage_edit_request_set_mask_path, detail::path_text(file, "mask").c_str());
  }
  /** @overload */
  EditRequest &&mask(const std::filesystem::path &file) && { return std::move(mask(file)); }

  /** As mask(), of a file's bytes, which are copied now. */
  EditRequest &mask_bytes(Bytes bytes) & {
    return change(gptimage_edit_request_set_mask_bytes, bytes.data(), bytes.size());
  }
  /** @overload */
  EditRequest &&mask_bytes(Bytes bytes) && { return std::move(mask_bytes(bytes)); }

 private:
  friend class Client;
};

/** Cancels calls from another thread. A token that was cancelled stays so. */
class CancelToken {
 public:
  /** Not cancelled. May be destroyed at any time: calls keep what they need of it. */
  CancelToken() : token_(gptimage_cancel_token_new()) {}

  /** Cancels every call that was given this token. From any thread, any number of times. */
  void cancel() const noexcept { gptimage_cancel_token_cancel(token_.get()); }

 private:
  friend class Client;
  detail::Handle<gptimage_cancel_token_t> token_;
};

/**
 * A call on its way. Destroyed before it has ended, it is cancelled; what may be paid of it runs
 * on, and Client::collect() has its result.
 */
class Job {
 public:
  /** Takes over what the other one has. */
  Job(Job &&other) noexcept = default;

  /** Takes over what the other one has; what this one had is as if destroyed. */
  Job &operator=(Job &&other) noexcept {
    Job taken(std::move(other));
    std::swap(ended_, taken.ended_);
    std::swap(job_, taken.job_);
    return *this;
  }

  /** Cancels it if it has not ended. Its function is not running and is never called again. */
  ~Job() = default;

  /** Waits until it has ended, and takes its result. It is given once. */
  Generated wait() const {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_job_wait, job_.get(), std::uint64_t{GPTIMAGE_WAIT_FOREVER}, &generated);
    return Generated(detail::Returned<gptimage_generated_t>(generated));
  }

  /** As wait(), at most so long (0: only looks); nothing if it has not ended by then. */
  std::optional<Generated> wait_for(Time time) const {
    gptimage_generated_t *generated = nullptr;
    gptimage_error_t *error = nullptr;
    const gptimage_status_t status =
        gptimage_job_wait(job_.get(), time.milliseconds(), &generated, &error);
    if (status == GPTIMAGE_STATUS_OK) {
      return Generated(detail::Returned<gptimage_generated_t>(generated));
    }
    detail::Returned<gptimage_error_t> owned(error);
    if (status == GPTIMAGE_STATUS_PENDING) {
      return std::nullopt;
    }
    detail::raise(status, std::move(owned));
  }

  /**
   * Asks it to end. What may be paid by then runs on (unless the configuration says abort), and
   * Client::collect() has its result. The job itself ends at once with a CancelledError, or with
   * its result if that was there already.
   */
  void cancel() const noexcept { gptimage_job_cancel(job_.get()); }

  /** How far it is. */
  Phase phase() const noexcept { return static_cast<Phase>(gptimage_job_phase(job_.get())); }

 private:
  friend class Client;

  Job(detail::Handle<gptimage_job_t> job, std::shared_ptr<detail::EndListener> ended) noexcept
      : ended_(std::move(ended)), job_(std::move(job)) {}

  // Before the job, which is freed first: then its function is not running any more.
  std::shared_ptr<detail::EndListener> ended_;
  detail::Handle<gptimage_job_t> job_;
};

/** Makes and edits pictures. May be shared by any number of threads. */
class Client {
 public:
  /** From the environment. */
  Client() : Client(nullptr) {}

  /** Of this configuration. */
  explicit Client(const Config &config) : Client(moved_from(config.config_.get())) {}

  /** Takes over what the other one has. */
  Client(Client &&other) noexcept = default;

  /** Takes over what the other one has; what this one had is as if destroyed. */
  Client &operator=(Client &&other) noexcept {
    Client taken(std::move(other));
    std::swap(kept_, taken.kept_);
    std::swap(progress_, taken.progress_);
    std::swap(client_, taken.client_);
    return *this;
  }

  /**
   * At any time: jobs and futures on their way go on. Its function is not running and is never
   * called again. Results that were not collected are gone with it.
   */
  ~Client() = default;

  /** Makes a picture, into memory, and waits for it. */
  Generated generate(const GenerateRequest &request) const {
    return run(gptimage_client_generate, request.get(), nullptr);
  }

  /** As generate(), until the token is cancelled: then it throws CancelledError. */
  Generated generate(const GenerateRequest &request, const CancelToken &cancel) const {
    return run(gptimage_client_generate, request.get(), cancel.token_.get());
  }

  /** Edits pictures, into memory, and waits for them. */
  Generated edit(const EditRequest &request) const {
    return run(gptimage_client_edit, request.get(), nullptr);
  }

  /** As edit(), until the token is cancelled: then it throws CancelledError. */
  Generated edit(const EditRequest &request, const CancelToken &cancel) const {
    return run(gptimage_client_edit, request.get(), cancel.token_.get());
  }

  /**
   * As generate(), straight into a file or folder: an existing folder or a path that ends in "/"
   * takes a name of the library's making, a missing extension is added, what exists is refused
   * before anything is sent. A file has its name once it is whole, or not at all.
   */
  Generated generate_to(const GenerateRequest &request, const std::filesystem::path &to) const {
    return run_to(gptimage_client_generate_to, request.get(), to, nullptr);
  }

  /** As generate_to(), until the token is cancelled: then it throws CancelledError. */
  Generated generate_to(const GenerateRequest &request, const std::filesystem::path &to,
                        const CancelToken &cancel) const {
    return run_to(gptimage_client_generate_to, request.get(), to, cancel.token_.get());
  }

  /** As edit(), straight into files as generate_to() has it; several pictures are numbered. */
  Generated edit_to(const EditRequest &request, const std::filesystem::path &to) const {
    return run_to(gptimage_client_edit_to, request.get(), to, nullptr);
  }

  /** As edit_to(), until the token is cancelled: then it throws CancelledError. */
  Generated edit_to(const EditRequest &request, const std::filesystem::path &to,
                    const CancelToken &cancel) const {
    return run_to(gptimage_client_edit_to, request.get(), to, cancel.token_.get());
  }

  /**
   * Fetches a picture that is still at its URL, into memory, and waits for it; one that is here
   * already stays as it is. Free, so as often as wanted. Texts and bytes of `generated` that were
   * got before are gone. Of an error's, fetch a copy(); of a link alone, Generated::from_url().
   */
  void fetch(Generated &generated, std::size_t index = 0) const {
    static_cast<void>(generated.size());
    detail::call(gptimage_client_fetch, client_.get(), generated.generated_.get(), index);
  }

  /**
   * As fetch(), straight into a file or folder: an existing folder or a path that ends in "/" takes
   * a name of the library's making; a missing extension is added; what exists is refused, unless
   * `overwrite` is true. A picture that is here already stays as it is, and a copy of it is saved
   * there.
   */
  void fetch_to(Generated &generated, const std::filesystem::path &to, bool overwrite = false,
                std::size_t index = 0) const {
    static_cast<void>(generated.size());
    const std::string file = detail::path_text(to, "to");
    detail::call(gptimage_client_fetch_to, client_.get(), generated.generated_.get(), index,
                 file.c_str(), overwrite ? 1 : 0);
  }

  /**
   * Hands over what became of a call whose caller was gone (cancelled, past its deadline, its job
   * destroyed) after it had been sent, and of a future at whose outcome nobody looked: its result,
   * or the error that says what it cost, which is thrown. Each once; nothing when there is nothing
   * more. First waits, at most so long, for calls whose callers are gone; those of futures are not
   * waited for.
   */
  std::optional<Generated> collect(Time wait = std::chrono::milliseconds(0)) const {
    auto collected = collect_within(0);
    if (!collected && wait.milliseconds() > 0) {
      collected = collect_within(wait.milliseconds());
    }
    return collected;
  }

  /**
   * What may be paid and is in nobody's hands: attempts that the server may have and that have not
   * ended, and results that wait for collect(). Outcomes of futures at which nobody looked are not
   * listed.
   */
  std::vector<PendingCall> pending() const {
    gptimage_pending_t *list = nullptr;
    detail::call(gptimage_client_pending, client_.get(), &list);
    const detail::Handle<gptimage_pending_t> owned(list);
    std::vector<PendingCall> pending;
    for (std::size_t index = 0; index < gptimage_pending_count(list); ++index) {
      const char *id = gptimage_pending_client_request_id(list, index);
      pending.push_back(PendingCall{detail::optional_copy(id),
                                    static_cast<Phase>(gptimage_pending_phase(list, index)),
                                    gptimage_pending_ended(list, index) != 0});
    }
    return pending;
  }

  /**
   * Asks the vendor's log what became of an attempt that may have been charged, and waits for the
   * answer. Free. `patience`: how long a row is waited for that is not there yet. `period`: how far
   * back the log is read. An absent, refusing or lagging log leaves the charge unknown.
   */
  Reconciled reconcile(std::string_view client_request_id,
                       Time patience = std::chrono::seconds(60),
                       std::string_view period = "24h") const {
    gptimage_reconciled_t *reconciled = nullptr;
    detail::call(gptimage_client_reconcile, client_.get(),
                 detail::text(client_request_id, "client_request_id").c_str(),
                 detail::text(period, "period").c_str(), patience.milliseconds(), &reconciled);
    const detail::Handle<gptimage_reconciled_t> owned(reconciled);
    return Reconciled{detail::charge(gptimage_reconciled_charge(reconciled)),
                      detail::optional_copy(gptimage_reconciled_usd_spent(reconciled)),
                      detail::optional_copy(gptimage_reconciled_credits_used(reconciled)),
                      detail::optional_copy(gptimage_reconciled_inference_id(reconciled)),
                      gptimage_reconciled_message(reconciled)};
  }

  /**
   * Starts making a picture and returns at once. `ended`, if there is one, is called once, when the
   * job has ended, which may be before this returns: Job::wait() gives its result at once then.
   */
  Job start_generate(const GenerateRequest &request, std::function<void()> ended = {}) const {
    return start(gptimage_client_start_generate, request.get(), std::move(ended));
  }

  /** Starts editing pictures and returns at once; all else as start_generate(). */
  Job start_edit(const EditRequest &request, std::function<void()> ended = {}) const {
    return start(gptimage_client_start_edit, request.get(), std::move(ended));
  }

  /**
   * Starts making a picture and returns at once. The future gets the result, or the error. It may
   * be dropped at any time, and so may the client: the call runs on, and is paid. An outcome at
   * which nobody looks is handed over by collect(), as long as the client is there. A call that may
   * have to be given up is better a Job.
   */
  std::future<Generated> generate_async(const GenerateRequest &request) const {
    return promise(gptimage_client_start_generate, request.get());
  }

  /** Starts editing pictures and returns at once; all else as generate_async(). */
  std::future<Generated> edit_async(const EditRequest &request) const {
    return promise(gptimage_client_start_edit, request.get());
  }

  /**
   * Tells `function` how far this client's calls are, from the next call on, at most twenty times a
   * second for each call, in place of the one before; an empty function: nobody any more.
   */
  void on_progress(std::function<void(const Progress &)> function) const {
    if (client_ == nullptr) {
      detail::refuse("client was moved from");
    }
    // Never NULL again: of two threads that set one, whoever is last here says the same. Calls that
    // are on their way do not tell the new one.
    gptimage_client_set_progress(client_.get(), tell_progress, progress_.get());
    progress_->replace(std::move(function));
  }

 private:
  // What a promise needs until its job has ended.
  struct Pending {
    std::promise<Generated> promise;
    std::shared_ptr<detail::Receipt> receipt;
  };

  explicit Client(const gptimage_config_t *config)
      // As much as the library keeps of what it can see that nobody waits for.
      : kept_(std::make_shared<detail::Kept>(std::size_t{256} << 20)),
        progress_(std::make_shared<detail::ProgressListener>()) {
    gptimage_client_t *client = nullptr;
    detail::call(gptimage_client_new, config, &client);
    client_.reset(client);
  }

  static const gptimage_config_t *moved_from(const gptimage_config_t *config) {
    if (config == nullptr) {
      detail::refuse("config was moved from");
    }
    return config;
  }

  template <class Call, class Request>
  Generated run(Call call, const Request *request, const gptimage_cancel_token_t *cancel) const {
    gptimage_generated_t *generated = nullptr;
    detail::call(call, client_.get(), request, cancel, &generated);
    return Generated(detail::Returned<gptimage_generated_t>(generated));
  }

  template <class Call, class Request>
  Generated run_to(Call call, const Request *request, const std::filesystem::path &to,
                   const gptimage_cancel_token_t *cancel) const {
    const std::string file = detail::path_text(to, "to");
    gptimage_generated_t *generated = nullptr;
    detail::call(call, client_.get(), request, file.c_str(), cancel, &generated);
    return Generated(detail::Returned<gptimage_generated_t>(generated));
  }

  template <class Start, class Request>
  Job start(Start begin, const Request *request, std::function<void()> ended) const {
    std::shared_ptr<detail::EndListener> listener;
    if (ended) {
      listener = std::make_shared<detail::EndListener>(std::move(ended));
    }
    gptimage_job_t *job = nullptr;
    detail::call(begin, client_.get(), request, listener != nullptr ? tell_ended : nullptr,
                 static_cast<void *>(listener.get()), &job);
    return Job(detail::Handle<gptimage_job_t>(job), std::move(listener));
  }

  template <class Start, class Request>
  std::future<Generated> promise(Start begin, const Request *request) const {
    auto pending = std::make_unique<Pending>();
    pending->receipt = std::make_shared<detail::Receipt>(kept_);
    auto future = pending->promise.get_future();
    // From its callback on, the job is this header's, and it may have been freed when this returns.
    gptimage_job_t *job = nullptr;
    detail::call(begin, client_.get(), request, keep_promise,
                 static_cast<void *>(pending.get()), &job);
    static_cast<void>(pending.release());
    return future;
  }

  std::optional<Generated> collect_within(std::uint64_t wait_ms) const {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_client_collect, client_.get(), wait_ms, &generated);
    if (generated != nullptr) {
      return Generated(detail::Returned<gptimage_generated_t>(generated));
    }
    detail::Kept::Outcomes kept = kept_->take();
    if (kept.empty()) {
      return std::nullopt;
    }
    detail::Outcome &outcome = kept.front();
    if (outcome.error != nullptr) {
      detail::raise(outcome.status, detail::Returned<gptimage_error_t>(outcome.error.release()));
    }
    return Generated(detail::Returned<gptimage_generated_t>(outcome.generated.release()));
  }

  // What follows is called by the library. None of it throws: there is nobody who could catch it.

  static void tell_progress(const gptimage_progress_t *told, void *user_data) noexcept {
    // It lives at least as long as the client, whose destructor waits for this, or is called by it.
    const auto listener =
        static_cast<detail::ProgressListener *>(user_data)->shared_from_this();
    Progress progress{told->attempt,    told->max_attempts, static_cast<Phase>(told->phase),
                      std::nullopt,     told->bytes_sent,   told->bytes_total,
                      told->bytes_received, {}};
    try {
      progress.client_request_id = told->client_request_id;
    } catch (const std::bad_alloc &) {
      // The numbers are told all the same.
    }
    if (told->pause_ms >= 0) {
      progress.pause = std::chrono::milliseconds(told->pause_ms);
    }
    listener->tell(progress);
  }

  static void tell_ended(gptimage_job_t *, void *user_data) noexcept {
    const auto listener = static_cast<detail::EndListener *>(user_data)->shared_from_this();
    listener->tell();
  }

  static void keep_promise(gptimage_job_t *job, void *user_data) noexcept {
    const std::unique_ptr<Pending> pending(static_cast<Pending *>(user_data));
    const detail::Handle<gptimage_job_t> freed(job);
    gptimage_generated_t *generated = nullptr;
    gptimage_error_t *error = nullptr;
    const gptimage_status_t status = gptimage_job_wait(job, 0, &generated, &error);
    try {
      if (status == GPTIMAGE_STATUS_OK) {
        pending->promise.set_value(Generated(
            detail::Returned<gptimage_generated_t>(generated, detail::Return{pending->receipt})));
      } else {
        detail::raise(status, detail::Returned<gptimage_error_t>(
                                  error, detail::Return{pending->receipt}));
      }
    } catch (...) {
      // Either the call's error, or there is no memory for it. Setting it cannot fail: it is unset.
      pending->promise.set_exception(std::current_exception());
    }
  }

  std::shared_ptr<detail::Kept> kept_;
  // Before the client, which is freed first: then its function is not running any more.
  std::shared_ptr<detail::ProgressListener> progress_;
  detail::Handle<gptimage_client_t> client_;
};

namespace detail {

/** The one function that hears log lines. */
class Log {
 public:
  using Function = std::function<void(LogLevel, std::string_view)>;

  /** This process's. Never destroyed, for the library's threads end with the process. */
  static Log &current() {
    static std::atomic<Log *> known{nullptr};
    Log *log = known.load();
    if (log == nullptr || log->process_ != process()) {
      auto made = std::make_unique<Log>();
      if (known.compare_exchange_strong(log, made.get())) {
        log = made.release();
      }
    }
    return *log;
  }

  void replace(LogLevel level, Function function) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      level_ = level;
      hears_ = static_cast<bool>(function);
      ++changes_;
    }
    listener_.replace(std::move(function));
    // Whoever changed it last may not be the last here: then it is said again.
    std::unique_lock<std::mutex> lock(mutex_);
    std::uint64_t said = 0;
    while (said != changes_) {
      said = changes_;
      const auto now = static_cast<gptimage_log_level_t>(level_);
      const gptimage_log_callback_t hear = hears_ ? tell : nullptr;
      lock.unlock();
      gptimage_set_log_callback(now, hear, this);
      lock.lock();
    }
  }

 private:
  static void tell(gptimage_log_level_t level, const char *message, void *user_data) noexcept {
    static_cast<Log *>(user_data)->listener_.tell(static_cast<LogLevel>(level), view(message));
  }

  const long process_ = process();
  std::mutex mutex_;
  LogLevel level_ = LogLevel::error;
  bool hears_ = false;
  std::uint64_t changes_ = 0;
  Listener<LogLevel, std::string_view> listener_;
};

}  // namespace detail

/**
 * Tells `function` of what the library does, down to `level`; of all clients, in place of the one
 * before; an empty function: nobody any more. A line is without prompts, pictures or keys, and
 * lives as long as the function runs. A program that destroys what the function uses, be it by
 * ending, says on_log(level, nullptr) before.
 */
inline void on_log(LogLevel level, std::function<void(LogLevel, std::string_view)> function) {
  detail::Log::current().replace(level, std::move(function));
}

}  // namespace gptimage

#endif  // GPTIMAGE_HPP
