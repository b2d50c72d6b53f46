// Who owns what: moves, moves onto oneself, what was moved from, views, texts and times.
#include "test.hpp"

#include <array>
#include <future>
#include <type_traits>
#if __cplusplus >= 202002L
#include <span>
#endif

gptimage::GenerateRequest request_of_another_unit();

namespace {

using namespace std::chrono_literals;

template <class T>
constexpr bool is_moved_only = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                               std::is_nothrow_move_constructible_v<T> &&
                               std::is_nothrow_move_assignable_v<T> &&
                               std::is_nothrow_destructible_v<T>;

static_assert(is_moved_only<gptimage::Config>);
static_assert(is_moved_only<gptimage::Client>);
static_assert(is_moved_only<gptimage::GenerateRequest>);
static_assert(is_moved_only<gptimage::EditRequest>);
static_assert(is_moved_only<gptimage::CancelToken>);
static_assert(is_moved_only<gptimage::Job>);
static_assert(is_moved_only<gptimage::Generated>);
static_assert(std::is_nothrow_copy_constructible_v<gptimage::Error>);
static_assert(std::is_base_of_v<std::runtime_error, gptimage::Error>);
static_assert(std::is_trivially_copyable_v<gptimage::Bytes>);
static_assert(std::is_trivially_copyable_v<gptimage::Image>);

// The same object by another name, for compilers warn of plain moves onto oneself.
template <class T>
T &same(T &object) {
  return object;
}

void requests() {
  auto request = gptimage::GenerateRequest("A hat").size("1024x1024").quality("low");
  request.output_format("png").background("auto").moderation("low").n(1).set("n", "1");
  auto moved = std::move(request);
  moved = std::move(same(moved));
  expect<gptimage::InvalidArgumentError>([&] { request.size("1024x1024"); });
  request = gptimage::GenerateRequest("Another hat");
  request.size("1024x1024");
  std::swap(request, moved);

  const gptimage::Client client;
  CHECK_NUMBER(client.generate(request).size(), 1);
  CHECK_NUMBER(client.generate(moved).size(), 1);
  CHECK_NUMBER(client.generate(request_of_another_unit()).size(), 1);
  const auto kept = std::move(moved);
  const auto error =
      expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(client.generate(moved)); });
  CHECK(error.charge() == gptimage::Charge::not_charged);
  CHECK(error.kind() == "invalid_argument");

  auto edit = gptimage::EditRequest("A hat").add_image("a.png").mask("b.png").n(2);
  auto edited = std::move(edit);
  expect<gptimage::InvalidArgumentError>([&] { edit.add_image("c.png"); });
  edited = std::move(same(edited));
  edited.overwrite(true).deadline(10s).structural_rules(true).extra(R"({"a": 1})");
}

void texts() {
  using namespace std::string_view_literals;
  // Cut out of a longer text: what stands behind is not sent.
  const std::string_view prompt("A hat, and more");
  gptimage::GenerateRequest request(prompt.substr(0, 5));
  request.quality("lower"sv.substr(0, 3));
  CHECK_NUMBER(gptimage::Client().generate(request).size(), 1);
  char *requests = control_get("/_emulator/requests");
  CHECK(std::strstr(requests, "and more") == nullptr);
  CHECK(std::strstr(requests, "lower") == nullptr);
  std::free(requests);

  expect<gptimage::InvalidArgumentError>([] { gptimage::GenerateRequest of("A\0hat"sv); });
  expect<gptimage::InvalidArgumentError>([&] { request.size("1024x1024\0"sv); });
  expect<gptimage::InvalidArgumentError>([] { gptimage::GenerateRequest of("A\xff hat"); });
  const auto error = expect<gptimage::InvalidArgumentError>(
      [&] { static_cast<void>(gptimage::Client().generate_to(request, std::string("a\0b", 3))); });
  CHECK_CONTAINS(error.what(), "NUL");
  CHECK_NUMBER(error.status(), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK(error.json() == "{}" && error.violations().empty() && !error.generated());
  CHECK(!error.http_status() && !error.retry_after() && !error.inference_id());
  CHECK(!error.client_request_id());
}

void times() {
  CHECK_NUMBER(gptimage::Duration(3s).milliseconds(), 3000);
  CHECK_NUMBER(gptimage::Duration(1us).milliseconds(), 1);
  CHECK_NUMBER(gptimage::Duration(1001us).milliseconds(), 2);
  CHECK_NUMBER(gptimage::Duration(std::chrono::duration<float>(0.5F)).milliseconds(), 500);
  CHECK_NUMBER(gptimage::Duration(-1h).milliseconds(), 0);
  CHECK_NUMBER(gptimage::Duration(std::chrono::hours::max()).milliseconds(), 9000000000000000);
  CHECK_NUMBER(gptimage::Duration(std::chrono::hours::min()).milliseconds(), 0);
  const std::chrono::duration<double> no_number(std::nan(""));
  CHECK_NUMBER(gptimage::Duration(no_number).milliseconds(), 0);

  // A deadline that has passed is not one that there is not.
  gptimage::Config config;
  expect<gptimage::InvalidArgumentError>([&] { config.deadline(0s); });
  expect<gptimage::InvalidArgumentError>([&] { config.deadline(-1s); });
  config.deadline(1h);
  gptimage::GenerateRequest request("A hat");
  expect<gptimage::InvalidArgumentError>([&] { request.deadline(-1s); });
  CHECK_NUMBER(gptimage::Client(config).generate(request).size(), 1);
}

void bytes() {
  const std::vector<unsigned char> vector{1, 2, 3};
  const std::array<std::byte, 2> array{};
  CHECK_NUMBER(gptimage::Bytes(vector).size(), 3);
  CHECK_NUMBER(gptimage::Bytes(vector)[2], 3);
  CHECK_NUMBER(gptimage::Bytes(array).size(), 2);
  CHECK_NUMBER(gptimage::Bytes(std::string_view("four")).size(), 4);
  CHECK(gptimage::Bytes().empty() && gptimage::Bytes().begin() == gptimage::Bytes().end());
  static_assert(!std::is_constructible_v<gptimage::Bytes, std::vector<int>>);
  static_assert(!std::is_constructible_v<gptimage::Bytes, std::vector<bool>>);
#if __cplusplus >= 202002L
  const std::span<const std::uint8_t> span = gptimage::Bytes(vector);
  CHECK(span.size() == 3 && span.data() == vector.data());
#endif
}

void configs() {
  auto config = gptimage::Config().max_attempts(2).timer("connect", 5s).header("X-Name", "value");
  config.fetch(true).proxy("").allow_http(false).abort_on_cancel(false).max_image_bytes(1 << 20).salvage_max_bytes(1 << 20);
  config.retry_server_errors(false);
  auto moved = std::move(config);
  moved = std::move(same(moved));
  expect<gptimage::InvalidArgumentError>([&] { config.fetch(false); });
  expect<gptimage::InvalidArgumentError>([&] { gptimage::Client client(config); });
  const gptimage::Client client(moved);
  CHECK_NUMBER(client.generate(gptimage::GenerateRequest("A hat")).size(), 1);
}

void clients() {
  gptimage::Client client;
  Signal told;
  client.set_progress([&](const gptimage::Progress &) { told.say(); });
  const gptimage::GenerateRequest request("A hat");
  auto moved = std::move(client);
  moved = std::move(same(moved));
  // Its function came along.
  CHECK_NUMBER(moved.generate(request).size(), 1);
  told.await();

  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(client.generate(request)); });
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(client.collect()); });
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(client.collect(1s)); });
  expect<gptimage::InvalidArgumentError>([&] { client.set_progress(nullptr); });
  expect<gptimage::InvalidArgumentError>([&] { client.start_generate(request); });
  expect<gptimage::InvalidArgumentError>(
      [&] { static_cast<void>(client.generate_async(request)); });

  // The one that is replaced is gone at once, and its function with it.
  auto held = std::make_shared<int>(0);
  moved.set_progress([held](const gptimage::Progress &) {});
  CHECK_NUMBER(held.use_count(), 2);
  moved = gptimage::Client();
  CHECK_NUMBER(held.use_count(), 1);
  std::swap(client, moved);
  CHECK_NUMBER(client.generate(request).size(), 1);
}

void results() {
  const gptimage::Client client;
  const gptimage::GenerateRequest request("A hat");
  auto generated = client.generate(request);
  const auto image = generated.image();
  const std::uint8_t *data = image.bytes().data();
  CHECK_NUMBER(image.bytes().size(), decode(small_picture).size());
  auto moved = std::move(generated);
  // A result that moves is where it was: its views stay.
  CHECK(image.bytes().data() == data && moved.image().bytes().data() == data);
  moved = std::move(same(moved));
  CHECK(moved.image().bytes().data() == data);
  CHECK(moved.usd_spent() && moved.credits_used() && moved.client_request_id() && moved.attempts() == 1);
  CHECK_NUMBER(std::distance(moved.images().begin(), moved.images().end()), 1);

  CHECK(generated.size() == 0 && generated.images().empty());
  CHECK(!generated.usd_spent() && !generated.credits_used() && !generated.inference_id());
  CHECK(!generated.client_request_id() && generated.attempts() == 0);
  CHECK(generated.json() == "{}");
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(generated.image()); });
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(moved.image(1)); });
  expect<gptimage::InvalidArgumentError>([&] { client.fetch(generated); });
  expect<gptimage::InvalidArgumentError>([&] { client.fetch(moved, 1); });
  expect<gptimage::InvalidArgumentError>([&] { moved.images()[1].save("b.png"); });
  const auto beyond = moved.images()[1];
  CHECK(beyond.bytes().empty() && !beyond.format() && !beyond.url() && !beyond.path());
  CHECK(!beyond.revised_prompt() && beyond.width() == 0 && beyond.height() == 0);

  generated = client.generate(request);
  CHECK_NUMBER(generated.size(), 1);
  std::vector<gptimage::Generated> several;
  for (int times = 0; times < 3; ++times) {
    several.push_back(client.generate(request));
  }
  several.erase(several.begin());
  CHECK_NUMBER(several.front().size(), 1);
}

void tokens_and_jobs() {
  const gptimage::Client client;
  const gptimage::GenerateRequest request("A hat");
  gptimage::CancelToken token;
  gptimage::CancelToken moved = std::move(token);
  moved = std::move(same(moved));
  // One that was moved from cancels nothing, and is as good as none.
  token.cancel();
  CHECK_NUMBER(client.generate(request, token).size(), 1);
  CHECK_NUMBER(client.generate(request, moved).size(), 1);
  moved.cancel();
  moved.cancel();
  expect<gptimage::CancelledError>([&] { static_cast<void>(client.generate(request, moved)); });

  Signal ended;
  auto job = client.start_generate(request, [&] { ended.say(); });
  auto other = std::move(job);
  other = std::move(same(other));
  ended.await();
  CHECK_NUMBER(other.wait().size(), 1);
  CHECK_NUMBER(ended.count(), 1);
  CHECK(job.phase() == gptimage::Phase::planned);
  job.cancel();
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(job.wait()); });
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(job.wait_for(0s)); });
  // Its result was given.
  expect<gptimage::InvalidArgumentError>([&] { static_cast<void>(other.wait()); });
  std::swap(job, other);
  CHECK(job.phase() == gptimage::Phase::stored);
}

}  // namespace

int main() {
  small_pictures();
  CHECK(gptimage::version() == GPTIMAGE_VERSION);
  requests();
  texts();
  times();
  bytes();
  configs();
  clients();
  results();
  tokens_and_jobs();
}
