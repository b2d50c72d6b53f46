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
 * What gptimage.h says about money, threads, signals, fork and ending applies here, too. In
 * addition:
 *
 * @par Ownership
 * Every class that owns something frees it in its destructor and can be moved, not copied. The
 * getters of a moved-from object return empty values; its other functions throw
 * InvalidArgumentError. Views (Image, Bytes, GeneratedView, std::string_view) live as long as the
 * object that they came from.
 *
 * @par Errors
 * A function that fails throws an Error; each kind has a class of its own. Functions may also throw
 * std::bad_alloc. No destructor throws.
 *
 * @par Texts
 * Texts are UTF-8. A text or path that contains a NUL throws InvalidArgumentError.
 *
 * @par Threads
 * Const functions may be called by any number of threads at once, other functions by one at a time.
 *
 * @par Callbacks
 * They run one at a time on the thread "gptimage-calls" and must not wait for a call. Exceptions
 * that they throw are dropped. After a callback was replaced, or its owner destroyed, it is not
 * running, is never called again, and is destroyed. Only a callback that replaces itself, or
 * destroys its owner, runs to its end.
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
  /** Proved: nothing was charged. */
  not_charged,
  /** It may have been charged: look the ids up before trying again. */
  unknown,
  /** It was charged. */
  charged,
};

/** How far an attempt is. It only moves forward; newer libraries may add values. */
enum class Phase : gptimage_phase_t {
  /** Nothing was done yet. */
  planned = GPTIMAGE_PHASE_PLANNED,
  /** Connecting: DNS, TCP, TLS, proxy. */
  connecting = GPTIMAGE_PHASE_CONNECTING,
  /** The request body is being sent. */
  sending = GPTIMAGE_PHASE_SENDING,
  /**
   * The request body was handed to the transport completely: from here on the call may be charged.
   */
  sent = GPTIMAGE_PHASE_SENT,
  /** The status and headers of the response were received. */
  head_received = GPTIMAGE_PHASE_HEAD_RECEIVED,
  /** The response body was received completely. */
  body_complete = GPTIMAGE_PHASE_BODY_COMPLETE,
  /** The images are stored where requested. */
  stored = GPTIMAGE_PHASE_STORED,
};

/** The severity of a log line. */
enum class LogLevel : gptimage_log_level_t {
  /** Something was lost. */
  error = GPTIMAGE_LOG_LEVEL_ERROR,
  /** Something may be lost, or may be charged without a result. */
  warn = GPTIMAGE_LOG_LEVEL_WARN,
  /** An attempt is about to be sent, with its client request id, or something is retried. */
  info = GPTIMAGE_LOG_LEVEL_INFO,
  /** Every result, with payloads as sizes and hashes. */
  debug = GPTIMAGE_LOG_LEVEL_DEBUG,
};

/** A snapshot of a call in flight. */
struct Progress {
  /** The number of the attempt, from 1. */
  std::uint32_t attempt;
  /** The maximum number of attempts. */
  std::uint32_t max_attempts;
  /** How far the attempt is. */
  Phase phase;
  /** The length of the pause, between two attempts. */
  std::optional<std::chrono::milliseconds> pause;
  /** Bytes of the request body that the transport has taken. */
  std::uint64_t bytes_sent;
  /** Length of the request body in bytes. */
  std::uint64_t bytes_total;
  /** Bytes received, of the response and of downloads. */
  std::uint64_t bytes_received;
  /**
   * The id that the attempt is sent with, as X-Client-Request-Id. Known before the first byte is
   * sent.
   */
  std::string client_request_id;
};

/** A violated rule. The texts live as long as the error. */
struct Violation {
  /** The API's name of the parameter, such as "size" or "image[2]". */
  std::string_view param;
  /** The stable name of the rule, such as "one_of". */
  std::string_view rule;
  /** The given value, shortened if it is long. */
  std::string_view given;
  /** What is wrong and how to correct it, without the parameter's name. */
  std::string_view message;
};

/** A view of bytes, like std::span, to which it converts in C++20. */
class Bytes {
 public:
  /** The element type. */
  using value_type = std::uint8_t;

  /** An empty view. */
  constexpr Bytes() noexcept = default;

  /** A view of `size` bytes at `data`. */
  Bytes(const void *data, std::size_t size) noexcept
      : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

  /**
   * A view of a container of single-byte elements, such as std::vector, std::array, std::string or
   * std::span.
   */
  template <class Container,
            class Element = std::remove_pointer_t<decltype(std::declval<Container &>().data())>,
            class = std::enable_if_t<
                sizeof(Element) == 1 && std::is_trivially_copyable_v<Element> &&
                !std::is_same_v<std::decay_t<Container>, Bytes>>>
  Bytes(const Container &container) noexcept : Bytes(container.data(), container.size()) {}

  /** Pointer to the first byte; null if there are none. */
  constexpr const std::uint8_t *data() const noexcept { return data_; }
  /** The number of elements. */
  constexpr std::size_t size() const noexcept { return size_; }
  /** Whether it is empty. */
  constexpr bool empty() const noexcept { return size_ == 0; }
  /** Iterator to the first element. */
  constexpr const std::uint8_t *begin() const noexcept { return data_; }
  /** Iterator past the last element. */
  constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
  /** The byte at `index`, which must be less than size(). */
  constexpr std::uint8_t operator[](std::size_t index) const noexcept { return data_[index]; }

 private:
  const std::uint8_t *data_ = nullptr;
  std::size_t size_ = 0;
};

/**
 * A duration of any std::chrono type, rounded up to milliseconds. Negative values become 0; the
 * maximum is 285,000 years.
 */
class Duration {
 public:
  /** Converts a duration. */
  template <class Rep, class Period>
  Duration(std::chrono::duration<Rep, Period> time) noexcept {
    constexpr double longest = 9e15;
    const double exact = std::chrono::duration<double, std::milli>(time).count();
    if (exact > 0) {
      milliseconds_ = static_cast<std::uint64_t>(exact < longest ? std::ceil(exact) : longest);
    }
  }

  /** Returns the duration in milliseconds. */
  std::uint64_t milliseconds() const noexcept { return milliseconds_; }

 private:
  std::uint64_t milliseconds_ = 0;
};

/** The state of a budget. Amounts are exact US dollars, as decimal text. */
struct BudgetStatus {
  /** The limit. */
  std::string max_usd;
  /** The amount spent, including assumed_usd. */
  std::string spent_usd;
  /**
   * The part of spent_usd that may have been charged, or whose price is unknown; counted at its
   * reservation.
   */
  std::string assumed_usd;
  /** The amount reserved for calls in flight. */
  std::string reserved_usd;
  /** The amount left for further calls; "0" if the budget is closed. */
  std::string remaining_usd;
  /** Whether a call cost more than its reservation; no further call is allowed. */
  bool closed;
};

/** A call that may be charged and whose outcome nobody has received. */
struct Pending {
  /** The client request id of its last attempt; none if the call ended before it had one. */
  std::optional<std::string> client_request_id;
  /** How far that attempt came. */
  Phase phase;
  /** Whether it has ended and its outcome waits for Client::collect(). */
  bool ended;
};

/** What the vendor's usage log says about an attempt. */
struct Reconciled {
  /** Whether it was charged. not_charged: it failed at no cost and may be repeated. */
  Charge charge;
  /** The logged price in exact US dollars, as decimal text. */
  std::optional<std::string> usd_spent;
  /** The logged price in the vendor's credits, as decimal text. */
  std::optional<std::string> credits_used;
  /** The vendor's id of the inference. */
  std::optional<std::string> inference_id;
  /**
   * One line that says what to do next; for a charged attempt, with everything that a refund
   * request needs.
   */
  std::string message;
};

/** Returns the version of the loaded library. GPTIMAGE_VERSION is the header's. */
inline std::string_view version() noexcept { return gptimage_version(); }

// Internal: anything in here may change at any time.
namespace detail {

/** Converts the name of a charge. */
inline Charge charge(std::string_view word) noexcept {
  return word == "not_charged" ? Charge::not_charged
         : word == "charged"   ? Charge::charged
                               : Charge::unknown;
}

/** Copies a text; nullopt for NULL. */
inline std::optional<std::string> optional_copy(const char *text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

/** The id of this process, to detect a forked child. */
inline long process() noexcept {
#if __has_include(<unistd.h>)
  return static_cast<long>(::getpid());
#else
  return 0;
#endif
}

/** Frees a handle of any type. */
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

/** The outcome of a call. */
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

/**
 * Outcomes of a client's futures that nobody retrieved. They may have been paid for, so they are
 * kept.
 */
class UnclaimedOutcomes {
 public:
  using Outcomes = std::list<Outcome>;

  explicit UnclaimedOutcomes(std::size_t max_bytes) noexcept : max_bytes_(max_bytes) {}

  /** Moves the only element of `outcome` in. Drops the oldest outcomes if there are too many. */
  void put(Outcomes &outcome) noexcept {
    const std::size_t bytes = outcome.front().bytes();
    Outcomes lost;
    const std::lock_guard<std::mutex> lock(mutex_);
    outcomes_.splice(outcomes_.end(), outcome);
    bytes_ += bytes;
    while (bytes_ > max_bytes_ && outcomes_.size() > 1) {
      bytes_ -= outcomes_.front().bytes();
      lost.splice(lost.end(), outcomes_, outcomes_.begin());
    }
  }

  /** Takes the oldest outcome; none if empty. */
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
  const std::size_t max_bytes_;
  std::mutex mutex_;
  Outcomes outcomes_;
  std::size_t bytes_ = 0;
};

/**
 * Travels with the value of a future. If the value is never retrieved, it goes back to the client.
 */
class RetrievalMark {
 public:
  explicit RetrievalMark(const std::shared_ptr<UnclaimedOutcomes> &unclaimed)
      : unclaimed_(unclaimed), outcome_(1) {}

  void mark_retrieved() noexcept { retrieved_.store(true, std::memory_order_relaxed); }

  /** Returns an outcome that nobody retrieved to the client; false if it is to be freed. */
  bool return_unclaimed(gptimage_generated_t *generated, gptimage_error_t *error) noexcept {
    const auto unclaimed = unclaimed_.lock();
    if (unclaimed == nullptr || retrieved_.load(std::memory_order_relaxed) || outcome_.empty() ||
        (error != nullptr && std::strcmp(gptimage_error_charge(error), "not_charged") == 0)) {
      return false;
    }
    outcome_.front().status = gptimage_error_status(error);
    outcome_.front().generated.reset(generated);
    outcome_.front().error.reset(error);
    unclaimed->put(outcome_);
    return true;
  }

 private:
  std::weak_ptr<UnclaimedOutcomes> unclaimed_;
  // Allocated now, because destructors must not allocate.
  UnclaimedOutcomes::Outcomes outcome_;
  std::atomic<bool> retrieved_{false};
};

/** Frees an outcome, or returns it to the client if nobody retrieved it. */
struct FreeOrReturn {
  std::shared_ptr<RetrievalMark> mark;

  void operator()(gptimage_generated_t *generated) const noexcept {
    if (mark == nullptr || !mark->return_unclaimed(generated, nullptr)) {
      gptimage_generated_free(generated);
    }
  }
  void operator()(gptimage_error_t *error) const noexcept {
    if (mark == nullptr || !mark->return_unclaimed(nullptr, error)) {
      gptimage_error_free(error);
    }
  }
};

template <class T>
using ResultHandle = std::unique_ptr<T, FreeOrReturn>;

/** A user's function that the library's thread calls and that may be replaced meanwhile. */
template <class... Arguments>
class Listener : public std::enable_shared_from_this<Listener<Arguments...>> {
 public:
  using Function = std::function<void(Arguments...)>;

  Listener() = default;
  explicit Listener(Function function) { replace(std::move(function)); }

  /** Replaces the function. On return the previous one is not running, unless it is the caller. */
  void replace(Function function) {
    // A call that was running in the parent of a fork never ends here.
    if (process_ != process()) {
      return;
    }
    auto before = function ? std::make_shared<Function>(std::move(function)) : nullptr;
    std::unique_lock<std::mutex> lock(mutex_);
    current_.swap(before);
    if (caller_thread_ != std::this_thread::get_id()) {
      ended_.wait(lock, [&] { return before == nullptr || running_ != before.get(); });
    }
  }

  void notify(Arguments... arguments) noexcept {
    std::shared_ptr<Function> function;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      function = current_;
      running_ = function.get();
      caller_thread_ = std::this_thread::get_id();
    }
    if (function != nullptr) {
      try {
        (*function)(arguments...);
      } catch (...) {
        // There is nobody to report it to.
      }
      function.reset();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      running_ = nullptr;
      caller_thread_ = std::thread::id();
    }
    ended_.notify_all();
  }

 private:
  const long process_ = process();
  std::mutex mutex_;
  std::condition_variable ended_;
  std::shared_ptr<Function> current_;
  const Function *running_ = nullptr;
  std::thread::id caller_thread_;
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
[[noreturn]] void raise(gptimage_status_t status, ResultHandle<gptimage_error_t> error);

/** Throws an InvalidArgumentError. */
[[noreturn]] void refuse(const std::string &message);

/** Calls a C function and throws its error. */
template <class Function, class... Arguments>
void call(Function function, Arguments... arguments) {
  gptimage_error_t *error = nullptr;
  const gptimage_status_t status = function(arguments..., &error);
  if (status != GPTIMAGE_STATUS_OK) {
    raise(status, ResultHandle<gptimage_error_t>(error));
  }
}

/** A NUL-terminated text. */
inline std::string text(std::string_view value, const char *name) {
  if (value.find('\0') != std::string_view::npos) {
    refuse(std::string(name) + " has a NUL in it");
  }
  return std::string(value);
}

/** A NUL-terminated path. */
inline std::string path_text(const std::filesystem::path &path, const char *name) {
#ifdef _WIN32
  const auto utf8 = path.u8string();
  return text(std::string(utf8.begin(), utf8.end()), name);
#else
  return text(path.native(), name);
#endif
}

/** A deadline in milliseconds. 0 would mean no deadline, so it is refused. */
inline std::uint64_t deadline(Duration time) {
  if (time.milliseconds() == 0) {
    refuse("deadline must be longer than nothing");
  }
  return time.milliseconds();
}

}  // namespace detail

/** A view of one image of a result. Lives as long as the result. */
class Image {
 public:
  /**
   * Returns the image's file if it is in memory; no bytes if it is in a file or at its URL. Valid
   * until the result is destroyed or Client::fetch() changes this image.
   */
  Bytes bytes() const noexcept {
    const gptimage_bytes_t bytes = gptimage_generated_image_bytes(generated_, index_);
    return Bytes(bytes.data, bytes.len);
  }

  /**
   * Returns the format, read from the bytes: "png", "jpeg" or "webp"; none if the image is still at
   * its URL.
   */
  std::optional<std::string_view> format() const noexcept {
    return detail::optional_view(gptimage_generated_image_format(generated_, index_));
  }

  /** Returns the width in pixels, read from the bytes; 0 if the image is still at its URL. */
  std::uint32_t width() const noexcept {
    return gptimage_generated_image_width(generated_, index_);
  }

  /** Returns the height in pixels, read from the bytes; 0 if the image is still at its URL. */
  std::uint32_t height() const noexcept {
    return gptimage_generated_image_height(generated_, index_);
  }

  /** Returns the URL that the server gave for the image, if it gave one. */
  std::optional<std::string_view> url() const noexcept {
    return detail::optional_view(gptimage_generated_image_url(generated_, index_));
  }

  /** Returns the file that the image was saved to by its call, if there is one. */
  std::optional<std::filesystem::path> path() const {
    const char *path = gptimage_generated_image_path(generated_, index_);
    return path == nullptr ? std::nullopt : std::optional(detail::path_of(path));
  }

  /** Returns the prompt as rewritten by the model, if the server stated it. */
  std::optional<std::string_view> revised_prompt() const noexcept {
    return detail::optional_view(gptimage_generated_image_revised_prompt(generated_, index_));
  }

  /**
   * Saves a copy and waits until it is written. If `to` is an existing folder or ends in "/", a
   * file name is generated; a missing extension is added; an existing file is refused unless
   * `overwrite` is true. The file appears under its name only when it is complete.
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

/** A view of the images of a result, for range-based loops. Lives as long as the result. */
class Images {
 public:
  /** An iterator over the images. */
  class Iterator {
   public:
    /** An input iterator, because it creates its values. */
    using iterator_category = std::input_iterator_tag;
    /** The value type. */
    using value_type = Image;
    /** The distance between two iterators. */
    using difference_type = std::ptrdiff_t;
    /** There is no pointer type. */
    using pointer = void;
    /** The value type. */
    using reference = Image;

    /** The image. */
    Image operator*() const noexcept { return Image(generated_, index_); }
    /** Advances to the next image. */
    Iterator &operator++() noexcept {
      ++index_;
      return *this;
    }
    /** Advances to the next image and returns the previous position. */
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++index_;
      return before;
    }
    /** Whether both are at the same image. */
    friend bool operator==(const Iterator &one, const Iterator &other) noexcept {
      return one.index_ == other.index_;
    }
    /** Whether they are at different images. */
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

  /** Iterator to the first element. */
  Iterator begin() const noexcept { return Iterator(generated_, 0); }
  /** Iterator past the last element. */
  Iterator end() const noexcept { return Iterator(generated_, size()); }
  /** The number of elements. */
  std::size_t size() const noexcept { return gptimage_generated_image_count(generated_); }
  /** Whether it is empty. */
  bool empty() const noexcept { return size() == 0; }
  /**
   * The image at `index`. If the index is out of range, an image whose getters return empty values.
   */
  Image operator[](std::size_t index) const noexcept { return Image(generated_, index); }

 private:
  friend class GeneratedView;
  explicit Images(const gptimage_generated_t *generated) noexcept : generated_(generated) {}

  const gptimage_generated_t *generated_;
};

class Generated;

/** A view of a result: the images of a call, their cost and the attempts. */
class GeneratedView {
 public:
  /** A view of nothing. */
  GeneratedView() noexcept = default;

  /** Returns the number of images. */
  std::size_t size() const noexcept { return gptimage_generated_image_count(retrieve()); }

  /** Returns the images. */
  Images images() const noexcept { return Images(retrieve()); }

  /** Returns the image at `index`. Throws InvalidArgumentError if the index is out of range. */
  Image image(std::size_t index = 0) const {
    if (index >= size()) {
      detail::refuse("there is no image " + std::to_string(index));
    }
    return Image(retrieve(), index);
  }

  /**
   * Returns the exact cost of the call in US dollars, as decimal text, if the server stated it.
   */
  std::optional<std::string> usd_spent() const {
    return detail::optional_text(gptimage_generated_usd_spent(retrieve()));
  }

  /** Returns the exact cost of the call in the vendor's credits, if the server stated it. */
  std::optional<std::string> credits_used() const {
    return detail::optional_text(gptimage_generated_credits_used(retrieve()));
  }

  /** Returns the vendor's id of the inference, if it is known. */
  std::optional<std::string_view> inference_id() const noexcept {
    return detail::optional_view(gptimage_generated_inference_id(retrieve()));
  }

  /** Returns the client request id of the successful attempt. */
  std::optional<std::string_view> client_request_id() const noexcept {
    return detail::optional_view(gptimage_generated_client_request_id(retrieve()));
  }

  /** Returns the number of attempts, including the successful one. */
  std::size_t attempts() const noexcept { return gptimage_generated_attempt_count(retrieve()); }

  /**
   * Returns the result as a JSON object, without pixels. Valid until Client::fetch() changes the
   * result.
   */
  std::string_view json() const noexcept {
    return detail::view(gptimage_generated_json(retrieve()));
  }

  /**
   * Returns a copy, for example of an error's result, whose images Client::fetch() can download.
   * Bytes in memory are shared.
   */
  Generated copy() const;

 protected:
  /** A view of this result. */
  explicit GeneratedView(const gptimage_generated_t *generated,
                         detail::RetrievalMark *mark = nullptr) noexcept
      : generated_(generated), mark_(mark) {}

 private:
  friend class Error;

  // Returns the result, which counts as retrieved from now on.
  const gptimage_generated_t *retrieve() const noexcept {
    if (mark_ != nullptr) {
      mark_->mark_retrieved();
    }
    return generated_;
  }

  const gptimage_generated_t *generated_ = nullptr;
  detail::RetrievalMark *mark_ = nullptr;
};

/** The result of a call: the images, their cost and the attempts. */
class Generated : public GeneratedView {
 public:
  /**
   * Creates a result with one image at the URL that the server gave for it earlier. Client::fetch()
   * downloads it.
   */
  static Generated from_url(std::string_view url) {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_generated_from_url, detail::text(url, "url").c_str(), &generated);
    return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
  }

  /** Moves the other object in. */
  Generated(Generated &&other) noexcept
      : GeneratedView(std::exchange(static_cast<GeneratedView &>(other), GeneratedView())),
        generated_(std::move(other.generated_)) {}

  /** Moves the other object in. */
  Generated &operator=(Generated &&other) noexcept {
    Generated taken(std::move(other));
    std::swap(static_cast<GeneratedView &>(*this), static_cast<GeneratedView &>(taken));
    std::swap(generated_, taken.generated_);
    return *this;
  }

  /** Frees the result, and every view of it becomes invalid. */
  ~Generated() = default;

  /** Returns the images. */
  Images images() const &noexcept { return GeneratedView::images(); }
  /** Deleted: the images of a temporary result would be dangling. */
  Images images() const && = delete;

 private:
  friend class Client;
  friend class GeneratedView;
  friend class Job;

  explicit Generated(detail::ResultHandle<gptimage_generated_t> generated) noexcept
      : GeneratedView(generated.get(), generated.get_deleter().mark.get()),
        generated_(std::move(generated)) {}

  detail::ResultHandle<gptimage_generated_t> generated_;
};

inline Generated GeneratedView::copy() const {
  return Generated(detail::ResultHandle<gptimage_generated_t>(gptimage_generated_copy(retrieve())));
}

/** Why a call failed and what it cost. Each kind has a derived class. */
class Error : public std::runtime_error {
 public:
  /** Returns one line that says what went wrong and what to do next. It never contains the key. */
  const char *what() const noexcept override {
    retrieve();
    return std::runtime_error::what();
  }

  /** Returns the status number of the kind, a GPTIMAGE_STATUS_ constant. */
  gptimage_status_t status() const noexcept {
    retrieve();
    return status_;
  }

  /** Returns the stable name of the kind, such as "rate_limited". */
  std::string_view kind() const noexcept { return gptimage_status_name(status()); }

  /** Returns whether money was spent by any attempt. */
  Charge charge() const noexcept { return detail::charge(gptimage_error_charge(retrieve())); }

  /** Returns the HTTP status of the response, if there was one. */
  std::optional<std::uint16_t> http_status() const noexcept {
    const std::uint16_t status = gptimage_error_http_status(retrieve());
    return status == 0 ? std::nullopt : std::optional(status);
  }

  /** Returns how long the server asks to wait, if it says so. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    const std::int64_t wait = gptimage_error_retry_after_ms(retrieve());
    return wait < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(wait));
  }

  /** Returns the client request id of the last attempt, by which the vendor can find it. */
  std::optional<std::string_view> client_request_id() const noexcept {
    return detail::optional_view(gptimage_error_client_request_id(retrieve()));
  }

  /** Returns the vendor's id of the last attempt's inference, if it is known. */
  std::optional<std::string_view> inference_id() const noexcept {
    return detail::optional_view(gptimage_error_inference_id(retrieve()));
  }

  /** Returns the violated rules. */
  std::vector<Violation> violations() const {
    std::vector<Violation> violations(gptimage_error_violation_count(retrieve()));
    for (std::size_t index = 0; index < violations.size(); ++index) {
      const gptimage_violation_t one = gptimage_error_violation(error_.get(), index);
      violations[index] = Violation{detail::view(one.param), detail::view(one.rule),
                                    detail::view(one.given), detail::view(one.message)};
    }
    return violations;
  }

  /**
   * Returns the images that were paid for and arrived despite the error, if there are any. An image
   * that was not downloaded is listed with its URL. Lives as long as the error and its copies.
   */
  std::optional<GeneratedView> generated() const noexcept {
    const gptimage_generated_t *generated = gptimage_error_generated(retrieve());
    return generated == nullptr ? std::nullopt : std::optional(GeneratedView(generated));
  }

  /** Returns a response that could not be used, without its images and cut at 64 KiB. */
  std::optional<std::string_view> response_body() const noexcept {
    return detail::optional_view(gptimage_error_response_body(retrieve()));
  }

  /**
   * Returns the path of the file that holds a whole response that could not be used: next to the
   * output file, or in the salvage folder. The file is not removed.
   */
  std::optional<std::string_view> response_file() const noexcept {
    return detail::optional_view(gptimage_error_response_file(retrieve()));
  }

  /**
   * Returns a whole response that could not be used, if there was no folder for response_file();
   * otherwise empty. Lives as long as the error.
   */
  std::string_view response_bytes() const noexcept {
    const gptimage_bytes_t bytes = gptimage_error_response_bytes(retrieve());
    return {reinterpret_cast<const char *>(bytes.data), bytes.len};
  }

  /**
   * Returns the id of the task that the gateway returned instead of images. Ask the gateway for its
   * outcome.
   */
  std::optional<std::string_view> task_id() const noexcept {
    return detail::optional_view(gptimage_error_task_id(retrieve()));
  }

  /**
   * Returns the error as a JSON object, with every attempt and at most 64 KiB of the response,
   * without images.
   */
  std::string_view json() const noexcept { return detail::view(gptimage_error_json(retrieve())); }

  /** Used by the library only. */
  Error(gptimage_status_t status, std::shared_ptr<gptimage_error_t> error, const char *message,
        std::shared_ptr<detail::RetrievalMark> mark)
      : std::runtime_error(message),
        status_(status),
        error_(std::move(error)),
        mark_(std::move(mark)) {}

 private:
  // Returns the error, which counts as retrieved from now on.
  const gptimage_error_t *retrieve() const noexcept {
    if (mark_ != nullptr) {
      mark_->mark_retrieved();
    }
    return error_.get();
  }

  gptimage_status_t status_;
  std::shared_ptr<gptimage_error_t> error_;
  std::shared_ptr<detail::RetrievalMark> mark_;
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

// The table of errors, first half: a class for each status of gptimage.h.

/**
 * An invalid argument: a moved-from object, text that is not UTF-8, a NUL in a text, or an index
 * out of range.
 */
class InvalidArgumentError : public detail::ErrorOf<GPTIMAGE_STATUS_INVALID_ARGUMENT> {
  using ErrorOf::ErrorOf;
};

/** The request violates rules, which Error::violations() lists. Nothing was sent. */
class InvalidRequestError : public detail::ErrorOf<GPTIMAGE_STATUS_INVALID_REQUEST> {
  using ErrorOf::ErrorOf;
};

/** A key, URL, header, proxy or trust store that cannot be used. */
class ConfigError : public detail::ErrorOf<GPTIMAGE_STATUS_CONFIG> {
  using ErrorOf::ErrorOf;
};

/**
 * A local file cannot be read or written. An existing output file is refused before anything is
 * sent.
 */
class IoError : public detail::ErrorOf<GPTIMAGE_STATUS_IO> {
  using ErrorOf::ErrorOf;
};

/** The request was provably not delivered completely: nothing was charged. */
class ConnectionError : public detail::ErrorOf<GPTIMAGE_STATUS_CONNECTION> {
  using ErrorOf::ErrorOf;
};

/**
 * The request was sent completely and no conclusive response was received: it may have been
 * charged.
 */
class OutcomeUnknownError : public detail::ErrorOf<GPTIMAGE_STATUS_OUTCOME_UNKNOWN> {
  using ErrorOf::ErrorOf;
};

/** Cancelled by a token or by Job::cancel(). */
class CancelledError : public detail::ErrorOf<GPTIMAGE_STATUS_CANCELLED> {
  using ErrorOf::ErrorOf;
};

/** A 4xx status that no other class represents. */
class BadRequestError : public detail::ErrorOf<GPTIMAGE_STATUS_BAD_REQUEST> {
  using ErrorOf::ErrorOf;
};

/** 401: the key is missing or invalid. */
class AuthenticationError : public detail::ErrorOf<GPTIMAGE_STATUS_AUTHENTICATION> {
  using ErrorOf::ErrorOf;
};

/** 403: the key is not allowed to do this. */
class PermissionDeniedError : public detail::ErrorOf<GPTIMAGE_STATUS_PERMISSION_DENIED> {
  using ErrorOf::ErrorOf;
};

/** 402, or a refusal that says so: the account has no credits left. */
class InsufficientCreditsError : public detail::ErrorOf<GPTIMAGE_STATUS_INSUFFICIENT_CREDITS> {
  using ErrorOf::ErrorOf;
};

/** 404: no such route or model. */
class NotFoundError : public detail::ErrorOf<GPTIMAGE_STATUS_NOT_FOUND> {
  using ErrorOf::ErrorOf;
};

/** Moderation refused the prompt or an image. */
class ModerationBlockedError : public detail::ErrorOf<GPTIMAGE_STATUS_MODERATION_BLOCKED> {
  using ErrorOf::ErrorOf;
};

/** 429: too many requests. */
class RateLimitedError : public detail::ErrorOf<GPTIMAGE_STATUS_RATE_LIMITED> {
  using ErrorOf::ErrorOf;
};

/** A 5xx in the gateway's own error format. Documented as unbilled; the charge stays unknown. */
class ServerError : public detail::ErrorOf<GPTIMAGE_STATUS_SERVER> {
  using ErrorOf::ErrorOf;
};

/** A successful response that cannot be used. It was charged, or may have been. */
class ResponseInvalidError : public detail::ErrorOf<GPTIMAGE_STATUS_RESPONSE_INVALID> {
  using ErrorOf::ErrorOf;
};

/** The image was paid for and is at its URL, but could not be downloaded. */
class DownloadFailedError : public detail::ErrorOf<GPTIMAGE_STATUS_DOWNLOAD_FAILED> {
  using ErrorOf::ErrorOf;
};

/** The budget does not allow the call. */
class BudgetExceededError : public detail::ErrorOf<GPTIMAGE_STATUS_BUDGET_EXCEEDED> {
  using ErrorOf::ErrorOf;
};

/** A bug in the library. */
class InternalError : public detail::ErrorOf<GPTIMAGE_STATUS_INTERNAL> {
  using ErrorOf::ErrorOf;
};

namespace detail {

template <class... Classes>
[[noreturn]] void raise_as(gptimage_status_t status, std::shared_ptr<gptimage_error_t> error,
                           const char *message, std::shared_ptr<RetrievalMark> mark) {
  // The class with this number.
  ((status == Classes::number ? throw Classes(status, error, message, mark) : void()), ...);
  // A number that only a newer library knows.
  throw Error(status, std::move(error), message, std::move(mark));
}

// The table of errors, second half: the same classes.
[[noreturn]] inline void raise_message(gptimage_status_t status,
                                       std::shared_ptr<gptimage_error_t> error,
                                       const char *message, std::shared_ptr<RetrievalMark> mark) {
  raise_as<InvalidArgumentError, InvalidRequestError, ConfigError, IoError, ConnectionError,
           OutcomeUnknownError, CancelledError, BadRequestError, AuthenticationError,
           PermissionDeniedError, InsufficientCreditsError, NotFoundError, ModerationBlockedError,
           RateLimitedError, ServerError, ResponseInvalidError, DownloadFailedError,
           BudgetExceededError, InternalError>(status, std::move(error), message,
                                               std::move(mark));
}

[[noreturn]] inline void raise(gptimage_status_t status, ResultHandle<gptimage_error_t> error) {
  auto mark = error.get_deleter().mark;
  const char *message = gptimage_error_message(error.get());
  raise_message(status, std::shared_ptr<gptimage_error_t>(std::move(error)), message,
                std::move(mark));
}

[[noreturn]] inline void refuse(const std::string &message) {
  raise_message(GPTIMAGE_STATUS_INVALID_ARGUMENT, nullptr, message.c_str(), nullptr);
}

}  // namespace detail

/**
 * A limit on the total cost of calls, in US dollars. May be shared by any number of clients and
 * threads. A call that does not fit throws BudgetExceededError, and nothing is sent.
 */
class Budget {
 public:
  /**
   * Creates a budget of `max_usd`, as decimal text such as "5.00". Each image of a call reserves
   * 0.50.
   */
  explicit Budget(std::string_view max_usd) : Budget(detail::text(max_usd, "max_usd"), nullptr) {}

  /** Creates a budget; `max_usd_per_call` is the highest price of one call with all its images. */
  Budget(std::string_view max_usd, std::string_view max_usd_per_call)
      : Budget(detail::text(max_usd, "max_usd"),
               detail::text(max_usd_per_call, "max_usd_per_call").c_str()) {}

  /** Returns the current state. */
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

/**
 * The configuration of a client. Setters can be chained; all values are validated when a client is
 * created.
 */
class Config {
 public:
  /**
   * Reads the key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY,
   * in this order; AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE); all other values have
   * their defaults.
   */
  Config() : config_(gptimage_config_new()) {}

  /** Sets the API key. It is sent only to the origin of the base URL, and never printed. */
  Config &api_key(std::string_view key) & {
    return set(gptimage_config_set_api_key, detail::text(key, "key").c_str());
  }
  /** @overload */
  Config &&api_key(std::string_view key) && { return std::move(api_key(key)); }

  /**
   * Sets the base URL of the API: https, or http on this machine, with or without "/v1". A URL that
   * ends in "#" is used exactly as it is.
   */
  Config &base_url(std::string_view url) & {
    return set(gptimage_config_set_base_url, detail::text(url, "url").c_str());
  }
  /** @overload */
  Config &&base_url(std::string_view url) && { return std::move(base_url(url)); }

  /**
   * Sets whether plain http to another machine is allowed, which exposes the key to the network.
   * Default: false.
   */
  Config &allow_http(bool allow) & { return set(gptimage_config_set_allow_http, allow ? 1 : 0); }
  /** @overload */
  Config &&allow_http(bool allow) && { return std::move(allow_http(allow)); }

  /**
   * Sets the maximum duration of a call, including all attempts and waits. Throws
   * InvalidArgumentError unless it is greater than zero. Default: no limit.
   */
  Config &deadline(Duration deadline) & {
    return set(gptimage_config_set_deadline_ms, detail::deadline(deadline));
  }
  /** @overload */
  Config &&deadline(Duration deadline) && { return std::move(this->deadline(deadline)); }

  /**
   * Sets the maximum number of attempts of a call, including the first. Only an attempt that
   * provably cost nothing is retried. Default: 3.
   */
  Config &max_attempts(std::uint32_t attempts) & {
    return set(gptimage_config_set_max_attempts, attempts);
  }
  /** @overload */
  Config &&max_attempts(std::uint32_t attempts) && { return std::move(max_attempts(attempts)); }

  /** Sets a timer by name. gptimage_config_set_timer_ms() lists the names and defaults. */
  Config &timer(std::string_view name, Duration value) & {
    return set(gptimage_config_set_timer_ms, detail::text(name, "name").c_str(),
               value.milliseconds());
  }
  /** @overload */
  Config &&timer(std::string_view name, Duration value) && {
    return std::move(timer(name, value));
  }

  /** Sets a file (PEM or DER) or folder of certificates to trust in addition to the system's. */
  Config &ca_file(const std::filesystem::path &file) & {
    return set(gptimage_config_set_ca_file, detail::path_text(file, "file").c_str());
  }
  /** @overload */
  Config &&ca_file(const std::filesystem::path &file) && { return std::move(ca_file(file)); }

  /**
   * Sets a proxy for all requests, including those to this machine, such as "http://host:3128" or
   * "socks5h://host:1080"; "" for no proxy. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and
   * NO_PROXY decide, never for this machine. A proxy that cannot be used throws ConfigError when a
   * client is created.
   */
  Config &proxy(std::string_view url) & {
    return set(gptimage_config_set_proxy, detail::text(url, "url").c_str());
  }
  /** @overload */
  Config &&proxy(std::string_view url) && { return std::move(proxy(url)); }

  /**
   * Adds a header to every request to the gateway. It is never sent to the servers that images are
   * downloaded from.
   */
  Config &header(std::string_view name, std::string_view value) & {
    return set(gptimage_config_add_header, detail::text(name, "name").c_str(),
               detail::text(value, "value").c_str());
  }
  /** @overload */
  Config &&header(std::string_view name, std::string_view value) && {
    return std::move(header(name, value));
  }

  /** Sets whether images that arrive as URLs are downloaded at once. Default: true. */
  Config &fetch(bool fetch) & { return set(gptimage_config_set_fetch, fetch ? 1 : 0); }
  /** @overload */
  Config &&fetch(bool fetch) && { return std::move(this->fetch(fetch)); }

  /**
   * Sets whether a 5xx in the gateway's own error format is retried, which may be charged twice.
   * Default: false.
   */
  Config &retry_server_errors(bool retry) & {
    return set(gptimage_config_set_retry_server_errors, retry ? 1 : 0);
  }
  /** @overload */
  Config &&retry_server_errors(bool retry) && { return std::move(retry_server_errors(retry)); }

  /**
   * Sets whether a call that is cancelled after it was sent is aborted. Default: false: it
   * continues, and Client::collect() returns its outcome.
   */
  Config &abort_on_cancel(bool abort) & {
    return set(gptimage_config_set_abort_on_cancel, abort ? 1 : 0);
  }
  /** @overload */
  Config &&abort_on_cancel(bool abort) && { return std::move(abort_on_cancel(abort)); }

  /**
   * Sets the maximum size of images kept in memory for Client::collect(). Default: 256 MiB. Does
   * not apply to futures that nobody retrieved: a client always keeps up to 256 MiB of those.
   */
  Config &salvage_max_bytes(std::uint64_t bytes) & {
    return set(gptimage_config_set_salvage_max_bytes, bytes);
  }
  /** @overload */
  Config &&salvage_max_bytes(std::uint64_t bytes) && {
    return std::move(salvage_max_bytes(bytes));
  }

  /**
   * Sets a folder that keeps the outcomes of calls whose callers are gone, instead of memory: any
   * client with this folder can collect them, also in another process. Default: none.
   */
  Config &salvage_folder(const std::filesystem::path &folder) & {
    return set(gptimage_config_set_salvage_folder, detail::path_text(folder, "folder").c_str());
  }
  /** @overload */
  Config &&salvage_folder(const std::filesystem::path &folder) && {
    return std::move(salvage_folder(folder));
  }

  /**
   * Sets a budget for the calls of the client, which it shares with every other client of this
   * budget. Default: no limit.
   */
  Config &budget(const Budget &budget) & {
    const gptimage_budget_t *shared = budget.budget_.get();
    return set(gptimage_config_set_budget, shared);
  }
  /** @overload */
  Config &&budget(const Budget &budget) && { return std::move(this->budget(budget)); }

  /** Sets the maximum size of an image in bytes. Default: 64 MiB. */
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

/** The C functions of generate requests. */
struct GenerateFunctions {
  using Request = gptimage_generate_request_t;
  static constexpr auto make = gptimage_generate_request_new;
  static constexpr auto set = gptimage_generate_request_set;
  static constexpr auto set_extra = gptimage_generate_request_set_extra;
  static constexpr auto set_deadline = gptimage_generate_request_set_deadline_ms;
  static constexpr auto set_overwrite = gptimage_generate_request_set_overwrite;
  static constexpr auto set_structural_rules = gptimage_generate_request_set_structural_rules;
};

/** The C functions of edit requests. */
struct EditFunctions {
  using Request = gptimage_edit_request_t;
  static constexpr auto make = gptimage_edit_request_new;
  static constexpr auto set = gptimage_edit_request_set;
  static constexpr auto set_extra = gptimage_edit_request_set_extra;
  static constexpr auto set_deadline = gptimage_edit_request_set_deadline_ms;
  static constexpr auto set_overwrite = gptimage_edit_request_set_overwrite;
  static constexpr auto set_structural_rules = gptimage_edit_request_set_structural_rules;
};

/**
 * The parameters that both kinds of requests have. Parameters that are not set are not sent; the
 * server has defaults for them. All values are validated together when the request is sent.
 */
template <class Self, class Functions>
class Request {
 public:
  /** Sets the model. Default: "openai/gpt-image-2". */
  Self &model(std::string_view model) & { return set("model", model); }
  /** @overload */
  Self &&model(std::string_view model) && { return std::move(set("model", model)); }

  /**
   * Sets the width × height in pixels: "1024x1024", "1024x1536" or "1536x1024". Server default:
   * "1024x1024".
   */
  Self &size(std::string_view size) & { return set("size", size); }
  /** @overload */
  Self &&size(std::string_view size) && { return std::move(set("size", size)); }

  /** Sets the quality: "low", "medium" or "high". Server default: "medium". */
  Self &quality(std::string_view quality) & { return set("quality", quality); }
  /** @overload */
  Self &&quality(std::string_view quality) && { return std::move(set("quality", quality)); }

  /** Sets the file format: "png", "jpeg" or "webp". Server default: "png". */
  Self &output_format(std::string_view format) & { return set("output_format", format); }
  /** @overload */
  Self &&output_format(std::string_view format) && {
    return std::move(set("output_format", format));
  }

  /**
   * Sets the background: "auto", "transparent" (png and webp only) or "opaque". Server default:
   * "auto".
   */
  Self &background(std::string_view background) & { return set("background", background); }
  /** @overload */
  Self &&background(std::string_view background) && {
    return std::move(set("background", background));
  }

  /** Sets how the server returns images: "url" or "b64_json". Server default: "url". */
  Self &response_format(std::string_view format) & { return set("response_format", format); }
  /** @overload */
  Self &&response_format(std::string_view format) && {
    return std::move(set("response_format", format));
  }

  /** Sets the number of images: exactly 1 for generate, 1 to 10 for edit. Server default: 1. */
  Self &n(std::int64_t n) & { return set("n", std::to_string(n)); }
  /** @overload */
  Self &&n(std::int64_t n) && { return std::move(set("n", std::to_string(n))); }

  /** Sets the quality of jpeg and webp files in percent, 0 to 100. Server default: 100. */
  Self &output_compression(std::int64_t percent) & {
    return set("output_compression", std::to_string(percent));
  }
  /** @overload */
  Self &&output_compression(std::int64_t percent) && {
    return std::move(set("output_compression", std::to_string(percent)));
  }

  /** Sets a parameter by the API's name, also one that this header does not declare. */
  Self &set(std::string_view name, std::string_view value) & {
    return change(Functions::set, text(name, "name").c_str(),
                  text(value, std::string(name).c_str()).c_str());
  }
  /** @overload */
  Self &&set(std::string_view name, std::string_view value) && {
    return std::move(set(name, value));
  }

  /** Adds fields that the API's documentation does not have, as a JSON object. */
  Self &extra(std::string_view json) & {
    return change(Functions::set_extra, text(json, "json").c_str());
  }
  /** @overload */
  Self &&extra(std::string_view json) && { return std::move(extra(json)); }

  /**
   * Sets the maximum duration of a call of this request. Throws InvalidArgumentError unless it is
   * greater than zero. Default: the client's deadline.
   */
  Self &deadline(Duration deadline) & {
    return change(Functions::set_deadline, detail::deadline(deadline));
  }
  /** @overload */
  Self &&deadline(Duration deadline) && { return std::move(this->deadline(deadline)); }

  /** Sets whether an existing output file may be replaced. Default: false. */
  Self &overwrite(bool overwrite) & {
    return change(Functions::set_overwrite, overwrite ? 1 : 0);
  }
  /** @overload */
  Self &&overwrite(bool overwrite) && { return std::move(this->overwrite(overwrite)); }

  /**
   * Sets whether only values that no server could accept are refused, to allow values that the API
   * introduced after this version of the library. Default: false.
   */
  Self &structural_rules(bool on) & {
    return change(Functions::set_structural_rules, on ? 1 : 0);
  }
  /** @overload */
  Self &&structural_rules(bool on) && { return std::move(structural_rules(on)); }

 protected:
  /** A request with only a prompt. */
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

  /** The request; null if it was moved from. */
  const typename Functions::Request *get() const noexcept { return request_.get(); }

 private:
  Handle<typename Functions::Request> request_;
};

}  // namespace detail

/** A request to make an image. Setters can be chained; it may be sent more than once. */
class GenerateRequest : public detail::Request<GenerateRequest, detail::GenerateFunctions> {
 public:
  /** Creates a request. `prompt` describes the image in 1 to 32,000 characters. */
  explicit GenerateRequest(std::string_view prompt) : Request(prompt) {}

  /** Sets the moderation level: "auto" or "low". Server default: "auto". */
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

/** A request to edit images. Setters can be chained; it may be sent more than once. */
class EditRequest : public detail::Request<EditRequest, detail::EditFunctions> {
 public:
  /** Creates a request. `prompt` describes the image in 1 to 32,000 characters. */
  explicit EditRequest(std::string_view prompt) : Request(prompt) {}

  /**
   * Adds an image by path, after those added before; 1 to 16 in all. The file must be a PNG, JPEG
   * or WebP of at most 50 MB. It is streamed from disk when the request is sent.
   */
  EditRequest &add_image(const std::filesystem::path &file) & {
    return change(gptimage_edit_request_add_image_path, detail::path_text(file, "image").c_str());
  }
  /** @overload */
  EditRequest &&add_image(const std::filesystem::path &file) && {
    return std::move(add_image(file));
  }

  /** Adds an image from memory; the bytes are copied. */
  EditRequest &add_image_bytes(Bytes bytes) & {
    return change(gptimage_edit_request_add_image_bytes, bytes.data(), bytes.size());
  }
  /** @overload */
  EditRequest &&add_image_bytes(Bytes bytes) && { return std::move(add_image_bytes(bytes)); }

  /**
   * Sets the mask by path: a PNG under 4 MB with the dimensions of the first image. That image is
   * edited where the mask is transparent.
   */
  EditRequest &mask(const std::filesystem::path &file) & {
    return change(gptimage_edit_request_set_mask_path, detail::path_text(file, "mask").c_str());
  }
  /** @overload */
  EditRequest &&mask(const std::filesystem::path &file) && { return std::move(mask(file)); }

  /** Sets the mask from memory; the bytes are copied. */
  EditRequest &mask_bytes(Bytes bytes) & {
    return change(gptimage_edit_request_set_mask_bytes, bytes.data(), bytes.size());
  }
  /** @overload */
  EditRequest &&mask_bytes(Bytes bytes) && { return std::move(mask_bytes(bytes)); }

 private:
  friend class Client;
};

/** Cancels calls from another thread. A cancelled token stays cancelled. */
class CancelToken {
 public:
  /** Creates a token. May be destroyed at any time: calls keep what they need of it. */
  CancelToken() : token_(gptimage_cancel_token_new()) {}

  /** Cancels every call that uses this token. May be called from any thread and more than once. */
  void cancel() const noexcept { gptimage_cancel_token_cancel(token_.get()); }

 private:
  friend class Client;
  detail::Handle<gptimage_cancel_token_t> token_;
};

/**
 * A running call. Destroying it cancels it; a request that may already be charged continues, and
 * Client::collect() returns its outcome.
 */
class Job {
 public:
  /** Moves the other object in. */
  Job(Job &&other) noexcept = default;

  /** Moves the other object in; the previous content is destroyed. */
  Job &operator=(Job &&other) noexcept {
    Job taken(std::move(other));
    std::swap(ended_, taken.ended_);
    std::swap(job_, taken.job_);
    return *this;
  }

  /**
   * Cancels the job if it has not ended. Afterwards its function is not running and is never called
   * again.
   */
  ~Job() = default;

  /** Waits until the job has ended and takes its result. The result can be taken once. */
  Generated wait() const {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_job_wait, job_.get(), std::uint64_t{GPTIMAGE_WAIT_FOREVER}, &generated);
    return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
  }

  /**
   * Like wait(), for at most `timeout`; 0 only checks. Returns nothing if the job has not ended.
   */
  std::optional<Generated> wait_for(Duration timeout) const {
    gptimage_generated_t *generated = nullptr;
    gptimage_error_t *error = nullptr;
    const gptimage_status_t status =
        gptimage_job_wait(job_.get(), timeout.milliseconds(), &generated, &error);
    if (status == GPTIMAGE_STATUS_OK) {
      return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
    }
    detail::ResultHandle<gptimage_error_t> owned(error);
    if (status == GPTIMAGE_STATUS_PENDING) {
      return std::nullopt;
    }
    detail::raise(status, std::move(owned));
  }

  /**
   * Cancels the job. It ends at once, with a CancelledError or with its result if it had one. A
   * request that may already be charged continues (unless Config::abort_on_cancel() is set), and
   * Client::collect() returns its outcome.
   */
  void cancel() const noexcept { gptimage_job_cancel(job_.get()); }

  /** Returns how far the job is. */
  Phase phase() const noexcept { return static_cast<Phase>(gptimage_job_phase(job_.get())); }

 private:
  friend class Client;

  Job(detail::Handle<gptimage_job_t> job, std::shared_ptr<detail::EndListener> ended) noexcept
      : ended_(std::move(ended)), job_(std::move(job)) {}

  // Declared before the job, so destroyed after it: then the function is not running any more.
  std::shared_ptr<detail::EndListener> ended_;
  detail::Handle<gptimage_job_t> job_;
};

/** Makes and edits images. May be shared by any number of threads. */
class Client {
 public:
  /** Creates a client with the configuration from the environment. */
  Client() : Client(nullptr) {}

  /** Creates a client with this configuration. */
  explicit Client(const Config &config) : Client(moved_from(config.config_.get())) {}

  /** Moves the other object in. */
  Client(Client &&other) noexcept = default;

  /** Moves the other object in; the previous content is destroyed. */
  Client &operator=(Client &&other) noexcept {
    Client taken(std::move(other));
    std::swap(unclaimed_, taken.unclaimed_);
    std::swap(progress_, taken.progress_);
    std::swap(client_, taken.client_);
    return *this;
  }

  /**
   * May be destroyed at any time: jobs and futures in flight continue. Afterwards its progress
   * function is not running and is never called again. Outcomes that were not collected are lost.
   */
  ~Client() = default;

  /** Makes an image, keeps it in memory, and waits for the result. */
  Generated generate(const GenerateRequest &request) const {
    return run(gptimage_client_generate, request.get(), nullptr);
  }

  /** Like generate(); throws CancelledError when the token is cancelled. */
  Generated generate(const GenerateRequest &request, const CancelToken &cancel) const {
    return run(gptimage_client_generate, request.get(), cancel.token_.get());
  }

  /** Edits images, keeps the results in memory, and waits for them. */
  Generated edit(const EditRequest &request) const {
    return run(gptimage_client_edit, request.get(), nullptr);
  }

  /** Like edit(); throws CancelledError when the token is cancelled. */
  Generated edit(const EditRequest &request, const CancelToken &cancel) const {
    return run(gptimage_client_edit, request.get(), cancel.token_.get());
  }

  /**
   * Makes an image, saves it to a file while it arrives, and waits for the result. If `to` is an
   * existing folder or ends in "/", a file name is generated; a missing extension is added; an
   * existing file is refused before anything is sent. The file appears under its name only when it
   * is complete.
   */
  Generated generate_to(const GenerateRequest &request, const std::filesystem::path &to) const {
    return run_to(gptimage_client_generate_to, request.get(), to, nullptr);
  }

  /** Like generate_to(); throws CancelledError when the token is cancelled. */
  Generated generate_to(const GenerateRequest &request, const std::filesystem::path &to,
                        const CancelToken &cancel) const {
    return run_to(gptimage_client_generate_to, request.get(), to, cancel.token_.get());
  }

  /**
   * Edits images and saves the results to files, as generate_to() does; several images are
   * numbered.
   */
  Generated edit_to(const EditRequest &request, const std::filesystem::path &to) const {
    return run_to(gptimage_client_edit_to, request.get(), to, nullptr);
  }

  /** Like edit_to(); throws CancelledError when the token is cancelled. */
  Generated edit_to(const EditRequest &request, const std::filesystem::path &to,
                    const CancelToken &cancel) const {
    return run_to(gptimage_client_edit_to, request.get(), to, cancel.token_.get());
  }

  /**
   * Downloads an image of a result from its URL into memory and waits for it. An image that is in
   * memory or in a file already is left alone. Free of charge, and repeatable. Invalidates views of
   * `generated`. For an error's result, use a copy(); for a URL alone, Generated::from_url().
   */
  void fetch(Generated &generated, std::size_t index = 0) const {
    static_cast<void>(generated.size());
    detail::call(gptimage_client_fetch, client_.get(), generated.generated_.get(), index);
  }

  /**
   * Downloads an image of a result to a file or folder and waits for it. If `to` is an existing
   * folder or ends in "/", a file name is generated; a missing extension is added; an existing file
   * is refused unless `overwrite` is true. An image that is in memory or in a file already is left
   * alone, and a copy of it is saved. Otherwise like fetch().
   */
  void fetch_to(Generated &generated, const std::filesystem::path &to, bool overwrite = false,
                std::size_t index = 0) const {
    static_cast<void>(generated.size());
    const std::string file = detail::path_text(to, "to");
    detail::call(gptimage_client_fetch_to, client_.get(), generated.generated_.get(), index,
                 file.c_str(), overwrite ? 1 : 0);
  }

  /**
   * Returns the outcome of a call whose caller was gone (cancelled, past its deadline, its job
   * destroyed) after the request had been sent, or of a future that nobody retrieved: the result,
   * or throws the error that says what the call cost. Each outcome is returned once; nothing if
   * there is none. `wait` is the maximum time to wait for calls in flight whose callers are gone;
   * futures are not waited for.
   */
  std::optional<Generated> collect(Duration wait = std::chrono::milliseconds(0)) const {
    auto collected = collect_within(0);
    if (!collected && wait.milliseconds() > 0) {
      collected = collect_within(wait.milliseconds());
    }
    return collected;
  }

  /**
   * Lists the calls that may be charged and whose outcome nobody has received: attempts in flight
   * that the server may have, and outcomes that wait for collect(). Outcomes of futures that nobody
   * retrieved are not listed.
   */
  std::vector<Pending> pending() const {
    gptimage_pending_t *list = nullptr;
    detail::call(gptimage_client_pending, client_.get(), &list);
    const detail::Handle<gptimage_pending_t> owned(list);
    std::vector<Pending> pending;
    for (std::size_t index = 0; index < gptimage_pending_count(list); ++index) {
      const char *id = gptimage_pending_client_request_id(list, index);
      pending.push_back(Pending{detail::optional_copy(id),
                                    static_cast<Phase>(gptimage_pending_phase(list, index)),
                                    gptimage_pending_ended(list, index) != 0});
    }
    return pending;
  }

  /**
   * Looks up in the vendor's usage log whether an attempt was charged, and waits for the result.
   * Free of charge. `timeout` is the maximum time to wait for a missing log entry; 0 reads the log
   * once. Default: 60 s, whatever Config::timer() has for "usage_log". `period` is how far back the
   * log is read. A log that is absent, refuses access or lags behind leaves the charge unknown.
   */
  Reconciled reconcile(std::string_view client_request_id,
                       Duration timeout = std::chrono::seconds(60),
                       std::string_view period = "24h") const {
    gptimage_reconciled_t *reconciled = nullptr;
    detail::call(gptimage_client_reconcile, client_.get(),
                 detail::text(client_request_id, "client_request_id").c_str(),
                 detail::text(period, "period").c_str(), timeout.milliseconds(), &reconciled);
    const detail::Handle<gptimage_reconciled_t> owned(reconciled);
    return Reconciled{detail::charge(gptimage_reconciled_charge(reconciled)),
                      detail::optional_copy(gptimage_reconciled_usd_spent(reconciled)),
                      detail::optional_copy(gptimage_reconciled_credits_used(reconciled)),
                      detail::optional_copy(gptimage_reconciled_inference_id(reconciled)),
                      gptimage_reconciled_message(reconciled)};
  }

  /**
   * Starts making an image and returns at once. `ended`, if given, is called once when the job has
   * ended, which may be before this returns; Job::wait() then returns without waiting.
   */
  Job start_generate(const GenerateRequest &request, std::function<void()> ended = {}) const {
    return start(gptimage_client_start_generate, request.get(), std::move(ended));
  }

  /** Starts editing images and returns at once. Otherwise like start_generate(). */
  Job start_edit(const EditRequest &request, std::function<void()> ended = {}) const {
    return start(gptimage_client_start_edit, request.get(), std::move(ended));
  }

  /**
   * Starts making an image and returns at once. The future gets the result or the error. The future
   * and the client may be destroyed at any time: the call continues and is charged. An outcome that
   * nobody retrieves is returned by collect(), as long as the client exists. Use a Job for a call
   * that may have to be cancelled.
   */
  std::future<Generated> generate_async(const GenerateRequest &request) const {
    return promise(gptimage_client_start_generate, request.get());
  }

  /** Starts editing images and returns at once. Otherwise like generate_async(). */
  std::future<Generated> edit_async(const EditRequest &request) const {
    return promise(gptimage_client_start_edit, request.get());
  }

  /**
   * Sets a function that is called with the progress of all later calls of this client, at most
   * twenty times a second per call. Replaces the previous one; an empty function removes it.
   */
  void set_progress(std::function<void(const Progress &)> function) const {
    if (client_ == nullptr) {
      detail::refuse("client was moved from");
    }
    // The C callback is never removed again, so the order of two threads here does not matter.
    // Calls in flight do not report to the new function.
    gptimage_client_set_progress(client_.get(), report_progress, progress_.get());
    progress_->replace(std::move(function));
  }

 private:
  // The state of a promise until its job has ended.
  struct FutureCall {
    std::promise<Generated> promise;
    std::shared_ptr<detail::RetrievalMark> mark;
  };

  explicit Client(const gptimage_config_t *config)
      // 256 MiB; Config::salvage_max_bytes() does not apply to futures.
      : unclaimed_(std::make_shared<detail::UnclaimedOutcomes>(std::size_t{256} << 20)),
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
    return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
  }

  template <class Call, class Request>
  Generated run_to(Call call, const Request *request, const std::filesystem::path &to,
                   const gptimage_cancel_token_t *cancel) const {
    const std::string file = detail::path_text(to, "to");
    gptimage_generated_t *generated = nullptr;
    detail::call(call, client_.get(), request, file.c_str(), cancel, &generated);
    return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
  }

  template <class Start, class Request>
  Job start(Start begin, const Request *request, std::function<void()> ended) const {
    std::shared_ptr<detail::EndListener> listener;
    if (ended) {
      listener = std::make_shared<detail::EndListener>(std::move(ended));
    }
    gptimage_job_t *job = nullptr;
    detail::call(begin, client_.get(), request, listener != nullptr ? report_end : nullptr,
                 static_cast<void *>(listener.get()), &job);
    return Job(detail::Handle<gptimage_job_t>(job), std::move(listener));
  }

  template <class Start, class Request>
  std::future<Generated> promise(Start begin, const Request *request) const {
    auto call = std::make_unique<FutureCall>();
    call->mark = std::make_shared<detail::RetrievalMark>(unclaimed_);
    auto future = call->promise.get_future();
    // From its callback on, this header owns the job, which may have been freed when this returns.
    gptimage_job_t *job = nullptr;
    detail::call(begin, client_.get(), request, fulfil_promise,
                 static_cast<void *>(call.get()), &job);
    static_cast<void>(call.release());
    return future;
  }

  std::optional<Generated> collect_within(std::uint64_t wait_ms) const {
    gptimage_generated_t *generated = nullptr;
    detail::call(gptimage_client_collect, client_.get(), wait_ms, &generated);
    if (generated != nullptr) {
      return Generated(detail::ResultHandle<gptimage_generated_t>(generated));
    }
    detail::UnclaimedOutcomes::Outcomes unclaimed = unclaimed_->take();
    if (unclaimed.empty()) {
      return std::nullopt;
    }
    detail::Outcome &outcome = unclaimed.front();
    if (outcome.error != nullptr) {
      detail::raise(outcome.status,
                    detail::ResultHandle<gptimage_error_t>(outcome.error.release()));
    }
    return Generated(detail::ResultHandle<gptimage_generated_t>(outcome.generated.release()));
  }

  // The library calls the following functions. None of them throws: nothing could catch it.

  static void report_progress(const gptimage_progress_t *snapshot, void *user_data) noexcept {
    // Lives at least as long as the client, whose destructor waits for this, or is called by it.
    const auto listener =
        static_cast<detail::ProgressListener *>(user_data)->shared_from_this();
    Progress progress{snapshot->attempt,
                      snapshot->max_attempts,
                      static_cast<Phase>(snapshot->phase),
                      std::nullopt,
                      snapshot->bytes_sent,
                      snapshot->bytes_total,
                      snapshot->bytes_received,
                      {}};
    try {
      progress.client_request_id = snapshot->client_request_id;
    } catch (const std::bad_alloc &) {
      // Report the numbers nevertheless.
    }
    if (snapshot->pause_ms >= 0) {
      progress.pause = std::chrono::milliseconds(snapshot->pause_ms);
    }
    listener->notify(progress);
  }

  static void report_end(gptimage_job_t *, void *user_data) noexcept {
    const auto listener = static_cast<detail::EndListener *>(user_data)->shared_from_this();
    listener->notify();
  }

  static void fulfil_promise(gptimage_job_t *job, void *user_data) noexcept {
    const std::unique_ptr<FutureCall> call(static_cast<FutureCall *>(user_data));
    const detail::Handle<gptimage_job_t> freed(job);
    gptimage_generated_t *generated = nullptr;
    gptimage_error_t *error = nullptr;
    const gptimage_status_t status = gptimage_job_wait(job, 0, &generated, &error);
    try {
      if (status == GPTIMAGE_STATUS_OK) {
        call->promise.set_value(Generated(
            detail::ResultHandle<gptimage_generated_t>(
                generated, detail::FreeOrReturn{call->mark})));
      } else {
        detail::raise(status, detail::ResultHandle<gptimage_error_t>(
                                  error, detail::FreeOrReturn{call->mark}));
      }
    } catch (...) {
      // The call's error, or std::bad_alloc. This cannot fail, because the promise is not set yet.
      call->promise.set_exception(std::current_exception());
    }
  }

  std::shared_ptr<detail::UnclaimedOutcomes> unclaimed_;
  // Declared before the client, so destroyed after it: then the function is not running any more.
  std::shared_ptr<detail::ProgressListener> progress_;
  detail::Handle<gptimage_client_t> client_;
};

namespace detail {

/** The process's log function. */
class Log {
 public:
  using Function = std::function<void(LogLevel, std::string_view)>;

  /**
   * The instance of this process. Never destroyed, because the library's threads end with the
   * process.
   */
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
      enabled_ = static_cast<bool>(function);
      ++changes_;
    }
    listener_.replace(std::move(function));
    // The thread that changed it last may not be the last to get here; then it is set again.
    std::unique_lock<std::mutex> lock(mutex_);
    std::uint64_t applied = 0;
    while (applied != changes_) {
      applied = changes_;
      const auto c_level = static_cast<gptimage_log_level_t>(level_);
      const gptimage_log_callback_t callback = enabled_ ? report : nullptr;
      lock.unlock();
      gptimage_set_log_callback(c_level, callback, this);
      lock.lock();
    }
  }

 private:
  static void report(gptimage_log_level_t level, const char *message, void *user_data) noexcept {
    static_cast<Log *>(user_data)->listener_.notify(static_cast<LogLevel>(level), view(message));
  }

  const long process_ = process();
  std::mutex mutex_;
  LogLevel level_ = LogLevel::error;
  bool enabled_ = false;
  std::uint64_t changes_ = 0;
  Listener<LogLevel, std::string_view> listener_;
};

}  // namespace detail

/**
 * Sets the log function for all clients and replaces the previous one; an empty function removes
 * it. Lines less severe than `level` are not reported. A line contains no prompts, images or keys,
 * and is valid until the function returns. Call on_log(level, nullptr) before destroying what the
 * function uses, also at the end of the program.
 */
inline void on_log(LogLevel level, std::function<void(LogLevel, std::string_view)> function) {
  detail::Log::current().replace(level, std::move(function));
}

}  // namespace gptimage

#endif  // GPTIMAGE_HPP
