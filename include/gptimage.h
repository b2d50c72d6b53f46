/**
 * @file gptimage.h
 * libgptimage 0.1.0: make and edit images with gpt-image-2 over the AI/ML API gateway.
 *
 * A call costs money, takes about a minute and cannot be repeated safely: the API has no idempotency key. So this library
 * checks everything before money is spent, repeats only what provably cost nothing, says of every outcome what it cost,
 * and loses nothing that was paid for.
 *
 * @code
 * #include <gptimage.h>
 * #include <stdio.h>
 *
 * int main(void) {
 *   gptimage_client_t *client = NULL;
 *   gptimage_generate_request_t *request = NULL;
 *   gptimage_generated_t *generated = NULL;
 *   gptimage_error_t *error = NULL;
 *   // The key is read from AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY.
 *   if (gptimage_client_new(NULL, &client, &error) == GPTIMAGE_STATUS_OK &&
 *       gptimage_generate_request_new("A T-Rex relaxing on a beach", &request, &error) == GPTIMAGE_STATUS_OK &&
 *       gptimage_client_generate_to(client, request, "t-rex.png", NULL, &generated, &error) == GPTIMAGE_STATUS_OK) {
 *     printf("%s, %s USD\n", gptimage_generated_image_path(generated, 0), gptimage_generated_usd_spent(generated));
 *   } else {
 *     fprintf(stderr, "%s (%s)\n", gptimage_error_message(error), gptimage_error_charge(error));
 *   }
 *   gptimage_error_free(error);
 *   gptimage_generated_free(generated);
 *   gptimage_generate_request_free(request);
 *   gptimage_client_free(client);
 *   return 0;
 * }
 * @endcode
 *
 * Compile with: cc demo.c $(pkg-config --cflags --libs gptimage)
 *
 * @par Ownership
 * What a function named _new, or one that fills a *_out, gives you, you free with the function named _free of its type; that
 * takes NULL, too. Everything else that is given to you (texts, bytes, an error's generated) is borrowed: its comment says
 * from what, and how long it lives. What you give to a function stays yours, and is copied if it is needed longer.
 *
 * @par Errors
 * A function that can fail returns a gptimage_status_t, 0 for success. The last argument, error_out, may be NULL; else it is
 * set on failure to an error that you free. Outputs are written on success only. NULL, text that is not UTF-8 and an index
 * beyond the end are GPTIMAGE_STATUS_INVALID_ARGUMENT where a status is returned, and an empty value where not. No
 * exception and no panic leaves the library.
 *
 * @par Texts
 * NUL-terminated UTF-8; paths are the bytes that the system has. Parameters are set in the API's own words ("1024x1536"):
 * new words need no new library, and all of a request's values are judged together when it is sent.
 *
 * @par Threads
 * A const pointer to a handle may be used by any number of threads at once; one that is not const by one at a time. The
 * library does all its network and file work on threads of its own, named gptimage and gptimage-files; a thread of yours
 * only waits, and needs little stack.
 *
 * @par Callbacks
 * Callbacks run on one thread, named gptimage-calls, one at a time: a slow one delays the others, and no call. They may
 * call any function but those that wait for a call (they would wait for themselves). None is called after the function that
 * frees or replaces it has returned. No C++ exception may leave one.
 *
 * @par Signals
 * The library installs no handler and changes no disposition or mask of yours; no signal is delivered on its threads, and a
 * peer that resets a connection does not raise SIGPIPE. Waiting functions wait on through signals; none of the functions may
 * be called from a signal handler.
 *
 * @par Fork
 * A client and its jobs belong to the process that made them. In a forked child their functions fail with
 * GPTIMAGE_STATUS_CONFIG and freeing them does nothing; a client that the child makes itself works. Requests,
 * configurations, results and errors may be used in both. A budget counts on from the fork in each of them on its own.
 *
 * @par Ending
 * Exit may come at any time. Calls on their way end with the process, and their results with them. The shared library stays
 * loaded after dlclose(), for its threads.
 *
 * @par Versions
 * GPTIMAGE_VERSION is this header's, gptimage_version() the loaded library's. Numbers and names that are here keep their
 * meaning; new ones are added.
 */


#ifndef GPTIMAGE_H
#define GPTIMAGE_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header. */
#define GPTIMAGE_VERSION "0.1.0"
/** Its first number. */
#define GPTIMAGE_VERSION_MAJOR 0
/** Its second number. */
#define GPTIMAGE_VERSION_MINOR 1
/** Its third number. */
#define GPTIMAGE_VERSION_PATCH 0


/**
 * Waits without end.
 */
#define GPTIMAGE_WAIT_FOREVER UINT64_MAX

/**
 * A limit on what calls may cost together, in US dollars. May be shared by any number of clients and threads.
 *
 * Before an attempt is sent, the dearest that it may be is reserved; what does not fit is refused with
 * GPTIMAGE_STATUS_BUDGET_EXCEEDED, and nothing is sent. Afterwards the reservation becomes the price that the server states,
 * or nothing where it is proved that nothing was charged. What may be charged counts as spent, until
 * gptimage_client_reconcile() knows better. A call that costs more than was reserved for it closes the budget.
 */
typedef struct gptimage_budget_t gptimage_budget_t;

/**
 * Cancels calls from another thread. A token that was cancelled stays so.
 */
typedef struct gptimage_cancel_token_t gptimage_cancel_token_t;

/**
 * Makes and edits pictures. May be shared by any number of threads. Belongs to the process that made it: in a forked child
 * its functions fail with GPTIMAGE_STATUS_CONFIG (the child makes a client of its own), and freeing it does nothing.
 */
typedef struct gptimage_client_t gptimage_client_t;

/**
 * What a client is told once. One thread at a time.
 */
typedef struct gptimage_config_t gptimage_config_t;

/**
 * A request to edit pictures. One thread at a time; several calls may be made of it.
 */
typedef struct gptimage_edit_request_t gptimage_edit_request_t;

/**
 * Why a call failed, and what it cost. Never changes; may be read by any number of threads.
 */
typedef struct gptimage_error_t gptimage_error_t;

/**
 * A request to make a picture. One thread at a time; several calls may be made of it.
 */
typedef struct gptimage_generate_request_t gptimage_generate_request_t;

/**
 * The pictures of one call, what they cost, and how they came. May be read by any number of threads;
 * gptimage_client_fetch() and gptimage_client_fetch_to() change it.
 */
typedef struct gptimage_generated_t gptimage_generated_t;

/**
 * A call on its way. May be shared by any number of threads; the result goes to one of them.
 */
typedef struct gptimage_job_t gptimage_job_t;

/**
 * A list of calls that may be paid and are in nobody's hands, as it was when it was made. Never changes.
 */
typedef struct gptimage_pending_t gptimage_pending_t;

/**
 * What is known of an attempt after the vendor's log was asked. Never changes; may be read by any number of threads.
 */
typedef struct gptimage_reconciled_t gptimage_reconciled_t;

/**
 * What came of a call: 0, or what went wrong. The numbers never change their meaning and are never used again.
 */
typedef int32_t gptimage_status_t;

/**
 * How a budget stands. Amounts are US dollars, exactly, as decimal text that a NUL ends.
 */
typedef struct {
  /**
   * The limit.
   */
  char max_usd[48];
  /**
   * What was spent, assumed_usd included.
   */
  char spent_usd[48];
  /**
   * The part of it that may be charged, or was at no stated price: counted at its reservation.
   */
  char assumed_usd[48];
  /**
   * What is reserved for calls on their way.
   */
  char reserved_usd[48];
  /**
   * What is left for further calls; "0" once it is closed.
   */
  char remaining_usd[48];
  /**
   * Not 0 once a call has cost more than was reserved for it: none is let through any more.
   */
  int32_t closed;
} gptimage_budget_status_t;

/**
 * How far an attempt is. It only goes forward.
 */
typedef int32_t gptimage_phase_t;

/**
 * One look at a call on its way.
 */
typedef struct {
  /**
   * 1 for the first attempt.
   */
  uint32_t attempt;
  /**
   * Most attempts that the call may take.
   */
  uint32_t max_attempts;
  /**
   * How far the attempt is.
   */
  gptimage_phase_t phase;
  /**
   * Set between two attempts: how long the pause is, in milliseconds; else -1.
   */
  int64_t pause_ms;
  /**
   * Bytes of the request's body that the transport took.
   */
  uint64_t bytes_sent;
  /**
   * Length of the request's body in bytes.
   */
  uint64_t bytes_total;
  /**
   * Bytes that came, of the answer and of downloads.
   */
  uint64_t bytes_received;
  /**
   * The id that the attempt is sent with, as X-Client-Request-Id. Known before its first byte leaves. Never NULL; it lives
   * as long as the callback runs.
   */
  const char *client_request_id;
} gptimage_progress_t;

/**
 * Called on the thread "gptimage-calls" whenever a call's progress changes, at most twenty times a second for each call, and
 * once for each attempt before it sends anything.
 * `progress` lives as long as the callback runs. It may call any function of the library but those that wait for a call.
 */
typedef void (*gptimage_progress_callback_t)(const gptimage_progress_t *progress,
                                             void *user_data);

/**
 * One broken rule. The texts live as long as the error that they are of.
 */
typedef struct {
  /**
   * The API's name of the parameter, such as "size" or "image[2]".
   */
  const char *param;
  /**
   * The stable name of the rule, such as "one_of".
   */
  const char *rule;
  /**
   * What was given, shortened where it is long.
   */
  const char *given;
  /**
   * What is wrong and what to do, without the parameter's name.
   */
  const char *message;
} gptimage_violation_t;

/**
 * Bytes that belong to somebody else; who, and for how long, the function says that gives them.
 */
typedef struct {
  /**
   * The first byte, or NULL if there are none.
   */
  const uint8_t *data;
  /**
   * How many.
   */
  size_t len;
} gptimage_bytes_t;

/**
 * Called once, on the thread "gptimage-calls", when the job has ended: gptimage_job_wait() gives its result at once then.
 * It may call any function of the library, gptimage_job_free() for this very job included, but those that wait for another
 * call.
 */
typedef void (*gptimage_job_callback_t)(gptimage_job_t *job,
                                        void *user_data);

/**
 * How grave a log line is; those that are less grave than asked for are not made.
 */
typedef int32_t gptimage_log_level_t;

/**
 * Called on the thread "gptimage-calls". `message` is one line, without prompts, pictures or keys; it lives as long as the
 * callback runs. It may call any function of the library but those that wait for a call.
 */
typedef void (*gptimage_log_callback_t)(gptimage_log_level_t level,
                                        const char *message,
                                        void *user_data);

/**
 * Something was lost.
 */
#define GPTIMAGE_LOG_LEVEL_ERROR 1

/**
 * Something may be lost, or be paid for nothing.
 */
#define GPTIMAGE_LOG_LEVEL_WARN 2

/**
 * An attempt is about to be sent, under the id that is named; something is tried again.
 */
#define GPTIMAGE_LOG_LEVEL_INFO 3

/**
 * Every result, with payloads as sizes and hashes.
 */
#define GPTIMAGE_LOG_LEVEL_DEBUG 4

/**
 * Nothing was done yet.
 */
#define GPTIMAGE_PHASE_PLANNED 0

/**
 * Name lookup, TCP, TLS, proxy.
 */
#define GPTIMAGE_PHASE_CONNECTING 1

/**
 * The transport is taking the request's body.
 */
#define GPTIMAGE_PHASE_SENDING 2

/**
 * The transport took the body whole: from here on the call may be paid.
 */
#define GPTIMAGE_PHASE_SENT 3

/**
 * Status and headers of the answer came.
 */
#define GPTIMAGE_PHASE_HEAD_RECEIVED 4

/**
 * The answer's body came whole.
 */
#define GPTIMAGE_PHASE_BODY_COMPLETE 5

/**
 * The pictures are where they were asked to be.
 */
#define GPTIMAGE_PHASE_STORED 6

/**
 * Everything went well.
 */
#define GPTIMAGE_STATUS_OK 0

/**
 * An argument that cannot be: NULL, text that is not UTF-8, an index beyond the end.
 */
#define GPTIMAGE_STATUS_INVALID_ARGUMENT 1

/**
 * The rules refused the request; the violations are listed. Nothing was sent.
 */
#define GPTIMAGE_STATUS_INVALID_REQUEST 2

/**
 * A key, URL, header, proxy or trust store that cannot be used.
 */
#define GPTIMAGE_STATUS_CONFIG 3

/**
 * A local file. A target that exists is refused before anything is sent.
 */
#define GPTIMAGE_STATUS_IO 4

/**
 * A job that has not ended yet.
 */
#define GPTIMAGE_STATUS_PENDING 5

/**
 * Provably not delivered whole: nothing was charged.
 */
#define GPTIMAGE_STATUS_CONNECTION 10

/**
 * Sent whole, and no answer came that proves anything: it may be charged.
 */
#define GPTIMAGE_STATUS_OUTCOME_UNKNOWN 11

/**
 * Cancelled by a token or a job's cancel.
 */
#define GPTIMAGE_STATUS_CANCELLED 12

/**
 * Every 4xx that no other status names.
 */
#define GPTIMAGE_STATUS_BAD_REQUEST 20

/**
 * 401: the key is missing or invalid.
 */
#define GPTIMAGE_STATUS_AUTHENTICATION 21

/**
 * 403: the key may not do this.
 */
#define GPTIMAGE_STATUS_PERMISSION_DENIED 22

/**
 * 402, or a refusal that says so: the account is out of credits.
 */
#define GPTIMAGE_STATUS_INSUFFICIENT_CREDITS 23

/**
 * 404: no such route or model.
 */
#define GPTIMAGE_STATUS_NOT_FOUND 24

/**
 * The prompt or an image was refused by moderation.
 */
#define GPTIMAGE_STATUS_MODERATION_BLOCKED 25

/**
 * 429.
 */
#define GPTIMAGE_STATUS_RATE_LIMITED 26

/**
 * 5xx in the vendor's own words, who says that failures are free.
 */
#define GPTIMAGE_STATUS_SERVER 27

/**
 * A success that cannot be used. It was paid for, or may be.
 */
#define GPTIMAGE_STATUS_RESPONSE_INVALID 30

/**
 * The picture was paid for, exists at its URL and could not be fetched.
 */
#define GPTIMAGE_STATUS_DOWNLOAD_FAILED 31

/**
 * The budget does not allow the call.
 */
#define GPTIMAGE_STATUS_BUDGET_EXCEEDED 40

/**
 * A bug of the library.
 */
#define GPTIMAGE_STATUS_INTERNAL 99

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A budget of `max_usd`, decimal text such as "5.00". `max_usd_per_call`: the most that one call may cost, all its pictures
 * together; NULL for 0.50 for each picture. Free it with gptimage_budget_free(), at any time: clients keep what they need of
 * it. GPTIMAGE_STATUS_CONFIG: one of them is no amount.
 */
gptimage_status_t gptimage_budget_new(const char *max_usd,
                                      const char *max_usd_per_call,
                                      gptimage_budget_t **budget_out,
                                      gptimage_error_t **error_out);

/**
 * How the budget stands now.
 */
gptimage_status_t gptimage_budget_status(const gptimage_budget_t *budget,
                                         gptimage_budget_status_t *status_out,
                                         gptimage_error_t **error_out);

/**
 * Frees a budget. NULL is fine.
 */
void gptimage_budget_free(gptimage_budget_t *budget);

/**
 * A token that is not cancelled. Free it with gptimage_cancel_token_free(), at any time: calls keep what they need of it.
 */
gptimage_cancel_token_t *gptimage_cancel_token_new(void);

/**
 * Cancels every call that was given this token. From any thread, any number of times; not from a signal handler.
 */
void gptimage_cancel_token_cancel(const gptimage_cancel_token_t *token);

/**
 * Frees a token. NULL is fine.
 */
void gptimage_cancel_token_free(gptimage_cancel_token_t *token);

/**
 * Makes a client. `config`: NULL for one from the environment; it can be freed afterwards.
 */
gptimage_status_t gptimage_client_new(const gptimage_config_t *config,
                                      gptimage_client_t **client_out,
                                      gptimage_error_t **error_out);

/**
 * Frees a client, at any time: jobs and calls on their way go on, and a progress callback is neither running when this
 * returns nor called again (unless it is the one that is calling). NULL is fine.
 */
void gptimage_client_free(gptimage_client_t *client);

/**
 * Tells `callback` how far this client's calls are, from the next call on, in place of the one before; NULL: nobody any
 * more. When it returns, the one before is not running and is never called again (unless it is the one that is calling).
 */
void gptimage_client_set_progress(const gptimage_client_t *client,
                                  gptimage_progress_callback_t callback,
                                  void *user_data);

/**
 * Makes a picture, into memory, and waits for it. `cancel` may be NULL. Free the result with gptimage_generated_free(); on
 * failure there is none, and what was paid for is in the error. With `error_out` NULL, an error that may have cost something
 * is kept for gptimage_client_collect().
 */
gptimage_status_t gptimage_client_generate(const gptimage_client_t *client,
                                           const gptimage_generate_request_t *request,
                                           const gptimage_cancel_token_t *cancel,
                                           gptimage_generated_t **generated_out,
                                           gptimage_error_t **error_out);

/**
 * Edits pictures, into memory, and waits for them; all else as gptimage_client_generate().
 */
gptimage_status_t gptimage_client_edit(const gptimage_client_t *client,
                                       const gptimage_edit_request_t *request,
                                       const gptimage_cancel_token_t *cancel,
                                       gptimage_generated_t **generated_out,
                                       gptimage_error_t **error_out);

/**
 * As gptimage_client_generate(), straight into a file or folder: an existing folder or a path that ends in "/" takes a name
 * of the library's making, a missing extension is added, what exists is refused before anything is sent. A file has its
 * name once it is whole, or not at all. The extension .jpg, .jpeg, .jpe, .jfif, .webp or .png decides
 * `output_format` where that is not set; a contradiction is refused.
 */
gptimage_status_t gptimage_client_generate_to(const gptimage_client_t *client,
                                              const gptimage_generate_request_t *request,
                                              const char *to,
                                              const gptimage_cancel_token_t *cancel,
                                              gptimage_generated_t **generated_out,
                                              gptimage_error_t **error_out);

/**
 * As gptimage_client_edit(), straight into files; several pictures are numbered. All else as gptimage_client_generate_to().
 */
gptimage_status_t gptimage_client_edit_to(const gptimage_client_t *client,
                                          const gptimage_edit_request_t *request,
                                          const char *to,
                                          const gptimage_cancel_token_t *cancel,
                                          gptimage_generated_t **generated_out,
                                          gptimage_error_t **error_out);

/**
 * Fetches a picture that is still at its URL, into memory, and waits for it; one that is here already stays as it is. Free,
 * so as often as wanted. Changes `generated`, which no other thread may use meanwhile. Of an error's, which does not change,
 * fetch a gptimage_generated_copy(); of a link alone, what gptimage_generated_from_url() makes of it.
 */
gptimage_status_t gptimage_client_fetch(const gptimage_client_t *client,
                                        gptimage_generated_t *generated,
                                        size_t index,
                                        gptimage_error_t **error_out);

/**
 * As gptimage_client_fetch(), straight into a file or folder: an existing folder or a path that ends in "/" takes a name of
 * the library's making, a missing extension is added; what exists is refused, unless `overwrite` is not 0. A file has its
 * name once it is whole, or not at all. A picture that is here already stays as it is, and a copy of it is saved there.
 */
gptimage_status_t gptimage_client_fetch_to(const gptimage_client_t *client,
                                           gptimage_generated_t *generated,
                                           size_t index,
                                           const char *to,
                                           int overwrite,
                                           gptimage_error_t **error_out);

/**
 * Hands over what became of a call whose caller was gone (cancelled, past its deadline, its job freed) after it had been
 * sent: its result, or the error that says what it cost (then the status is the error's). Each is handed over once; when
 * there is nothing more, the status is OK and `*generated_out` is set to NULL. `wait_ms`: first waits so long, at most, for
 * those on their way.
 */
gptimage_status_t gptimage_client_collect(const gptimage_client_t *client,
                                          uint64_t wait_ms,
                                          gptimage_generated_t **generated_out,
                                          gptimage_error_t **error_out);

/**
 * A configuration with key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY, in this order;
 * AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE) and every default. It is judged when a client is made of it. Free
 * it with gptimage_config_free().
 */
gptimage_config_t *gptimage_config_new(void);

/**
 * Frees a configuration; clients made of it are not concerned. NULL is fine.
 */
void gptimage_config_free(gptimage_config_t *config);

/**
 * The API key. Sent to the base URL's origin alone, printed nowhere.
 */
gptimage_status_t gptimage_config_set_api_key(gptimage_config_t *config,
                                              const char *key,
                                              gptimage_error_t **error_out);

/**
 * Where the API is: https, or http on this machine; with or without "/v1". An endpoint that was pasted with it
 * ("/v1/images/generations") is left out. One that ends in "#" is taken exactly as it is.
 */
gptimage_status_t gptimage_config_set_base_url(gptimage_config_t *config,
                                               const char *url,
                                               gptimage_error_t **error_out);

/**
 * Whether plain http to another machine is allowed, which shows it the key and everybody between. 0 unless set.
 */
gptimage_status_t gptimage_config_set_allow_http(gptimage_config_t *config,
                                                 int allow,
                                                 gptimage_error_t **error_out);

/**
 * The longest that a call may take in all, in milliseconds, attempts and waits included; 0: no bound, as it is unless set.
 */
gptimage_status_t gptimage_config_set_deadline_ms(gptimage_config_t *config,
                                                  uint64_t deadline_ms,
                                                  gptimage_error_t **error_out);

/**
 * Most attempts of a call, the first included. Only what provably cost nothing is tried again. 3 unless set.
 */
gptimage_status_t gptimage_config_set_max_attempts(gptimage_config_t *config,
                                                   uint32_t attempts,
                                                   gptimage_error_t **error_out);

/**
 * Sets a timer by its name, in milliseconds: "connect" (10 s), "send_stall" (90 s), "head" (15 min), "body_stall" (4 min),
 * "backoff_first" (0.5 s), "backoff_longest" (8 s), "retry_after_longest" (120 s), "url_not_found" (120 s),
 * "log" (60 s), "keepalive_idle" (15 s), "keepalive_interval" (15 s), "user_timeout" (120 s).
 */
gptimage_status_t gptimage_config_set_timer_ms(gptimage_config_t *config,
                                               const char *name,
                                               uint64_t value_ms,
                                               gptimage_error_t **error_out);

/**
 * A file (PEM or DER) or folder of certificates that are trusted beside the system's: of authorities, or a server's own.
 * Unless set, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE may name one. SSL_CERT_FILE and SSL_CERT_DIR take the system's place.
 */
gptimage_status_t gptimage_config_set_ca_file(gptimage_config_t *config,
                                              const char *file,
                                              gptimage_error_t **error_out);

/**
 * A proxy for every request, such as "http://host:3128" or "socks5h://host:1080", also to this machine itself; "" for
 * none. Unless set, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, and never for this machine itself. One that
 * cannot be used is GPTIMAGE_STATUS_CONFIG when a client is made: nothing goes past a proxy that was asked for.
 */
gptimage_status_t gptimage_config_set_proxy(gptimage_config_t *config,
                                            const char *url,
                                            gptimage_error_t **error_out);

/**
 * One more header on every request to the gateway; never sent to where pictures are downloaded from.
 */
gptimage_status_t gptimage_config_add_header(gptimage_config_t *config,
                                             const char *name,
                                             const char *value,
                                             gptimage_error_t **error_out);

/**
 * Whether pictures that come as URLs are fetched at once. 1 unless set.
 */
gptimage_status_t gptimage_config_set_fetch(gptimage_config_t *config,
                                            int fetch,
                                            gptimage_error_t **error_out);

/**
 * Whether a 5xx in the vendor's own words is tried again, which may be paid twice. 0 unless set.
 */
gptimage_status_t gptimage_config_set_retry_server_errors(gptimage_config_t *config,
                                                          int retry,
                                                          gptimage_error_t **error_out);

/**
 * Whether a call that is cancelled after it was sent is given up. 0 unless set: it runs on, and
 * gptimage_client_collect() has its result.
 */
gptimage_status_t gptimage_config_set_abort_on_cancel(gptimage_config_t *config,
                                                      int abort,
                                                      gptimage_error_t **error_out);

/**
 * The longest picture that is accepted, in bytes. 64 MiB unless set.
 */
gptimage_status_t gptimage_config_set_max_image_bytes(gptimage_config_t *config,
                                                      uint64_t bytes,
                                                      gptimage_error_t **error_out);

/**
 * The most bytes of pictures that are kept in memory for gptimage_client_collect(). Default: 256 MiB.
 */
gptimage_status_t gptimage_config_set_salvage_max_bytes(gptimage_config_t *config,
                                                        uint64_t bytes,
                                                        gptimage_error_t **error_out);

/**
 * A folder that keeps the results of calls whose callers are gone, in place of memory and across processes: any client of
 * this folder collects them. It is made where it is missing. None unless set.
 */
gptimage_status_t gptimage_config_set_salvage_folder(gptimage_config_t *config,
                                                     const char *folder,
                                                     gptimage_error_t **error_out);

/**
 * What the client's calls may cost together, and with those of every other client of this budget. No limit unless set.
 */
gptimage_status_t gptimage_config_set_budget(gptimage_config_t *config,
                                             const gptimage_budget_t *budget,
                                             gptimage_error_t **error_out);

/**
 * Begins a request; `prompt` says what is to be seen, in 1 to 32,000 characters of UTF-8. What is not set is not sent: the
 * server has defaults of its own. All values are judged together when the request is sent. Free it with
 * gptimage_edit_request_free().
 */
gptimage_status_t gptimage_edit_request_new(const char *prompt,
                                            gptimage_edit_request_t **request_out,
                                            gptimage_error_t **error_out);

/**
 * Frees a request; calls that were made of it are not concerned. NULL is fine.
 */
void gptimage_edit_request_free(gptimage_edit_request_t *request);

/**
 * The model; "openai/gpt-image-2" unless set.
 */
gptimage_status_t gptimage_edit_request_set_model(gptimage_edit_request_t *request,
                                                  const char *model,
                                                  gptimage_error_t **error_out);

/**
 * Width × height in pixels: "1024x1024" (the server's default), "1024x1536" or "1536x1024".
 */
gptimage_status_t gptimage_edit_request_set_size(gptimage_edit_request_t *request,
                                                 const char *size,
                                                 gptimage_error_t **error_out);

/**
 * "low", "medium" (the server's default) or "high".
 */
gptimage_status_t gptimage_edit_request_set_quality(gptimage_edit_request_t *request,
                                                    const char *quality,
                                                    gptimage_error_t **error_out);

/**
 * "png" (the server's default), "jpeg" or "webp".
 */
gptimage_status_t gptimage_edit_request_set_output_format(gptimage_edit_request_t *request,
                                                          const char *output_format,
                                                          gptimage_error_t **error_out);

/**
 * "auto" (the server's default), "transparent" (png and webp only) or "opaque".
 */
gptimage_status_t gptimage_edit_request_set_background(gptimage_edit_request_t *request,
                                                       const char *background,
                                                       gptimage_error_t **error_out);

/**
 * "url" (the server's default) or "b64_json".
 */
gptimage_status_t gptimage_edit_request_set_response_format(gptimage_edit_request_t *request,
                                                            const char *response_format,
                                                            gptimage_error_t **error_out);

/**
 * How many pictures: 1 (the server's default) to 10.
 */
gptimage_status_t gptimage_edit_request_set_n(gptimage_edit_request_t *request,
                                              int64_t n,
                                              gptimage_error_t **error_out);

/**
 * Quality of jpeg and webp in percent, 0 to 100 (the server's default).
 */
gptimage_status_t gptimage_edit_request_set_output_compression(gptimage_edit_request_t *request,
                                                               int64_t percent,
                                                               gptimage_error_t **error_out);

/**
 * Any parameter by the API's name, for those that this header does not name.
 */
gptimage_status_t gptimage_edit_request_set(gptimage_edit_request_t *request,
                                            const char *name,
                                            const char *value,
                                            gptimage_error_t **error_out);

/**
 * Fields beyond the API's documentation, as a JSON object. Numbers are sent as they are written, whatever their length.
 */
gptimage_status_t gptimage_edit_request_set_extra(gptimage_edit_request_t *request,
                                                  const char *json,
                                                  gptimage_error_t **error_out);

/**
 * One more image, after those given already, 1 to 16 in all: the path of a PNG, JPEG or WebP of at most 50 MB, which is
 * streamed from disk when the request is sent.
 */
gptimage_status_t gptimage_edit_request_add_image_path(gptimage_edit_request_t *request,
                                                       const char *file,
                                                       gptimage_error_t **error_out);

/**
 * As gptimage_edit_request_add_image_path(), of a file's bytes, which are copied now. NULL is refused, unless `len` is 0:
 * then it is an empty file, which the rules refuse when the request is sent.
 */
gptimage_status_t gptimage_edit_request_add_image_bytes(gptimage_edit_request_t *request,
                                                        const uint8_t *data,
                                                        size_t len,
                                                        gptimage_error_t **error_out);

/**
 * Where the first image may be edited: the path of a PNG of that image's size, under 4 MB, that is transparent there.
 */
gptimage_status_t gptimage_edit_request_set_mask_path(gptimage_edit_request_t *request,
                                                      const char *file,
                                                      gptimage_error_t **error_out);

/**
 * As gptimage_edit_request_set_mask_path(), of a file's bytes, which are copied now. NULL is refused, unless `len` is 0:
 * then it is an empty file, which the rules refuse when the request is sent.
 */
gptimage_status_t gptimage_edit_request_set_mask_bytes(gptimage_edit_request_t *request,
                                                       const uint8_t *data,
                                                       size_t len,
                                                       gptimage_error_t **error_out);

/**
 * The longest that calls of this request may take in all, in milliseconds; 0: as the client has it.
 */
gptimage_status_t gptimage_edit_request_set_deadline_ms(gptimage_edit_request_t *request,
                                                        uint64_t deadline_ms,
                                                        gptimage_error_t **error_out);

/**
 * Whether gptimage_client_edit_to() may replace a file. 0 unless set.
 */
gptimage_status_t gptimage_edit_request_set_overwrite(gptimage_edit_request_t *request,
                                                      int overwrite,
                                                      gptimage_error_t **error_out);

/**
 * Whether only what no server could accept is refused, for values that the API learned after this library was made. 0
 * unless set.
 */
gptimage_status_t gptimage_edit_request_set_structural_rules(gptimage_edit_request_t *request,
                                                             int on,
                                                             gptimage_error_t **error_out);

/**
 * The error's status. GPTIMAGE_STATUS_OK for NULL.
 */
gptimage_status_t gptimage_error_status(const gptimage_error_t *error);

/**
 * The stable name of the error's status, such as "rate_limited"; "ok" for NULL. Static: never to be freed.
 */
const char *gptimage_error_kind(const gptimage_error_t *error);

/**
 * One line that says what went wrong and what to do next; never the key. "" for NULL. Lives as long as the error.
 */
const char *gptimage_error_message(const gptimage_error_t *error);

/**
 * Whether money was spent, over all attempts: "not_charged" (which is proved), "unknown" or "charged". "not_charged" for
 * NULL. Lives as long as the error.
 */
const char *gptimage_error_charge(const gptimage_error_t *error);

/**
 * The answer's HTTP status, or 0 if there was no answer.
 */
uint16_t gptimage_error_http_status(const gptimage_error_t *error);

/**
 * How many milliseconds the server asks to wait, or -1 if it does not say.
 */
int64_t gptimage_error_retry_after_ms(const gptimage_error_t *error);

/**
 * The id that the last attempt had, by which the vendor can find it; NULL if there was no attempt. Lives as long as the
 * error.
 */
const char *gptimage_error_client_request_id(const gptimage_error_t *error);

/**
 * The vendor's id of the last attempt's work, or NULL if it is not known. Lives as long as the error.
 */
const char *gptimage_error_inference_id(const gptimage_error_t *error);

/**
 * What was paid for and arrived in spite of the error, or NULL. A picture that was not obtained stands in it with its URL.
 * Belongs to the error: not to be freed, and gone with it.
 */
const gptimage_generated_t *gptimage_error_generated(const gptimage_error_t *error);

/**
 * How many rules the request broke.
 */
size_t gptimage_error_violation_count(const gptimage_error_t *error);

/**
 * A broken rule, by its index; all texts are NULL beyond the last. They live as long as the error.
 */
gptimage_violation_t gptimage_error_violation(const gptimage_error_t *error,
                                              size_t index);

/**
 * What the server answered, where that could not be used: without its pictures, at most 64 KiB of it; else NULL. Lives as
 * long as the error.
 */
const char *gptimage_error_response_body(const gptimage_error_t *error);

/**
 * The file that holds the whole answer, where that could not be used, in the bytes that the system has: beside the pictures'
 * target, or in the salvage folder. NULL where there is none. Lives as long as the error; the file stays.
 */
const char *gptimage_error_response_file(const gptimage_error_t *error);

/**
 * The whole answer, where that could not be used and there was no folder for gptimage_error_response_file(); else no bytes.
 * They belong to the error: not to be freed, and gone with it.
 */
gptimage_bytes_t gptimage_error_response_bytes(const gptimage_error_t *error);

/**
 * The id of the task that the gateway answered with in place of pictures, or NULL: ask the gateway what became of it. Lives
 * as long as the error.
 */
const char *gptimage_error_task_id(const gptimage_error_t *error);

/**
 * The whole error as a JSON object, with every attempt and at most 64 KiB of the answer; without pictures. "{}" for NULL.
 * Lives as long as the error.
 */
const char *gptimage_error_json(const gptimage_error_t *error);

/**
 * Frees an error, and with it every text and the generated object that came from it. NULL is fine.
 */
void gptimage_error_free(gptimage_error_t *error);

/**
 * Begins a request; `prompt` says what is to be seen, in 1 to 32,000 characters of UTF-8. What is not set is not sent: the
 * server has defaults of its own. All values are judged together when the request is sent. Free it with
 * gptimage_generate_request_free().
 */
gptimage_status_t gptimage_generate_request_new(const char *prompt,
                                                gptimage_generate_request_t **request_out,
                                                gptimage_error_t **error_out);

/**
 * Frees a request; calls that were made of it are not concerned. NULL is fine.
 */
void gptimage_generate_request_free(gptimage_generate_request_t *request);

/**
 * The model; "openai/gpt-image-2" unless set.
 */
gptimage_status_t gptimage_generate_request_set_model(gptimage_generate_request_t *request,
                                                      const char *model,
                                                      gptimage_error_t **error_out);

/**
 * Width × height in pixels: "1024x1024" (the server's default), "1024x1536" or "1536x1024".
 */
gptimage_status_t gptimage_generate_request_set_size(gptimage_generate_request_t *request,
                                                     const char *size,
                                                     gptimage_error_t **error_out);

/**
 * "low", "medium" (the server's default) or "high".
 */
gptimage_status_t gptimage_generate_request_set_quality(gptimage_generate_request_t *request,
                                                        const char *quality,
                                                        gptimage_error_t **error_out);

/**
 * "png" (the server's default), "jpeg" or "webp".
 */
gptimage_status_t gptimage_generate_request_set_output_format(gptimage_generate_request_t *request,
                                                              const char *output_format,
                                                              gptimage_error_t **error_out);

/**
 * "auto" (the server's default), "transparent" (png and webp only) or "opaque".
 */
gptimage_status_t gptimage_generate_request_set_background(gptimage_generate_request_t *request,
                                                           const char *background,
                                                           gptimage_error_t **error_out);

/**
 * "auto" (the server's default) or "low".
 */
gptimage_status_t gptimage_generate_request_set_moderation(gptimage_generate_request_t *request,
                                                           const char *moderation,
                                                           gptimage_error_t **error_out);

/**
 * "url" (the server's default) or "b64_json".
 */
gptimage_status_t gptimage_generate_request_set_response_format(gptimage_generate_request_t *request,
                                                                const char *response_format,
                                                                gptimage_error_t **error_out);

/**
 * How many pictures: exactly 1.
 */
gptimage_status_t gptimage_generate_request_set_n(gptimage_generate_request_t *request,
                                                  int64_t n,
                                                  gptimage_error_t **error_out);

/**
 * Quality of jpeg and webp in percent, 0 to 100 (the server's default).
 */
gptimage_status_t gptimage_generate_request_set_output_compression(gptimage_generate_request_t *request,
                                                                   int64_t percent,
                                                                   gptimage_error_t **error_out);

/**
 * Any parameter by the API's name, for those that this header does not name.
 */
gptimage_status_t gptimage_generate_request_set(gptimage_generate_request_t *request,
                                                const char *name,
                                                const char *value,
                                                gptimage_error_t **error_out);

/**
 * Fields beyond the API's documentation, as a JSON object. Numbers are sent as they are written, whatever their length.
 */
gptimage_status_t gptimage_generate_request_set_extra(gptimage_generate_request_t *request,
                                                      const char *json,
                                                      gptimage_error_t **error_out);

/**
 * The longest that calls of this request may take in all, in milliseconds; 0: as the client has it.
 */
gptimage_status_t gptimage_generate_request_set_deadline_ms(gptimage_generate_request_t *request,
                                                            uint64_t deadline_ms,
                                                            gptimage_error_t **error_out);

/**
 * Whether gptimage_client_generate_to() may replace a file. 0 unless set.
 */
gptimage_status_t gptimage_generate_request_set_overwrite(gptimage_generate_request_t *request,
                                                          int overwrite,
                                                          gptimage_error_t **error_out);

/**
 * Whether only what no server could accept is refused, for values that the API learned after this library was made. 0
 * unless set.
 */
gptimage_status_t gptimage_generate_request_set_structural_rules(gptimage_generate_request_t *request,
                                                                 int on,
                                                                 gptimage_error_t **error_out);

/**
 * A picture that was made earlier, at the link that the server gave, as a result of which nothing else is known:
 * gptimage_client_fetch() and gptimage_client_fetch_to() get it. Free it with gptimage_generated_free().
 */
gptimage_status_t gptimage_generated_from_url(const char *url,
                                              gptimage_generated_t **generated_out,
                                              gptimage_error_t **error_out);

/**
 * A copy that is yours, such as one of an error's, whose pictures can be fetched then. Bytes in memory are shared. NULL for
 * NULL. Free it with gptimage_generated_free().
 */
gptimage_generated_t *gptimage_generated_copy(const gptimage_generated_t *generated);

/**
 * Frees a result, and with it every text and all bytes that came from it. NULL is fine. Not for one that belongs to an
 * error.
 */
void gptimage_generated_free(gptimage_generated_t *generated);

/**
 * How many pictures there are. 0 for NULL.
 */
size_t gptimage_generated_image_count(const gptimage_generated_t *generated);

/**
 * A picture's file as bytes, if it is in memory; no bytes if it is in a file or at its URL, or if there is no such picture.
 * They belong to the result: not to be freed, and gone with it, or when the picture is fetched.
 */
gptimage_bytes_t gptimage_generated_image_bytes(const gptimage_generated_t *generated,
                                                size_t index);

/**
 * Saves a copy of a picture to a file or folder: whole, under its final name, or not at all. An existing folder or a path
 * that ends in "/" takes a name of the library's making; a missing extension is added; what exists is refused, unless
 * `overwrite` is not 0. Nothing is converted: an extension of another format is logged as a warning.
 * Waits until it is done.
 */
gptimage_status_t gptimage_generated_image_save(const gptimage_generated_t *generated,
                                                size_t index,
                                                const char *to,
                                                int overwrite,
                                                gptimage_error_t **error_out);

/**
 * The link that the server gave, or NULL. Lives as long as the result.
 */
const char *gptimage_generated_image_url(const gptimage_generated_t *generated,
                                         size_t index);

/**
 * The file that the picture was saved to while it came, in the bytes that the system has, or NULL. Lives as long as the result, unless
 * the picture is fetched.
 */
const char *gptimage_generated_image_path(const gptimage_generated_t *generated,
                                          size_t index);

/**
 * The prompt as the model rewrote it, or NULL. Lives as long as the result.
 */
const char *gptimage_generated_image_revised_prompt(const gptimage_generated_t *generated,
                                                    size_t index);

/**
 * The format, from the bytes: "png", "jpeg" or "webp"; NULL while they are still at the URL. Static: never to be freed.
 */
const char *gptimage_generated_image_format(const gptimage_generated_t *generated,
                                            size_t index);

/**
 * The width in pixels, from the bytes; 0 while they are still at the URL.
 */
uint32_t gptimage_generated_image_width(const gptimage_generated_t *generated,
                                        size_t index);

/**
 * The height in pixels, from the bytes; 0 while they are still at the URL.
 */
uint32_t gptimage_generated_image_height(const gptimage_generated_t *generated,
                                         size_t index);

/**
 * What the call cost in the vendor's credits, exactly, as decimal text; NULL if the server did not say. Lives as long as
 * the result.
 */
const char *gptimage_generated_credits_used(const gptimage_generated_t *generated);

/**
 * What the call cost in US dollars, exactly, as decimal text; NULL if the server did not say. Lives as long as the result.
 */
const char *gptimage_generated_usd_spent(const gptimage_generated_t *generated);

/**
 * The vendor's id of the work, or NULL if it is not known. Lives as long as the result.
 */
const char *gptimage_generated_inference_id(const gptimage_generated_t *generated);

/**
 * The id that the successful attempt was given, or NULL. Lives as long as the result.
 */
const char *gptimage_generated_client_request_id(const gptimage_generated_t *generated);

/**
 * How many attempts were made, the successful one included. 0 for NULL.
 */
size_t gptimage_generated_attempt_count(const gptimage_generated_t *generated);

/**
 * Everything but the pixels as a JSON object: pictures, cost, ids, attempts, warnings. "{}" for NULL. Lives as long as the
 * result, unless a picture is fetched.
 */
const char *gptimage_generated_json(const gptimage_generated_t *generated);

/**
 * Starts making a picture and returns at once. `callback` may be NULL. `*job_out` is set before the callback is called.
 * Free the job with gptimage_job_free().
 */
gptimage_status_t gptimage_client_start_generate(const gptimage_client_t *client,
                                                 const gptimage_generate_request_t *request,
                                                 gptimage_job_callback_t callback,
                                                 void *user_data,
                                                 gptimage_job_t **job_out,
                                                 gptimage_error_t **error_out);

/**
 * Starts editing pictures and returns at once; all else as gptimage_client_start_generate().
 */
gptimage_status_t gptimage_client_start_edit(const gptimage_client_t *client,
                                             const gptimage_edit_request_t *request,
                                             gptimage_job_callback_t callback,
                                             void *user_data,
                                             gptimage_job_t **job_out,
                                             gptimage_error_t **error_out);

/**
 * Waits until the job has ended, at most so many milliseconds (GPTIMAGE_WAIT_FOREVER: without end; 0: only looks), and
 * takes its result. GPTIMAGE_STATUS_PENDING: it has not ended yet. The result is given once; asking again is
 * GPTIMAGE_STATUS_INVALID_ARGUMENT. With `error_out` NULL, an error that may have cost something is kept for
 * gptimage_client_collect().
 */
gptimage_status_t gptimage_job_wait(const gptimage_job_t *job,
                                    uint64_t timeout_ms,
                                    gptimage_generated_t **generated_out,
                                    gptimage_error_t **error_out);

/**
 * Asks the job to end. What may be paid by then runs on (unless the configuration says abort), and
 * gptimage_client_collect() has its result. The job itself ends at once with GPTIMAGE_STATUS_CANCELLED, or with its result
 * if that was there already.
 */
void gptimage_job_cancel(const gptimage_job_t *job);

/**
 * How far the job is. GPTIMAGE_PHASE_PLANNED for NULL.
 */
gptimage_phase_t gptimage_job_phase(const gptimage_job_t *job);

/**
 * Frees a job, at any time: one that has not ended is cancelled, and what may be paid of it runs on as
 * gptimage_job_cancel() has it. When it returns, its callback is not running and is never called again; from within its
 * callback it may be called, too. NULL is fine.
 */
void gptimage_job_free(gptimage_job_t *job);

/**
 * Tells `callback` of what the library does, down to `level`; of all clients, in place of the one before. NULL: nobody any
 * more. When it returns, the one before is not running and is never called again (unless it is the one that is calling).
 */
void gptimage_set_log_callback(gptimage_log_level_t level,
                               gptimage_log_callback_t callback,
                               void *user_data);

/**
 * Lists what may be paid and is in nobody's hands: attempts that the server may have and that have not ended (also those
 * that another thread waits for), and results that wait for gptimage_client_collect(), those in a salvage folder included.
 * Free the list with gptimage_pending_free().
 */
gptimage_status_t gptimage_client_pending(const gptimage_client_t *client,
                                          gptimage_pending_t **pending_out,
                                          gptimage_error_t **error_out);

/**
 * How many there are. 0 for NULL.
 */
size_t gptimage_pending_count(const gptimage_pending_t *pending);

/**
 * The id of the call's last attempt; NULL where a call ended before it had one, and beyond the last. Lives as long as the
 * list.
 */
const char *gptimage_pending_client_request_id(const gptimage_pending_t *pending,
                                               size_t index);

/**
 * How far the call's last attempt came. GPTIMAGE_PHASE_PLANNED beyond the last.
 */
gptimage_phase_t gptimage_pending_phase(const gptimage_pending_t *pending,
                                        size_t index);

/**
 * Not 0 if the call has ended, and its result waits for gptimage_client_collect().
 */
int gptimage_pending_ended(const gptimage_pending_t *pending,
                           size_t index);

/**
 * Frees a list, and with it every text that came from it. NULL is fine.
 */
void gptimage_pending_free(gptimage_pending_t *pending);

/**
 * Asks the vendor's log what became of an attempt that may have been charged, and waits for the answer. Free. `period`: how
 * far back the log is read, in minutes, hours or days, such as "7d"; NULL for "24h". `patience_ms`: how long a row is waited
 * for that is not there yet; 0: the log is read once. An absent, refusing or lagging log is no failure: the charge stays
 * "unknown". Free the result with gptimage_reconciled_free().
 */
gptimage_status_t gptimage_client_reconcile(const gptimage_client_t *client,
                                            const char *client_request_id,
                                            const char *period,
                                            uint64_t patience_ms,
                                            gptimage_reconciled_t **reconciled_out,
                                            gptimage_error_t **error_out);

/**
 * "not_charged" (it failed and cost nothing, and may be sent again), "charged" or "unknown". "unknown" for NULL. Lives as long
 * as the result.
 */
const char *gptimage_reconciled_charge(const gptimage_reconciled_t *reconciled);

/**
 * The price in the log in US dollars, exactly, as decimal text; NULL if there is none. Lives as long as the result.
 */
const char *gptimage_reconciled_usd_spent(const gptimage_reconciled_t *reconciled);

/**
 * The price in the log in the vendor's credits; all else as gptimage_reconciled_usd_spent().
 */
const char *gptimage_reconciled_credits_used(const gptimage_reconciled_t *reconciled);

/**
 * The vendor's id of the work, or NULL if it is not known. Lives as long as the result.
 */
const char *gptimage_reconciled_inference_id(const gptimage_reconciled_t *reconciled);

/**
 * One line that says what to do next; for what was charged, with everything that a refund needs. "" for NULL. Lives as long
 * as the result.
 */
const char *gptimage_reconciled_message(const gptimage_reconciled_t *reconciled);

/**
 * Everything as a JSON object. "{}" for NULL. Lives as long as the result.
 */
const char *gptimage_reconciled_json(const gptimage_reconciled_t *reconciled);

/**
 * Frees a result, and with it every text that came from it. NULL is fine.
 */
void gptimage_reconciled_free(gptimage_reconciled_t *reconciled);

/**
 * The stable name of a status, such as "rate_limited"; "ok" for 0, "unknown_status" for a number that is none. Static:
 * never to be freed.
 */
const char *gptimage_status_name(gptimage_status_t status);

/**
 * The version of the library that is loaded, such as "0.1.0"; GPTIMAGE_VERSION is the header's. Static: never to be freed.
 */
const char *gptimage_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GPTIMAGE_H */
