// A forked child: what is its parent's refuses or does nothing, and what it makes itself works.
#include "test.hpp"

#include <future>
#include <sys/wait.h>

namespace {

using namespace std::chrono_literals;

// Waits for a child that does this and ends well.
template <class Work>
void in_child(Work work) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    work();
    // The parent's statics are not this process's to destroy.
    _exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_NUMBER(status, 0);
}

}  // namespace

int main() {
  small_pictures();
  const auto request = gptimage::GenerateRequest("A hat").size("1024x1024");
  const gptimage::Client client;
  const auto generated = client.generate(request);
  // Both functions are running at the fork: in the child they never end.
  Signal may_end;
  Signal running;
  const auto hold = [&] {
    running.say();
    may_end.await();
  };
  auto given_up = std::make_unique<gptimage::Client>();
  given_up->set_progress([&](const gptimage::Progress &) { hold(); });
  auto job = given_up->start_generate(request);
  auto future = given_up->generate_async(request);
  running.await();
  in_child([&] {
    CHECK_NUMBER(generated.image().bytes().size(), decode(small_picture).size());
    expect<gptimage::ConfigError>([&] { static_cast<void>(client.generate(request)); });
    expect<gptimage::ConfigError>([&] { static_cast<void>(client.collect(1s)); });
    expect<gptimage::ConfigError>([&] { static_cast<void>(client.start_generate(request)); });
    expect<gptimage::ConfigError>([&] { static_cast<void>(client.generate_async(request)); });
    expect<gptimage::ConfigError>([&] { static_cast<void>(job.wait()); });
    CHECK(future.wait_for(0s) == std::future_status::timeout);
    client.set_progress(nullptr);
    given_up->set_progress(nullptr);
    given_up.reset();
    future = std::future<gptimage::Generated>();
    const gptimage::Job taken = std::move(job);

    const gptimage::Client own;
    Signal told;
    own.set_progress([&](const gptimage::Progress &) { told.say(); });
    CHECK_NUMBER(own.generate_async(request).get().size(), 1);
    told.await();
    CHECK_NUMBER(own.start_generate(request).wait().size(), 1);
  });
  may_end.say();
  CHECK_NUMBER(job.wait().size(), 1);
  CHECK_NUMBER(future.get().size(), 1);
  given_up.reset();

  Signal log_may_end;
  Signal log_running;
  gptimage::on_log(gptimage::LogLevel::debug, [&](gptimage::LogLevel, std::string_view) {
    log_running.say();
    log_may_end.await();
  });
  CHECK_NUMBER(client.generate(request).size(), 1);
  log_running.await();
  in_child([&] {
    Signal told;
    gptimage::on_log(gptimage::LogLevel::debug,
                     [&](gptimage::LogLevel, std::string_view) { told.say(); });
    const gptimage::Client own;
    CHECK_NUMBER(own.generate(request).size(), 1);
    told.await();
    gptimage::on_log(gptimage::LogLevel::debug, nullptr);
  });
  log_may_end.say();
  gptimage::on_log(gptimage::LogLevel::debug, nullptr);
}
