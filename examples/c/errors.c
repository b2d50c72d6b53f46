/* What can go wrong, and what it cost. */
#include <gptimage.h>
#include <stdio.h>

/* Prints an error, and what its kind knows. */
static void print_error(const gptimage_error_t *error) {
  printf("%s: %s\n", gptimage_error_kind(error), gptimage_error_message(error));
  switch (gptimage_error_status(error)) {
    case GPTIMAGE_STATUS_INVALID_REQUEST:
      /* Nothing was sent. All broken rules are listed, not the first alone. */
      for (size_t i = 0; i < gptimage_error_violation_count(error); ++i) {
        gptimage_violation_t violation = gptimage_error_violation(error, i);
        printf("  %s (%s): %s\n", violation.param, violation.rule, violation.message);
      }
      break;
    case GPTIMAGE_STATUS_RATE_LIMITED:
      printf("  again in %ld ms\n", (long)gptimage_error_retry_after_ms(error));
      break;
    case GPTIMAGE_STATUS_DOWNLOAD_FAILED:
      /* Paid for: the link is worth keeping. */
      printf("  still at %s\n", gptimage_generated_image_url(gptimage_error_generated(error), 0));
      break;
    case GPTIMAGE_STATUS_OUTCOME_UNKNOWN:
      /* It may be paid for: by this id the vendor can find it. */
      printf("  sent as %s\n", gptimage_error_client_request_id(error));
      break;
    default:
      break;
  }
  printf("  charge: %s\n", gptimage_error_charge(error));
}

/* Fetches what is still at its URL. That is free, so it may be tried as often as wanted; later, the
 * URL alone is enough, for gptimage_generated_from_url(). */
static gptimage_status_t fetch(const gptimage_client_t *client,
                               const gptimage_generated_t *paid) {
  gptimage_generated_t *mine = gptimage_generated_copy(paid);
  gptimage_error_t *error = NULL;
  gptimage_status_t status =
      gptimage_client_fetch_to(client, mine, 0, "t-rex-of-errors.png", 1, &error);
  if (status == GPTIMAGE_STATUS_OK) {
    printf("  fetched: %s\n", gptimage_generated_image_path(mine, 0));
  } else {
    printf("  not fetched: %s\n", gptimage_error_message(error));
  }
  gptimage_error_free(error);
  gptimage_generated_free(mine);
  return status;
}

int main(void) {
  gptimage_client_t *client = NULL;
  gptimage_generate_request_t *request = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  if (gptimage_client_new(NULL, &client, &error) != GPTIMAGE_STATUS_OK) {
    print_error(error);
    gptimage_error_free(error);
    return 1;
  }

  /* Setters take any text; a request is judged as a whole when it is sent. */
  gptimage_generate_request_new("A T-Rex relaxing on a beach", &request, NULL);
  gptimage_generate_request_set_size(request, "huge", NULL);
  gptimage_generate_request_set_n(request, 100, NULL);
  if (gptimage_client_generate(client, request, NULL, &generated, &error) != GPTIMAGE_STATUS_OK) {
    print_error(error);
  }
  gptimage_error_free(error);
  error = NULL;

  /* Where nothing can be saved, nothing is sent. */
  gptimage_generate_request_set_size(request, "1024x1024", NULL);
  gptimage_generate_request_set_n(request, 1, NULL);
  if (gptimage_client_generate_to(client, request, "errors.c/t-rex.png", NULL, &generated,
                                  &error) != GPTIMAGE_STATUS_OK) {
    print_error(error);
  }
  gptimage_error_free(error);
  error = NULL;

  gptimage_status_t status = gptimage_client_generate(client, request, NULL, &generated, &error);
  if (status == GPTIMAGE_STATUS_OK) {
    printf("ok: %s USD\n", gptimage_generated_usd_spent(generated));
  } else {
    print_error(error);
    if (gptimage_error_generated(error) != NULL) {
      status = fetch(client, gptimage_error_generated(error));
    }
  }
  gptimage_error_free(error);
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  return status;
}
