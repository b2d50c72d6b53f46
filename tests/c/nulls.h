/* What the program that make_nulls.py writes begins with: one of everything, and the check of a refusal. */
#ifndef NULLS_H
#define NULLS_H

#include "host.h"

/* What outputs are before a call: nothing that could be had. */
#define UNTOUCHED(type) ((type *)(void *)untouched)
static char untouched[1];
/* A picture that can be a mask, too. */
static uint8_t picture[300];
static size_t picture_len;
static char file[500], folder[500], target[500];
static gptimage_budget_status_t budget_status;

/* One of everything, whole; made anew for each call, since a call may use it up. */
typedef struct {
  gptimage_cancel_token_t *token;
  gptimage_client_t *client;
  gptimage_config_t *config;
  gptimage_edit_request_t *edit_request;
  gptimage_generate_request_t *generate_request;
  gptimage_error_t *error;
  gptimage_generated_t *generated;
  gptimage_job_t *job;
  gptimage_budget_t *budget;
  gptimage_pending_t *pending;
  gptimage_reconciled_t *reconciled;
} handles_t;

/* A job that is freed before it was sent costs nothing; these are to be counted. */
static void await_end(const gptimage_job_t *job) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  gptimage_generated_free(generated);
}

static handles_t handles(void) {
  handles_t made;
  gptimage_error_t *error = NULL;
  gptimage_generate_request_t *none = NULL;
  made.token = gptimage_cancel_token_new();
  made.client = host_client();
  made.config = gptimage_config_new();
  made.edit_request = host_edit_request();
  made.generate_request = host_generate_request();
  made.error = NULL;
  CHECK_NUMBER(gptimage_generate_request_new(NULL, &none, &made.error), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_OK(gptimage_client_generate(made.client, made.generate_request, NULL, &made.generated, &error));
  CHECK_OK(gptimage_client_start_generate(made.client, made.generate_request, NULL, NULL, &made.job, &error));
  CHECK_OK(gptimage_budget_new("5.00", NULL, &made.budget, &error));
  CHECK_OK(gptimage_client_pending(made.client, &made.pending, &error));
  CHECK_OK(gptimage_client_reconcile(made.client, "a call", NULL, 0, &made.reconciled, &error));
  /* Ended, with its result still to be had. */
  while (gptimage_job_phase(made.job) != GPTIMAGE_PHASE_STORED) {
    host_pause_us(100);
  }
  return made;
}

static void let_go(handles_t *made) {
  gptimage_job_free(made->job);
  gptimage_budget_free(made->budget);
  gptimage_pending_free(made->pending);
  gptimage_reconciled_free(made->reconciled);
  gptimage_cancel_token_free(made->token);
  gptimage_client_free(made->client);
  gptimage_config_free(made->config);
  gptimage_edit_request_free(made->edit_request);
  gptimage_generate_request_free(made->generate_request);
  gptimage_generated_free(made->generated);
  gptimage_error_free(made->error);
}

static void on_job(gptimage_job_t *job, void *user_data) {
  (void)job, (void)user_data;
}
static void on_progress(const gptimage_progress_t *progress, void *user_data) {
  (void)progress, (void)user_data;
}
static void on_log(gptimage_log_level_t level, const char *message, void *user_data) {
  (void)level, (void)message, (void)user_data;
}

/* A refusal of NULL says whose, and costs nothing. */
static void refused(int line, const char *call, gptimage_status_t status, gptimage_error_t *why,
                    const char *name) {
  /* Threat: c-misuse */
  check_status("nulls.c", line, call, status, GPTIMAGE_STATUS_INVALID_ARGUMENT, why);
  CHECK_NUMBER(gptimage_error_status(why), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_CONTAINS(gptimage_error_message(why), name);
  CHECK_CONTAINS(gptimage_error_message(why), "is NULL");
  CHECK_TEXT(gptimage_error_charge(why), "not_charged");
  gptimage_error_free(why);
}

static void remove_target(void) {
  char full[600];
  snprintf(full, sizeof full, "%s.png", target);
  remove(full);
  snprintf(full, sizeof full, "%s.webp", target);
  remove(full);
}

/* The files and folders that arguments name, and an emulator that draws nothing. */
static void prepare(void) {
  picture_len = host_bytes(SMALL_MASK, picture, sizeof picture);
  snprintf(file, sizeof file, "%s/picture.png", host_folder());
  snprintf(folder, sizeof folder, "%s/salvage", host_folder());
  snprintf(target, sizeof target, "%s/target", host_folder());
  FILE *out = fopen(file, "wb");
  CHECK(out != NULL && fwrite(picture, 1, picture_len, out) == picture_len && fclose(out) == 0);
  host_small_pictures();
}

#endif
