/*
 * The emulator's control over HTTP, for tests: what is to go wrong, and what truly happened. The
 * emulator is where AIMLAPI_BASE_URL says. Paths begin with "/_emulator". What cannot be done ends
 * the process. C99 and C++.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#if defined(__GNUC__)
#define CONTROL_MAYBE_UNUSED __attribute__((unused))
#else
#define CONTROL_MAYBE_UNUSED
#endif

CONTROL_MAYBE_UNUSED static void control_failed(const char *path, const char *what) {
  fprintf(stderr, "the emulator's control, %s: %s\n", path, what);
  fflush(NULL);
  _exit(1);
}

/* The emulator's port. */
CONTROL_MAYBE_UNUSED static unsigned short control_port(void) {
  const char *url = getenv("AIMLAPI_BASE_URL");
  const char *host = "http://127.0.0.1:";
  if (url == NULL || strncmp(url, host, strlen(host)) != 0) {
    control_failed("/", "AIMLAPI_BASE_URL is not that of an emulator");
    return 0;
  }
  return (unsigned short)atoi(url + strlen(host));
}

/* One exchange; the answer's body, to be freed. */
CONTROL_MAYBE_UNUSED static char *control_exchange(const char *method, const char *path,
                                                   const char *json) {
  char head[512];
  size_t body_len = json != NULL ? strlen(json) : 0;
  int head_len = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                          "Content-Length: %lu\r\n\r\n",
                          method, path, (unsigned long)body_len);
  size_t len = (size_t)head_len + body_len, sent = 0;
  char *request = (char *)malloc(len + 1);
  if (request == NULL || head_len < 0 || (size_t)head_len >= sizeof head) {
    control_failed(path, "too long");
  }
  memcpy(request, head, (size_t)head_len);
  memcpy(request + head_len, json != NULL ? json : "", body_len);

  int peer = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(control_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int done;
  do {
    done = connect(peer, (struct sockaddr *)&address, sizeof address);
  } while (done != 0 && errno == EINTR);
  if (peer < 0 || (done != 0 && errno != EISCONN)) {
    control_failed(path, strerror(errno));
  }
  while (sent < len) {
    ssize_t some = send(peer, request + sent, len - sent, MSG_NOSIGNAL);
    if (some < 0 && errno != EINTR) {
      control_failed(path, strerror(errno));
    }
    sent += some > 0 ? (size_t)some : 0;
  }
  free(request);

  size_t room = 4096, got = 0;
  char *answer = (char *)malloc(room);
  for (;;) {
    if (answer == NULL) {
      control_failed(path, "no memory");
    }
    ssize_t some = recv(peer, answer + got, room - got - 1, 0);
    if (some < 0 && errno == EINTR) {
      continue;
    }
    if (some < 0) {
      control_failed(path, strerror(errno));
    }
    if (some == 0) {
      break;
    }
    got += (size_t)some;
    if (room - got < 2) {
      room *= 2;
      answer = (char *)realloc(answer, room);
    }
  }
  close(peer);
  answer[got] = '\0';
  char *body = strstr(answer, "\r\n\r\n");
  if (body == NULL || strncmp(answer, "HTTP/1.1 200", 12) != 0) {
    control_failed(path, answer);
    return NULL;
  }
  body += 4;
  memmove(answer, body, strlen(body) + 1);
  return answer;
}

CONTROL_MAYBE_UNUSED static char *control_get(const char *path) {
  return control_exchange("GET", path, NULL);
}

CONTROL_MAYBE_UNUSED static char *control_post(const char *path, const char *json) {
  return control_exchange("POST", path, json);
}

CONTROL_MAYBE_UNUSED static void control_delete(const char *path) {
  free(control_exchange("DELETE", path, NULL));
}

#endif
