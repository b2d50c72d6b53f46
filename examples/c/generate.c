/* Makes a picture and saves it. The key is read from AIMLAPI_KEY. */
#include <gptimage.h>
#include <stdio.h>

int main(void) {
  gptimage_client_t *client = NULL;
  gptimage_generate_request_t *request = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_status_t status = gptimage_client_new(NULL, &client, &error);
  if (status == GPTIMAGE_STATUS_OK) {
    status = gptimage_generate_request_new("A T-Rex relaxing on a beach", &request, &error);
  }
  if (status == GPTIMAGE_STATUS_OK) {
    gptimage_generate_request_set_size(request, "1536x1024", NULL);
    gptimage_generate_request_set_overwrite(request, 1, NULL);
    status = gptimage_client_generate_to(client, request, "t-rex.png", NULL, &generated, &error);
  }
  if (status == GPTIMAGE_STATUS_OK) {
    printf("%s, %s USD\n", gptimage_generated_image_path(generated, 0),
           gptimage_generated_usd_spent(generated));
  } else {
    fprintf(stderr, "%s (%s)\n", gptimage_error_message(error), gptimage_error_charge(error));
  }
  gptimage_error_free(error);
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  return status == GPTIMAGE_STATUS_OK ? 0 : 1;
}
