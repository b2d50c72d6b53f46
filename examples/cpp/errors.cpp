// Every error says what it cost. Here is what each of the three answers means for a program.
#include <gptimage.hpp>
#include <iostream>

using namespace std::chrono_literals;

namespace {

void generate(const gptimage::Client &client, const gptimage::GenerateRequest &request) {
  try {
    const auto generated = client.generate(request);
    std::cout << "paid " << generated.usd_spent().value_or("?") << " USD for "
              << generated.image().bytes().size() << " bytes\n";
  } catch (const gptimage::InvalidRequestError &error) {
    // Nothing was sent. All that is wrong is listed.
    for (const auto &violation : error.violations()) {
      std::cout << violation.param << " is " << violation.given << ": " << violation.message
                << '\n';
    }
  } catch (const gptimage::RateLimitedError &error) {
    std::cout << "too much at once, wait " << error.retry_after().value_or(10s).count() << " ms\n";
  } catch (const gptimage::Error &error) {
    std::cout << error.kind() << ": " << error.what() << '\n';
    switch (error.charge()) {
      case gptimage::Charge::not_charged:
        std::cout << "it cost nothing, and may be tried again\n";
        break;
      case gptimage::Charge::unknown:
        std::cout << "look up " << error.client_request_id().value_or("nothing")
                  << " before trying again\n";
        break;
      case gptimage::Charge::charged:
        // A charge may come with pictures, or with the links to them.
        if (const auto generated = error.generated()) {
          auto mine = generated->copy();
          client.fetch(mine);
          std::cout << "paid, and fetched: " << mine.image().bytes().size() << " bytes\n";
        }
        break;
    }
  }
}

}  // namespace

int main() {
  try {
    const gptimage::Client client;
    generate(client, gptimage::GenerateRequest("A lighthouse").size("1x1").n(3));
    generate(client, gptimage::GenerateRequest("A lighthouse").deadline(1ms));
    generate(client, gptimage::GenerateRequest("A lighthouse").deadline(5min));
    // What goes on after a deadline is not lost either.
    if (const auto late = client.collect(2min)) {
      std::cout << "collected later: " << late->image().bytes().size() << " bytes\n";
    }
  } catch (const gptimage::Error &error) {
    // No key, for example.
    std::cerr << error.what() << '\n';
    return error.status();
  }
}
