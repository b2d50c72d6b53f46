/*
 * Edits a part of a picture: where the mask is transparent. So that it needs no files, the picture
 * is made first, and the mask is a picture with a transparent background: the model paints around
 * what the mask shows. Of pictures on disk: gptimage_edit_request_add_image_path() and
 * _set_mask_path().
 */
#include <gptimage.h>
#include <stdio.h>
#include <stdlib.h>

static gptimage_client_t *client;

static void give_up(gptimage_error_t *error) {
  fprintf(stderr, "%s (%s)\n", gptimage_error_message(error), gptimage_error_charge(error));
  gptimage_error_free(error);
  gptimage_client_free(client);
  exit(1);
}

static gptimage_generated_t *picture(const char *prompt, const char *background) {
  gptimage_generate_request_t *request = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  if (gptimage_generate_request_new(prompt, &request, &error) != GPTIMAGE_STATUS_OK ||
      gptimage_generate_request_set_background(request, background, &error) != GPTIMAGE_STATUS_OK ||
      gptimage_client_generate(client, request, NULL, &generated, &error) != GPTIMAGE_STATUS_OK) {
    give_up(error);
  }
  gptimage_generate_request_free(request);
  return generated;
}

int main(void) {
  gptimage_edit_request_t *request = NULL;
  gptimage_generated_t *edited = NULL;
  gptimage_error_t *error = NULL;
  if (gptimage_client_new(NULL, &client, &error) != GPTIMAGE_STATUS_OK) {
    give_up(error);
  }
  gptimage_generated_t *beach = picture("A T-Rex relaxing on a beach", "opaque");
  gptimage_generated_t *keep = picture("The outline of a T-Rex", "transparent");

  /* Bytes are borrowed from the result, and copied by the request. */
  gptimage_bytes_t image = gptimage_generated_image_bytes(beach, 0);
  gptimage_bytes_t mask = gptimage_generated_image_bytes(keep, 0);
  if (gptimage_edit_request_new("A beach at night", &request, &error) != GPTIMAGE_STATUS_OK ||
      gptimage_edit_request_add_image_bytes(request, image.data, image.len, &error) !=
          GPTIMAGE_STATUS_OK ||
      gptimage_edit_request_set_mask_bytes(request, mask.data, mask.len, &error) !=
          GPTIMAGE_STATUS_OK ||
      gptimage_edit_request_set_overwrite(request, 1, &error) != GPTIMAGE_STATUS_OK) {
    give_up(error);
  }
  gptimage_generated_free(beach);
  gptimage_generated_free(keep);

  if (gptimage_client_edit_to(client, request, "night.png", NULL, &edited, &error) !=
      GPTIMAGE_STATUS_OK) {
    give_up(error);
  }
  printf("%s, %ux%u, %s USD\n", gptimage_generated_image_path(edited, 0),
         (unsigned)gptimage_generated_image_width(edited, 0),
         (unsigned)gptimage_generated_image_height(edited, 0),
         gptimage_generated_usd_spent(edited));
  gptimage_generated_free(edited);
  gptimage_edit_request_free(request);
  gptimage_client_free(client);
  return 0;
}
