// A picture from words, into a file.
#include <gptimage.hpp>
#include <iostream>

int main() {
  try {
    const gptimage::Client client;  // key and base URL are in the environment
    const auto request = gptimage::GenerateRequest("A T-Rex on a beach").size("1536x1024");
    const auto generated = client.generate_to(request, "t-rex.png");
    const auto image = generated.image();
    std::cout << image.path()->string() << ": " << image.width() << "x" << image.height() << ", "
              << generated.usd_spent().value_or("?") << " USD\n";
  } catch (const gptimage::Error &error) {
    std::cerr << error.what() << '\n';
    return error.status();
  }
}
