/* Loses what the library gave, and only that: a sanitizer that says nothing here is not in. */
#include <gptimage.h>
#include <stdio.h>

static void lose(void) {
  gptimage_config_t *volatile config = gptimage_config_new();
  config = NULL;
  (void)config;
}

int main(void) {
  for (int times = 0; times < 10; ++times) {
    lose();
  }
  puts("lost");
  return 0;
}
