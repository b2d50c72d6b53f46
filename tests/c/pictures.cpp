// Pictures in memory, in files and at their URLs; edits with masks; paths of all kinds.
#include "test.hpp"

#include <fstream>
#include <future>
#include <iterator>
#include <optional>

namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> contents(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const fs::path &path, const std::vector<std::uint8_t> &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

void in_memory() {
  small_pictures();
  const gptimage::Client client;
  const auto generated = client.generate(gptimage::GenerateRequest("A hat"));
  const auto image = generated.image();
  const auto bytes = image.bytes();
  CHECK((std::vector<std::uint8_t>(bytes.begin(), bytes.end()) == decode(small_picture)));
  CHECK(image.format() == "png" && image.width() == 4 && image.height() == 4);
  CHECK(!image.path() && !image.url());
  CHECK(generated.json().front() == '{' && generated.json().back() == '}');
  int count = 0;
  for (const auto one : generated.images()) {
    CHECK_NUMBER(one.bytes().size(), bytes.size());
    ++count;
  }
  CHECK_NUMBER(count, 1);
  CHECK(generated.images()[0].width() == 4 && generated.images().size() == 1);

  image.save("saved.png");
  CHECK(contents("saved.png") == decode(small_picture));
  expect<gptimage::IoError>([&] { image.save("saved.png"); });
  image.save("saved.png", true);
  image.save(fs::path("saved again"));
  CHECK(contents("saved again.png") == decode(small_picture));
}

void in_files() {
  small_pictures();
  const gptimage::Client client;
  auto request = gptimage::GenerateRequest("A hat");
  const auto generated = client.generate_to(request, "picture.png");
  CHECK(fs::equivalent(*generated.image().path(), "picture.png"));
  CHECK(generated.image().bytes().empty() && generated.image().width() == 4);
  CHECK(contents("picture.png") == decode(small_picture));
  expect<gptimage::IoError>([&] { static_cast<void>(client.generate_to(request, "picture.png")); });
  request.overwrite(true);
  CHECK_NUMBER(client.generate_to(request, "picture.png").size(), 1);
  // A copy of what is in a file.
  generated.image().save("copy.png");
  CHECK(contents("copy.png") == decode(small_picture));

  fs::create_directory("folder");
  const auto named = client.generate_to(request, "folder");
  CHECK(fs::equivalent(named.image().path()->parent_path(), "folder"));
  CHECK(contents(*named.image().path()) == decode(small_picture));
  const fs::path unicode = fs::path("h\xc3\xbcte") / "\xe5\xb8\xbd\xe5\xad\x90.png";
  fs::create_directory(unicode.parent_path());
  CHECK(fs::equivalent(*client.generate_to(request, unicode).image().path(), unicode));
  CHECK(contents(unicode) == decode(small_picture));
}

void edited() {
  faults("[]");
  write("image.png", decode(small_picture));
  write("mask.png", decode(small_mask));
  const gptimage::Client client;
  auto of_files = gptimage::EditRequest("A hat").add_image(fs::path("image.png")).mask("mask.png");
  small_pictures();
  CHECK_NUMBER(client.edit(of_files).size(), 1);
  auto of_bytes = gptimage::EditRequest("A hat");
  {
    // They are copied.
    auto image = decode(small_picture);
    const auto mask = decode(small_mask);
    of_bytes.add_image_bytes(image).mask_bytes(gptimage::Bytes(mask.data(), mask.size()));
    image.assign(image.size(), 0);
  }
  CHECK_NUMBER(client.edit_to(of_bytes, "edited.png").size(), 1);
  CHECK(contents("edited.png") == decode(small_picture));
  expect<gptimage::InvalidRequestError>(
      [&] { static_cast<void>(client.edit(of_bytes.add_image_bytes(std::string("no image")))); });
  expect<gptimage::InvalidRequestError>([&] {
    const auto missing = gptimage::EditRequest("A hat").add_image("missing.png");
    static_cast<void>(client.edit(missing));
  });

  const std::string image = R"({"b64_json":")" + small_picture + R"("})";
  faults(R"({"success_body":{"json":{"data":[)" + image + "," + image + "," + image + "]}}}");
  auto several = gptimage::EditRequest("A hat").add_image("image.png").n(3);
  fs::create_directory("several");
  const auto three = client.edit_to(several, "several/");
  CHECK_NUMBER(three.size(), 3);
  for (const auto one : three.images()) {
    CHECK(contents(*one.path()) == decode(small_picture));
  }
}

void at_urls() {
  faults("[]");
  const gptimage::Client client(gptimage::Config().fetch(false));
  auto generated = client.generate(gptimage::GenerateRequest("A hat").quality("low"));
  CHECK(generated.image().url() && generated.image().bytes().empty());
  CHECK(!generated.image().format());
  client.fetch(generated);
  const auto image = generated.image();
  CHECK(image.format() == "png" && image.width() == 1024 && image.height() == 1024);
  CHECK(!image.bytes().empty() && image.url());
  const auto *data = image.bytes().data();
  client.fetch(generated, 0);
  CHECK(image.bytes().data() == data);

  // What was fetched was looked at, and is not kept for others.
  {
    auto of_future = client.generate_async(gptimage::GenerateRequest("A hat")).get();
    client.fetch(of_future);
  }
  CHECK(!client.collect());

  // Not there at first.
  auto another = client.generate(gptimage::GenerateRequest("A cap").quality("low"));
  faults(R"({"cdn":{"status":410,"times":1}})");
  expect<gptimage::DownloadFailedError>([&] { client.fetch(another); });
  CHECK(another.image().url() && another.image().bytes().empty());
  client.fetch(another);
  CHECK(!another.image().bytes().empty());
}

// What an error has, and what a link alone leads to, without a cast.
void fetched_later() {
  faults(R"({"cdn":{"status":410,"times":"always"}})");
  const gptimage::Client client;
  std::optional<gptimage::Generated> copy;
  try {
    static_cast<void>(client.generate(gptimage::GenerateRequest("A hat").quality("low")));
  } catch (const gptimage::DownloadFailedError &error) {
    copy = error.generated()->copy();
  }
  faults("[]");
  CHECK(copy && copy->image().bytes().empty() && copy->usd_spent());
  const std::string url(*copy->image().url());
  client.fetch(*copy);
  CHECK(!copy->image().bytes().empty());
  const auto again = copy->copy();
  CHECK(again.image().bytes().data() == copy->image().bytes().data());

  auto linked = gptimage::Generated::from_url(url);
  client.fetch_to(linked, "linked.png");
  CHECK(contents("linked.png").size() == copy->image().bytes().size());
  CHECK(fs::equivalent(*linked.image().path(), "linked.png"));
  auto another = gptimage::Generated::from_url(url);
  expect<gptimage::IoError>([&] { client.fetch_to(another, "linked.png"); });
  client.fetch_to(another, "linked.png", true);
  expect<gptimage::InvalidArgumentError>([&] { client.fetch_to(another, "more.png", false, 1); });
  expect<gptimage::InvalidArgumentError>(
      [] { static_cast<void>(gptimage::Generated::from_url(std::string_view("a\0b", 3))); });
}

}  // namespace

int main() {
  fetched_later();
  in_memory();
  in_files();
  edited();
  at_urls();
}
