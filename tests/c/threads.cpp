// Sixteen threads with one client, doing everything at once; what was paid is had.
#include "test.hpp"

#include <atomic>
#include <future>
#include <random>

int main() {
  small_pictures("2ms");
  const gptimage::Client client;
  const auto request = gptimage::GenerateRequest("A hat").size("1024x1024");
  const auto edit = gptimage::EditRequest("A hat").add_image_bytes(decode(small_picture));
  const long long before = charges();
  std::atomic<long long> had{0};
  std::atomic<int> told{0};
  // Of one result, all look at the same time.
  const auto shared = client.generate(request);
  ++had;

  const auto collect = [&] {
    while (client.collect()) {
      ++had;
    }
  };
  std::mutex mutex;
  std::vector<std::future<gptimage::Generated>> futures;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 16; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random_state(seed);
      for (int times = rounds(60); times > 0; --times) {
        switch (random_state() % 8) {
          case 0:
            had += static_cast<long long>(client.generate(request).size());
            break;
          case 1:
            had += static_cast<long long>(client.edit(edit).size());
            break;
          case 2:
            had += static_cast<long long>(client.start_generate(request).wait().size());
            break;
          case 3:
            had += static_cast<long long>(client.generate_async(request).get().size());
            break;
          case 4:
            // Dropped on their way and at the end: somebody collects them.
            client.start_generate(request);
            {
              auto future = client.edit_async(edit);
              const std::lock_guard<std::mutex> lock(mutex);
              futures.push_back(std::move(future));
            }
            break;
          case 5: {
            const gptimage::CancelToken token;
            auto cancelling = std::async(std::launch::async, [&] { token.cancel(); });
            try {
              had += static_cast<long long>(client.generate(request, token).size());
            } catch (const gptimage::CancelledError &) {
              // Not sent, or collected.
            }
            break;
          }
          case 6:
            client.set_progress([&](const gptimage::Progress &) { ++told; });
            collect();
            break;
          default:
            CHECK_NUMBER(shared.image().width(), 4);
            CHECK(shared.json().front() == '{');
            expect<gptimage::InvalidRequestError>([&] {
              auto wrong = gptimage::GenerateRequest("A hat").size("1x1");
              static_cast<void>(client.generate(wrong));
            });
        }
      }
    });
  }
  for (auto &thread : threads) {
    thread.join();
  }
  for (const auto &future : futures) {
    future.wait();
  }
  futures.clear();
  had += collect_rest(client, request);
  CHECK_NUMBER(had, charges() - before);
}
