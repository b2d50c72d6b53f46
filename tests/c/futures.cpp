// Futures: got, failed, dropped at every moment, with and without their client; nothing is lost.
#include "test.hpp"

#include <future>
#include <random>

namespace {

using namespace std::chrono_literals;

const gptimage::GenerateRequest &request() {
  static const auto request = gptimage::GenerateRequest("A hat").size("1024x1024");
  return request;
}

void got() {
  small_pictures();
  const gptimage::Client client;
  std::vector<std::future<gptimage::Generated>> futures;
  for (int times = 0; times < 20; ++times) {
    futures.push_back(client.generate_async(request()));
  }
  const auto edit = gptimage::EditRequest("A hat").add_image_bytes(decode(small_picture));
  futures.push_back(client.edit_async(edit));
  for (auto &future : futures) {
    const auto generated = future.get();
    CHECK_NUMBER(generated.size(), 1);
    CHECK(generated.image().format() == "png");
    CHECK(generated.usd_spent().has_value());
  }
  // Somebody looked at all of them.
  futures.clear();
  CHECK(!client.collect());

  auto future = client.generate_async(request());
  CHECK(future.wait_for(1h) == std::future_status::ready);
  auto other = std::move(future);
  CHECK(!future.valid());
  CHECK_NUMBER(other.get().size(), 1);

  // Shared, and looked at by many.
  const auto shared = client.generate_async(request()).share();
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([shared] { CHECK_NUMBER(shared.get().size(), 1); });
  }
  for (auto &thread : threads) {
    thread.join();
  }
  CHECK_NUMBER(shared.get().image().width(), 4);
}

void failed() {
  const gptimage::Client client(gptimage::Config().max_attempts(1));
  faults(R"({"answer":{"status":503}})");
  auto future = client.generate_async(request());
  const auto error = expect<gptimage::ServerError>([&] { future.get(); });
  CHECK(error.charge() == gptimage::Charge::unknown);
  CHECK_NUMBER(error.http_status().value(), 503);
  CHECK(!client.collect());

  // One that nobody looks at is told to whoever collects, if it may have cost something.
  faults(R"([{"answer":{"status":503}},{"answer":{"status":400}}])");
  static_cast<void>(client.generate_async(request()).wait_for(1h));
  static_cast<void>(client.generate_async(request()).wait_for(1h));
  expect<gptimage::ServerError>([&] { static_cast<void>(client.collect()); });
  CHECK(!client.collect());
}

void dropped() {
  const gptimage::Client client;
  // Before it was sent, when it had its result, and as a result that nobody looked at.
  small_pictures();
  static_cast<void>(client.generate_async(request()));
  CHECK_NUMBER(collect_one(client).size(), 1);
  client.generate_async(request()).wait();
  CHECK_NUMBER(collect_one(client).size(), 1);
  client.generate_async(request()).get();
  CHECK_NUMBER(collect_one(client).size(), 1);
  {
    std::vector<gptimage::Generated> kept;
    kept.push_back(client.generate_async(request()).get());
    kept.push_back(client.generate_async(request()).get());
    CHECK_NUMBER(kept.back().size(), 1);
  }
  CHECK_NUMBER(collect_one(client).size(), 1);
  // What was collected is not kept again.
  CHECK(!client.collect());

  // While it is on its way.
  Signal sent;
  client.set_progress([&](const gptimage::Progress &progress) {
    if (progress.phase >= gptimage::Phase::sent) {
      sent.say();
    }
  });
  small_pictures("50ms");
  {
    auto future = client.generate_async(request());
    sent.await();
  }
  CHECK_NUMBER(collect_one(client).size(), 1);
  client.set_progress(nullptr);
}

void dropped_at_any_moment() {
  small_pictures("3ms");
  const long long before = charges();
  std::mt19937 random_state(42);
  std::uniform_int_distribution<int> pause(0, 12000);
  const gptimage::Client client;
  long long made = 0;
  long long got = 0;
  for (int times = rounds(200); times > 0; --times) {
    auto future = client.generate_async(request());
    ++made;
    if (future.wait_for(std::chrono::microseconds(pause(random_state))) == std::future_status::ready) {
      got += static_cast<long long>(future.get().size());
    }
  }
  for (; got < made; ++got) {
    CHECK_NUMBER(collect_one(client).size(), 1);
  }
  CHECK(!client.collect());
  CHECK_NUMBER(charges() - before, made);
}

// Neither the future nor the client needs the other.
void without_client() {
  small_pictures("20ms");
  std::future<gptimage::Generated> future;
  {
    const gptimage::Client client;
    future = client.generate_async(request());
  }
  auto generated = future.get();
  CHECK_NUMBER(generated.size(), 1);
  // Looked at by nobody, and there is nobody to give it back to.
  {
    const gptimage::Client client;
    static_cast<void>(client.generate_async(request()));
    future = client.generate_async(request());
  }
  future.wait();
  future = std::future<gptimage::Generated>();

  std::mt19937 random_state(7);
  std::uniform_int_distribution<int> pause(0, 30000);
  for (int times = rounds(50); times > 0; --times) {
    auto client = std::make_unique<gptimage::Client>();
    auto first = client->generate_async(request());
    auto second = client->generate_async(request());
    static_cast<void>(first.wait_for(std::chrono::microseconds(pause(random_state))));
    std::thread other([&] { second = std::future<gptimage::Generated>(); });
    client.reset();
    other.join();
    CHECK_NUMBER(first.get().size(), 1);
  }
}

// Results that nobody looks at are kept up to 256 MiB; what is older makes room.
void too_much() {
  small_pictures();
  const std::size_t size = decode(small_picture).size();
  gptimage::detail::UnclaimedOutcomes unclaimed(2 * size);
  gptimage_client_t *client = nullptr;
  gptimage_generate_request_t *request = nullptr;
  CHECK_NUMBER(gptimage_client_new(nullptr, &client, nullptr), GPTIMAGE_STATUS_OK);
  gptimage_generate_request_new("A hat", &request, nullptr);
  std::vector<std::string> ids;
  for (int times = 0; times < 5; ++times) {
    gptimage_generated_t *generated = nullptr;
    gptimage_client_generate(client, request, nullptr, &generated, nullptr);
    CHECK_NUMBER(gptimage_generated_image_bytes(generated, 0).len, size);
    ids.push_back(gptimage_generated_client_request_id(generated));
    gptimage::detail::UnclaimedOutcomes::Outcomes outcome(1);
    outcome.front().generated.reset(generated);
    unclaimed.put(outcome);
    CHECK(outcome.empty());
  }
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  for (const auto index : {3U, 4U}) {
    const auto taken = unclaimed.take();
    CHECK_TEXT(gptimage_generated_client_request_id(taken.front().generated.get()),
               ids[index].c_str());
  }
  CHECK(unclaimed.take().empty());
}

// One that ends with the process is none of anybody's business.
void left_alone() {
  small_pictures("1h");
  const gptimage::Client client;
  static_cast<void>(client.generate_async(request()));
  static auto future = client.generate_async(request());
}

}  // namespace

int main() {
  got();
  failed();
  dropped();
  dropped_at_any_moment();
  without_client();
  too_much();
  left_alone();
}
