/*
 * A process may end in any way, at any time, with jobs on their way: at once, and as it wants to.
 * Each ending is tried in processes of its own, which this program starts from its own file.
 */
#define _GNU_SOURCE
#include "host.h"
#include <errno.h>
#include <sys/wait.h>

static const struct {
  const char *name;
  int code;
} WAYS[] = {
    {"exit", 0}, {"return", 7}, {"_exit", 3}, {"pthread_exit", 5}, {"atexit", 4},
};
#define WAYS_COUNT (sizeof WAYS / sizeof *WAYS)
enum { JOBS = 4 };

/* --- The process that ends --- */

static gptimage_client_t *client;
static gptimage_job_t *jobs[JOBS];
static atomic_int calls;

static void on_end(gptimage_job_t *job, void *user_data) {
  (void)job, (void)user_data;
  ++calls;
}
static void look_on(const gptimage_progress_t *progress, void *user_data) {
  (void)user_data;
  calls += progress->phase > GPTIMAGE_PHASE_STORED;
}
static void write_down(gptimage_log_level_t level, const char *message, void *user_data) {
  (void)user_data;
  calls += level < 0 || message[0] == '\0';
}

static void *exits_later(void *code) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_job_wait(jobs[0], GPTIMAGE_WAIT_FOREVER, &generated, &error));
  gptimage_generated_free(generated);
  exit(*(int *)code);
}

/* What a tidy program does at its end. */
static void free_all(void) {
  for (int i = 0; i < JOBS; ++i) {
    gptimage_job_free(jobs[i]);
  }
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
  gptimage_client_free(client);
}

static int end(const char *name, int turn) {
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_error_t *error = NULL;
  static int code;
  /* What hangs is to end, with SIGALRM. */
  alarm(60);
  for (size_t i = 0; i < WAYS_COUNT; ++i) {
    code = strcmp(WAYS[i].name, name) == 0 ? WAYS[i].code : code;
  }
  client = host_client();
  gptimage_client_set_progress(client, look_on, NULL);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, write_down, NULL);
  for (int i = 0; i < JOBS; ++i) {
    CHECK_OK(gptimage_client_start_generate(client, request, i % 2 ? on_end : NULL, NULL, &jobs[i],
                                            &error));
  }
  gptimage_generate_request_free(request);
  /* At each moment of a call. */
  if (turn % 3 != 0) {
    host_pause_us(turn * 41 % 5000);
  }
  if (strcmp(name, "exit") == 0) {
    exit(code);
  }
  if (strcmp(name, "_exit") == 0) {
    _exit(code);
  }
  if (strcmp(name, "atexit") == 0) {
    CHECK_NUMBER(atexit(free_all), 0);
    exit(code);
  }
  if (strcmp(name, "pthread_exit") == 0) {
    pthread_t thread;
    CHECK_NUMBER(pthread_create(&thread, NULL, exits_later, &code), 0);
    pthread_detach(thread);
    pthread_exit(NULL);
  }
  return code;
}

/* --- The process that looks on --- */

static pid_t start(const char *name, int turn) {
  char number[20];
  snprintf(number, sizeof number, "%d", turn);
  pid_t child = fork();
  if (child == 0) {
    if (strcmp(name, "pthread_exit") == 0) {
      /* What the first thread had for itself nobody gives back then, nor finds. */
      setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    }
    execl("/proc/self/exe", "ending", name, number, (char *)NULL);
    _exit(127);
  }
  CHECK(child > 0);
  return child;
}

int main(int argc, char **argv) {
  if (argc == 3) {
    return end(argv[1], atoi(argv[2]));
  }
  host_small_pictures();
  host_latency("\"0ms..4ms\"");
  int rounds = host_rounds(200);
  for (size_t way = 0; way < WAYS_COUNT; ++way) {
    /* Two at a time. */
    int started = 0, ended = 0;
    while (ended < rounds) {
      while (started < rounds && started < ended + 2) {
        start(WAYS[way].name, started++);
      }
      int how = 0;
      if (wait(&how) < 0) {
        CHECK(errno == EINTR);
        continue;
      }
      ++ended;
      if (!WIFEXITED(how) || WEXITSTATUS(how) != WAYS[way].code) {
        fprintf(stderr, "%s: ended with %s %d, not with code %d\n", WAYS[way].name,
                WIFSIGNALED(how) ? "signal" : "code",
                WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how), WAYS[way].code);
        return 1;
      }
    }
    printf("%s: %d times\n", WAYS[way].name, rounds);
  }
  return 0;
}
