/*
 * Many threads, little stacks, callbacks of every kind, and calls that are cancelled or freed at
 * every moment: what was charged is had exactly once.
 */
#include "host.h"

static gptimage_client_t *client;
static gptimage_generate_request_t *generate;
static gptimage_edit_request_t *edit;

/* How many results there were. */
static atomic_llong results;

static void taken(gptimage_generated_t *generated) {
  CHECK_NUMBER(gptimage_generated_image_count(generated), 1);
  CHECK_NUMBER(gptimage_generated_image_bytes(generated, 0).len, 77);
  gptimage_generated_free(generated);
  ++results;
}

/* Results of calls whose callers were gone, until there is nothing more. */
static void collect_all(const gptimage_client_t *of) {
  for (;;) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    CHECK_OK(gptimage_client_collect(of, 60000, &generated, &error));
    if (generated == NULL) {
      return;
    }
    taken(generated);
  }
}

/* What was charged since is what was had. */
static void all_had(int line, long long before) {
  collect_all(client);
  check_number(__FILE__, line, "results, of all that was charged", results,
               host_charges() - before);
}
#define BEGIN_COUNT()                 \
  long long charged = host_charges(); \
  results = 0
#define ALL_HAD() all_had(__LINE__, charged)

static void run(int threads, size_t stack, void *(*work)(void *), void *with) {
  pthread_t started[64];
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack > 0) {
    CHECK_NUMBER(pthread_attr_setstacksize(&attributes, stack), 0);
  }
  for (int i = 0; i < threads; ++i) {
    CHECK_NUMBER(pthread_create(&started[i], &attributes, work, with), 0);
  }
  for (int i = 0; i < threads; ++i) {
    CHECK_NUMBER(pthread_join(started[i], NULL), 0);
  }
  pthread_attr_destroy(&attributes);
}

/* --- One client, many threads, little stacks --- */

static void *everything(void *rounds) {
  for (int i = 0; i < *(int *)rounds; ++i) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    gptimage_job_t *job = NULL;
    gptimage_edit_request_t *own = NULL;
    gptimage_cancel_token_t *token = gptimage_cancel_token_new();
    CHECK_OK(gptimage_client_generate(client, generate, token, &generated, &error));
    CHECK_CONTAINS(gptimage_generated_json(generated), "\"attempts\"");
    taken(generated);
    CHECK_OK(gptimage_client_edit(client, edit, NULL, &generated, &error));
    CHECK_CONTAINS(gptimage_generated_json(generated), "\"attempts\"");
    taken(generated);
    CHECK_OK(gptimage_client_start_edit(client, edit, NULL, NULL, &job, &error));
    CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
    taken(generated);
    gptimage_job_free(job);
    CHECK_OK(gptimage_edit_request_new("A hat", &own, &error));
    CHECK_OK(gptimage_edit_request_set_extra(own, "{\"user\":{\"name\":[1,2.5,null]}}", &error));
    CHECK_STATUS(gptimage_client_edit(client, own, NULL, &generated, &error),
                 GPTIMAGE_STATUS_INVALID_REQUEST);
    CHECK_CONTAINS(gptimage_error_json(error), "\"violations\"");
    gptimage_error_free(error);
    error = NULL;
    gptimage_edit_request_free(own);
    gptimage_cancel_token_cancel(token);
    gptimage_cancel_token_free(token);
    /* A new client; results of others may come from this, too, which nobody else is to take then.
     */
    gptimage_client_free(host_client());
  }
  return NULL;
}

static void *first_use(void *unused) {
  (void)unused;
  gptimage_client_free(host_client());
  return NULL;
}

/* --- Cancelled, freed, or ended: whatever comes first --- */

static atomic_int called;

static void on_end(gptimage_job_t *job, void *user_data) {
  (void)job, (void)user_data;
  ++called;
}

/* Pauses for 0 to 3 ms, most often hardly at all. */
static void dally(uint64_t *random_state) {
  uint64_t face = host_random(random_state);
  if (face % 4 != 0) {
    host_pause_us((long)((face >> 8) % ((face % 4) * 1000)));
  }
}

typedef struct {
  gptimage_job_t *job;
  gptimage_cancel_token_t *token;
  uint64_t random_state;
} rival_t;

static void *cancel_soon(void *with) {
  rival_t *rival = (rival_t *)with;
  dally(&rival->random_state);
  if (rival->job != NULL) {
    gptimage_job_cancel(rival->job);
  } else {
    gptimage_cancel_token_cancel(rival->token);
  }
  return NULL;
}

static void may_be_cancelled(gptimage_status_t status, gptimage_generated_t *generated,
                             gptimage_error_t *error) {
  if (status == GPTIMAGE_STATUS_OK) {
    CHECK(error == NULL);
    taken(generated);
    return;
  }
  check_status(__FILE__, __LINE__, "cancelled", status, GPTIMAGE_STATUS_CANCELLED, error);
  CHECK(generated == NULL);
  CHECK(gptimage_error_generated(error) == NULL);
  gptimage_error_free(error);
}

static void races(int rounds, uint64_t *random_state) {
  BEGIN_COUNT();
  int cancelled = 0;
  host_latency("\"0ms..3ms\"");
  for (int i = 0; i < rounds; ++i) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    gptimage_job_t *job = NULL;
    gptimage_status_t status;
    pthread_t thread;
    rival_t rival = {NULL, NULL, host_random(random_state)};
    int how = i % 4;
    if (how == 0) {
      /* A token, from another thread. */
      rival.token = gptimage_cancel_token_new();
      CHECK_NUMBER(pthread_create(&thread, NULL, cancel_soon, &rival), 0);
      status = gptimage_client_generate(client, generate, rival.token, &generated, &error);
      pthread_join(thread, NULL);
      gptimage_cancel_token_free(rival.token);
      cancelled += status != GPTIMAGE_STATUS_OK;
      may_be_cancelled(status, generated, error);
      continue;
    }
    int with_callback = i % 2;
    CHECK_OK(gptimage_client_start_generate(client, generate, with_callback ? on_end : NULL, NULL,
                                            &job, &error));
    if (how == 1) {
      /* A job, from another thread. */
      rival.job = job;
      CHECK_NUMBER(pthread_create(&thread, NULL, cancel_soon, &rival), 0);
      status = gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error);
      pthread_join(thread, NULL);
    } else if (how == 2) {
      /* A job, from this thread. */
      dally(random_state);
      gptimage_job_cancel(job);
      status = gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error);
    } else {
      /* Freed, without a look at it. */
      dally(random_state);
      gptimage_job_free(job);
      continue;
    }
    cancelled += status != GPTIMAGE_STATUS_OK;
    may_be_cancelled(status, generated, error);
    generated = NULL;
    error = NULL;
    CHECK_FAILS(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error),
                GPTIMAGE_STATUS_INVALID_ARGUMENT);
    gptimage_job_free(job);
  }
  host_latency("null");
  /* Threat: c-misuse */
  ALL_HAD();
  printf("%d races, %d cancelled, %lld results\n", rounds, cancelled, (long long)results);
  if (rounds >= 100) {
    /* Else it is no race. */
    CHECK(cancelled > 0 && results > 0);
  }
}

/* One result, and many who want it. */
static atomic_int winners, losers;
static gptimage_job_t *wanted;

static void *want(void *unused) {
  (void)unused;
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_status_t status = gptimage_job_wait(wanted, GPTIMAGE_WAIT_FOREVER, &generated, &error);
  if (status == GPTIMAGE_STATUS_OK) {
    taken(generated);
    ++winners;
  } else {
    check_status(__FILE__, __LINE__, "too late", status, GPTIMAGE_STATUS_INVALID_ARGUMENT, error);
    gptimage_error_free(error);
    ++losers;
  }
  return NULL;
}

static void one_result(int rounds) {
  BEGIN_COUNT();
  for (int i = 0; i < rounds; ++i) {
    gptimage_error_t *error = NULL;
    winners = losers = 0;
    CHECK_OK(gptimage_client_start_generate(client, generate, on_end, NULL, &wanted, &error));
    run(4, HOST_LITTLE_STACK, want, NULL);
    CHECK_NUMBER(winners, 1);
    CHECK_NUMBER(losers, 3);
    gptimage_job_free(wanted);
  }
  ALL_HAD();
}

/* How far a job is only goes forward, whoever looks, and ends where it ends. */
static atomic_int watching;

static void *watch_phase(void *job) {
  gptimage_phase_t before = GPTIMAGE_PHASE_PLANNED;
  while (watching) {
    gptimage_phase_t now = gptimage_job_phase((gptimage_job_t *)job);
    CHECK(now >= before);
    before = now;
  }
  return NULL;
}

static void phases(int rounds) {
  BEGIN_COUNT();
  for (int i = 0; i < rounds; ++i) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    gptimage_job_t *job = NULL;
    pthread_t threads[3];
    watching = 1;
    CHECK_OK(gptimage_client_start_generate(client, generate, on_end, NULL, &job, &error));
    for (int j = 0; j < 3; ++j) {
      CHECK_NUMBER(pthread_create(&threads[j], NULL, watch_phase, job), 0);
    }
    CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
    taken(generated);
    watching = 0;
    for (int j = 0; j < 3; ++j) {
      pthread_join(threads[j], NULL);
    }
    CHECK_NUMBER(gptimage_job_phase(job), GPTIMAGE_PHASE_STORED);
    gptimage_job_free(job);
  }
  ALL_HAD();
}

/* --- Callbacks --- */

static host_signal_t in_callback = HOST_SIGNAL, go_on = HOST_SIGNAL;
static atomic_int expected;

static void slow(gptimage_job_t *job, void *user_data) {
  (void)job, (void)user_data;
  host_notify(&in_callback);
  host_await(&go_on, expected);
}

/* A slow one delays no call. */
static void a_slow_callback(void) {
  BEGIN_COUNT();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = NULL, *another = NULL;
  expected = 1;
  CHECK_OK(gptimage_client_start_generate(client, generate, slow, NULL, &job, &error));
  host_await(&in_callback, 1);
  /* While it runs: */
  CHECK_OK(gptimage_client_generate(client, generate, NULL, &generated, &error));
  taken(generated);
  CHECK_OK(gptimage_client_start_edit(client, edit, on_end, NULL, &another, &error));
  CHECK_OK(gptimage_job_wait(another, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  taken(generated);
  CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  taken(generated);
  int before = called;
  /* Its callback waits behind the slow one, and is dropped. */
  gptimage_job_free(another);
  host_notify(&go_on);
  gptimage_job_free(job);
  CHECK_NUMBER(called, before);
  ALL_HAD();
}

static host_signal_t second_ended = HOST_SIGNAL, third_ended = HOST_SIGNAL;

static void from_a_callback(gptimage_job_t *job, void *user_data) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_job_wait(job, 0, &generated, &error));
  taken(generated);
  gptimage_job_free(job);
  host_notify((host_signal_t *)user_data);
}

static void look_on(const gptimage_progress_t *progress, void *user_data) {
  CHECK(progress->bytes_sent <= progress->bytes_total);
  ++*(atomic_int *)user_data;
}

static atomic_int looks;

/* Whatever does not wait for a call may be called, and the job itself may be freed. */
static void calls_back_in(gptimage_job_t *job, void *user_data) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_t *next = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_config_t *config = gptimage_config_new();
  gptimage_cancel_token_t *token = gptimage_cancel_token_new();
  char path[500];
  CHECK_NUMBER(gptimage_job_phase(job), GPTIMAGE_PHASE_STORED);
  CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  CHECK_FAILS(gptimage_job_wait(job, 0, &generated, &error), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  snprintf(path, sizeof path, "%s/from-a-callback.png", host_folder());
  CHECK_OK(gptimage_generated_image_save(generated, 0, path, 1, &error));
  CHECK_CONTAINS(gptimage_generated_json(generated), "\"cost\"");
  taken(generated);
  gptimage_client_free(host_client());
  gptimage_cancel_token_cancel(token);
  CHECK_OK(gptimage_config_set_proxy(config, "", &error));
  gptimage_client_set_progress(client, look_on, &looks);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_WARN, NULL, NULL);
  CHECK_OK(gptimage_client_start_generate(client, request, from_a_callback, &third_ended, &next,
                                          &error));
  gptimage_cancel_token_free(token);
  gptimage_config_free(config);
  gptimage_generate_request_free(request);
  gptimage_job_cancel(job);
  gptimage_job_free(job);
  host_notify((host_signal_t *)user_data);
}

static void a_busy_callback(void) {
  BEGIN_COUNT();
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = NULL;
  CHECK_OK(
      gptimage_client_start_generate(client, generate, calls_back_in, &second_ended, &job, &error));
  host_await(&second_ended, 1);
  host_await(&third_ended, 1);
  gptimage_client_set_progress(client, NULL, NULL);
  CHECK(looks > 0);
  ALL_HAD();
}

/* Progress and log callbacks that replace themselves. */
static atomic_int replaced;

static void replaces_itself(const gptimage_progress_t *progress, void *user_data) {
  (void)progress;
  CHECK(user_data == (void *)&replaced);
  if (++replaced % 2) {
    gptimage_client_set_progress(client, replaces_itself, &replaced);
  }
}

static void log_replaces_itself(gptimage_log_level_t level, const char *message, void *user_data) {
  CHECK(level > 0 && message[0] != '\0' && user_data == (void *)&replaced);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, log_replaces_itself, &replaced);
}

static void replaced_from_within(int rounds) {
  BEGIN_COUNT();
  gptimage_client_set_progress(client, replaces_itself, &replaced);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, log_replaces_itself, &replaced);
  for (int i = 0; i < rounds; ++i) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    CHECK_OK(gptimage_client_generate(client, generate, NULL, &generated, &error));
    taken(generated);
  }
  gptimage_client_set_progress(client, NULL, NULL);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
  /* Nobody calls any more, so this is nobody's any more. */
  int after = replaced;
  CHECK(after > 0);
  ALL_HAD();
  CHECK_NUMBER(replaced, after);
}

/* --- Never after free returned --- */

/* What a callback is given; gone, once the function that unsets it has returned. */
typedef struct {
  atomic_int alive;
  atomic_int calls;
} guest_t;

static guest_t *guest(void) {
  guest_t *made = (guest_t *)calloc(1, sizeof *made);
  CHECK(made != NULL);
  made->alive = 1;
  return made;
}

static void goes(guest_t *leaving) {
  leaving->alive = 0;
  /* Under a tool that watches memory, a call after this is seen, too. */
  free(leaving);
}

static void visit(void *user_data) {
  guest_t *visited = (guest_t *)user_data;
  CHECK_NUMBER(visited->alive, 1);
  ++visited->calls;
  /* Long enough that somebody has to wait. */
  host_pause_us(20);
  CHECK_NUMBER(visited->alive, 1);
}

static void visit_job(gptimage_job_t *job, void *user_data) {
  CHECK(gptimage_job_phase(job) >= GPTIMAGE_PHASE_PLANNED);
  visit(user_data);
}
static void visit_progress(const gptimage_progress_t *progress, void *user_data) {
  CHECK_NUMBER(progress->attempt, 1);
  visit(user_data);
}
static void visit_log(gptimage_log_level_t level, const char *message, void *user_data) {
  CHECK(level > 0 && message[0] != '\0');
  visit(user_data);
}

static void never_after_free(int rounds, uint64_t *random_state) {
  BEGIN_COUNT();
  int calls = 0;
  for (int i = 0; i < rounds; ++i) {
    guest_t *with = guest();
    gptimage_error_t *error = NULL;
    gptimage_job_t *job = NULL;
    CHECK_OK(gptimage_client_start_generate(client, generate, visit_job, with, &job, &error));
    dally(random_state);
    gptimage_job_free(job);
    calls += with->calls;
    CHECK(with->calls <= 1);
    goes(with);
  }
  ALL_HAD();
  printf("%d jobs freed, %d had called\n", rounds, calls);

  /* A client with its progress callback, freed while it has jobs. */
  for (int i = 0; i < rounds / 5; ++i) {
    gptimage_client_t *own = host_client();
    guest_t *with = guest();
    gptimage_error_t *error = NULL;
    gptimage_generated_t *generated = NULL;
    gptimage_job_t *job = NULL;
    gptimage_client_set_progress(own, visit_progress, with);
    CHECK_OK(gptimage_client_start_generate(own, generate, NULL, NULL, &job, &error));
    dally(random_state);
    gptimage_client_free(own);
    goes(with);
    /* The job goes on. */
    CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
    taken(generated);
    gptimage_job_free(job);
  }
  ALL_HAD();
}

static void *call_on(void *rounds) {
  for (int i = 0; i < *(int *)rounds; ++i) {
    gptimage_generated_t *generated = NULL;
    gptimage_error_t *error = NULL;
    CHECK_OK(gptimage_client_generate(client, generate, NULL, &generated, &error));
    taken(generated);
  }
  watching -= 1;
  return NULL;
}

static void replaced_while_calls_run(int rounds, uint64_t *random_state) {
  BEGIN_COUNT();
  pthread_t threads[4];
  long calls = 0, lines = 0;
  watching = 4;
  for (int i = 0; i < 4; ++i) {
    CHECK_NUMBER(pthread_create(&threads[i], NULL, call_on, &rounds), 0);
  }
  guest_t *progress = guest(), *log = guest();
  gptimage_client_set_progress(client, visit_progress, progress);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, visit_log, log);
  while (watching > 0) {
    guest_t *next = guest();
    gptimage_client_set_progress(client, visit_progress, next);
    calls += progress->calls;
    goes(progress);
    progress = next;
    next = guest();
    gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, visit_log, next);
    lines += log->calls;
    goes(log);
    log = next;
    dally(random_state);
  }
  gptimage_client_set_progress(client, NULL, NULL);
  goes(progress);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
  goes(log);
  for (int i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
  }
  ALL_HAD();
  printf("%ld looks and %ld lines while they were replaced\n", calls, lines);
}

int main(void) {
  uint64_t random_state = host_seed();
  host_small_pictures();
  /* All at once the first to use the library. */
  run(16, HOST_LITTLE_STACK, first_use, NULL);
  client = host_client();
  generate = host_generate_request();
  edit = host_edit_request();

  BEGIN_COUNT();
  int rounds = host_rounds(10);
  run(16, HOST_LITTLE_STACK, everything, &rounds);
  CHECK_NUMBER(results, 16 * 3 * rounds);
  ALL_HAD();

  a_slow_callback();
  a_busy_callback();
  replaced_from_within(host_rounds(50));
  one_result(host_rounds(50));
  phases(host_rounds(200));
  never_after_free(host_rounds(500), &random_state);
  rounds = host_rounds(100);
  replaced_while_calls_run(rounds, &random_state);
  races(host_rounds(500), &random_state);

  gptimage_generate_request_free(generate);
  gptimage_edit_request_free(edit);
  gptimage_client_free(client);
  return 0;
}
