/* What every test says when it fails, and how: with file and line, at once, from any thread. */
#ifndef CHECK_H
#define CHECK_H

#include <gptimage.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__GNUC__)
#define CHECK_MAYBE_UNUSED __attribute__((unused))
#else
#define CHECK_MAYBE_UNUSED
#endif

CHECK_MAYBE_UNUSED static void check_failed(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  fflush(NULL);
  /* Not exit(): other threads may be in the middle of anything. */
  _exit(1);
}

CHECK_MAYBE_UNUSED static void check_number(const char *file, int line, const char *what,
                                            long long found, long long expected) {
  if (found != expected) {
    fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, found, expected);
    fflush(NULL);
    _exit(1);
  }
}

CHECK_MAYBE_UNUSED static void check_text(const char *file, int line, const char *what,
                                          const char *found, const char *expected) {
  if (found == NULL || strcmp(found, expected) != 0) {
    fprintf(stderr, "%s:%d: %s is %s%s%s, not \"%s\"\n", file, line, what, found ? "\"" : "",
            found ? found : "NULL", found ? "\"" : "", expected);
    fflush(NULL);
    _exit(1);
  }
}

CHECK_MAYBE_UNUSED static void check_contains(const char *file, int line, const char *what,
                                              const char *found, const char *part) {
  if (found == NULL || strstr(found, part) == NULL) {
    fprintf(stderr, "%s:%d: \"%.300s\" is not in %s, which is %.3000s\n", file, line, part, what,
            found ? found : "NULL");
    fflush(NULL);
    _exit(1);
  }
}

/* A program that loads the library later leaves this out. */
#ifndef CHECK_WITHOUT_LIBRARY
CHECK_MAYBE_UNUSED static void check_status(const char *file, int line, const char *what,
                                            gptimage_status_t found, gptimage_status_t expected,
                                            const gptimage_error_t *error) {
  if (found != expected) {
    fprintf(stderr, "%s:%d: %s\n  is %s, not %s: %s\n", file, line, what,
            gptimage_status_name(found), gptimage_status_name(expected),
            gptimage_error_json(error));
    fflush(NULL);
    _exit(1);
  }
}
#endif

#define CHECK(condition) \
  ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, "not so: " #condition))
#define CHECK_NUMBER(found, expected) \
  check_number(__FILE__, __LINE__, #found, (long long)(found), (long long)(expected))
#define CHECK_TEXT(found, expected) check_text(__FILE__, __LINE__, #found, found, expected)
#define CHECK_CONTAINS(found, part) check_contains(__FILE__, __LINE__, #found, found, part)

/* `call` has `&error` in it. On success there is none; on failure it is kept for further looks. */
#define CHECK_STATUS(call, expected)                                       \
  do {                                                                     \
    gptimage_status_t status_of_call = (call);                             \
    check_status(__FILE__, __LINE__, #call, status_of_call, expected, error); \
  } while (0)
#define CHECK_OK(call)                       \
  do {                                       \
    CHECK_STATUS(call, GPTIMAGE_STATUS_OK);  \
    CHECK(error == NULL);                    \
  } while (0)
/* Fails as expected, says why, and frees that. */
#define CHECK_FAILS(call, expected)                           \
  do {                                                        \
    CHECK_STATUS(call, expected);                             \
    CHECK_NUMBER(gptimage_error_status(error), expected);     \
    CHECK(gptimage_error_message(error)[0] != '\0');          \
    gptimage_error_free(error);                               \
    error = NULL;                                             \
  } while (0)

#endif
