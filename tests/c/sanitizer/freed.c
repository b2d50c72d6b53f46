/* Reads a borrowed text after what it was borrowed from is freed: AddressSanitizer has to say so. */
#include <gptimage.h>
#include <stdio.h>

int main(void) {
  gptimage_error_t *error = NULL;
  gptimage_generate_request_t *request = NULL;
  gptimage_generate_request_new(NULL, &request, &error);
  const char *message = gptimage_error_message(error);
  gptimage_error_free(error);
  printf("%c\n", message[0]);
  return 0;
}
