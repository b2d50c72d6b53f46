/*
 * A program that loads the library while it runs (GPTIMAGE_LIBRARY says from where), and lets go of
 * it while jobs are on their way: it stays loaded, and what was made with it can be used when it is
 * loaded again. Nothing here links to it.
 */
#define _GNU_SOURCE
#define CHECK_WITHOUT_LIBRARY
#include "host.h"
#include <dlfcn.h>

static void *library;

/* A function of the library, as the header declares it. */
#define FUNCTION(name) __typeof__(name) *name##_
static struct {
  FUNCTION(gptimage_client_new);
  FUNCTION(gptimage_client_free);
  FUNCTION(gptimage_client_generate);
  FUNCTION(gptimage_client_start_generate);
  FUNCTION(gptimage_job_wait);
  FUNCTION(gptimage_job_free);
  FUNCTION(gptimage_generate_request_new);
  FUNCTION(gptimage_generate_request_free);
  FUNCTION(gptimage_generated_image_bytes);
  FUNCTION(gptimage_generated_free);
  FUNCTION(gptimage_set_log_callback);
  FUNCTION(gptimage_version);
} of;

static void look_up(const char *name, void *function) {
  void *found = dlsym(library, name);
  if (found == NULL) {
    fprintf(stderr, "%s is not in the library\n", name);
    exit(1);
  }
  memcpy(function, &found, sizeof found);
}
#define LOOK_UP(name) look_up(#name, &of.name##_)

static void load(void) {
  const char *path = getenv("GPTIMAGE_LIBRARY");
  CHECK(path != NULL);
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  LOOK_UP(gptimage_client_new);
  LOOK_UP(gptimage_client_free);
  LOOK_UP(gptimage_client_generate);
  LOOK_UP(gptimage_client_start_generate);
  LOOK_UP(gptimage_job_wait);
  LOOK_UP(gptimage_job_free);
  LOOK_UP(gptimage_generate_request_new);
  LOOK_UP(gptimage_generate_request_free);
  LOOK_UP(gptimage_generated_image_bytes);
  LOOK_UP(gptimage_generated_free);
  LOOK_UP(gptimage_set_log_callback);
  LOOK_UP(gptimage_version);
  CHECK(strcmp(of.gptimage_version_(), GPTIMAGE_VERSION) == 0);
}

static void let_go(void) {
  CHECK(dlclose(library) == 0);
  memset(&of, 0, sizeof of);
}

static int is_loaded(void) {
  char line[1000];
  int found = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps != NULL);
  while (fgets(line, sizeof line, maps) != NULL) {
    found |= strstr(line, "libgptimage") != NULL;
  }
  fclose(maps);
  return found;
}

static host_signal_t ended = HOST_SIGNAL;

static void on_end(gptimage_job_t *job, void *user_data) {
  (void)job;
  host_notify((host_signal_t *)user_data);
}

static void write_down(gptimage_log_level_t level, const char *message, void *user_data) {
  (void)user_data;
  if (level <= 0 || message[0] == '\0') {
    abort();
  }
}

#define RESULT(call, generated)                                      \
  do {                                                               \
    CHECK((call) == GPTIMAGE_STATUS_OK);                             \
    CHECK(of.gptimage_generated_image_bytes_(generated, 0).len > 0); \
    of.gptimage_generated_free_(generated);                          \
  } while (0)

int main(void) {
  enum { JOBS = 4 };
  host_small_pictures();
  host_latency("\"0ms..5ms\"");
  CHECK(!is_loaded());
  int rounds = host_rounds(100);
  for (int round = 1; round <= rounds; ++round) {
    gptimage_client_t *client = NULL;
    gptimage_generate_request_t *request = NULL;
    gptimage_generated_t *generated = NULL;
    gptimage_job_t *jobs[JOBS];
    load();
    CHECK(of.gptimage_client_new_(NULL, &client, NULL) == GPTIMAGE_STATUS_OK);
    CHECK(of.gptimage_generate_request_new_("A hat", &request, NULL) == GPTIMAGE_STATUS_OK);
    of.gptimage_set_log_callback_(GPTIMAGE_LOG_LEVEL_DEBUG, write_down, NULL);
    for (int i = 0; i < JOBS; ++i) {
      gptimage_status_t status =
          of.gptimage_client_start_generate_(client, request, on_end, &ended, &jobs[i], NULL);
      CHECK(status == GPTIMAGE_STATUS_OK);
    }
    let_go();
    CHECK(is_loaded());
    /* Its callbacks still come, at the latest after it is loaded again. */
    if (round % 2) {
      host_await(&ended, round * JOBS);
    }
    load();
    for (int i = 0; i < JOBS; ++i) {
      RESULT(of.gptimage_job_wait_(jobs[i], GPTIMAGE_WAIT_FOREVER, &generated, NULL), generated);
    }
    host_await(&ended, round * JOBS);
    for (int i = 0; i < JOBS; ++i) {
      of.gptimage_job_free_(jobs[i]);
    }
    RESULT(of.gptimage_client_generate_(client, request, NULL, &generated, NULL), generated);
    of.gptimage_set_log_callback_(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
    of.gptimage_generate_request_free_(request);
    of.gptimage_client_free_(client);
    let_go();
  }
  printf("%d times\n", rounds);
  return 0;
}
