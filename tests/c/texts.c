/* Texts that are none, too long, empty, or meant to break out of where they are put. */
#include "host.h"
#include <pthread.h>

static const char *const NO_UTF8[] = {
    "\xff", /* never in UTF-8 */
    "a\x80", /* goes on with what never began */
    "\xc3", /* ends in the middle */
    "\xc0\xaf", /* longer than need be */
    "\xed\xa0\x80", /* half of a UTF-16 pair */
    "\xf4\x90\x80\x80", /* beyond the last character */
};
#define NO_UTF8_COUNT (sizeof NO_UTF8 / sizeof *NO_UTF8)

typedef gptimage_status_t (*set_generate_t)(gptimage_generate_request_t *, const char *,
                                            gptimage_error_t **);
typedef gptimage_status_t (*set_edit_t)(gptimage_edit_request_t *, const char *,
                                        gptimage_error_t **);
typedef gptimage_status_t (*set_config_t)(gptimage_config_t *, const char *, gptimage_error_t **);

static const set_generate_t SET_GENERATE[] = {
    gptimage_generate_request_set_model,           gptimage_generate_request_set_size,
    gptimage_generate_request_set_quality,         gptimage_generate_request_set_output_format,
    gptimage_generate_request_set_background,      gptimage_generate_request_set_moderation,
    gptimage_generate_request_set_response_format,
};
static const set_edit_t SET_EDIT[] = {
    gptimage_edit_request_set_model,      gptimage_edit_request_set_size,
    gptimage_edit_request_set_quality,    gptimage_edit_request_set_output_format,
    gptimage_edit_request_set_background, gptimage_edit_request_set_response_format,
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static gptimage_client_t *client;
static char *very_long; /* a MiB of one letter */

/* A text of an error for people: one line that a terminal shows as it is. */
static void check_line(int line, const char *text) {
  int fits = text[0] != '\0' && strlen(text) <= 8000;
  for (const char *at = text; *at != '\0'; ++at) {
    fits = fits && (unsigned char)*at >= 0x20 && *at != 0x7f;
  }
  check_contains(__FILE__, line, "what is to be one printable line", fits ? "fits" : text, "fits");
}
#define IS_ONE_LINE(text) check_line(__LINE__, text)

/* Fails as expected, in one line, having cost nothing. */
#define REFUSES(call, expected)                              \
  do {                                                       \
    CHECK_STATUS(call, expected);                            \
    IS_ONE_LINE(gptimage_error_message(error));              \
    CHECK_TEXT(gptimage_error_charge(error), "not_charged"); \
    gptimage_error_free(error);                              \
    error = NULL;                                            \
  } while (0)
#define REFUSES_ARGUMENT(call) REFUSES(call, GPTIMAGE_STATUS_INVALID_ARGUMENT)

static void not_utf8(void) {
  gptimage_error_t *error = NULL;
  gptimage_config_t *config = gptimage_config_new();
  gptimage_generate_request_t *generate = host_generate_request(), *no_generate = NULL;
  gptimage_edit_request_t *edit = host_edit_request(), *no_edit = NULL;
  for (size_t i = 0; i < NO_UTF8_COUNT; ++i) {
    const char *text = NO_UTF8[i];
    /* Threat: c-misuse */
    REFUSES_ARGUMENT(gptimage_generate_request_new(text, &no_generate, &error));
    REFUSES_ARGUMENT(gptimage_edit_request_new(text, &no_edit, &error));
    CHECK(no_generate == NULL && no_edit == NULL);
    for (size_t j = 0; j < COUNT(SET_GENERATE); ++j) {
      REFUSES_ARGUMENT(SET_GENERATE[j](generate, text, &error));
    }
    for (size_t j = 0; j < COUNT(SET_EDIT); ++j) {
      REFUSES_ARGUMENT(SET_EDIT[j](edit, text, &error));
    }
    REFUSES_ARGUMENT(gptimage_generate_request_set(generate, text, "low", &error));
    REFUSES_ARGUMENT(gptimage_generate_request_set(generate, "quality", text, &error));
    REFUSES_ARGUMENT(gptimage_generate_request_set_extra(generate, text, &error));
    REFUSES_ARGUMENT(gptimage_edit_request_set(edit, text, "low", &error));
    REFUSES_ARGUMENT(gptimage_edit_request_set(edit, "quality", text, &error));
    REFUSES_ARGUMENT(gptimage_edit_request_set_extra(edit, text, &error));
    REFUSES_ARGUMENT(gptimage_config_set_api_key(config, text, &error));
    REFUSES_ARGUMENT(gptimage_config_set_base_url(config, text, &error));
    REFUSES_ARGUMENT(gptimage_config_set_proxy(config, text, &error));
    REFUSES_ARGUMENT(gptimage_config_set_timer_ms(config, text, 1, &error));
    REFUSES_ARGUMENT(gptimage_config_add_header(config, text, "17", &error));
    REFUSES_ARGUMENT(gptimage_config_add_header(config, "X-Order", text, &error));
    /* And where nobody asks why. */
    CHECK_NUMBER(gptimage_config_set_proxy(config, text, NULL), GPTIMAGE_STATUS_INVALID_ARGUMENT);
  }
  /* What was refused has changed nothing. */
  gptimage_generated_t *generated = NULL;
  gptimage_client_t *made = NULL;
  CHECK_OK(gptimage_client_new(config, &made, &error));
  CHECK_OK(gptimage_client_generate(made, generate, NULL, &generated, &error));
  gptimage_generated_free(generated);
  CHECK_OK(gptimage_client_edit(made, edit, NULL, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_client_free(made);
  gptimage_config_free(config);
  gptimage_generate_request_free(generate);
  gptimage_edit_request_free(edit);
}

/* Paths are the bytes that the system has. */
static void paths(void) {
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  uint8_t picture[300];
  size_t len = host_bytes(SMALL_PICTURE, picture, sizeof picture);
  for (size_t i = 0; i < NO_UTF8_COUNT; ++i) {
    char path[500], copy[500];
    snprintf(path, sizeof path, "%s/%s.png", host_folder(), NO_UTF8[i]);
    CHECK_OK(gptimage_client_generate_to(client, request, path, NULL, &generated, &error));
    CHECK(access(path, F_OK) == 0);
    CHECK_TEXT(gptimage_generated_image_path(generated, 0), path);
    CHECK_CONTAINS(gptimage_generated_json(generated), "\"path\"");
    snprintf(copy, sizeof copy, "%s/copy %s.png", host_folder(), NO_UTF8[i]);
    CHECK_OK(gptimage_generated_image_save(generated, 0, copy, 0, &error));
    CHECK(access(copy, F_OK) == 0);
    gptimage_generated_free(generated);

    /* They are read, too. */
    gptimage_edit_request_t *edit = NULL;
    CHECK_OK(gptimage_edit_request_new("A hat", &edit, &error));
    CHECK_OK(gptimage_edit_request_add_image_path(edit, copy, &error));
    CHECK_OK(gptimage_client_edit(client, edit, NULL, &generated, &error));
    CHECK_NUMBER(gptimage_generated_image_bytes(generated, 0).len, len);
    gptimage_generated_free(generated);
    gptimage_edit_request_free(edit);

    /* A file that is not there is named in a line that a terminal can show. */
    CHECK_OK(gptimage_edit_request_new("A hat", &edit, &error));
    snprintf(path, sizeof path, "%s/not here\n\x1b[31m%s", host_folder(), NO_UTF8[i]);
    CHECK_OK(gptimage_edit_request_add_image_path(edit, path, &error));
    CHECK_OK(gptimage_edit_request_set_mask_path(edit, path, &error));
    CHECK_STATUS(gptimage_client_edit(client, edit, NULL, &generated, &error),
                 GPTIMAGE_STATUS_INVALID_REQUEST);
    CHECK(gptimage_error_violation_count(error) > 0);
    IS_ONE_LINE(gptimage_error_message(error));
    gptimage_error_free(error);
    error = NULL;
    gptimage_edit_request_free(edit);
    strcat(path, "/hat.png");
    REFUSES(gptimage_client_generate_to(client, request, path, NULL, &generated, &error),
            GPTIMAGE_STATUS_IO);
  }
  gptimage_generate_request_free(request);
}

static gptimage_status_t with_config(gptimage_status_t set, gptimage_config_t *config,
                                     gptimage_error_t **error) {
  gptimage_client_t *made = NULL;
  gptimage_status_t status = set ? set : gptimage_client_new(config, &made, error);
  CHECK((status == GPTIMAGE_STATUS_OK) == (made != NULL));
  gptimage_client_free(made);
  gptimage_config_free(config);
  return status;
}

/* What a client cannot be made of, whether it is said at once or when the client is made. */
static void configurations(void) {
  gptimage_error_t *error = NULL;
  gptimage_config_t *config;
  static const char *const broken[] = {"",     " ",        "a\nb",    "a\rX-Injected: 1",
                                       "\x7f", "\x1b[31m", "http://", "\xe2\x80\xae"};
#define JUDGED(call)                                                                  \
  do {                                                                                \
    config = gptimage_config_new();                                                   \
    gptimage_status_t judged = with_config(call, config, &error);                     \
    if (judged != GPTIMAGE_STATUS_OK) {                                               \
      check_status(__FILE__, __LINE__, #call, judged, GPTIMAGE_STATUS_CONFIG, error); \
      IS_ONE_LINE(gptimage_error_message(error));                                     \
    }                                                                                 \
    gptimage_error_free(error);                                                       \
    error = NULL;                                                                     \
  } while (0)
  for (size_t i = 0; i < COUNT(broken); ++i) {
    JUDGED(gptimage_config_set_api_key(config, broken[i], &error));
    JUDGED(gptimage_config_set_base_url(config, broken[i], &error));
    JUDGED(gptimage_config_set_proxy(config, broken[i], &error));
    JUDGED(gptimage_config_set_ca_file(config, broken[i], &error));
    JUDGED(gptimage_config_set_timer_ms(config, broken[i], 1, &error));
    JUDGED(gptimage_config_add_header(config, broken[i], "17", &error));
    JUDGED(gptimage_config_add_header(config, "X-Order", broken[i], &error));
  }
  JUDGED(gptimage_config_set_api_key(config, very_long, &error));
  JUDGED(gptimage_config_set_base_url(config, very_long, &error));
  JUDGED(gptimage_config_set_proxy(config, very_long, &error));
  JUDGED(gptimage_config_set_ca_file(config, very_long, &error));
  JUDGED(gptimage_config_set_timer_ms(config, very_long, 1, &error));
  JUDGED(gptimage_config_add_header(config, very_long, "17", &error));
#undef JUDGED

  /* Lines do not get out of their header. */
  config = gptimage_config_new();
  REFUSES(with_config(gptimage_config_set_api_key(config, "sk\r\nX-Injected: 1", &error), config,
                      &error),
          GPTIMAGE_STATUS_CONFIG);
  config = gptimage_config_new();
  REFUSES(with_config(gptimage_config_add_header(config, "X-Order", "17\r\nX-Injected: 1", &error),
                      config, &error),
          GPTIMAGE_STATUS_CONFIG);
  config = gptimage_config_new();
  REFUSES(with_config(gptimage_config_add_header(config, "X-Order: 1\r\nX-Injected", "17", &error),
                      config, &error),
          GPTIMAGE_STATUS_CONFIG);
  /* A proxy that cannot be used is an error, and never the direct way. */
  static const char *const proxies[] = {"\"http://127.0.0.1:9\"", "gopher://127.0.0.1:9", "http://",
                                        "http://127.0.0.1:port"};
  for (size_t i = 0; i < COUNT(proxies); ++i) {
    config = gptimage_config_new();
    REFUSES(with_config(gptimage_config_set_proxy(config, proxies[i], &error), config, &error),
            GPTIMAGE_STATUS_CONFIG);
  }
  /* An empty proxy is none. */
  config = gptimage_config_new();
  CHECK_OK(with_config(gptimage_config_set_proxy(config, "", &error), config, &error));
}

static void requests(void) {
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  static const char *const words[] = {
      "", " ", "low\n", "\x01\x02\x1b[31m", "\xe2\x80\xae", "\xf0\x9f\x8e\xa9", "NULL"};
  for (size_t i = 0; i <= COUNT(words); ++i) {
    const char *text = i < COUNT(words) ? words[i] : very_long;
    /* Which models there are, the server knows; so not the first. */
    for (size_t j = 1; j < COUNT(SET_GENERATE); ++j) {
      gptimage_generate_request_t *request = host_generate_request();
      CHECK_OK(SET_GENERATE[j](request, text, &error));
      REFUSES(gptimage_client_generate(client, request, NULL, &generated, &error),
              GPTIMAGE_STATUS_INVALID_REQUEST);
      gptimage_generate_request_free(request);
    }
    for (size_t j = 1; j < COUNT(SET_EDIT); ++j) {
      gptimage_edit_request_t *request = host_edit_request();
      CHECK_OK(SET_EDIT[j](request, text, &error));
      CHECK_STATUS(gptimage_client_edit(client, request, NULL, &generated, &error),
                   GPTIMAGE_STATUS_INVALID_REQUEST);
      CHECK_NUMBER(gptimage_error_violation_count(error), 1);
      gptimage_violation_t violation = gptimage_error_violation(error, 0);
      /* What was given is told, shortened. */
      CHECK(strlen(violation.given) < 1000);
      IS_ONE_LINE(gptimage_error_message(error));
      gptimage_error_free(error);
      error = NULL;
      gptimage_edit_request_free(request);
    }
    gptimage_generate_request_t *request = host_generate_request();
    CHECK_OK(gptimage_generate_request_set(request, text, text, &error));
    REFUSES(gptimage_client_generate(client, request, NULL, &generated, &error),
            GPTIMAGE_STATUS_INVALID_REQUEST);
    gptimage_generate_request_free(request);
  }

  static const char *const no_prompts[] = {"", NULL};
  for (size_t i = 0; i < COUNT(no_prompts); ++i) {
    gptimage_generate_request_t *request = NULL;
    gptimage_edit_request_t *edit = NULL;
    const char *prompt = no_prompts[i] ? no_prompts[i] : very_long;
    CHECK_OK(gptimage_generate_request_new(prompt, &request, &error));
    REFUSES(gptimage_client_generate(client, request, NULL, &generated, &error),
            GPTIMAGE_STATUS_INVALID_REQUEST);
    CHECK_OK(gptimage_edit_request_new(prompt, &edit, &error));
    REFUSES(gptimage_client_edit(client, edit, NULL, &generated, &error),
            GPTIMAGE_STATUS_INVALID_REQUEST);
    gptimage_generate_request_free(request);
    gptimage_edit_request_free(edit);
  }

  /* Control characters in a prompt are a matter of taste, and arrive as they are. */
  gptimage_generate_request_t *request = NULL;
  CHECK_OK(
      gptimage_generate_request_new("a\tb\nc\x01 \"d\" \\e \xf0\x9f\x8e\xa9", &request, &error));
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  gptimage_generated_free(generated);
  gptimage_generate_request_free(request);
  char *sent = control_get("/_emulator/requests");
  CHECK_CONTAINS(sent, "a\\\\tb\\\\nc\\\\u0001 \\\\\\\"d\\\\\\\" \\\\\\\\e \xf0\x9f\x8e\xa9");
  free(sent);

  /* Nowhere to be saved to. */
  request = host_generate_request();
  long long charges = host_charges();
  CHECK_STATUS(gptimage_client_generate_to(client, request, very_long, NULL, &generated, &error),
               GPTIMAGE_STATUS_IO);
  IS_ONE_LINE(gptimage_error_message(error));
  gptimage_error_free(error);
  error = NULL;
  CHECK(gptimage_client_generate_to(client, request, "", NULL, &generated, &error) !=
        GPTIMAGE_STATUS_OK);
  IS_ONE_LINE(gptimage_error_message(error));
  gptimage_error_free(error);
  CHECK_NUMBER(host_charges(), charges);
  gptimage_generate_request_free(request);
}

/* --- JSON, also on a thread with little stack --- */

static char *nested(const char *before, const char *open, const char *close, int depth) {
  size_t room = strlen(before) + (strlen(open) + strlen(close)) * (size_t)depth + 10;
  char *text = (char *)malloc(room);
  CHECK(text != NULL);
  strcpy(text, before);
  char *at = text + strlen(text);
  for (int i = 0; i < depth; ++i) {
    at = strcpy(at, open) + strlen(open);
  }
  *at++ = '1';
  for (int i = 0; i < depth; ++i) {
    at = strcpy(at, close) + strlen(close);
  }
  strcpy(at, "}");
  return text;
}

static void *extras(void *unused) {
  (void)unused;
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  static const char *const none[] = {"",  " ",   "[]",       "1",          "null",   "\"a\"",
                                     "{", "{}}", "{\"a\":}", "{\"a\":1,}", "{'a':1}"};
  for (size_t i = 0; i < COUNT(none); ++i) {
    REFUSES_ARGUMENT(gptimage_generate_request_set_extra(request, none[i], &error));
  }
  CHECK_OK(gptimage_generate_request_set_extra(request, "{}", &error));
  CHECK_OK(gptimage_generate_request_set_extra(request, " {\"a\": [1e5, {\"b\": \"\\u00e9\"}]} ",
                                               &error));

  /* Too deep is refused, and as deep as is accepted can be sent, and be thrown away. */
  static const int depths[] = {100000, 200, 130, 120, 100, 50};
  int accepted = 0;
  for (size_t i = 0; i < COUNT(depths); ++i) {
    for (int objects = 0; objects < 2; ++objects) {
      char *text = objects ? nested("{\"deep\":", "{\"a\":", "}", depths[i])
                           : nested("{\"deep\":", "[", "]", depths[i]);
      gptimage_status_t status = gptimage_generate_request_set_extra(request, text, &error);
      free(text);
      if (status != GPTIMAGE_STATUS_OK) {
        check_status(__FILE__, __LINE__, "nested", status, GPTIMAGE_STATUS_INVALID_ARGUMENT, error);
        gptimage_error_free(error);
        error = NULL;
        continue;
      }
      ++accepted;
      CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
      gptimage_generated_free(generated);
    }
  }
  CHECK(accepted > 0);
  gptimage_generate_request_free(request);
  return NULL;
}

static void on_little_stack(void *(*work)(void *)) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  CHECK_NUMBER(pthread_attr_setstacksize(&attributes, HOST_LITTLE_STACK), 0);
  CHECK_NUMBER(pthread_create(&thread, &attributes, work, NULL), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
}

/* What a server says is bounded, and in one line, by the time it is in an error. */
static void from_the_server(void) {
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  host_faults(
      "{\"answer\":{\"status\":400,\"raw_body\":{\"content_type\":\"application/json\",\"content\":"
      "\"{\\\"message\\\":\\\"one\\\\u0000two\\\\nthree\\\\u001b[31m\\\\u202efour\\\"}\"}}}");
  CHECK_STATUS(gptimage_client_generate(client, request, NULL, &generated, &error),
               GPTIMAGE_STATUS_BAD_REQUEST);
  IS_ONE_LINE(gptimage_error_message(error));
  CHECK_CONTAINS(gptimage_error_message(error), "four");
  gptimage_error_free(error);
  error = NULL;
  /* A NUL in a text that is given to C is left out: the text does not end there. */
  host_faults("{\"success_body\":{\"json\":{\"data\":[{\"b64_json\":\"" SMALL_PICTURE
              "\",\"revised_prompt\":\"one\\u0000two\"}]}}}");
  CHECK_OK(gptimage_client_generate(client, request, NULL, &generated, &error));
  CHECK_CONTAINS(gptimage_generated_image_revised_prompt(generated, 0), "two");
  gptimage_generated_free(generated);
  host_small_pictures();
  gptimage_generate_request_free(request);
}

/* What a server nests deeply can be had, written down and thrown away on a thread with little stack. */
static void *deep_answers(void *unused) {
  (void)unused;
  gptimage_error_t *error = NULL;
  gptimage_generated_t *generated = NULL;
  gptimage_generate_request_t *request = host_generate_request();
  static const int depths[] = {1000, 130, 120, 100, 50};
  int accepted = 0;
  for (size_t i = 0; i < COUNT(depths); ++i) {
    for (int objects = 0; objects < 2; ++objects) {
      /* In the quotes of the fault, as a text, which may be deeper than any parser likes. */
      char *deep = objects ? nested("{\\\"usage\\\":", "{\\\"a\\\":", "}", depths[i])
                           : nested("{\\\"usage\\\":", "[", "]", depths[i]);
      deep[strlen(deep) - 1] = '\0';
      size_t room = strlen(deep) + 1000;
      char *fault = (char *)malloc(room);
      CHECK(fault != NULL);
      snprintf(fault, room,
               "{\"success_body\":\"%s,\\\"data\\\":[{\\\"b64_json\\\":\\\"" SMALL_PICTURE
               "\\\"}]}\"}",
               deep);
      free(deep);
      host_faults(fault);
      free(fault);
      accepted += gptimage_client_generate(client, request, NULL, &generated, &error) ==
                  GPTIMAGE_STATUS_OK;
      /* Threat: deep-json */
      CHECK(gptimage_generated_json(generated)[0] == '{');
      CHECK(gptimage_error_json(error)[0] == '{');
      gptimage_generated_free(generated);
      gptimage_error_free(error);
      generated = NULL;
      error = NULL;
    }
  }
  CHECK(accepted > 0);
  host_small_pictures();
  gptimage_generate_request_free(request);
  return NULL;
}

int main(void) {
  size_t len = 1 << 20;
  very_long = (char *)malloc(len + 1);
  CHECK(very_long != NULL);
  memset(very_long, 'x', len);
  very_long[len] = '\0';
  host_small_pictures();
  client = host_client();
  not_utf8();
  configurations();
  requests();
  from_the_server();
  extras(NULL);
  on_little_stack(extras);
  on_little_stack(deep_answers);
  paths();
  gptimage_client_free(client);
  free(very_long);
  return 0;
}
