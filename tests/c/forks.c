/*
 * Forked children: what the parent made is refused or harmless there, what the child makes itself
 * works, and the parent goes on.
 */
#define _GNU_SOURCE
#include "host.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Waits for a child that has to end well, and not for ever. */
static void ends_well(pid_t child) {
  int how = 0;
  pid_t ended = 0;
  for (int waited = 0; ended == 0 && waited < 60000; ++waited) {
    ended = waitpid(child, &how, WNOHANG);
    if (ended < 0 && errno == EINTR) {
      ended = 0;
    }
    if (ended == 0) {
      host_pause_us(1000);
    }
  }
  if (ended == 0) {
    fprintf(stderr, "a child hangs\n");
    kill(child, SIGKILL);
    _exit(1);
  }
  CHECK_NUMBER(ended, child);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
    fprintf(stderr, "a child ended with %s %d\n", WIFSIGNALED(how) ? "signal" : "code",
            WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    _exit(1);
  }
}

/* In the child: it goes with its parent. */
static void limit(void) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

/* --- What a child can do --- */

static void ended(gptimage_job_t *job, void *user_data) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_job_wait(job, 0, &generated, &error));
  gptimage_generated_free(generated);
  host_notify((host_signal_t *)user_data);
}

static void look_on(const gptimage_progress_t *progress, void *user_data) {
  if (progress->phase == GPTIMAGE_PHASE_STORED) {
    host_notify((host_signal_t *)user_data);
  }
}

static void write_down(gptimage_log_level_t level, const char *message, void *user_data) {
  CHECK(level > 0 && message[0] != '\0');
  host_notify((host_signal_t *)user_data);
}

/* A client of one's own, with everything that calls back. */
static void use_anew(void) {
  host_signal_t jobs = HOST_SIGNAL, progress = HOST_SIGNAL, log = HOST_SIGNAL;
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_client_t *client = host_client();
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_edit_request_t *edit = host_edit_request();
  gptimage_job_t *job = NULL;
  char path[600];
  gptimage_client_set_progress(client, look_on, &progress);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, write_down, &log);
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  snprintf(path, sizeof path, "%s/child-%ld.png", host_folder(), (long)getpid());
  CHECK_OK(gptimage_generated_image_save(generated, 0, path, 1, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_client_start_edit(client, edit, ended, &jobs, &job, &error));
  host_await(&jobs, 1);
  host_await(&progress, 2);
  host_await(&log, 1);
  gptimage_job_free(job);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
  gptimage_client_set_progress(client, NULL, NULL);
  gptimage_generate_request_free(request);
  gptimage_edit_request_free(edit);
  gptimage_client_free(client);
}

/* What belongs to the parent. */
typedef struct {
  gptimage_client_t *client;
  gptimage_config_t *config;
  gptimage_generate_request_t *request;
  gptimage_edit_request_t *edit;
  gptimage_job_t *running, *ended;
  gptimage_generated_t *generated, *at_its_url;
  gptimage_error_t *error;
  gptimage_cancel_token_t *token;
} parents_t;

static void refuse_the_parents(parents_t *of) {
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_job_t *job = NULL;
  CHECK_FAILS(gptimage_client_generate(of->client, of->request, NULL, &generated, &error),
              GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_edit(of->client, of->edit, of->token, &generated, &error),
              GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(
      gptimage_client_generate_to(of->client, of->request, host_folder(), NULL, &generated, &error),
      GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(
      gptimage_client_edit_to(of->client, of->edit, host_folder(), NULL, &generated, &error),
      GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_fetch(of->client, of->at_its_url, 0, &error), GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_collect(of->client, 0, &generated, &error), GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_collect(of->client, 1000, &generated, &error),
              GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_start_generate(of->client, of->request, NULL, NULL, &job, &error),
              GPTIMAGE_STATUS_CONFIG);
  CHECK_FAILS(gptimage_client_start_edit(of->client, of->edit, ended, NULL, &job, &error),
              GPTIMAGE_STATUS_CONFIG);
  gptimage_client_set_progress(of->client, look_on, NULL);
  gptimage_client_set_progress(of->client, NULL, NULL);
  gptimage_job_t *jobs[] = {of->running, of->ended};
  for (int i = 0; i < 2; ++i) {
    CHECK_FAILS(gptimage_job_wait(jobs[i], 0, &generated, &error), GPTIMAGE_STATUS_CONFIG);
    CHECK_FAILS(gptimage_job_wait(jobs[i], GPTIMAGE_WAIT_FOREVER, &generated, &error),
                GPTIMAGE_STATUS_CONFIG);
    CHECK(gptimage_job_phase(jobs[i]) >= GPTIMAGE_PHASE_PLANNED);
    gptimage_job_cancel(jobs[i]);
  }
  CHECK(generated == NULL && job == NULL);
}

static void use_the_parents(parents_t *of) {
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_client_t *client = NULL;
  char path[600];
  /* Requests, configurations, results and errors may be used in both. */
  CHECK_OK(gptimage_client_new(of->config, &client, &error));
  CHECK_OK(gptimage_generate_request_set_quality(of->request, "low", &error));
  CHECK_OK(gptimage_client_generate(client, of->request, NULL, &generated, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_client_edit(client, of->edit, NULL, &generated, &error));
  gptimage_generated_free(generated);
  snprintf(path, sizeof path, "%s/parents-%ld.png", host_folder(), (long)getpid());
  CHECK_OK(gptimage_generated_image_save(of->generated, 0, path, 0, &error));
  CHECK(access(path, F_OK) == 0);
  CHECK_CONTAINS(gptimage_generated_json(of->generated), "\"attempts\"");
  CHECK_CONTAINS(gptimage_error_json(of->error), "invalid_argument");
  CHECK_OK(gptimage_client_fetch(client, of->at_its_url, 0, &error));
  CHECK(gptimage_generated_image_bytes(of->at_its_url, 0).len > 0);
  gptimage_client_free(client);
}

static void free_the_parents(parents_t *of) {
  gptimage_job_free(of->running);
  gptimage_job_free(of->ended);
  gptimage_client_free(of->client);
  gptimage_config_free(of->config);
  gptimage_generate_request_free(of->request);
  gptimage_edit_request_free(of->edit);
  gptimage_generated_free(of->generated);
  gptimage_generated_free(of->at_its_url);
  gptimage_error_free(of->error);
  gptimage_cancel_token_free(of->token);
}

static atomic_int called_back;

static void count_calls(gptimage_job_t *job, void *user_data) {
  (void)job, (void)user_data;
  ++called_back;
}

static parents_t make(void) {
  parents_t made;
  gptimage_error_t *error = NULL;
  memset(&made, 0, sizeof made);
  made.client = host_client();
  made.config = gptimage_config_new();
  made.request = host_generate_request();
  made.edit = host_edit_request();
  made.token = gptimage_cancel_token_new();
  CHECK_OK(gptimage_client_generate(made.client, made.request, NULL, &made.generated, &error));
  CHECK_NUMBER(gptimage_config_set_proxy(made.config, NULL, &made.error),
               GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_OK(gptimage_client_start_generate(made.client, made.request, count_calls, NULL, &made.ended,
                                          &error));
  while (called_back == 0) {
    host_pause_us(100);
  }
  called_back = 0;

  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL;
  CHECK_OK(gptimage_config_set_fetch(config, 0, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  host_faults(NULL);
  CHECK_OK(gptimage_client_generate(client, made.request, NULL, &made.at_its_url, &error));
  host_small_pictures();
  gptimage_client_free(client);
  gptimage_config_free(config);

  host_latency("\"300ms\"");
  CHECK_OK(gptimage_client_start_generate(made.client, made.request, count_calls, NULL,
                                          &made.running, &error));
  while (gptimage_job_phase(made.running) < GPTIMAGE_PHASE_SENT) {
    host_pause_us(100);
  }
  host_latency("null");
  return made;
}

static void during_and_after(void) {
  parents_t of = make();
  gptimage_client_set_progress(of.client, look_on, &(host_signal_t)HOST_SIGNAL);
  pid_t child = fork();
  if (child == 0) {
    limit();
    refuse_the_parents(&of);
    use_anew();
    refuse_the_parents(&of);
    use_the_parents(&of);
    free_the_parents(&of);
    use_anew();
    CHECK_NUMBER(called_back, 0);
    /* A child of a child. */
    pid_t grandchild = fork();
    if (grandchild == 0) {
      limit();
      use_anew();
      _exit(0);
    }
    ends_well(grandchild);
    _exit(0);
  }
  /* The parent's own goes on, whatever its child did to its copy. */
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  ends_well(child);
  /* Threat: c-misuse */
  CHECK_OK(gptimage_job_wait(of.running, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_job_wait(of.ended, 0, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_client_set_progress(of.client, NULL, NULL);
  CHECK_OK(gptimage_client_generate(of.client, of.request, NULL, &generated, &error));
  gptimage_generated_free(generated);
  free_the_parents(&of);
}

#ifndef __SANITIZE_ADDRESS__
/* --- Forks in the middle of everything --- */

static atomic_int done;

static void *call_on(void *client) {
  while (!done) {
    gptimage_error_t *error = NULL;
    gptimage_generated_t *generated = NULL;
    gptimage_generate_request_t *request = host_generate_request();
    CHECK_OK(
        gptimage_client_generate((gptimage_client_t *)client, request, NULL, &generated, &error));
    gptimage_generated_free(generated);
    gptimage_generate_request_free(request);
  }
  return NULL;
}

static void in_flight(int forks) {
  enum { THREADS = 8 };
  gptimage_client_t *client = host_client();
  pthread_t threads[THREADS];
  host_latency("\"0ms..5ms\"");
  for (int i = 0; i < THREADS; ++i) {
    CHECK_NUMBER(pthread_create(&threads[i], NULL, call_on, client), 0);
  }
  for (int i = 0; i < forks; ++i) {
    pid_t child = fork();
    if (child == 0) {
      limit();
      gptimage_error_t *error = NULL;
      gptimage_generated_t *generated = NULL;
      gptimage_generate_request_t *request = host_generate_request();
      CHECK_FAILS(gptimage_client_generate(client, request, NULL, &generated, &error),
                  GPTIMAGE_STATUS_CONFIG);
      use_anew();
      gptimage_client_free(client);
      gptimage_generate_request_free(request);
      _exit(0);
    }
    CHECK(child > 0);
    ends_well(child);
  }
  done = 1;
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
  }
  host_latency("null");
  gptimage_client_free(client);
}

/* Children whose parent has threads that use the library for the first time at this very moment. */
static void *begin(void *barrier) {
  pthread_barrier_wait((pthread_barrier_t *)barrier);
  use_anew();
  return NULL;
}

static void at_first_use(int forks) {
  for (int i = 0; i < forks; ++i) {
    pid_t parent = fork();
    if (parent == 0) {
      limit();
      pthread_barrier_t barrier;
      pthread_t thread;
      CHECK_NUMBER(pthread_barrier_init(&barrier, NULL, 2), 0);
      CHECK_NUMBER(pthread_create(&thread, NULL, begin, &barrier), 0);
      pthread_barrier_wait(&barrier);
      host_pause_us(i * 37 % 2000);
      pid_t child = fork();
      if (child == 0) {
        limit();
        gptimage_client_free(host_client());
        _exit(0);
      }
      ends_well(child);
      pthread_join(thread, NULL);
      _exit(0);
    }
    ends_well(parent);
  }
}
#endif

int main(void) {
  host_small_pictures();
  /* The folder's name is the parent's and its children's. */
  host_folder();
#ifndef __SANITIZE_ADDRESS__
  /* Its allocator's locks stay locked in a child if another thread has them at the fork. */
  at_first_use(host_rounds(50));
#endif
  /* Before this process used it. */
  pid_t child = fork();
  if (child == 0) {
    limit();
    use_anew();
    _exit(0);
  }
  ends_well(child);
  during_and_after();
#ifndef __SANITIZE_ADDRESS__
  in_flight(host_rounds(50));
#endif
  return 0;
}
