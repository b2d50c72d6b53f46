// What the C++ tests have in common.
#ifndef TEST_HPP
#define TEST_HPP

#include "check.h"
#include "control.h"
#include <gptimage.hpp>

#include <condition_variable>
#include <mutex>
#include <string>
#include <typeinfo>

// A PNG of 4 x 4 pixels.
inline const std::string small_picture =
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAFElEQVR4nGOUizrBAANMDEgANwcAPtoB"
    "SOzkRIAAAAAASUVORK5CYII=";
// A mask for it: a PNG with one pixel that may be edited.
inline const std::string small_mask =
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAYAAACp8Z5+AAAAIUlEQVR4nGM8ISf3nwEJMDEwMDBYPHrE"
    "iCKArIqJAQ0AABSiBguOudOtAAAAAElFTkSuQmCC";
// A fault: a success with the small picture in place of a drawn one, that costs as always.
inline const std::string small_answer =
    R"("success_body":{"json":{"data":[{"b64_json":")" + small_picture + R"("}]}})";

// The bytes that a text in base64 stands for.
inline std::vector<std::uint8_t> decode(const std::string &text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char sign : text.substr(0, text.find('='))) {
    bits = bits << 6 | static_cast<std::uint32_t>(alphabet.find(sign));
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> have & 0xff));
    }
  }
  return bytes;
}

// Tells the emulator what is to go wrong, in place of what it was told before.
inline void faults(const std::string &json) {
  control_delete("/_emulator/faults");
  std::free(control_post("/_emulator/faults", json.c_str()));
}

// From now on every picture is the small one, and takes so long, such as "50ms".
inline void small_pictures(const std::string &delay = "0ms") {
  faults("{" + small_answer + R"(,"delay":")" + delay + R"(","times":"always"})");
}

// Tells the emulator its settings.
inline void settings(const std::string &json) {
  std::free(control_post("/_emulator/settings", json.c_str()));
}

// How many calls were charged, once nothing can change that any more.
inline long long charges() {
  char *ledger = control_get("/_emulator/ledger?settled=true");
  const char *found = std::strstr(ledger, "\"charges\":");
  CHECK(found != nullptr);
  const long long charges = std::strtoll(found + std::strlen("\"charges\":"), nullptr, 10);
  std::free(ledger);
  return charges;
}

// How often something is repeated: `rounds`, or less where a tool makes everything slow.
inline int rounds(int many) {
  const char *divisor = std::getenv("GPTIMAGE_TEST_FEWER");
  const int fewer = many / (divisor == nullptr ? 1 : std::atoi(divisor));
  return fewer > 0 ? fewer : 1;
}

// Does something that is to throw this very class, and gives what was thrown.
template <class Expected, class Work>
Expected expect(Work work) {
  try {
    work();
  } catch (const Expected &error) {
    if (typeid(error) != typeid(Expected)) {
      std::fprintf(stderr, "%s is thrown as another class\n", error.what());
      check_failed(__FILE__, __LINE__, typeid(error).name());
    }
    return error;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "not %s but %s\n", typeid(Expected).name(), typeid(error).name());
    check_failed(__FILE__, __LINE__, error.what());
  }
  check_failed(__FILE__, __LINE__, typeid(Expected).name());
  std::abort();
}

// What a client kept for whoever collects, as soon as there is something.
inline gptimage::Generated collect_one(const gptimage::Client &client) {
  for (;;) {
    if (auto collected = client.collect(std::chrono::minutes(1))) {
      return std::move(*collected);
    }
    std::this_thread::yield();
  }
}

// How many pictures were paid for that nobody else had, once all that was given up has ended.
// One more is made, and counted: when it is there, the library has heard of all the others.
inline long long collect_rest(const gptimage::Client &client,
                              const gptimage::GenerateRequest &request) {
  auto collected = static_cast<long long>(client.generate(request).size());
  while (client.collect(std::chrono::minutes(1))) {
    ++collected;
  }
  return collected;
}

// Something that one thread waits for and another says.
class Signal {
 public:
  void say() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++count_;
    said_.notify_all();
  }

  // Waits until it was said so many times.
  void await(int count = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    said_.wait(lock, [&] { return count_ >= count; });
  }

  int count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable said_;
  int count_ = 0;
};

#endif
