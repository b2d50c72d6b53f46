/*
 * Several pictures at once in a program that has an event loop of its own: each job's callback,
 * which runs on a thread of the library, writes the job's number to a pipe, and the loop polls
 * that.
 */
#define _POSIX_C_SOURCE 200809L
#include <gptimage.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define JOBS 3

static int ends[2]; /* of the pipe: the loop reads 0, the callback writes 1 */

static void ended(gptimage_job_t *job, void *number) {
  unsigned char sent = *(unsigned char *)number;
  (void)job;
  if (write(ends[1], &sent, 1) != 1) {
    perror("pipe");
  }
}

/* The result is there: this does not wait. */
static int show(const gptimage_job_t *job) {
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_status_t status = gptimage_job_wait(job, 0, &generated, &error);
  if (status == GPTIMAGE_STATUS_OK) {
    printf("%lu bytes, %s USD\n", (unsigned long)gptimage_generated_image_bytes(generated, 0).len,
           gptimage_generated_usd_spent(generated));
  } else {
    fprintf(stderr, "%s (%s)\n", gptimage_error_message(error), gptimage_error_charge(error));
  }
  gptimage_generated_free(generated);
  gptimage_error_free(error);
  return status == GPTIMAGE_STATUS_OK ? 0 : 1;
}

int main(void) {
  static const char *const prompts[JOBS] = {"A T-Rex", "A crown", "A T-Rex with a crown"};
  unsigned char numbers[JOBS];
  gptimage_job_t *jobs[JOBS] = {NULL};
  gptimage_client_t *client = NULL;
  gptimage_error_t *error = NULL;
  int running = 0, failed = 0;
  if (pipe(ends) != 0) {
    perror("pipe");
    return 1;
  }
  if (gptimage_client_new(NULL, &client, &error) != GPTIMAGE_STATUS_OK) {
    fprintf(stderr, "%s\n", gptimage_error_message(error));
    gptimage_error_free(error);
    return 1;
  }
  for (unsigned char i = 0; i < JOBS; ++i) {
    gptimage_generate_request_t *request = NULL;
    numbers[i] = i;
    if (gptimage_generate_request_new(prompts[i], &request, &error) == GPTIMAGE_STATUS_OK &&
        gptimage_client_start_generate(client, request, ended, &numbers[i], &jobs[i], &error) ==
            GPTIMAGE_STATUS_OK) {
      ++running;
    } else {
      fprintf(stderr, "%s\n", gptimage_error_message(error));
      gptimage_error_free(error);
      error = NULL;
      failed = 1;
    }
    gptimage_generate_request_free(request);
  }

  while (running > 0) {
    struct pollfd watched = {ends[0], POLLIN, 0};
    unsigned char number;
    /* Whatever else the program waits for would be watched here, too. */
    if (poll(&watched, 1, -1) == 1 && read(ends[0], &number, 1) == 1) {
      printf("%s: ", prompts[number]);
      failed |= show(jobs[number]);
      gptimage_job_free(jobs[number]);
      --running;
    }
  }
  gptimage_client_free(client);
  close(ends[0]);
  close(ends[1]);
  return failed;
}
