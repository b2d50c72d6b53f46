/* What the tests have in common: clients, requests, pictures, and what the emulator is told and
 * tells. */
#ifndef HOST_H
#define HOST_H

#include "check.h"
#include "control.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

/* What a thread of a host has at the least; a sanitizer needs some of it itself. */
#if defined(__SANITIZE_ADDRESS__)
#define HOST_LITTLE_STACK ((size_t)256 << 10)
#else
#define HOST_LITTLE_STACK ((size_t)64 << 10)
#endif

/* A PNG of 4 x 4 pixels. */
#define SMALL_PICTURE                                                                \
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAFElEQVR4nGOUizrBAANMDEgANwcAPtoB" \
  "SOzkRIAAAAAASUVORK5CYII="
/* A mask for it: a PNG with one pixel that may be edited. */
#define SMALL_MASK                                                                   \
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAYAAACp8Z5+AAAAIUlEQVR4nGM8ISf3nwEJMDEwMDBYPHrE" \
  "iCKArIqJAQ0AABSiBguOudOtAAAAAElFTkSuQmCC"
/* A success with it that costs as always, in place of a drawn picture. */
#define SMALL_ANSWER "\"success_body\":{\"json\":{\"data\":[{\"b64_json\":\"" SMALL_PICTURE "\"}]}}"

/* Tells the emulator what is to go wrong, in place of what it was told before. */
CHECK_MAYBE_UNUSED static void host_faults(const char *json) {
  control_delete("/_emulator/faults");
  if (json != NULL) {
    free(control_post("/_emulator/faults", json));
  }
}

/* From now on every picture is the small one. */
CHECK_MAYBE_UNUSED static void host_small_pictures(void) {
  host_faults("{" SMALL_ANSWER ",\"times\":\"always\"}");
}

/* How long a picture takes, as the emulator's settings have it: "null" or "\"20ms..50ms\"". */
CHECK_MAYBE_UNUSED static void host_latency(const char *json) {
  char settings[200];
  snprintf(settings, sizeof settings, "{\"latency\":%s}", json);
  free(control_post("/_emulator/settings", settings));
}

/* How many calls were charged, once nothing can change that any more. */
CHECK_MAYBE_UNUSED static long long host_charges(void) {
  char *ledger = control_get("/_emulator/ledger?settled=true");
  const char *found = strstr(ledger, "\"charges\":");
  CHECK(found != NULL);
  long long charges = strtoll(found + strlen("\"charges\":"), NULL, 10);
  free(ledger);
  return charges;
}

#ifndef CHECK_WITHOUT_LIBRARY
/* A client of the environment. */
CHECK_MAYBE_UNUSED static gptimage_client_t *host_client(void) {
  gptimage_client_t *client = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_client_new(NULL, &client, &error));
  return client;
}

/* A client that makes one attempt. */
CHECK_MAYBE_UNUSED static gptimage_client_t *host_client_of_one_attempt(void) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_config_set_max_attempts(config, 1, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  gptimage_config_free(config);
  return client;
}

CHECK_MAYBE_UNUSED static gptimage_generate_request_t *host_generate_request(void) {
  gptimage_generate_request_t *request = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_generate_request_new("A hat", &request, &error));
  return request;
}
#endif

/* The bytes that a text in base64 stands for. */
CHECK_MAYBE_UNUSED static size_t host_bytes(const char *text, uint8_t *bytes, size_t room) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t len = 0;
  uint32_t bits = 0;
  int have = 0;
  for (const char *sign = text; *sign != '\0' && *sign != '='; ++sign) {
    bits = bits << 6 | (uint32_t)(strchr(alphabet, *sign) - alphabet);
    have += 6;
    if (have >= 8) {
      have -= 8;
      CHECK(len < room);
      bytes[len++] = (uint8_t)(bits >> have);
    }
  }
  return len;
}

#ifndef CHECK_WITHOUT_LIBRARY
CHECK_MAYBE_UNUSED static gptimage_edit_request_t *host_edit_request(void) {
  gptimage_edit_request_t *request = NULL;
  gptimage_error_t *error = NULL;
  uint8_t picture[300];
  size_t len = host_bytes(SMALL_PICTURE, picture, sizeof picture);
  CHECK_OK(gptimage_edit_request_new("A hat", &request, &error));
  CHECK_OK(gptimage_edit_request_add_image_bytes(request, picture, len, &error));
  /* They were copied. */
  memset(picture, 0xff, sizeof picture);
  return request;
}
#endif

/* A folder of this test's own, which whoever runs the tests takes away. */
CHECK_MAYBE_UNUSED static const char *host_folder(void) {
  static char folder[400];
  if (folder[0] == '\0') {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/gptimage-test-XXXXXX", parent ? parent : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
  }
  return folder;
}

/* How often something is repeated: `rounds`, or less where a tool makes everything slow. */
CHECK_MAYBE_UNUSED static int host_rounds(int rounds) {
  const char *divisor = getenv("GPTIMAGE_TEST_FEWER");
  int by = divisor ? atoi(divisor) : 1;
  int fewer = by > 1 ? rounds / by : rounds;
  return fewer > 0 ? fewer : 1;
}

/* The seed of this run, printed so that it can be repeated: GPTIMAGE_TEST_SEED. */
CHECK_MAYBE_UNUSED static uint64_t host_seed(void) {
  const char *given = getenv("GPTIMAGE_TEST_SEED");
  uint64_t seed =
      given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
  printf("seed %" PRIu64 "\n", seed);
  fflush(stdout);
  return seed;
}

/* The next number of a splitmix64 sequence. */
CHECK_MAYBE_UNUSED static uint64_t host_random(uint64_t *state) {
  uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
  mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
  return mixed ^ mixed >> 31;
}

/* Something that one thread waits for and another says. */
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int count;
} host_signal_t;

#define HOST_SIGNAL {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

CHECK_MAYBE_UNUSED static void host_notify(host_signal_t *signal) {
  pthread_mutex_lock(&signal->lock);
  signal->count += 1;
  pthread_cond_broadcast(&signal->changed);
  pthread_mutex_unlock(&signal->lock);
}

/* Waits until it was said so many times. */
CHECK_MAYBE_UNUSED static void host_await(host_signal_t *signal, int count) {
  pthread_mutex_lock(&signal->lock);
  while (signal->count < count) {
    pthread_cond_wait(&signal->changed, &signal->lock);
  }
  pthread_mutex_unlock(&signal->lock);
}

CHECK_MAYBE_UNUSED static void host_pause_us(long microseconds) {
  struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&pause, NULL);
}

#endif
