/*
 * A job that is given up between two attempts, of which the first may be paid: its outcome is not
 * lost, and it is kept once. So is an error that nobody wanted to hear of.
 */
#include "host.h"

/* How often a call was seen to pause. */
static host_signal_t pauses = HOST_SIGNAL;

static void look_for_pauses(const gptimage_progress_t *progress, void *user_data) {
  (void)user_data;
  if (progress->pause_ms >= 0) {
    host_notify(&pauses);
  }
}

/* A client that tries again although that may be paid twice. */
static gptimage_client_t *daring_client(int abort_on_cancel) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_config_set_retry_server_errors(config, 1, &error));
  CHECK_OK(gptimage_config_set_abort_on_cancel(config, abort_on_cancel, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  gptimage_config_free(config);
  gptimage_client_set_progress(client, look_for_pauses, NULL);
  return client;
}

/* The one outcome that is there to be collected: an error that says what it may have cost. */
static void collect_unknown(const gptimage_client_t *client) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_STATUS(gptimage_client_collect(client, 60000, &generated, &error),
               GPTIMAGE_STATUS_CANCELLED);
  CHECK_TEXT(gptimage_error_charge(error), "unknown");
  CHECK_NUMBER(gptimage_error_http_status(error), 503);
  CHECK(strlen(gptimage_error_client_request_id(error)) > 0);
  gptimage_error_free(error);
  error = NULL;
  CHECK_OK(gptimage_client_collect(client, 60000, &generated, &error));
  CHECK(generated == NULL);
}

/* The job, once its first attempt has failed and the second one waits. */
static gptimage_job_t *paused(const gptimage_client_t *client, const char *status) {
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = NULL;
  char fault[200];
  int before = pauses.count;
  snprintf(fault, sizeof fault,
           "{\"answer\":{\"status\":%s,\"headers\":{\"retry-after\":\"50\"}}}", status);
  host_faults(fault);
  CHECK_OK(gptimage_client_start_generate(client, request, NULL, NULL, &job, &error));
  gptimage_generate_request_free(request);
  host_await(&pauses, before + 1);
  return job;
}

static void freed(int abort_on_cancel) {
  gptimage_client_t *client = daring_client(abort_on_cancel);
  gptimage_job_free(paused(client, "503"));
  collect_unknown(client);

  /* Cancelled, and freed without a look. */
  gptimage_job_t *job = paused(client, "503");
  gptimage_job_cancel(job);
  gptimage_job_free(job);
  collect_unknown(client);

  /* What provably cost nothing is not kept. */
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_free(paused(client, "429"));
  CHECK_OK(gptimage_client_collect(client, 60000, &generated, &error));
  CHECK(generated == NULL);
  gptimage_client_free(client);
}

/* Whoever is told has it; it is not there a second time. */
static void told(void) {
  gptimage_client_t *client = daring_client(0);
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = paused(client, "503");
  gptimage_job_cancel(job);
  CHECK_STATUS(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error),
               GPTIMAGE_STATUS_CANCELLED);
  CHECK_TEXT(gptimage_error_charge(error), "unknown");
  gptimage_error_free(error);
  error = NULL;
  gptimage_job_free(job);
  CHECK_OK(gptimage_client_collect(client, 60000, &generated, &error));
  CHECK(generated == NULL);

  /* Whoever does not want to hear of it has not. */
  job = paused(client, "503");
  gptimage_job_cancel(job);
  CHECK_NUMBER(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, NULL),
               GPTIMAGE_STATUS_CANCELLED);
  gptimage_job_free(job);
  collect_unknown(client);
  gptimage_client_free(client);
}

/* A call that waits, and a host that passes no place for its error. */
static void unheard(void) {
  gptimage_client_t *client = host_client_of_one_attempt();
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  host_faults("{\"cdn\":{\"status\":410,\"times\":\"always\"}}");
  CHECK_NUMBER(gptimage_client_generate(client, request, NULL, &generated, NULL),
               GPTIMAGE_STATUS_DOWNLOAD_FAILED);
  CHECK_STATUS(gptimage_client_collect(client, 0, &generated, &error),
               GPTIMAGE_STATUS_DOWNLOAD_FAILED);
  CHECK(gptimage_generated_image_url(gptimage_error_generated(error), 0) != NULL);
  gptimage_error_free(error);
  error = NULL;
  host_faults("{\"answer\":{\"status\":429}}");
  CHECK_NUMBER(gptimage_client_generate(client, request, NULL, &generated, NULL),
               GPTIMAGE_STATUS_RATE_LIMITED);
  CHECK_OK(gptimage_client_collect(client, 0, &generated, &error));
  CHECK(generated == NULL);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
}

int main(void) {
  freed(0);
  freed(1);
  told();
  unheard();
  return 0;
}
