// Several pictures at once: as futures, and as jobs that can be given up.
#include <gptimage.hpp>
#include <future>
#include <iostream>
#include <vector>

using namespace std::chrono_literals;

int main() {
  const gptimage::Client client;

  // All of them are on their way when the loop has ended.
  const std::vector<std::string> animals{"badger", "crane", "otter"};
  std::vector<std::future<gptimage::Generated>> futures;
  for (const auto &animal : animals) {
    const auto request = gptimage::GenerateRequest("A " + animal + ", as a woodcut").quality("low");
    futures.push_back(client.generate_async(request));
  }
  for (std::size_t index = 0; index < animals.size(); ++index) {
    try {
      const auto generated = futures[index].get();
      generated.image().save(animals[index] + ".png");
      std::cout << animals[index] << ".png, " << generated.usd_spent().value_or("?") << " USD\n";
    } catch (const gptimage::Error &error) {
      std::cout << animals[index] << ": " << error.what() << '\n';
    }
  }

  // A job can be looked at and cancelled. What was sent by then may be paid, and is not lost.
  const gptimage::Job job = client.start_generate(gptimage::GenerateRequest("A toad"));
  if (const auto generated = job.wait_for(1ms)) {
    std::cout << "the toad is there: " << generated->image().bytes().size() << " bytes\n";
    return 0;
  }
  std::cout << "the toad is in phase " << static_cast<int>(job.phase()) << ", and not wanted\n";
  job.cancel();
  try {
    job.wait();
  } catch (const gptimage::CancelledError &error) {
    std::cout << error.what() << '\n';
  }
  if (const auto toad = client.collect(2min)) {
    toad->image().save("toad.png");
    std::cout << "toad.png was paid for: " << toad->usd_spent().value_or("?") << " USD\n";
  }
}
