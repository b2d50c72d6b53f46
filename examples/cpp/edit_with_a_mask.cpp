// Changes a part of a picture, and leaves the rest as it is.
//
// A mask says by its transparency where the picture may be changed. Here the picture is its own
// mask: a T-Rex on nothing, and the nothing becomes a beach.
#include <gptimage.hpp>
#include <iostream>

int main() {
  try {
    const gptimage::Client client;
    const auto sticker = client.generate(
        gptimage::GenerateRequest("A T-Rex, as a sticker").background("transparent"));
    const auto picture = sticker.image();
    std::cout << picture.width() << "x" << picture.height() << ", " << picture.bytes().size()
              << " bytes\n";

    const auto request = gptimage::EditRequest("A beach behind the T-Rex")
                             .add_image_bytes(picture.bytes())
                             .mask_bytes(picture.bytes())
                             .size("1024x1024");
    const auto edited = client.edit_to(request, "beach.png");
    std::cout << edited.image().path()->string() << ", " << edited.usd_spent().value_or("?") << " USD\n";
  } catch (const gptimage::Error &error) {
    std::cerr << error.what() << '\n';
    return error.status();
  }
}
