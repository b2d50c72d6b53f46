// Functions that are called back: when, how often, and never when they are gone.
#include "test.hpp"

#include <atomic>

namespace {

using namespace std::chrono_literals;
using gptimage::LogLevel;
using gptimage::Progress;

const gptimage::GenerateRequest &request() {
  static const auto request = gptimage::GenerateRequest("A hat").size("1024x1024");
  return request;
}

void progress() {
  small_pictures("5ms");
  const gptimage::Client client;
  std::mutex mutex;
  std::vector<Progress> told;
  Signal stored;
  client.set_progress([&](const Progress &progress) {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      told.push_back(progress);
    }
    if (progress.phase == gptimage::Phase::stored) {
      stored.say();
    }
  });
  CHECK_NUMBER(client.generate(request()).size(), 1);
  stored.await();
  client.set_progress(nullptr);
  auto phase = gptimage::Phase::planned;
  for (const auto &one : told) {
    CHECK(one.phase >= phase);
    phase = one.phase;
    CHECK_NUMBER(one.attempt, 1);
    CHECK_NUMBER(one.max_attempts, 3);
    CHECK(one.client_request_id == told.front().client_request_id);
    CHECK(!one.pause);
    CHECK(one.bytes_sent <= one.bytes_total);
  }
  CHECK(told.back().bytes_sent == told.back().bytes_total && told.back().bytes_received > 0);
  const auto many = told.size();
  CHECK_NUMBER(client.generate(request()).size(), 1);
  CHECK_NUMBER(told.size(), many);

  // A pause between two attempts.
  faults(R"([{"answer":{"status":429,"headers":{"retry-after":"1"}}},{)" + small_answer + "}]");
  std::atomic<std::int64_t> pause{-1};
  client.set_progress([&](const Progress &progress) {
    if (progress.pause) {
      pause = progress.pause->count();
    }
  });
  const auto generated = client.generate(request());
  CHECK_NUMBER(generated.attempts(), 2);
  client.set_progress(nullptr);
  CHECK(pause >= 1000);
}

// What replaces a function: somebody else, itself, and many at once.
void replaced() {
  small_pictures();
  const gptimage::Client client;
  // Itself, and what it holds is there to its end.
  Signal called;
  auto held = std::make_shared<int>(7);
  client.set_progress([&client, &called, held](const Progress &) {
    client.set_progress([&called](const Progress &) { called.say(); });
    CHECK_NUMBER(*held, 7);
    called.say();
  });
  CHECK_NUMBER(client.generate(request()).size(), 1);
  called.await();
  CHECK_NUMBER(client.generate(request()).size(), 1);
  called.await(2);
  client.set_progress(nullptr);
  CHECK_NUMBER(held.use_count(), 1);

  // By others, while calls run: when it has returned, the one before is not running and is gone.
  std::atomic<bool> ends{false};
  std::vector<std::thread> threads;
  for (int index = 0; index < 2; ++index) {
    threads.emplace_back([&] {
      while (!ends) {
        CHECK_NUMBER(client.generate(request()).size(), 1);
      }
    });
  }
  std::atomic<int> alive{0};
  const auto counted = [&] {
    ++alive;
    return std::shared_ptr<void>(nullptr, [&](void *) { --alive; });
  };
  for (int index = 0; index < 3; ++index) {
    threads.emplace_back([&] {
      for (int times = rounds(300); times > 0; --times) {
        client.set_progress([word = counted()](const Progress &) { std::this_thread::yield(); });
      }
    });
  }
  for (std::size_t index = 2; index < threads.size(); ++index) {
    threads[index].join();
  }
  client.set_progress(nullptr);
  CHECK_NUMBER(alive, 0);
  ends = true;
  threads[0].join();
  threads[1].join();

  // By one who waits for it: it is slow, and must not be running afterwards.
  Signal running;
  Signal may_end;
  std::atomic<bool> is_running{false};
  client.set_progress([&](const Progress &) {
    is_running = true;
    running.say();
    may_end.await();
    is_running = false;
  });
  auto job = client.start_generate(request());
  running.await();
  std::thread other([&] { may_end.say(); });
  client.set_progress(nullptr);
  CHECK(!is_running);
  other.join();
  CHECK_NUMBER(job.wait().size(), 1);
}

// A client that is destroyed by its own function, and one that is while its function runs.
void destroyed() {
  small_pictures();
  for (int times = rounds(50); times > 0; --times) {
    auto client = std::make_unique<gptimage::Client>();
    Signal gone;
    auto held = std::make_shared<int>(7);
    auto job = client->start_generate(request());
    client->set_progress([&client, &gone, held](const Progress &) {
      client.reset();
      CHECK_NUMBER(*held, 7);
      gone.say();
    });
    // From the next call on.
    auto told = client->start_generate(request());
    gone.await();
    CHECK_NUMBER(job.wait().size(), 1);
    CHECK_NUMBER(told.wait().size(), 1);
  }
  // By its end, and by another that takes its place: both wait until it is not running.
  for (const bool is_replaced : {false, true}) {
    for (int times = rounds(20); times > 0; --times) {
      auto here = std::make_unique<std::atomic<int>>(0);
      Signal running;
      std::optional<gptimage::Client> client(std::in_place);
      client->set_progress([&here, &running](const Progress &) {
        running.say();
        for (int turns = 0; turns < 1000; ++turns) {
          std::this_thread::yield();
          ++*here;
        }
      });
      auto job = client->start_generate(request());
      running.await();
      if (is_replaced) {
        *client = gptimage::Client();
      } else {
        client.reset();
      }
      here.reset();
      CHECK_NUMBER(job.wait().size(), 1);
    }
  }
}

// What they throw is dropped, and harms no call.
void throwing() {
  small_pictures();
  const gptimage::Client client;
  Signal thrown;
  client.set_progress([&](const Progress &) {
    thrown.say();
    throw std::runtime_error("dropped");
  });
  CHECK_NUMBER(client.generate(request()).size(), 1);
  thrown.await();
  gptimage::on_log(LogLevel::debug, [&](LogLevel, std::string_view) -> void { throw 7; });
  Signal ended;
  auto job = client.start_generate(request(), [&]() -> void {
    ended.say();
    throw "dropped";
  });
  ended.await();
  CHECK_NUMBER(job.wait().size(), 1);
  gptimage::on_log(LogLevel::debug, nullptr);
}

void log() {
  small_pictures();
  const gptimage::Client client;
  Signal told;
  auto held = std::make_shared<int>(7);
  gptimage::on_log(LogLevel::debug, [&, held](LogLevel level, std::string_view line) {
    CHECK(level >= LogLevel::error && level <= LogLevel::debug);
    CHECK(!line.empty() && line.find('\n') == std::string_view::npos);
    CHECK(line.find("A hat") == std::string_view::npos);
    told.say();
  });
  CHECK_NUMBER(client.generate(request()).size(), 1);
  told.await();
  gptimage::on_log(LogLevel::debug, nullptr);
  CHECK_NUMBER(held.use_count(), 1);
  const int count = told.count();
  CHECK_NUMBER(client.generate(request()).size(), 1);
  CHECK_NUMBER(told.count(), count);

  // Itself, and by many threads at once: the last one hears.
  gptimage::on_log(LogLevel::debug, [&, held](LogLevel, std::string_view) {
    gptimage::on_log(LogLevel::debug, [&](LogLevel, std::string_view) { told.say(); });
    CHECK_NUMBER(*held, 7);
  });
  CHECK_NUMBER(client.generate(request()).size(), 1);
  told.await(count + 1);
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([&, index] {
      for (int times = rounds(300); times > 0; --times) {
        if (index == 0) {
          gptimage::on_log(LogLevel::error, nullptr);
        } else {
          gptimage::on_log(LogLevel::debug, [held](LogLevel, std::string_view) {});
        }
        if (times % 50 == 0) {
          CHECK_NUMBER(client.generate(request()).size(), 1);
        }
      }
    });
  }
  for (auto &thread : threads) {
    thread.join();
  }
  gptimage::on_log(LogLevel::debug, [&](LogLevel, std::string_view) { told.say(); });
  CHECK_NUMBER(held.use_count(), 1);
  const int before = told.count();
  CHECK_NUMBER(client.generate(request()).size(), 1);
  told.await(before + 1);
  gptimage::on_log(LogLevel::error, nullptr);
}

}  // namespace

int main() {
  progress();
  replaced();
  destroyed();
  throwing();
  log();
}
