/*
 * A host's signals are its own: peers that reset connections do not raise SIGPIPE, and
 * dispositions, masks, errno, locale and umask are after the library's work what they were before.
 */
#define _GNU_SOURCE
#include "host.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define LAST_SIGNAL 64

/* --- What a host has that is to stay as it is --- */

typedef struct {
  struct sigaction actions[LAST_SIGNAL + 1];
  int known[LAST_SIGNAL + 1];
  sigset_t mask;
  mode_t umask;
  char locale[200];
} state_t;

static state_t state(void) {
  state_t now;
  memset(&now, 0, sizeof now);
  for (int number = 1; number <= LAST_SIGNAL; ++number) {
    now.known[number] = sigaction(number, NULL, &now.actions[number]) == 0;
  }
  pthread_sigmask(SIG_SETMASK, NULL, &now.mask);
  now.umask = umask(0);
  umask(now.umask);
  snprintf(now.locale, sizeof now.locale, "%s", setlocale(LC_ALL, NULL));
  return now;
}

static void is_unchanged(int line, const state_t *before) {
  state_t now = state();
  for (int number = 1; number <= LAST_SIGNAL; ++number) {
    const struct sigaction *was = &before->actions[number], *is = &now.actions[number];
    /* A flag of the C library's own comes with every use of sigaction(). */
    int flags = (was->sa_flags ^ is->sa_flags) & ~0x04000000;
    int same = before->known[number] == now.known[number] && flags == 0 &&
               was->sa_handler == is->sa_handler;
    char what[100];
    snprintf(what, sizeof what, "signal %d: its action is as it was", number);
    check_number(__FILE__, line, what, same, 1);
    snprintf(what, sizeof what, "signal %d: blocked", number);
    check_number(__FILE__, line, what, sigismember(&now.mask, number),
                 sigismember(&before->mask, number));
  }
  check_number(__FILE__, line, "umask", now.umask, before->umask);
  check_text(__FILE__, line, "locale", now.locale, before->locale);
}
#define IS_UNCHANGED(before) is_unchanged(__LINE__, before)

/* --- errno --- */

static int changes_of_errno;

/* Does it, with an errno that no system call gives. */
#define KEEPS_ERRNO(what)                                                                        \
  do {                                                                                           \
    errno = 4711;                                                                                \
    what;                                                                                        \
    int errno_after = errno;                                                                     \
    if (errno_after != 4711) {                                                                   \
      fprintf(stderr, "%s:%d: errno was changed to %d by %s\n", __FILE__, __LINE__, errno_after, \
              #what);                                                                            \
      ++changes_of_errno;                                                                        \
    }                                                                                            \
  } while (0)

static void ended(gptimage_job_t *job, void *user_data) {
  (void)job;
  host_notify((host_signal_t *)user_data);
}

static void errno_stays(void) {
  host_signal_t signal = HOST_SIGNAL;
  gptimage_config_t *config = NULL;
  gptimage_client_t *client = NULL;
  gptimage_generate_request_t *request = NULL;
  gptimage_edit_request_t *edit = host_edit_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  gptimage_job_t *job = NULL;
  char path[500];
  snprintf(path, sizeof path, "%s/errno.png", host_folder());
  KEEPS_ERRNO(config = gptimage_config_new());
  KEEPS_ERRNO(gptimage_config_set_api_key(config, "sk-another", &error));
  KEEPS_ERRNO(CHECK_OK(gptimage_client_new(config, &client, &error)));
  KEEPS_ERRNO(gptimage_config_free(config));
  KEEPS_ERRNO(CHECK_OK(gptimage_generate_request_new("A hat", &request, &error)));
  KEEPS_ERRNO(CHECK_OK(gptimage_generate_request_set_extra(request, "{\"user\":\"x\"}", &error)));
  KEEPS_ERRNO(CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error)));
  KEEPS_ERRNO(CHECK(gptimage_generated_json(generated) != NULL));
  KEEPS_ERRNO(CHECK_OK(gptimage_client_fetch(client, generated, 0, &error)));
  KEEPS_ERRNO(CHECK_OK(gptimage_generated_image_save(generated, 0, path, 0, &error)));
  KEEPS_ERRNO(gptimage_generated_free(generated));
  KEEPS_ERRNO(CHECK_OK(gptimage_client_edit(client, edit, NULL, &generated, &error)));
  gptimage_generated_free(generated);
  host_latency("\"2s\"");
  KEEPS_ERRNO(
      CHECK_OK(gptimage_client_start_generate(client, request, ended, &signal, &job, &error)));
  KEEPS_ERRNO(CHECK_STATUS(gptimage_job_wait(job, 0, &generated, &error), GPTIMAGE_STATUS_PENDING));
  gptimage_error_free(error);
  error = NULL;
  for (int i = 0; i < 20; ++i) {
    KEEPS_ERRNO(
        CHECK_STATUS(gptimage_job_wait(job, 5, &generated, &error), GPTIMAGE_STATUS_PENDING));
    gptimage_error_free(error);
    error = NULL;
  }
  KEEPS_ERRNO(CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error)));
  gptimage_generated_free(generated);
  KEEPS_ERRNO(gptimage_job_phase(job));
  KEEPS_ERRNO(gptimage_job_free(job));
  /* Several, so that waits meet the end of a call at several moments. */
  host_latency("null");
  for (int i = 0; i < host_rounds(50); ++i) {
    KEEPS_ERRNO(CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error)));
    gptimage_generated_free(generated);
  }
  /* A call that fails may well change it; that it does not is nowhere promised for those of C, but
   * here. */
  KEEPS_ERRNO(CHECK_STATUS(
      gptimage_client_generate_to(client, request, "/nowhere/hat", NULL, &generated, &error),
      GPTIMAGE_STATUS_IO));
  KEEPS_ERRNO(gptimage_error_free(error));
  error = NULL;
  KEEPS_ERRNO(CHECK_OK(gptimage_client_collect(client, 10, &generated, &error)));
  KEEPS_ERRNO(gptimage_client_set_progress(client, NULL, NULL));
  KEEPS_ERRNO(gptimage_set_log_callback(GPTIMAGE_LOG_LEVEL_DEBUG, NULL, NULL));
  KEEPS_ERRNO(gptimage_generate_request_free(request));
  KEEPS_ERRNO(gptimage_edit_request_free(edit));
  KEEPS_ERRNO(gptimage_client_free(client));
  CHECK_NUMBER(changes_of_errno, 0);
}

/* --- The library's threads --- */

/* Reads a line of a thread's status, from behind its name. */
static int status_line(const char *thread, const char *name, char *line, size_t room) {
  char path[100];
  snprintf(path, sizeof path, "/proc/self/task/%.20s/status", thread);
  FILE *file = fopen(path, "r");
  int found = 0;
  while (file != NULL && !found && fgets(line, (int)room, file) != NULL) {
    found = strncmp(line, name, strlen(name)) == 0;
    if (found) {
      memmove(line, line + strlen(name), strlen(line + strlen(name)) + 1);
      line[strcspn(line, "\n")] = '\0';
    }
  }
  if (file != NULL) {
    fclose(file);
  }
  return found;
}

/* Every thread beside those of this program has a name of the library's, and takes no signal from
 * elsewhere. */
static int library_threads(int must_be_there) {
  static const char *const names[] = {"gptimage", "gptimage-files", "gptimage-calls"};
  int seen[3] = {0, 0, 0}, all = 0;
  DIR *folder = opendir("/proc/self/task");
  CHECK(folder != NULL);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char name[300], blocked[300];
    if (entry->d_name[0] == '.' || !status_line(entry->d_name, "Name:\t", name, sizeof name) ||
        !status_line(entry->d_name, "SigBlk:\t", blocked, sizeof blocked)) {
      continue; /* it has just ended */
    }
    for (int i = 0; i < 3; ++i) {
      if (strcmp(name, names[i]) != 0) {
        continue;
      }
      ++seen[i];
      ++all;
      unsigned long long mask = strtoull(blocked, NULL, 16);
      for (int number = 1; number <= LAST_SIGNAL; ++number) {
        /* What a thread does itself; what cannot be blocked; what the C library keeps for itself.
         */
        int own = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
                  number == SIGTRAP || number == SIGABRT || number == SIGKILL ||
                  number == SIGSTOP || (number > 31 && number < SIGRTMIN);
        char what[100];
        snprintf(what, sizeof what, "%.20s blocks signal %d", name, number);
        check_number(__FILE__, __LINE__, what, own || (mask >> (number - 1) & 1), 1);
      }
    }
  }
  closedir(folder);
  if (must_be_there) {
    CHECK_NUMBER(seen[0], 1);
    CHECK(seen[1] >= 1);
    CHECK_NUMBER(seen[2], 1);
  }
  return all;
}

/* --- SIGPIPE --- */

static atomic_int resets;

/* Resets every connection, at once or once something has come. */
static void *reset_all(void *listening) {
  int listener = *(int *)listening;
  for (unsigned turn = 0;; ++turn) {
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) {
      return NULL;
    }
    char some[64];
    if (turn % 2 == 1 && recv(peer, some, sizeof some, 0) < 0) {
      close(peer);
      continue;
    }
    struct linger at_once = {1, 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(peer);
    ++resets;
  }
}

static int bad_listener(unsigned short *port) {
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(listener >= 0);
  CHECK_NUMBER(bind(listener, (struct sockaddr *)&address, len), 0);
  CHECK_NUMBER(listen(listener, 64), 0);
  CHECK_NUMBER(getsockname(listener, (struct sockaddr *)&address, &len), 0);
  *port = ntohs(address.sin_port);
  return listener;
}

/* Calls with a body that does not fit into a socket's buffers, so that the library writes to a
 * connection that is no more. */
static gptimage_edit_request_t *large_request(void) {
  gptimage_edit_request_t *request = NULL;
  gptimage_error_t *error = NULL;
  size_t len = 400 << 10;
  uint8_t *picture = (uint8_t *)calloc(1, len);
  CHECK(picture != NULL);
  host_bytes(SMALL_PICTURE, picture, len);
  CHECK_OK(gptimage_edit_request_new("A hat", &request, &error));
  CHECK_OK(gptimage_edit_request_add_image_bytes(request, picture, len, &error));
  free(picture);
  return request;
}

static void call_and_fail(const gptimage_client_t *client, const gptimage_edit_request_t *request,
                          int times) {
  /* Some at a time. */
  gptimage_job_t *jobs[10];
  for (int done = 0; done < times; done += 10) {
    gptimage_error_t *error = NULL;
    gptimage_generated_t *generated = NULL;
    for (int i = 0; i < 10; ++i) {
      CHECK_OK(gptimage_client_start_edit(client, request, NULL, NULL, &jobs[i], &error));
    }
    for (int i = 0; i < 10; ++i) {
      gptimage_status_t status =
          gptimage_job_wait(jobs[i], GPTIMAGE_WAIT_FOREVER, &generated, &error);
      CHECK(status == GPTIMAGE_STATUS_CONNECTION || status == GPTIMAGE_STATUS_OUTCOME_UNKNOWN);
      gptimage_error_free(error);
      error = NULL;
      gptimage_job_free(jobs[i]);
    }
  }
}

static void peers_reset(int times) {
  struct sigaction action;
  sigaction(SIGPIPE, NULL, &action);
  CHECK(action.sa_handler == SIG_DFL);
  gptimage_edit_request_t *large = large_request(), *small = host_edit_request();
  gptimage_client_t *client = host_client_of_one_attempt();

  /* Half of them by a listener that resets whatever comes. */
  unsigned short port = 0;
  char url[100];
  int listener = bad_listener(&port);
  pthread_t thread;
  CHECK_NUMBER(pthread_create(&thread, NULL, reset_all, &listener), 0);
  snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", (unsigned)port);
  gptimage_config_t *config = gptimage_config_new();
  gptimage_client_t *to_nobody = NULL;
  gptimage_error_t *error = NULL;
  CHECK_OK(gptimage_config_set_base_url(config, url, &error));
  CHECK_OK(gptimage_config_set_max_attempts(config, 1, &error));
  CHECK_OK(gptimage_client_new(config, &to_nobody, &error));
  gptimage_config_free(config);
  call_and_fail(to_nobody, large, times / 4);
  call_and_fail(to_nobody, small, times / 4);
  /* Threat: host-killed */
  CHECK(resets >= times / 2 / 10 * 10);
  shutdown(listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(listener);
  gptimage_client_free(to_nobody);

  /* A quarter each in the middle of the request, and of the answer. */
  host_faults("{\"cut_request\":{\"after\":1000,\"cut\":\"rst\"},\"times\":\"always\"}");
  call_and_fail(client, large, times / 4);
  host_faults("{\"cut_response\":{\"after\":17,\"cut\":\"rst\"},\"times\":\"always\"}");
  call_and_fail(client, small, times / 4);
  host_small_pictures();
  gptimage_client_free(client);
  gptimage_edit_request_free(large);
  gptimage_edit_request_free(small);
}

/* --- A storm --- */

static atomic_int alarms, astray;
static pthread_t only;

static void on_alarm(int number) {
  (void)number;
  ++alarms;
  if (!pthread_equal(pthread_self(), only)) {
    ++astray;
  }
}

/* Waiting functions wait on through signals, and no handler runs on the library's threads. */
static void storm(void) {
  gptimage_client_t *client = host_client();
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  struct sigaction action, before;
  struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  memset(&action, 0, sizeof action);
  /* Without SA_RESTART. */
  action.sa_handler = on_alarm;
  only = pthread_self();
  CHECK_NUMBER(sigaction(SIGALRM, &action, &before), 0);
  host_latency("\"40ms\"");
  long long charges = host_charges();
  CHECK_NUMBER(setitimer(ITIMER_REAL, &often, NULL), 0);
  int rounds = host_rounds(20);
  for (int i = 0; i < rounds; ++i) {
    char path[500];
    CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
    snprintf(path, sizeof path, "%s/storm-%d.png", host_folder(), i);
    CHECK_OK(gptimage_generated_image_save(generated, 0, path, 0, &error));
    gptimage_generated_free(generated);
    gptimage_client_t *another = host_client();
    gptimage_client_free(another);
  }
  gptimage_job_t *job = NULL;
  CHECK_OK(gptimage_client_start_generate(client, request, NULL, NULL, &job, &error));
  CHECK_STATUS(gptimage_job_wait(job, 10, &generated, &error), GPTIMAGE_STATUS_PENDING);
  gptimage_error_free(error);
  error = NULL;
  CHECK_OK(gptimage_job_wait(job, GPTIMAGE_WAIT_FOREVER, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_job_free(job);
  CHECK_NUMBER(setitimer(ITIMER_REAL, &never, NULL), 0);
  CHECK_NUMBER(sigaction(SIGALRM, &before, NULL), 0);
  CHECK(alarms > rounds * 10);
  CHECK_NUMBER(astray, 0);
  host_latency("null");
  CHECK_NUMBER(host_charges(), charges + rounds + 1);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
}

int main(void) {
  /* Something of everything that could be changed. */
  sigset_t some;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &some, NULL);
  signal(SIGUSR1, SIG_IGN);
  setlocale(LC_ALL, "C.UTF-8");
  umask(027);
  host_small_pictures();

  state_t before = state();
  CHECK_NUMBER(library_threads(0), 0);
  gptimage_client_t *first = host_client();
  IS_UNCHANGED(&before);
  peers_reset(host_rounds(1000) / 40 * 40 + 40);
  IS_UNCHANGED(&before);
  library_threads(1);
  storm();
  IS_UNCHANGED(&before);
  library_threads(1);
  gptimage_client_free(first);

  /* A file is made as the umask says. */
  char path[500];
  struct stat made;
  gptimage_client_t *client = host_client();
  gptimage_generate_request_t *request = host_generate_request();
  gptimage_generated_t *generated = NULL;
  gptimage_error_t *error = NULL;
  snprintf(path, sizeof path, "%s/umask.png", host_folder());
  CHECK_OK(gptimage_client_generate_to(client, request, path, NULL, &generated, &error));
  CHECK_NUMBER(stat(path, &made), 0);
  CHECK_NUMBER(made.st_mode & 0777, 0640);
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
  gptimage_client_free(client);
  errno_stays();
  IS_UNCHANGED(&before);
  return 0;
}
