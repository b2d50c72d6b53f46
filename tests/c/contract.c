/* Every function where all goes well, and what the header promises of what it gives. */
#include "host.h"
#include <fcntl.h>

/* Whether a text is one JSON object, as far as brackets and texts tell. */
static int is_json_object(const char *text) {
  char open[64];
  size_t depth = 0;
  int in_text = 0;
  if (*text != '{') {
    return 0;
  }
  for (; *text != '\0'; ++text) {
    if (in_text) {
      if (*text == '\\') {
        ++text;
      } else if (*text == '"') {
        in_text = 0;
      } else if ((unsigned char)*text < 0x20) {
        return 0;
      }
    } else if (*text == '"') {
      in_text = 1;
    } else if (*text == '{' || *text == '[') {
      if (depth == sizeof open) {
        return 0;
      }
      open[depth++] = *text;
    } else if (*text == '}' || *text == ']') {
      if (depth == 0 || open[--depth] != (*text == '}' ? '{' : '[')) {
        return 0;
      }
      if (depth == 0) {
        return text[1] == '\0';
      }
    }
  }
  return 0;
}

static int exists(const char *path) {
  return access(path, F_OK) == 0;
}

static void file_is(const char *path, const uint8_t *bytes, size_t len) {
  static uint8_t read_back[1 << 12];
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  CHECK_NUMBER(fread(read_back, 1, sizeof read_back, file), len);
  CHECK(memcmp(read_back, bytes, len) == 0);
  fclose(file);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len) {
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL && fwrite(bytes, 1, len, file) == len);
  fclose(file);
}

/* --- Statuses and versions --- */

static void statuses(void) {
  static const struct {
    gptimage_status_t status;
    const char *name;
  } all[] = {
      {GPTIMAGE_STATUS_OK, "ok"},
      {GPTIMAGE_STATUS_INVALID_ARGUMENT, "invalid_argument"},
      {GPTIMAGE_STATUS_INVALID_REQUEST, "invalid_request"},
      {GPTIMAGE_STATUS_CONFIG, "config"},
      {GPTIMAGE_STATUS_IO, "io"},
      {GPTIMAGE_STATUS_PENDING, "pending"},
      {GPTIMAGE_STATUS_CONNECTION, "connection"},
      {GPTIMAGE_STATUS_OUTCOME_UNKNOWN, "outcome_unknown"},
      {GPTIMAGE_STATUS_CANCELLED, "cancelled"},
      {GPTIMAGE_STATUS_BAD_REQUEST, "bad_request"},
      {GPTIMAGE_STATUS_AUTHENTICATION, "authentication"},
      {GPTIMAGE_STATUS_PERMISSION_DENIED, "permission_denied"},
      {GPTIMAGE_STATUS_INSUFFICIENT_CREDITS, "insufficient_credits"},
      {GPTIMAGE_STATUS_NOT_FOUND, "not_found"},
      {GPTIMAGE_STATUS_MODERATION_BLOCKED, "moderation_blocked"},
      {GPTIMAGE_STATUS_RATE_LIMITED, "rate_limited"},
      {GPTIMAGE_STATUS_SERVER, "server"},
      {GPTIMAGE_STATUS_RESPONSE_INVALID, "response_invalid"},
      {GPTIMAGE_STATUS_DOWNLOAD_FAILED, "download_failed"},
      {GPTIMAGE_STATUS_BUDGET_EXCEEDED, "budget_exceeded"},
      {GPTIMAGE_STATUS_INTERNAL, "internal"},
  };
  size_t known = 0;
  for (gptimage_status_t status = -300; status <= 300; ++status) {
    const char *expected = "unknown_status";
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
      if (all[i].status == status) {
        expected = all[i].name;
        ++known;
      }
    }
    CHECK_TEXT(gptimage_status_name(status), expected);
  }
  CHECK_NUMBER(known, sizeof all / sizeof *all);
  CHECK_TEXT(gptimage_status_name(INT32_MAX), "unknown_status");
  CHECK_TEXT(gptimage_status_name(INT32_MIN), "unknown_status");
  CHECK_NUMBER(GPTIMAGE_STATUS_OK, 0);
}

static void versions(void) {
  char numbers[100];
  snprintf(numbers, sizeof numbers, "%d.%d.%d", GPTIMAGE_VERSION_MAJOR, GPTIMAGE_VERSION_MINOR,
           GPTIMAGE_VERSION_PATCH);
  /* A version may have a word behind its numbers. */
  CHECK(strncmp(GPTIMAGE_VERSION, numbers, strlen(numbers)) == 0);
  CHECK_TEXT(gptimage_version(), GPTIMAGE_VERSION);
}

/* --- Configurations --- */

static void configurations(void) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL, *before = NULL;
  gptimage_error_t *error = NULL;
  static const char *const timers[] = {
      "connect",
      "write",
      "response_header",
      "read",
      "initial_backoff",
      "max_backoff",
      "max_retry_after",
      "url_not_found",
      "tcp_keepalive_idle",
      "tcp_keepalive_interval",
      "tcp_user_timeout",
  };
  CHECK(config != NULL);
  CHECK_OK(gptimage_config_set_api_key(config, "sk-another", &error));
  CHECK_OK(gptimage_config_set_base_url(config, getenv("AIMLAPI_BASE_URL"), &error));
  CHECK_OK(gptimage_config_set_allow_http(config, 1, &error));
  CHECK_OK(gptimage_config_set_deadline_ms(config, 60000, &error));
  CHECK_OK(gptimage_config_set_max_attempts(config, 2, &error));
  for (size_t i = 0; i < sizeof timers / sizeof *timers; ++i) {
    CHECK_OK(gptimage_config_set_timer_ms(config, timers[i], 30000, &error));
  }
  CHECK_STATUS(gptimage_config_set_timer_ms(config, "sand", 1, &error), GPTIMAGE_STATUS_CONFIG);
  gptimage_error_free(error);
  error = NULL;
  CHECK_OK(gptimage_config_set_proxy(config, "", &error));
  CHECK_OK(gptimage_config_add_header(config, "X-Order", "17", &error));
  CHECK_OK(gptimage_config_set_fetch(config, 1, &error));
  CHECK_OK(gptimage_config_set_retry_server_errors(config, 0, &error));
  CHECK_OK(gptimage_config_set_abort_on_cancel(config, 0, &error));
  CHECK_OK(gptimage_config_set_max_image_bytes(config, 1 << 20, &error));
  CHECK_OK(gptimage_config_set_salvage_max_bytes(config, 1 << 20, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  gptimage_client_free(client);

  /* The file is judged with the rest, when a client is made; then nothing is written. */
  client = before;
  CHECK_OK(gptimage_config_set_ca_file(config, "/nowhere/certificates.pem", &error));
  CHECK_FAILS(gptimage_client_new(config, &client, &error), GPTIMAGE_STATUS_CONFIG);
  CHECK(client == before);
  gptimage_config_free(config);
}

/* --- Results --- */

static void look_at_small(const gptimage_generated_t *generated) {
  uint8_t picture[300];
  size_t len = host_bytes(SMALL_PICTURE, picture, sizeof picture);
  gptimage_bytes_t bytes = gptimage_generated_image_bytes(generated, 0);
  CHECK_NUMBER(gptimage_generated_image_count(generated), 1);
  CHECK_NUMBER(bytes.len, len);
  CHECK(memcmp(bytes.data, picture, len) == 0);
  CHECK(gptimage_generated_image_url(generated, 0) == NULL);
  CHECK(gptimage_generated_image_path(generated, 0) == NULL);
  CHECK(gptimage_generated_image_revised_prompt(generated, 0) == NULL);
  CHECK_TEXT(gptimage_generated_image_format(generated, 0), "png");
  CHECK_NUMBER(gptimage_generated_image_width(generated, 0), 4);
  CHECK_NUMBER(gptimage_generated_image_height(generated, 0), 4);
  CHECK(strtod(gptimage_generated_usd_spent(generated), NULL) > 0);
  CHECK(strspn(gptimage_generated_credits_used(generated), "0123456789") > 0);
  CHECK(strlen(gptimage_generated_inference_id(generated)) > 0);
  CHECK(strlen(gptimage_generated_client_request_id(generated)) > 0);
  CHECK_NUMBER(gptimage_generated_attempt_count(generated), 1);
  const char *json = gptimage_generated_json(generated);
  CHECK(is_json_object(json));
  CHECK_CONTAINS(json, gptimage_generated_usd_spent(generated));
  CHECK_CONTAINS(json, gptimage_generated_inference_id(generated));
  /* Borrowed: the same text each time, as long as the result lives. */
  CHECK(gptimage_generated_json(generated) == json);
  CHECK(gptimage_generated_usd_spent(generated) == gptimage_generated_usd_spent(generated));

  /* Beyond the end there is nothing. */
  static const size_t beyond[] = {1, 2, SIZE_MAX};
  for (size_t i = 0; i < sizeof beyond / sizeof *beyond; ++i) {
    bytes = gptimage_generated_image_bytes(generated, beyond[i]);
    CHECK(bytes.data == NULL && bytes.len == 0);
    CHECK(gptimage_generated_image_url(generated, beyond[i]) == NULL);
    CHECK(gptimage_generated_image_path(generated, beyond[i]) == NULL);
    CHECK(gptimage_generated_image_revised_prompt(generated, beyond[i]) == NULL);
    CHECK(gptimage_generated_image_format(generated, beyond[i]) == NULL);
    CHECK_NUMBER(gptimage_generated_image_width(generated, beyond[i]), 0);
    CHECK_NUMBER(gptimage_generated_image_height(generated, beyond[i]), 0);
  }
}

static void generating(const gptimage_client_t *client) {
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_cancel_token_t *token = gptimage_cancel_token_new();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_generate_request_set_model(request, "openai/gpt-image-2", &error));
  CHECK_OK(gptimage_generate_request_set_size(request, "1536x1024", &error));
  /* The last word counts. */
  CHECK_OK(gptimage_generate_request_set_size(request, "1024x1536", &error));
  CHECK_OK(gptimage_generate_request_set_quality(request, "low", &error));
  CHECK_OK(gptimage_generate_request_set_output_format(request, "jpeg", &error));
  CHECK_OK(gptimage_generate_request_set_background(request, "opaque", &error));
  CHECK_OK(gptimage_generate_request_set_moderation(request, "low", &error));
  CHECK_OK(gptimage_generate_request_set_response_format(request, "b64_json", &error));
  CHECK_OK(gptimage_generate_request_set_n(request, 1, &error));
  CHECK_OK(gptimage_generate_request_set_output_compression(request, 50, &error));
  CHECK_OK(gptimage_generate_request_set(request, "quality", "low", &error));
  CHECK_OK(gptimage_generate_request_set_extra(request, "{\"user\":\"someone\"}", &error));
  CHECK_OK(gptimage_generate_request_set_deadline_ms(request, 60000, &error));
  CHECK_OK(gptimage_generate_request_set_overwrite(request, 0, &error));
  CHECK_OK(gptimage_generate_request_set_structural_rules(request, 0, &error));
  CHECK_OK(gptimage_client_generate(client, request, token, &generated, &error));
  CHECK_TEXT(gptimage_generated_image_format(generated, 0), "jpeg");
  CHECK_NUMBER(gptimage_generated_image_width(generated, 0), 1024);
  CHECK_NUMBER(gptimage_generated_image_height(generated, 0), 1536);
  gptimage_generated_free(generated);

  /* What arrived is what was set. */
  char *requests = control_get("/_emulator/requests");
  CHECK_CONTAINS(requests,
                 "{\\\"model\\\":\\\"openai/gpt-image-2\\\",\\\"prompt\\\":\\\"A "
                 "hat\\\",\\\"size\\\":\\\"1024x1536\\\",");
  CHECK_CONTAINS(requests, "\\\"user\\\":\\\"someone\\\"");
  free(requests);

  /* A request is used again, also when it is freed meanwhile; a token that was not cancelled
   * changes nothing. */
  host_small_pictures();
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  gptimage_generate_request_free(request);
  gptimage_cancel_token_free(token);
  look_at_small(generated);
  gptimage_generated_free(generated);
}

static void cancelled_before(const gptimage_client_t *client) {
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_cancel_token_t *token = gptimage_cancel_token_new();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  long long charges = host_charges();
  gptimage_cancel_token_cancel(token);
  gptimage_cancel_token_cancel(token);
  CHECK_STATUS(gptimage_client_generate(client, request, token, &generated, &error),
               GPTIMAGE_STATUS_CANCELLED);
  CHECK_TEXT(gptimage_error_charge(error), "not_charged");
  CHECK_TEXT(gptimage_error_kind(error), "cancelled");
  CHECK(generated == NULL);
  gptimage_error_free(error);
  gptimage_cancel_token_free(token);
  gptimage_generate_request_free(request);
  CHECK_NUMBER(host_charges(), charges);
}

static void editing(const gptimage_client_t *client) {
  char path[500], mask_path[500];
  uint8_t picture[300], mask[300];
  size_t picture_len = host_bytes(SMALL_PICTURE, picture, sizeof picture);
  size_t mask_len = host_bytes(SMALL_MASK, mask, sizeof mask);
  snprintf(path, sizeof path, "%s/in.png", host_folder());
  snprintf(mask_path, sizeof mask_path, "%s/mask.png", host_folder());
  write_file(path, picture, picture_len);
  write_file(mask_path, mask, mask_len);

  gptimage_edit_request_t *request = host_edit_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_edit_request_add_image_path(request, path, &error));
  CHECK_OK(gptimage_edit_request_set_mask_path(request, mask_path, &error));
  CHECK_OK(gptimage_edit_request_set_mask_bytes(request, mask, mask_len, &error));
  CHECK_OK(gptimage_edit_request_set_model(request, "openai/gpt-image-2", &error));
  CHECK_OK(gptimage_edit_request_set_size(request, "1024x1024", &error));
  CHECK_OK(gptimage_edit_request_set_quality(request, "low", &error));
  CHECK_OK(gptimage_edit_request_set_output_format(request, "webp", &error));
  CHECK_OK(gptimage_edit_request_set_background(request, "auto", &error));
  CHECK_OK(gptimage_edit_request_set_response_format(request, "url", &error));
  CHECK_OK(gptimage_edit_request_set_n(request, 2, &error));
  CHECK_OK(gptimage_edit_request_set_output_compression(request, 100, &error));
  CHECK_OK(gptimage_edit_request_set(request, "n", "2", &error));
  CHECK_OK(gptimage_edit_request_set_extra(request, "{\"user\":\"someone\"}", &error));
  CHECK_OK(gptimage_edit_request_set_deadline_ms(request, 60000, &error));
  CHECK_OK(gptimage_edit_request_set_overwrite(request, 0, &error));
  CHECK_OK(gptimage_edit_request_set_structural_rules(request, 0, &error));
  host_faults(NULL);
  CHECK_OK(gptimage_client_edit(client, request, NULL, &generated, &error));
  CHECK_NUMBER(gptimage_generated_image_count(generated), 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK_TEXT(gptimage_generated_image_format(generated, i), "webp");
    CHECK(strncmp(gptimage_generated_image_url(generated, i), "http://", 7) == 0);
    CHECK(gptimage_generated_image_bytes(generated, i).len > 100);
  }
  gptimage_generated_free(generated);

  /* Straight into files, which are numbered. */
  char to[500], first[500], second[500];
  snprintf(to, sizeof to, "%s/edited", host_folder());
  CHECK_OK(gptimage_client_edit_to(client, request, to, NULL, &generated, &error));
  CHECK_NUMBER(gptimage_generated_image_count(generated), 2);
  snprintf(first, sizeof first, "%s", gptimage_generated_image_path(generated, 0));
  snprintf(second, sizeof second, "%s", gptimage_generated_image_path(generated, 1));
  CHECK(strcmp(first, second) != 0 && exists(first) && exists(second));
  CHECK(strncmp(first, to, strlen(to)) == 0 && strstr(first, ".webp") != NULL);
  CHECK(gptimage_generated_image_bytes(generated, 0).data == NULL);
  gptimage_generated_free(generated);
  gptimage_edit_request_free(request);
  host_small_pictures();
}

static void into_a_file(const gptimage_client_t *client) {
  char to[500], expected[600];
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  uint8_t picture[300];
  size_t len = host_bytes(SMALL_PICTURE, picture, sizeof picture);
  snprintf(to, sizeof to, "%s/hat", host_folder());
  snprintf(expected, sizeof expected, "%s.png", to);
  CHECK_OK(gptimage_client_generate_to(client, request, to, NULL, &generated, &error));
  CHECK_TEXT(gptimage_generated_image_path(generated, 0), expected);
  CHECK(gptimage_generated_image_bytes(generated, 0).data == NULL);
  file_is(expected, picture, len);

  /* A copy of what is in a file. */
  char copy[500];
  snprintf(copy, sizeof copy, "%s/copy.png", host_folder());
  CHECK_OK(gptimage_generated_image_save(generated, 0, copy, 0, &error));
  file_is(copy, picture, len);
  CHECK_FAILS(gptimage_generated_image_save(generated, 0, copy, 0, &error), GPTIMAGE_STATUS_IO);
  CHECK_OK(gptimage_generated_image_save(generated, 0, copy, 1, &error));
  CHECK_FAILS(gptimage_generated_image_save(generated, 1, copy, 1, &error),
              GPTIMAGE_STATUS_INVALID_ARGUMENT);
  gptimage_generated_free(generated);

  /* What exists is refused before anything is sent, unless it may be replaced. */
  gptimage_generated_t *untouched = (gptimage_generated_t *)&expected;
  generated = untouched;
  long long charges = host_charges();
  CHECK_STATUS(gptimage_client_generate_to(client, request, expected, NULL, &generated, &error),
               GPTIMAGE_STATUS_IO);
  CHECK(generated == untouched);
  CHECK_TEXT(gptimage_error_charge(error), "not_charged");
  CHECK_NUMBER(gptimage_error_http_status(error), 0);
  gptimage_error_free(error);
  error = NULL;
  CHECK_NUMBER(host_charges(), charges);
  CHECK_OK(gptimage_generate_request_set_overwrite(request, 1, &error));
  CHECK_OK(gptimage_client_generate_to(client, request, expected, NULL, &generated, &error));
  gptimage_generated_free(generated);

  /* A folder takes a name of the library's making. */
  snprintf(to, sizeof to, "%s/new/", host_folder());
  CHECK_OK(gptimage_client_generate_to(client, request, host_folder(), NULL, &generated, &error));
  CHECK(exists(gptimage_generated_image_path(generated, 0)));
  CHECK_OK(gptimage_generated_image_save(generated, 0, host_folder(), 0, &error));
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
}

static void at_its_url(void) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_config_set_fetch(config, 0, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  gptimage_config_free(config);
  host_faults(NULL);
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  CHECK(gptimage_generated_image_url(generated, 0) != NULL);
  CHECK(gptimage_generated_image_format(generated, 0) == NULL);
  CHECK_NUMBER(gptimage_generated_image_width(generated, 0), 0);
  CHECK(gptimage_generated_image_bytes(generated, 0).data == NULL);
  char url[500];
  snprintf(url, sizeof url, "%s", gptimage_generated_image_url(generated, 0));

  long long charges = host_charges();
  CHECK_FAILS(gptimage_client_fetch(client, generated, 1, &error),
              GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_OK(gptimage_client_fetch(client, generated, 0, &error));
  gptimage_bytes_t bytes = gptimage_generated_image_bytes(generated, 0);
  CHECK(bytes.len > 100 && memcmp(bytes.data, "\x89PNG", 4) == 0);
  CHECK_TEXT(gptimage_generated_image_url(generated, 0), url);
  CHECK_NUMBER(gptimage_generated_image_width(generated, 0), 1024);
  CHECK(is_json_object(gptimage_generated_json(generated)));
  /* One that is here stays as it is. */
  CHECK_OK(gptimage_client_fetch(client, generated, 0, &error));
  CHECK_NUMBER(host_charges(), charges);
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  host_small_pictures();
}

/* --- Errors --- */

static void violations(const gptimage_client_t *client) {
  gptimage_edit_request_t *request = NULL;
  gptimage_generated_t *untouched = (gptimage_generated_t *)&request, *generated = untouched;
  gptimage_error_t *error = NULL;
  long long charges = host_charges();
  CHECK_OK(gptimage_edit_request_new("A hat", &request, &error));
  CHECK_OK(gptimage_edit_request_set_size(request, "1x1", &error));
  CHECK_OK(gptimage_edit_request_set_n(request, 11, &error));
  CHECK_OK(gptimage_edit_request_set(request, "colour", "blue", &error));
  CHECK_STATUS(gptimage_client_edit(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_INVALID_REQUEST);
  CHECK(generated == untouched);
  CHECK_NUMBER(gptimage_error_status(error), GPTIMAGE_STATUS_INVALID_REQUEST);
  CHECK_TEXT(gptimage_error_kind(error), "invalid_request");
  CHECK_TEXT(gptimage_error_charge(error), "not_charged");
  CHECK_NUMBER(gptimage_error_http_status(error), 0);
  CHECK_NUMBER(gptimage_error_retry_after_ms(error), -1);
  CHECK(gptimage_error_client_request_id(error) == NULL);
  CHECK(gptimage_error_inference_id(error) == NULL);
  CHECK(gptimage_error_generated(error) == NULL);
  CHECK_NUMBER(gptimage_error_violation_count(error), 4);
  int seen = 0;
  for (size_t i = 0; i < 4; ++i) {
    gptimage_violation_t violation = gptimage_error_violation(error, i);
    CHECK(violation.param != NULL && violation.rule != NULL && violation.given != NULL);
    CHECK(violation.message[0] != '\0');
    CHECK_CONTAINS(gptimage_error_message(error), violation.message);
    if (strcmp(violation.param, "size") == 0) {
      CHECK_TEXT(violation.rule, "one_of");
      CHECK_TEXT(violation.given, "1x1");
      ++seen;
    }
  }
  CHECK_NUMBER(seen, 1);
  gptimage_violation_t none = gptimage_error_violation(error, 4);
  CHECK(none.param == NULL && none.rule == NULL && none.given == NULL && none.message == NULL);
  none = gptimage_error_violation(error, SIZE_MAX);
  CHECK(none.param == NULL && none.rule == NULL && none.given == NULL && none.message == NULL);
  CHECK(is_json_object(gptimage_error_json(error)));
  /* An error outlives what it came from. */
  gptimage_edit_request_free(request);
  CHECK_CONTAINS(gptimage_error_json(error), "\"one_of\"");
  gptimage_error_free(error);
  CHECK_NUMBER(host_charges(), charges);
}

/* What an error has is its own, and does not change; a copy, or the link alone, can be fetched. */
static void fetched_later(const gptimage_client_t *client, const gptimage_generated_t *paid) {
  gptimage_generated_t *copy = gptimage_generated_copy(paid), *linked = NULL;
  gptimage_error_t *error = NULL;
  char path[500], url[500];
  struct stat file;
  long long charges = host_charges();
  snprintf(url, sizeof url, "%s", gptimage_generated_image_url(paid, 0));
  CHECK_TEXT(gptimage_generated_image_url(copy, 0), url);
  CHECK_TEXT(gptimage_generated_usd_spent(copy), gptimage_generated_usd_spent(paid));
  CHECK_FAILS(gptimage_client_fetch(client, copy, 0, &error), GPTIMAGE_STATUS_DOWNLOAD_FAILED);
  host_faults(NULL);
  CHECK_OK(gptimage_client_fetch(client, copy, 0, &error));
  CHECK(gptimage_generated_image_bytes(copy, 0).len > 100);
  CHECK(gptimage_generated_image_bytes(paid, 0).data == NULL);
  /* Of one that is here already a copy is saved. */
  snprintf(path, sizeof path, "%s/fetched.png", host_folder());
  CHECK_OK(gptimage_client_fetch_to(client, copy, 0, path, 0, &error));
  CHECK(stat(path, &file) == 0 && file.st_size > 100);
  gptimage_generated_free(copy);

  CHECK_OK(gptimage_generated_from_url(url, &linked, &error));
  CHECK_NUMBER(gptimage_generated_image_count(linked), 1);
  CHECK_TEXT(gptimage_generated_image_url(linked, 0), url);
  CHECK(gptimage_generated_usd_spent(linked) == NULL);
  CHECK_FAILS(gptimage_client_fetch_to(client, linked, 0, path, 0, &error), GPTIMAGE_STATUS_IO);
  CHECK_FAILS(gptimage_client_fetch_to(client, linked, 1, path, 1, &error),
              GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_OK(gptimage_client_fetch_to(client, linked, 0, path, 1, &error));
  CHECK_TEXT(gptimage_generated_image_path(linked, 0), path);
  CHECK_NUMBER(gptimage_generated_image_width(linked, 0), 1024);
  CHECK(gptimage_generated_image_bytes(linked, 0).data == NULL);
  gptimage_generated_free(linked);

  linked = NULL;
  CHECK_OK(gptimage_generated_from_url(url, &linked, &error));
  CHECK_OK(gptimage_client_fetch(client, linked, 0, &error));
  CHECK(gptimage_generated_image_bytes(linked, 0).len > 100);
  gptimage_generated_free(linked);

  linked = NULL;
  CHECK_OK(gptimage_generated_from_url("nothing that is a link", &linked, &error));
  CHECK_FAILS(gptimage_client_fetch(client, linked, 0, &error), GPTIMAGE_STATUS_DOWNLOAD_FAILED);
  gptimage_generated_free(linked);
  CHECK_NUMBER(host_charges(), charges);
}

static void refusals(void) {
  gptimage_client_t *client = host_client_of_one_attempt();
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  host_faults("{\"answer\":{\"status\":429,\"headers\":{\"retry-after\":\"2\"}}}");
  CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_RATE_LIMITED);
  CHECK_NUMBER(gptimage_error_http_status(error), 429);
  CHECK_NUMBER(gptimage_error_retry_after_ms(error), 2000);
  CHECK_TEXT(gptimage_error_charge(error), "not_charged");
  CHECK(strlen(gptimage_error_client_request_id(error)) > 0);
  CHECK_NUMBER(gptimage_error_violation_count(error), 0);
  CHECK_CONTAINS(gptimage_error_json(error), gptimage_error_client_request_id(error));
  CHECK_CONTAINS(gptimage_error_json(error), "\"attempts\"");
  CHECK(is_json_object(gptimage_error_json(error)));
  CHECK(generated == NULL);
  gptimage_error_free(error);
  error = NULL;

  /* Paid for, and not here: the picture's link is in the error. */
  host_faults("{\"cdn\":{\"status\":410,\"times\":\"always\"}}");
  CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_DOWNLOAD_FAILED);
  CHECK_TEXT(gptimage_error_charge(error), "charged");
  const gptimage_generated_t *paid = gptimage_error_generated(error);
  CHECK_NUMBER(gptimage_generated_image_count(paid), 1);
  CHECK(strlen(gptimage_generated_image_url(paid, 0)) > 0);
  CHECK(strlen(gptimage_generated_usd_spent(paid)) > 0);
  CHECK(gptimage_generated_image_bytes(paid, 0).data == NULL);
  CHECK(strlen(gptimage_error_inference_id(error)) > 0);
  CHECK(is_json_object(gptimage_generated_json(paid)));
  fetched_later(client, paid);
  gptimage_error_free(error);
  error = NULL;

  /* Paid for, and nothing that can be used: what came is kept. */
  CHECK(gptimage_error_response_body(NULL) == NULL);
  host_faults("{\"success_body\":{\"json\":{\"nothing\":\"here\"}}}");
  CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_RESPONSE_INVALID);
  CHECK_CONTAINS(gptimage_error_response_body(error), "here");
  CHECK(gptimage_error_response_file(error) == NULL);
  CHECK(gptimage_error_response_bytes(error).len > 0);
  CHECK(gptimage_error_task_id(error) == NULL);
  gptimage_error_free(error);
  error = NULL;
  CHECK(gptimage_error_response_file(NULL) == NULL && gptimage_error_task_id(NULL) == NULL);
  CHECK(gptimage_error_response_bytes(NULL).data == NULL);
  host_faults("{\"success_body\":{\"json\":{\"status\":\"queued\",\"task_id\":\"task-1\"}}}");
  CHECK_STATUS(gptimage_client_generate_to(client, request, "task.png", NULL, &generated, &error),
               GPTIMAGE_STATUS_RESPONSE_INVALID);
  CHECK_TEXT(gptimage_error_task_id(error), "task-1");
  CHECK_CONTAINS(gptimage_error_response_file(error), "task.answer.json");
  CHECK(remove(gptimage_error_response_file(error)) == 0);
  gptimage_error_free(error);
  error = NULL;

  /* Nobody answers whom we know. */
  host_faults("{\"cut_response\":{\"after\":17,\"cut\":\"rst\"}}");
  CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_OUTCOME_UNKNOWN);
  CHECK_TEXT(gptimage_error_charge(error), "unknown");
  gptimage_error_free(error);
  error = NULL;
  host_small_pictures();
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
}

/* --- Jobs, progress, log --- */

static void ended(gptimage_job_t *job, void *user_data) {
  (void)job;
  host_notify((host_signal_t *)user_data);
}

typedef struct {
  atomic_int looks, furthest, backwards;
} progress_seen_t;

static void look_on(const gptimage_progress_t *progress, void *user_data) {
  progress_seen_t *seen = (progress_seen_t *)user_data;
  CHECK_NUMBER(progress->attempt, 1);
  CHECK(progress->max_attempts >= 1 && progress->pause_ms == -1);
  CHECK(progress->bytes_sent <= progress->bytes_total);
  CHECK(strncmp(progress->client_request_id, "gptimage-", 9) == 0);
  if (progress->phase < seen->furthest) {
    ++seen->backwards;
  }
  seen->furthest = progress->phase;
  ++seen->looks;
}

typedef struct {
  atomic_int lines, grave;
  host_signal_t *said;
} log_seen_t;

static void write_down(gptimage_log_level_t level, const char *message, void *user_data) {
  log_seen_t *seen = (log_seen_t *)user_data;
  CHECK(level >= GPTIMAGE_LOG_LEVEL_ERROR && level <= GPTIMAGE_LOG_LEVEL_DEBUG);
  CHECK(strlen(message) > 0 && strchr(message, '\n') == NULL);
  CHECK(strstr(message, "A hat") == NULL && strstr(message, getenv("AIMLAPI_KEY")) == NULL);
  ++seen->lines;
  seen->grave += level < GPTIMAGE_LOG_LEVEL_INFO;
  host_notify(seen->said);
}

static void jobs(gptimage_client_t *client) {
  host_signal_t signal = HOST_SIGNAL, logged = HOST_SIGNAL;
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_edit_request_t *edit = host_edit_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = NULL, *second = NULL;
  progress_seen_t seen = {0};
  log_seen_t log = {.said = &logged};
  long long charges = host_charges();
  gptimage_client_set_progress(client, look_on, &seen);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, write_down, &log);
  CHECK_OK(gptimage_client_start_generate(client, request, ended, &signal, &job, &error));
  host_await(&signal, 1);
  CHECK_NUMBER(gptimage_job_phase(job), GPTIMAGE_PHASE_STORED);
  CHECK_OK(gptimage_job_wait(job, 0, &generated, &error));
  look_at_small(generated);
  gptimage_generated_free(generated);
  /* The result is given once. */
  generated = NULL;
  CHECK_FAILS(gptimage_job_wait(job, 0, &generated, &error), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK_FAILS(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error),
              GPTIMAGE_STATUS_INVALID_ARGUMENT);
  CHECK(generated == NULL);
  gptimage_job_cancel(job);
  gptimage_job_free(job);

  CHECK_OK(gptimage_client_start_edit(client, edit, NULL, NULL, &job, &error));
  CHECK_OK(gptimage_client_start_edit(client, edit, ended, &signal, &second, &error));
  gptimage_edit_request_free(edit);
  CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_job_wait(second, 60000, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_job_free(job);
  host_await(&signal, 2);
  gptimage_job_free(second);
  host_await(&logged, 1);
  gptimage_client_set_progress(client, NULL, NULL);
  gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL);
  CHECK(seen.looks > 0);
  CHECK(log.lines > 0 && log.grave == 0);
  CHECK_NUMBER(host_charges(), charges + 3);

  /* One whose answer takes long: it is pending, and after it was sent, giving it up loses nothing.
   */
  host_latency("\"300ms\"");
  CHECK_OK(gptimage_client_start_generate(client, request, NULL, NULL, &job, &error));
  generated = NULL;
  CHECK_FAILS(gptimage_job_wait(job, 0, &generated, &error), GPTIMAGE_STATUS_PENDING);
  CHECK_FAILS(gptimage_job_wait(job, 1, &generated, &error), GPTIMAGE_STATUS_PENDING);
  CHECK(generated == NULL);
  while (gptimage_job_phase(job) < GPTIMAGE_PHASE_SENT) {
    host_pause_us(500);
  }
  gptimage_job_cancel(job);
  CHECK_STATUS(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error),
               GPTIMAGE_STATUS_CANCELLED);
  CHECK_TEXT(gptimage_error_charge(error), "unknown");
  gptimage_error_free(error);
  error = NULL;
  gptimage_job_free(job);
  CHECK_OK(gptimage_client_collect(client, 60000, &generated, &error));
  look_at_small(generated);
  gptimage_generated_free(generated);
  generated = (gptimage_generated_t *)&job;
  CHECK_OK(gptimage_client_collect(client, 60000, &generated, &error));
  CHECK(generated == NULL);
  host_latency("null");
  gptimage_generate_request_free(request);
}

/* One budget for two clients; what may be charged is asked for afterwards; a folder keeps it. */
static void money(void) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL, *another = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_budget_t *budget = NULL;
  gptimage_budget_status_t status;
  gptimage_pending_t *pending = NULL;
  gptimage_reconciled_t *reconciled = NULL;
  gptimage_job_t *job = NULL;
  char folder[500], id[200];
  CHECK_STATUS(gptimage_budget_new("much", NULL, &budget, &error), GPTIMAGE_STATUS_CONFIG);
  CHECK_CONTAINS(gptimage_error_message(error), "max_usd");
  gptimage_error_free(error);
  error = NULL;
  CHECK_OK(gptimage_budget_new("0.50", "0.20", &budget, &error));
  CHECK_OK(gptimage_config_set_budget(config, budget, &error));
  snprintf(folder, sizeof folder, "%s/kept", host_folder());
  CHECK_OK(gptimage_config_set_salvage_folder(config, folder, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  CHECK_OK(gptimage_client_new(config, &another, &error));
  gptimage_config_free(config);

  /* Its caller goes before its answer comes: it is pending, and may be charged. */
  control_delete("/_emulator/faults");
  host_latency("\"3s\"");
  CHECK_OK(gptimage_client_start_generate(client, request, NULL, NULL, &job, &error));
  while (gptimage_job_phase(job) < GPTIMAGE_PHASE_SENT) {
    host_pause_us(500);
  }
  gptimage_job_cancel(job);
  CHECK_STATUS(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error),
               GPTIMAGE_STATUS_CANCELLED);
  gptimage_job_free(job);
  snprintf(id, sizeof id, "%s", gptimage_error_client_request_id(error));
  gptimage_error_free(error);
  error = NULL;
  host_latency("null");
  CHECK_OK(gptimage_client_pending(client, &pending, &error));
  CHECK_NUMBER(gptimage_pending_count(pending), 1);
  CHECK_TEXT(gptimage_pending_client_request_id(pending, 0), id);
  CHECK_NUMBER(gptimage_pending_phase(pending, 0), GPTIMAGE_PHASE_SENT);
  CHECK_NUMBER(gptimage_pending_ended(pending, 0), 0);
  CHECK(gptimage_pending_client_request_id(pending, 1) == NULL);
  gptimage_pending_free(pending);
  CHECK_OK(gptimage_budget_status(budget, &status, &error));
  CHECK_TEXT(status.reserved_usd, "0.2");
  CHECK_OK(gptimage_client_reconcile(client, id, NULL, 60000, &reconciled, &error));
  CHECK_TEXT(gptimage_reconciled_charge(reconciled), "charged");
  CHECK_CONTAINS(gptimage_reconciled_message(reconciled), id);
  CHECK(strlen(gptimage_reconciled_usd_spent(reconciled)) > 0);
  CHECK(strlen(gptimage_reconciled_credits_used(reconciled)) > 0);
  CHECK(strlen(gptimage_reconciled_inference_id(reconciled)) > 0);
  CHECK(is_json_object(gptimage_reconciled_json(reconciled)));

  /* It came in the end, and the other client of the folder has it. */
  CHECK_OK(gptimage_client_pending(another, &pending, &error));
  while (gptimage_pending_count(pending) == 0) {
    gptimage_pending_free(pending);
    host_pause_us(1000);
    CHECK_OK(gptimage_client_pending(another, &pending, &error));
  }
  CHECK_NUMBER(gptimage_pending_ended(pending, 0), 1);
  gptimage_pending_free(pending);
  CHECK_OK(gptimage_client_collect(another, 0, &generated, &error));
  CHECK_TEXT(gptimage_generated_client_request_id(generated), id);
  CHECK_CONTAINS(gptimage_generated_image_path(generated, 0), folder);
  CHECK_OK(gptimage_budget_status(budget, &status, &error));
  CHECK_TEXT(status.spent_usd, gptimage_generated_usd_spent(generated));
  CHECK_TEXT(status.reserved_usd, "0");
  CHECK_NUMBER(status.closed, 0);
  CHECK_TEXT(status.max_usd, "0.5");
  gptimage_generated_free(generated);
  gptimage_reconciled_free(reconciled);

  /* Until nothing is left. */
  long long charges = host_charges();
  gptimage_status_t ended = GPTIMAGE_STATUS_OK;
  for (int i = 0; i < 100 && ended == GPTIMAGE_STATUS_OK; ++i) {
    ended = gptimage_client_generate(i % 2 ? client : another, request, NULL, &generated, &error);
    if (ended == GPTIMAGE_STATUS_OK) {
      gptimage_generated_free(generated);
    }
  }
  CHECK_NUMBER(ended, GPTIMAGE_STATUS_BUDGET_EXCEEDED);
  CHECK_TEXT(gptimage_error_charge(error), "not_charged");
  gptimage_error_free(error);
  CHECK(host_charges() > charges && host_charges() <= charges + 10);
  gptimage_budget_free(budget);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  gptimage_client_free(another);
  host_small_pictures();
}

/* Numbers at the ends of their types are judged like all others, or waited for as long as it takes.
 */
static void extremes(void) {
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *client = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_config_set_deadline_ms(config, UINT64_MAX, &error));
  CHECK_OK(gptimage_config_set_max_attempts(config, UINT32_MAX, &error));
  CHECK_OK(gptimage_config_set_max_image_bytes(config, UINT64_MAX, &error));
  CHECK_OK(gptimage_config_set_timer_ms(config, "connect", UINT64_MAX, &error));
  CHECK_OK(gptimage_config_set_timer_ms(config, "response_header", UINT64_MAX, &error));
  CHECK_OK(gptimage_client_new(config, &client, &error));
  gptimage_config_free(config);
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_generate_request_set_deadline_ms(request, UINT64_MAX - 1, &error));
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_job_t *job = NULL;
  CHECK_OK(gptimage_client_start_generate(client, request, NULL, NULL, &job, &error));
  CHECK_OK(gptimage_job_wait(job, UINT64_MAX - 1, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_job_free(job);
  CHECK_OK(gptimage_client_collect(client, UINT64_MAX, &generated, &error));
  CHECK(generated == NULL);
  static const int64_t numbers[] = {INT64_MIN, -1, 0, 101, INT64_MAX};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
    CHECK_OK(gptimage_generate_request_set_n(request, numbers[i], &error));
    CHECK_OK(gptimage_generate_request_set_output_compression(request, numbers[i], &error));
    CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
                 GPTIMAGE_STATUS_INVALID_REQUEST);
    CHECK(gptimage_error_violation_count(error) >= 1);
    gptimage_error_free(error);
    error = NULL;
  }
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
}

int main(void) {
  statuses();
  versions();
  configurations();
  gptimage_client_t *client = host_client();
  generating(client);
  cancelled_before(client);
  editing(client);
  into_a_file(client);
  at_its_url();
  violations(client);
  refusals();
  jobs(client);
  extremes();
  money();
  gptimage_client_free(client);
  return 0;
}
