// Every kind of error as the class of its own that it is, with all that it says.
#include "test.hpp"

#include <fstream>
#include <set>

namespace {

using namespace std::chrono_literals;
using gptimage::Charge;

gptimage::Client client_of_one_attempt() {
  return gptimage::Client(gptimage::Config().max_attempts(1).timer("url_not_found", 0s));
}

// What one call ends in that gets this answer.
template <class Expected>
Expected of_answer(const std::string &answer, Charge charge) {
  faults(answer);
  const auto client = client_of_one_attempt();
  const auto error = expect<Expected>(
      [&] { static_cast<void>(client.generate(gptimage::GenerateRequest("A hat"))); });
  CHECK_NUMBER(error.status(), Expected::number);
  CHECK(error.kind() == gptimage_status_name(Expected::number));
  CHECK(error.charge() == charge);
  CHECK(error.client_request_id() && !error.client_request_id()->empty());
  CHECK(error.what()[0] != '\0');
  CHECK_CONTAINS(error.json().data(), gptimage_status_name(Expected::number));
  return error;
}

void of_http() {
  const auto free = Charge::not_charged;
  auto bad = of_answer<gptimage::BadRequestError>(R"({"answer":{"status":418}})", free);
  CHECK_NUMBER(bad.http_status().value(), 418);
  CHECK(!bad.retry_after());
  of_answer<gptimage::AuthenticationError>(R"({"answer":{"status":401}})", free);
  of_answer<gptimage::PermissionDeniedError>(
      R"({"answer":{"status":403,"raw_body":{"content_type":"application/json",)"
      R"("content":{"json":{"message":"Forbidden resource"}}}}})",
      free);
  of_answer<gptimage::InsufficientCreditsError>(
      R"({"answer":{"status":403,"raw_body":{"content_type":"application/json",)"
      R"("content":{"json":{"message":"You've run out of credits"}}}}})",
      free);
  of_answer<gptimage::NotFoundError>(R"({"answer":{"status":404}})", free);
  of_answer<gptimage::ModerationBlockedError>(
      R"({"answer":{"status":400,"body":{"openai":{"message":"Rejected by the safety system.",)"
      R"("type":"image_generation_user_error","code":"moderation_blocked"}}}})",
      free);
  const auto limited = of_answer<gptimage::RateLimitedError>(
      R"({"answer":{"status":429,"headers":{"retry-after":"2"}}})", free);
  CHECK(limited.retry_after() == 2s);
  const auto server =
      of_answer<gptimage::ServerError>(R"({"answer":{"status":503}})", Charge::unknown);
  CHECK_NUMBER(server.http_status().value(), 503);
  of_answer<gptimage::OutcomeUnknownError>(R"({"answer":{"status":502,"body":"html"}})",
                                           Charge::unknown);
  const auto cut = of_answer<gptimage::OutcomeUnknownError>(
      R"({"cut_response":{"after":17,"cut":"rst"}})", Charge::unknown);
  CHECK(!cut.http_status());
  of_answer<gptimage::ResponseInvalidError>(R"({"success_body":{"json":{"data":[]}}})",
                                            Charge::charged);
}

void of_downloads() {
  const auto failed = of_answer<gptimage::DownloadFailedError>(
      R"({"cdn":{"status":404,"times":50}})", Charge::charged);
  const auto generated = failed.generated();
  CHECK(generated && generated->size() == 1);
  CHECK(generated->image().url() && generated->image().bytes().empty());
  CHECK(generated->usd_spent() && generated->credits_used());
  CHECK(!generated->image().format() && generated->image().width() == 0);
}

void of_this_side() {
  faults("[]");
  const long long before = charges();
  const auto client = client_of_one_attempt();
  const gptimage::GenerateRequest request("A hat");

  // All that is wrong, at once.
  const auto invalid = expect<gptimage::InvalidRequestError>([&] {
    auto wrong = gptimage::GenerateRequest("").size("1x1").n(7).output_compression(101);
    static_cast<void>(client.generate(wrong));
  });
  CHECK(invalid.charge() == Charge::not_charged && !invalid.client_request_id());
  std::set<std::string_view> params;
  for (const auto &violation : invalid.violations()) {
    params.insert(violation.param);
    CHECK(!violation.rule.empty() && !violation.message.empty());
    if (violation.param == "size") {
      CHECK(violation.rule == "one_of");
      CHECK(violation.given.find("1x1") != std::string_view::npos);
    }
  }
  CHECK(params == (std::set<std::string_view>{"prompt", "size", "n", "output_compression"}));
  expect<gptimage::InvalidRequestError>(
      [&] { static_cast<void>(client.edit(gptimage::EditRequest("A hat"))); });
  // The same through a job and a future.
  const auto wrong = gptimage::GenerateRequest("A hat").size("1x1");
  expect<gptimage::InvalidRequestError>(
      [&] { static_cast<void>(client.start_generate(wrong).wait()); });
  expect<gptimage::InvalidRequestError>([&] { client.generate_async(wrong).get(); });

  expect<gptimage::ConfigError>([] { gptimage::Client of(gptimage::Config().api_key("")); });
  expect<gptimage::ConfigError>(
      [] { gptimage::Client of(gptimage::Config().base_url("ftp://a")); });
  expect<gptimage::ConfigError>([] { gptimage::Config().timer("tea", 1s); });
  expect<gptimage::InvalidArgumentError>([] { gptimage::GenerateRequest("A hat").extra("[1]"); });

  std::ofstream("there.png") << "something";
  const auto there = expect<gptimage::IoError>(
      [&] { static_cast<void>(client.generate_to(request, "there.png")); });
  CHECK(there.charge() == Charge::not_charged);

  const gptimage::CancelToken token;
  token.cancel();
  const auto cancelled =
      expect<gptimage::CancelledError>([&] { static_cast<void>(client.generate(request, token)); });
  CHECK(cancelled.charge() == Charge::not_charged);

  // A port that is taken, and at which nobody listens.
  const int socket_of = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(bind(socket_of, reinterpret_cast<sockaddr *>(&address), size) == 0);
  CHECK(getsockname(socket_of, reinterpret_cast<sockaddr *>(&address), &size) == 0);
  const auto url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/v1";
  const auto refused = expect<gptimage::ConnectionError>([&] {
    const gptimage::Client nowhere(gptimage::Config().base_url(url).max_attempts(1));
    static_cast<void>(nowhere.generate(request));
  });
  CHECK(refused.charge() == Charge::not_charged);
  close(socket_of);

  CHECK_NUMBER(charges(), before);
}

// What comes too late can be collected, once: a result is given, an error is thrown.
void of_deadlines() {
  const auto client = client_of_one_attempt();
  for (const bool succeeds : {true, false}) {
    // Longer and longer, until the deadline is after the sending, and before the answer.
    for (auto deadline = 250ms;; deadline *= 2) {
      const std::string what = succeeds ? small_answer : R"("success_body":{"json":{"data":[]}})";
      const auto late = std::to_string(deadline.count() * 3) + "ms";
      faults("{" + what + R"(,"delay":")" + late + R"("})");
      auto request = gptimage::GenerateRequest("A hat").deadline(deadline);
      try {
        static_cast<void>(client.generate(request));
      } catch (const gptimage::OutcomeUnknownError &error) {
        CHECK(error.charge() == Charge::unknown);
        CHECK(error.client_request_id().has_value());
        break;
      } catch (const gptimage::Error &error) {
        CHECK(error.charge() == Charge::not_charged);
      }
    }
    if (succeeds) {
      CHECK_NUMBER(collect_one(client).size(), 1);
    } else {
      expect<gptimage::ResponseInvalidError>([&] { collect_one(client); });
    }
    CHECK(!client.collect());
  }
}

// Each status that gptimage.h knows has its class, and it alone.
void table() {
  for (gptimage_status_t status = 1; status < 200; ++status) {
    try {
      gptimage::detail::raise_message(status, nullptr, "of this status", nullptr);
    } catch (const gptimage::Error &error) {
      const bool is_known = std::string_view(gptimage_status_name(status)) != "unknown_status";
      const bool has_class = typeid(error) != typeid(gptimage::Error);
      // No function throws that a job has not ended.
      CHECK(has_class == (is_known && status != GPTIMAGE_STATUS_PENDING));
      CHECK_NUMBER(error.status(), status);
      CHECK_TEXT(error.what(), "of this status");
    }
  }
  expect<gptimage::BudgetExceededError>([] {
    gptimage::detail::raise_message(GPTIMAGE_STATUS_BUDGET_EXCEEDED, nullptr, "", nullptr);
  });
  expect<gptimage::InternalError>(
      [] { gptimage::detail::raise_message(GPTIMAGE_STATUS_INTERNAL, nullptr, "", nullptr); });
}

// A copy has all that the error had, and outlives it.
void copies() {
  faults(R"({"cdn":{"status":404,"times":50}})");
  std::exception_ptr pointer;
  std::optional<gptimage::Error> copy;
  try {
    static_cast<void>(client_of_one_attempt().generate(gptimage::GenerateRequest("A hat")));
  } catch (const gptimage::Error &error) {
    pointer = std::current_exception();
    copy = error;
  }
  CHECK(copy && copy->generated() && copy->generated()->image().url());
  try {
    std::rethrow_exception(std::exchange(pointer, nullptr));
  } catch (const std::runtime_error &error) {
    CHECK_TEXT(error.what(), copy->what());
  }
  const gptimage::Error another = std::move(*copy);
  copy.reset();
  CHECK_NUMBER(another.generated()->size(), 1);
  CHECK(another.kind() == "download_failed");
}

}  // namespace

int main() {
  of_http();
  of_downloads();
  of_this_side();
  of_deadlines();
  table();
  copies();
}
