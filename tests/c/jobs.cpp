// Jobs: waited for, looked at, cancelled, dropped at every moment; nothing that was paid is lost.
#include "test.hpp"

#include <future>
#include <random>

namespace {

using namespace std::chrono_literals;
using gptimage::Phase;

const gptimage::GenerateRequest &request() {
  static const auto request = gptimage::GenerateRequest("A hat").size("1024x1024");
  return request;
}

// Says when a call of the client has been sent.
void say_when_sent(const gptimage::Client &client, Signal &sent) {
  client.set_progress([&sent](const gptimage::Progress &progress) {
    if (progress.phase >= Phase::sent) {
      sent.say();
    }
  });
}

void waited_for() {
  small_pictures();
  const gptimage::Client client;
  auto job = client.start_generate(request());
  const auto generated = job.wait();
  CHECK_NUMBER(generated.size(), 1);
  CHECK(job.phase() == Phase::stored);

  auto edit = gptimage::EditRequest("A hat").add_image_bytes(decode(small_picture));
  auto edited = client.start_edit(edit);
  while (true) {
    if (const auto result = edited.wait_for(10ms)) {
      CHECK_NUMBER(result->size(), 1);
      break;
    }
  }

  faults(R"({"answer":{"status":400}})");
  auto failing = client.start_generate(request());
  const auto error = expect<gptimage::BadRequestError>([&] { static_cast<void>(failing.wait()); });
  CHECK_NUMBER(error.http_status().value(), 400);
  faults(R"({"answer":{"status":400}})");
  auto looked_at = client.start_generate(request());
  expect<gptimage::BadRequestError>([&] {
    while (!looked_at.wait_for(1us)) {
    }
  });
}

void looked_at() {
  small_pictures("1h");
  const gptimage::Client client(gptimage::Config().abort_on_cancel(true));
  Signal sent;
  say_when_sent(client, sent);
  auto job = client.start_generate(request());
  CHECK(!job.wait_for(0s));
  sent.await();
  CHECK(!job.wait_for(0s));
  CHECK(job.phase() == Phase::sent);
  job.cancel();
  const auto error = expect<gptimage::CancelledError>([&] { static_cast<void>(job.wait()); });
  CHECK(error.charge() == gptimage::Charge::unknown);
  CHECK(!client.collect(10s));
}

void cancelled() {
  const gptimage::Client client;
  Signal sent;
  say_when_sent(client, sent);
  // By then it was sent, and may be paid: it runs on.
  for (auto delay = 100ms;; delay *= 2) {
    small_pictures(std::to_string(delay.count()) + "ms");
    const int before = sent.count();
    auto job = client.start_generate(request());
    sent.await(before + 1);
    job.cancel();
    try {
      static_cast<void>(job.wait());
    } catch (const gptimage::CancelledError &error) {
      CHECK(error.charge() == gptimage::Charge::unknown);
      break;
    }
  }
  CHECK_NUMBER(collect_one(client).size(), 1);
  CHECK(!client.collect());

  // The same by a token, from another thread.
  for (auto delay = 100ms;; delay *= 2) {
    small_pictures(std::to_string(delay.count()) + "ms");
    const int before = sent.count();
    const gptimage::CancelToken token;
    std::thread other([&] {
      sent.await(before + 1);
      token.cancel();
    });
    bool is_cancelled = false;
    try {
      static_cast<void>(client.generate(request(), token));
    } catch (const gptimage::CancelledError &) {
      is_cancelled = true;
    }
    other.join();
    if (is_cancelled) {
      break;
    }
  }
  CHECK_NUMBER(collect_one(client).size(), 1);

  // Dropped after it was sent, and dropped with its result.
  for (const bool has_ended : {false, true}) {
    small_pictures();
    const int before = sent.count();
    Signal ended;
    {
      auto job = client.start_generate(request(), [&] { ended.say(); });
      sent.await(before + 1);
      if (has_ended) {
        ended.await();
      }
    }
    CHECK_NUMBER(collect_one(client).size(), 1);
    CHECK(!client.collect());
  }
}

// The function of a job: once, at its end, never after the job is gone, whatever it does.
void functions() {
  small_pictures();
  const gptimage::Client client;
  auto held = std::make_shared<Signal>();
  {
    auto job = client.start_generate(request(), [held] { held->say(); });
    held->await();
    CHECK_NUMBER(job.wait_for(0s)->size(), 1);
    CHECK_NUMBER(held.use_count(), 2);
  }
  CHECK_NUMBER(held.use_count(), 1);
  CHECK_NUMBER(held->count(), 1);

  // One that takes the result itself, and one that throws.
  std::promise<gptimage::Generated> promise;
  std::promise<const gptimage::Job *> known;
  auto job = client.start_generate(request(), [&] {
    promise.set_value(known.get_future().get()->wait());
    throw std::runtime_error("dropped");
  });
  known.set_value(&job);
  CHECK_NUMBER(promise.get_future().get().size(), 1);

  // One that destroys its own job, which it holds.
  for (int times = rounds(50); times > 0; --times) {
    Signal gone;
    std::optional<gptimage::Job> own;
    std::mutex assigned;
    {
      const std::lock_guard<std::mutex> lock(assigned);
      auto word = std::make_shared<int>(7);
      own = client.start_generate(request(), [&, word] {
        {
          const std::lock_guard<std::mutex> wait(assigned);
          own.reset();
        }
        // What it holds is still there.
        CHECK_NUMBER(*word, 7);
        gone.say();
      });
    }
    gone.await();
    CHECK_NUMBER(collect_one(client).size(), 1);
  }

  // A job that replaces another: the first is as if destroyed.
  Signal ended;
  auto first = client.start_generate(request(), [&] { ended.say(); });
  first = client.start_generate(request());
  const int ended_before = ended.count();
  CHECK_NUMBER(first.wait().size(), 1);
  CHECK_NUMBER(ended.count(), ended_before);
}

// Whenever a job is dropped, what was paid is got or collected.
void dropped_at_any_moment() {
  small_pictures("3ms");
  const long long before = charges();
  std::mt19937 random_state(42);
  std::uniform_int_distribution<int> pause(0, 12000);
  const gptimage::Client client;
  long long got = 0;
  for (int times = rounds(200); times > 0; --times) {
    auto job = client.start_generate(request());
    if (auto result = job.wait_for(std::chrono::microseconds(pause(random_state)))) {
      ++got;
    }
  }
  got += collect_rest(client, request());
  CHECK_NUMBER(got, charges() - before);
}

// A client that is gone does not end its jobs.
void without_client() {
  small_pictures("20ms");
  auto client = std::make_unique<gptimage::Client>();
  auto job = client->start_generate(request());
  auto dropped = std::make_unique<gptimage::Job>(client->start_generate(request()));
  client.reset();
  dropped.reset();
  CHECK_NUMBER(job.wait().size(), 1);
}

}  // namespace

int main() {
  waited_for();
  looked_at();
  cancelled();
  functions();
  dropped_at_any_moment();
  without_client();
}
