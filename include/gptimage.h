/**
 * @file gptimage.h
 * libgptimage 0.1.0: make and edit images with gpt-image-2 over the AI/ML API gateway.
 *
 * A call costs money, takes about a minute and cannot be repeated safely, because the API has no idempotency key. This
 * library validates every request before money is spent, retries only what provably cost nothing, reports the cost of every
 * outcome, and loses nothing that was paid for.
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
 * An object returned by a _new function or through an _out argument is yours: free it with the _free function of its type,
 * which accepts NULL. Everything else that a function returns (texts, bytes, the result inside an error) is borrowed; its
 * comment says from which object, and how long it lives. Arguments stay yours; the library copies what it needs longer.
 *
 * @par Errors
 * A function that can fail returns a gptimage_status_t, 0 for success. Its last argument, error_out, may be NULL; otherwise it
 * is set on failure to an error that you free. Other outputs are written on success only. NULL, text that is not UTF-8 and an
 * index out of range are reported as GPTIMAGE_STATUS_INVALID_ARGUMENT, or as an empty value by functions that return no
 * status. No exception and no panic leaves the library.
 *
 * @par Texts
 * Texts are NUL-terminated UTF-8. Paths are in the system's own bytes. Parameters are set as the API writes them
 * ("1024x1536"), so new values need no new library. All values of a request are validated together when it is sent.
 *
 * @par Threads
 * A handle passed as a const pointer may be used by any number of threads at once; otherwise by one thread at a time. The
 * library does all network and file work on its own threads, named gptimage and gptimage-files. Your threads only wait, and
 * need little stack.
 *
 * @par Callbacks
 * Callbacks run one at a time on one thread, named gptimage-calls: a slow callback delays other callbacks, but no call. A
 * callback may call any function except those that wait for a call (it would wait for itself). It is never called after the
 * function that frees or replaces it has returned. No C++ exception may leave a callback.
 *
 * @par Signals
 * The library installs no signal handler and changes no disposition or mask of your threads. No signal is delivered on its
 * threads, and a reset connection does not raise SIGPIPE. Functions that wait continue after a signal. No function may be
 * called from a signal handler.
 *
 * @par Fork
 * A client and its jobs belong to the process that created them. In a forked child their functions fail with
 * GPTIMAGE_STATUS_CONFIG and freeing them does nothing; a client that the child creates works. Requests, configurations,
 * results and errors may be used in both processes. A budget continues in both processes, each with its own count.
 *
 * @par Ending
 * The process may exit at any time. Calls in flight end with it, and their results are lost. The shared library stays loaded
 * after dlclose(), because its threads are running.
 *
 * @par Versions
 * GPTIMAGE_VERSION is the version of this header, gptimage_version() that of the loaded library. Existing numbers and names
 * keep their meaning; new ones may be added.
 */


#ifndef GPTIMAGE_H
#define GPTIMAGE_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header. */
#define GPTIMAGE_VERSION "0.1.0"
/** The major version of this header. */
#define GPTIMAGE_VERSION_MAJOR 0
/** The minor version of this header. */
#define GPTIMAGE_VERSION_MINOR 1
/** The patch version of this header. */
#define GPTIMAGE_VERSION_PATCH 0


/**
 * Wait without a time limit.
 */
#define GPTIMAGE_WAIT_FOREVER UINT64_MAX

/**
 * A limit on the total cost of calls, in US dollars. May be shared by any number of clients and threads.
 *
 * Before an attempt is sent, the highest price that it can have is reserved. An attempt whose reservation does not fit
 * is refused with GPTIMAGE_STATUS_BUDGET_EXCEEDED, and nothing is sent. Afterwards the reservation is replaced by the
 * price that the server states, or released if it is proved that nothing was charged. A call that may have been
 * charged counts as spent until gptimage_client_reconcile() resolves it. A call that costs more than its reservation
 * closes the budget.
 */
typedef struct gptimage_budget_t gptimage_budget_t;

/**
 * Cancels calls from another thread. A cancelled token stays cancelled.
 */
typedef struct gptimage_cancel_token_t gptimage_cancel_token_t;

/**
 * Makes and edits images. May be shared by any number of threads. A client belongs to the process that created it: in
 * a forked child its functions fail with GPTIMAGE_STATUS_CONFIG and freeing it does nothing; the child creates a
 * client of its own.
 */
typedef struct gptimage_client_t gptimage_client_t;

/**
 * The configuration of a client. Used by one thread at a time.
 */
typedef struct gptimage_config_t gptimage_config_t;

/**
 * A request to edit images. Used by one thread at a time; may be sent more than once.
 */
typedef struct gptimage_edit_request_t gptimage_edit_request_t;

/**
 * Why a call failed and what it cost. Immutable; may be read by any number of threads.
 */
typedef struct gptimage_error_t gptimage_error_t;

/**
 * A request to make an image. Used by one thread at a time; may be sent more than once.
 */
typedef struct gptimage_generate_request_t gptimage_generate_request_t;

/**
 * The result of a call: the images, their cost and the attempts. May be read by any number of threads;
 * gptimage_client_fetch() and gptimage_client_fetch_to() change it.
 */
typedef struct gptimage_generated_t gptimage_generated_t;

/**
 * A running call. May be shared by any number of threads; one of them gets the result.
 */
typedef struct gptimage_job_t gptimage_job_t;

/**
 * A list of calls that may be charged and whose outcome nobody has received, at the time of gptimage_client_pending().
 * Immutable.
 */
typedef struct gptimage_pending_t gptimage_pending_t;

/**
 * What the vendor's usage log says about an attempt. Immutable; may be read by any number of threads.
 */
typedef struct gptimage_reconciled_t gptimage_reconciled_t;

/**
 * The status that a function returns: 0, or the kind of the failure. A number never changes its meaning and is never
 * reused.
 */
typedef int32_t gptimage_status_t;

/**
 * The state of a budget. Amounts are exact US dollars, as NUL-terminated decimal text.
 */
typedef struct {
  /**
   * The limit.
   */
  char max_usd[48];
  /**
   * The amount spent, including assumed_usd.
   */
  char spent_usd[48];
  /**
   * The part of spent_usd that may have been charged, or whose price is unknown; counted at its reservation.
   */
  char assumed_usd[48];
  /**
   * The amount reserved for calls in flight.
   */
  char reserved_usd[48];
  /**
   * The amount left for further calls; "0" if the budget is closed.
   */
  char remaining_usd[48];
  /**
   * Not 0 if a call cost more than its reservation; no further call is allowed.
   */
  int32_t closed;
} gptimage_budget_status_t;

/**
 * How far an attempt is. It only moves forward.
 */
typedef int32_t gptimage_phase_t;

/**
 * A snapshot of a call in flight.
 */
typedef struct {
  /**
   * The number of the attempt, from 1.
   */
  uint32_t attempt;
  /**
   * The maximum number of attempts.
   */
  uint32_t max_attempts;
  /**
   * How far the attempt is.
   */
  gptimage_phase_t phase;
  /**
   * The length of the pause in milliseconds, between two attempts; otherwise -1.
   */
  int64_t pause_ms;
  /**
   * Bytes of the request body that the transport has taken.
   */
  uint64_t bytes_sent;
  /**
   * Length of the request body in bytes.
   */
  uint64_t bytes_total;
  /**
   * Bytes received, of the response and of downloads.
   */
  uint64_t bytes_received;
  /**
   * The id that the attempt is sent with, as X-Client-Request-Id. Known before the first byte is sent. Never NULL;
   * valid until the callback returns.
   */
  const char *client_request_id;
} gptimage_progress_t;

/**
 * Called on the thread "gptimage-calls" when the progress of a call changes, at most twenty times a second per call,
 * and once per attempt before anything is sent. `progress` is valid until the callback returns. The callback may call
 * any function of the library except those that wait for a call.
 */
typedef void (*gptimage_progress_callback_t)(const gptimage_progress_t *progress,
                                             void *user_data);

/**
 * A violated rule. The texts live as long as the error.
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
   * The given value, shortened if it is long.
   */
  const char *given;
  /**
   * What is wrong and how to correct it, without the parameter's name.
   */
  const char *message;
} gptimage_violation_t;

/**
 * A borrowed byte array. The function that returns it says who owns the bytes and how long they live.
 */
typedef struct {
  /**
   * Pointer to the first byte; NULL if there are none.
   */
  const uint8_t *data;
  /**
   * Number of bytes.
   */
  size_t len;
} gptimage_bytes_t;

/**
 * Called once, on the thread "gptimage-calls", when the job has ended; gptimage_job_wait() then returns without
 * waiting. It may call any function of the library, including gptimage_job_free() for this job, except those that wait
 * for another call.
 */
typedef void (*gptimage_job_callback_t)(gptimage_job_t *job,
                                        void *user_data);

/**
 * The severity of a log line. Lines that are less severe than the requested level are not created.
 */
typedef int32_t gptimage_log_level_t;

/**
 * Called on the thread "gptimage-calls" for each log line. `message` is one line without prompts, images or keys; it
 * is valid until the callback returns. The callback may call any function of the library except those that wait for a
 * call.
 */
typedef void (*gptimage_log_callback_t)(gptimage_log_level_t level,
                                        const char *message,
                                        void *user_data);

/**
 * Something was lost.
 */
#define GPTIMAGE_LOG_LEVEL_ERROR 1

/**
 * Something may be lost, or may be charged without a result.
 */
#define GPTIMAGE_LOG_LEVEL_WARN 2

/**
 * An attempt is about to be sent, with its client request id, or something is retried.
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
 * Connecting: DNS, TCP, TLS, proxy.
 */
#define GPTIMAGE_PHASE_CONNECTING 1

/**
 * The request body is being sent.
 */
#define GPTIMAGE_PHASE_SENDING 2

/**
 * The request body was handed to the transport completely: from here on the call may be charged.
 */
#define GPTIMAGE_PHASE_SENT 3

/**
 * The status and headers of the response were received.
 */
#define GPTIMAGE_PHASE_HEAD_RECEIVED 4

/**
 * The response body was received completely.
 */
#define GPTIMAGE_PHASE_BODY_COMPLETE 5

/**
 * The images are stored where requested.
 */
#define GPTIMAGE_PHASE_STORED 6

/**
 * Success.
 */
#define GPTIMAGE_STATUS_OK 0

/**
 * An invalid argument: NULL, text that is not UTF-8, or an index out of range.
 */
#define GPTIMAGE_STATUS_INVALID_ARGUMENT 1

/**
 * The request violates rules, which the error lists. Nothing was sent.
 */
#define GPTIMAGE_STATUS_INVALID_REQUEST 2

/**
 * A key, URL, header, proxy or trust store that cannot be used.
 */
#define GPTIMAGE_STATUS_CONFIG 3

/**
 * A local file cannot be read or written. An existing output file is refused before anything is sent.
 */
#define GPTIMAGE_STATUS_IO 4

/**
 * A job that has not ended yet.
 */
#define GPTIMAGE_STATUS_PENDING 5

/**
 * The request was provably not delivered completely: nothing was charged.
 */
#define GPTIMAGE_STATUS_CONNECTION 10

/**
 * The request was sent completely and no conclusive response was received: it may have been charged.
 */
#define GPTIMAGE_STATUS_OUTCOME_UNKNOWN 11

/**
 * Cancelled by a token or by gptimage_job_cancel().
 */
#define GPTIMAGE_STATUS_CANCELLED 12

/**
 * A 4xx status that no other status names.
 */
#define GPTIMAGE_STATUS_BAD_REQUEST 20

/**
 * 401: the key is missing or invalid.
 */
#define GPTIMAGE_STATUS_AUTHENTICATION 21

/**
 * 403: the key is not allowed to do this.
 */
#define GPTIMAGE_STATUS_PERMISSION_DENIED 22

/**
 * 402, or a refusal that says so: the account has no credits left.
 */
#define GPTIMAGE_STATUS_INSUFFICIENT_CREDITS 23

/**
 * 404: no such route or model.
 */
#define GPTIMAGE_STATUS_NOT_FOUND 24

/**
 * Moderation refused the prompt or an image.
 */
#define GPTIMAGE_STATUS_MODERATION_BLOCKED 25

/**
 * 429: too many requests.
 */
#define GPTIMAGE_STATUS_RATE_LIMITED 26

/**
 * A 5xx in the gateway's own error format. Documented as unbilled; the charge stays "unknown".
 */
#define GPTIMAGE_STATUS_SERVER 27

/**
 * A successful response that cannot be used. It was charged, or may have been.
 */
#define GPTIMAGE_STATUS_RESPONSE_INVALID 30

/**
 * The image was paid for and is at its URL, but could not be downloaded.
 */
#define GPTIMAGE_STATUS_DOWNLOAD_FAILED 31

/**
 * The budget does not allow the call.
 */
#define GPTIMAGE_STATUS_BUDGET_EXCEEDED 40

/**
 * A bug in the library.
 */
#define GPTIMAGE_STATUS_INTERNAL 99

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Creates a budget of `max_usd`, as decimal text such as "5.00". `max_usd_per_call` is the highest price of one call
 * with all its images; NULL for 0.50 per image. Free the budget with gptimage_budget_free(), at any time: clients keep
 * what they need of it. Returns GPTIMAGE_STATUS_CONFIG if one of the texts is not an amount.
 */
gptimage_status_t gptimage_budget_new(const char *max_usd,
                                      const char *max_usd_per_call,
                                      gptimage_budget_t **budget_out,
                                      gptimage_error_t **error_out);

/**
 * Writes the current state of a budget to `*status_out`.
 */
gptimage_status_t gptimage_budget_status(const gptimage_budget_t *budget,
                                         gptimage_budget_status_t *status_out,
                                         gptimage_error_t **error_out);

/**
 * Frees a budget. `budget` may be NULL.
 */
void gptimage_budget_free(gptimage_budget_t *budget);

/**
 * Creates a token. Free it with gptimage_cancel_token_free(), at any time: calls keep what they need of it.
 */
gptimage_cancel_token_t *gptimage_cancel_token_new(void);

/**
 * Cancels every call that uses this token. May be called from any thread and more than once, but not from a signal
 * handler.
 */
void gptimage_cancel_token_cancel(const gptimage_cancel_token_t *token);

/**
 * Frees a token. `token` may be NULL.
 */
void gptimage_cancel_token_free(gptimage_cancel_token_t *token);

/**
 * Creates a client. `config` may be NULL to read the configuration from the environment; it can be freed afterwards.
 * Free the client with gptimage_client_free().
 */
gptimage_status_t gptimage_client_new(const gptimage_config_t *config,
                                      gptimage_client_t **client_out,
                                      gptimage_error_t **error_out);

/**
 * Frees a client, at any time. Jobs and calls in flight continue. When this returns, the progress callback is not
 * running and is never called again, unless it is the caller itself. `client` may be NULL.
 */
void gptimage_client_free(gptimage_client_t *client);

/**
 * Sets the progress callback for all later calls of this client and replaces the previous one. `callback` may be NULL
 * to remove it. When this returns, the previous callback is not running and is never called again, unless it is the
 * caller itself.
 */
void gptimage_client_set_progress(const gptimage_client_t *client,
                                  gptimage_progress_callback_t callback,
                                  void *user_data);

/**
 * Makes an image, keeps it in memory, and waits for the result. `cancel` may be NULL. Free the result with
 * gptimage_generated_free(). On failure there is no result; images that were paid for are in the error
 * (gptimage_error_generated()). If `error_out` is NULL, an error that may have cost something is kept for
 * gptimage_client_collect().
 */
gptimage_status_t gptimage_client_generate(const gptimage_client_t *client,
                                           const gptimage_generate_request_t *request,
                                           const gptimage_cancel_token_t *cancel,
                                           gptimage_generated_t **generated_out,
                                           gptimage_error_t **error_out);

/**
 * Edits images, keeps the results in memory, and waits for them. Otherwise like gptimage_client_generate().
 */
gptimage_status_t gptimage_client_edit(const gptimage_client_t *client,
                                       const gptimage_edit_request_t *request,
                                       const gptimage_cancel_token_t *cancel,
                                       gptimage_generated_t **generated_out,
                                       gptimage_error_t **error_out);

/**
 * Makes an image, saves it to a file while it arrives, and waits for the result. If `to` is an existing folder or ends
 * in "/", a file name is generated; a missing extension is added; an existing file is refused before anything is sent.
 * The file appears under its name only when it is complete. If `output_format` is not set, the extension .jpg, .jpeg,
 * .jpe, .jfif, .webp or .png selects it; a contradiction is refused. Otherwise like gptimage_client_generate().
 */
gptimage_status_t gptimage_client_generate_to(const gptimage_client_t *client,
                                              const gptimage_generate_request_t *request,
                                              const char *to,
                                              const gptimage_cancel_token_t *cancel,
                                              gptimage_generated_t **generated_out,
                                              gptimage_error_t **error_out);

/**
 * Edits images and saves the results to files; several images are numbered. Otherwise like
 * gptimage_client_generate_to().
 */
gptimage_status_t gptimage_client_edit_to(const gptimage_client_t *client,
                                          const gptimage_edit_request_t *request,
                                          const char *to,
                                          const gptimage_cancel_token_t *cancel,
                                          gptimage_generated_t **generated_out,
                                          gptimage_error_t **error_out);

/**
 * Returns the outcome of a call whose caller was gone (cancelled, past its deadline, or its job freed) after the
 * request had been sent: a result, or the error that says what the call cost; the status is then the error's. Each
 * outcome is returned once. If there is none, the status is GPTIMAGE_STATUS_OK and `*generated_out` is set to NULL.
 * `wait_ms` is the maximum time to wait for such calls in flight, in milliseconds; 0 does not wait.
 */
gptimage_status_t gptimage_client_collect(const gptimage_client_t *client,
                                          uint64_t wait_ms,
                                          gptimage_generated_t **generated_out,
                                          gptimage_error_t **error_out);

/**
 * Creates a configuration with the key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or
 * AIML_API_KEY, in this order; AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE) and default values. It is
 * validated by gptimage_client_new(). Free it with gptimage_config_free().
 */
gptimage_config_t *gptimage_config_new(void);

/**
 * Frees a configuration. Clients that were created from it are not affected. `config` may be NULL.
 */
void gptimage_config_free(gptimage_config_t *config);

/**
 * Sets the API key. It is sent only to the origin of the base URL, and never printed.
 */
gptimage_status_t gptimage_config_set_api_key(gptimage_config_t *config,
                                              const char *key,
                                              gptimage_error_t **error_out);

/**
 * Sets the base URL of the API: https, or http on this machine, with or without "/v1". A pasted endpoint path such as
 * "/v1/images/generations" is removed. A URL that ends in "#" is used exactly as it is.
 */
gptimage_status_t gptimage_config_set_base_url(gptimage_config_t *config,
                                               const char *url,
                                               gptimage_error_t **error_out);

/**
 * Sets whether plain http to another machine is allowed, which exposes the key to the network. Default: 0.
 */
gptimage_status_t gptimage_config_set_allow_http(gptimage_config_t *config,
                                                 int allow,
                                                 gptimage_error_t **error_out);

/**
 * Sets the maximum duration of a call in milliseconds, including all attempts and waits. 0 means no limit. Default: 0.
 */
gptimage_status_t gptimage_config_set_deadline_ms(gptimage_config_t *config,
                                                  uint64_t deadline_ms,
                                                  gptimage_error_t **error_out);

/**
 * Sets the maximum number of attempts of a call, including the first. Only an attempt that provably cost nothing is
 * retried. Default: 3.
 */
gptimage_status_t gptimage_config_set_max_attempts(gptimage_config_t *config,
                                                   uint32_t attempts,
                                                   gptimage_error_t **error_out);

/**
 * Sets a timer by name, in milliseconds. Names and defaults: "connect" (10 s), "write" (90 s), "response_header" (15 min),
 * "read" (4 min), "initial_backoff" (0.5 s), "max_backoff" (8 s), "max_retry_after" (120 s),
 * "url_not_found" (120 s), "usage_log" (60 s), "tcp_keepalive_idle" (15 s), "tcp_keepalive_interval" (15 s), "tcp_user_timeout" (120 s).
 */
gptimage_status_t gptimage_config_set_timer_ms(gptimage_config_t *config,
                                               const char *name,
                                               uint64_t value_ms,
                                               gptimage_error_t **error_out);

/**
 * Sets a file (PEM or DER) or folder of certificates to trust in addition to the system's: authorities, or a server's
 * own certificate. Default: the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names, if set. SSL_CERT_FILE and
 * SSL_CERT_DIR replace the system's certificates.
 */
gptimage_status_t gptimage_config_set_ca_file(gptimage_config_t *config,
                                              const char *file,
                                              gptimage_error_t **error_out);

/**
 * Sets a proxy for all requests, including those to this machine, such as "http://host:3128" or "socks5h://host:1080";
 * "" for no proxy. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, never for this machine. A proxy
 * that cannot be used makes gptimage_client_new() fail with GPTIMAGE_STATUS_CONFIG; requests never bypass a configured
 * proxy.
 */
gptimage_status_t gptimage_config_set_proxy(gptimage_config_t *config,
                                            const char *url,
                                            gptimage_error_t **error_out);

/**
 * Adds a header to every request to the gateway. It is never sent to the servers that images are downloaded from.
 */
gptimage_status_t gptimage_config_add_header(gptimage_config_t *config,
                                             const char *name,
                                             const char *value,
                                             gptimage_error_t **error_out);

/**
 * Sets whether images that arrive as URLs are downloaded at once. Default: 1.
 */
gptimage_status_t gptimage_config_set_fetch(gptimage_config_t *config,
                                            int fetch,
                                            gptimage_error_t **error_out);

/**
 * Sets whether a 5xx in the gateway's own error format is retried, which may be charged twice. Default: 0.
 */
gptimage_status_t gptimage_config_set_retry_server_errors(gptimage_config_t *config,
                                                          int retry,
                                                          gptimage_error_t **error_out);

/**
 * Sets whether a call that is cancelled after it was sent is aborted. Default: 0: it continues, and
 * gptimage_client_collect() returns its outcome.
 */
gptimage_status_t gptimage_config_set_abort_on_cancel(gptimage_config_t *config,
                                                      int abort,
                                                      gptimage_error_t **error_out);

/**
 * Sets the maximum size of an image in bytes. Default: 64 MiB.
 */
gptimage_status_t gptimage_config_set_max_image_bytes(gptimage_config_t *config,
                                                      uint64_t bytes,
                                                      gptimage_error_t **error_out);

/**
 * Sets the maximum number of bytes of pictures kept in memory for gptimage_client_collect(). Default: 256 MiB.
 */
gptimage_status_t gptimage_config_set_salvage_max_bytes(gptimage_config_t *config,
                                                        uint64_t bytes,
                                                        gptimage_error_t **error_out);

/**
 * Sets a folder that keeps the outcomes of calls whose callers are gone, instead of memory: any client with this
 * folder can collect them, also in another process. The folder is created if it does not exist. Default: none.
 */
gptimage_status_t gptimage_config_set_salvage_folder(gptimage_config_t *config,
                                                     const char *folder,
                                                     gptimage_error_t **error_out);

/**
 * Sets a budget for the calls of the client, which it shares with every other client of this budget. Default: no
 * limit.
 */
gptimage_status_t gptimage_config_set_budget(gptimage_config_t *config,
                                             const gptimage_budget_t *budget,
                                             gptimage_error_t **error_out);

/**
 * Creates a request. `prompt` describes the image in 1 to 32,000 characters of UTF-8. Parameters that are not set are
 * not sent; the server has defaults for them. All values are validated together when the request is sent. Free the
 * request with gptimage_edit_request_free().
 */
gptimage_status_t gptimage_edit_request_new(const char *prompt,
                                            gptimage_edit_request_t **request_out,
                                            gptimage_error_t **error_out);

/**
 * Frees a request. Calls that use it are not affected. `request` may be NULL.
 */
void gptimage_edit_request_free(gptimage_edit_request_t *request);

/**
 * Sets the model. Default: "openai/gpt-image-2".
 */
gptimage_status_t gptimage_edit_request_set_model(gptimage_edit_request_t *request,
                                                  const char *model,
                                                  gptimage_error_t **error_out);

/**
 * Sets the width × height in pixels: "1024x1024", "1024x1536" or "1536x1024". Server default: "1024x1024".
 */
gptimage_status_t gptimage_edit_request_set_size(gptimage_edit_request_t *request,
                                                 const char *size,
                                                 gptimage_error_t **error_out);

/**
 * Sets the quality: "low", "medium" or "high". Server default: "medium".
 */
gptimage_status_t gptimage_edit_request_set_quality(gptimage_edit_request_t *request,
                                                    const char *quality,
                                                    gptimage_error_t **error_out);

/**
 * Sets the file format: "png", "jpeg" or "webp". Server default: "png".
 */
gptimage_status_t gptimage_edit_request_set_output_format(gptimage_edit_request_t *request,
                                                          const char *output_format,
                                                          gptimage_error_t **error_out);

/**
 * Sets the background: "auto", "transparent" (png and webp only) or "opaque". Server default: "auto".
 */
gptimage_status_t gptimage_edit_request_set_background(gptimage_edit_request_t *request,
                                                       const char *background,
                                                       gptimage_error_t **error_out);

/**
 * Sets how the server returns images: "url" or "b64_json". Server default: "url".
 */
gptimage_status_t gptimage_edit_request_set_response_format(gptimage_edit_request_t *request,
                                                            const char *response_format,
                                                            gptimage_error_t **error_out);

/**
 * Sets the number of images, 1 to 10. Server default: 1.
 */
gptimage_status_t gptimage_edit_request_set_n(gptimage_edit_request_t *request,
                                              int64_t n,
                                              gptimage_error_t **error_out);

/**
 * Sets the quality of jpeg and webp files in percent, 0 to 100. Server default: 100.
 */
gptimage_status_t gptimage_edit_request_set_output_compression(gptimage_edit_request_t *request,
                                                               int64_t percent,
                                                               gptimage_error_t **error_out);

/**
 * Sets a parameter by the API's name, also one that this header does not declare.
 */
gptimage_status_t gptimage_edit_request_set(gptimage_edit_request_t *request,
                                            const char *name,
                                            const char *value,
                                            gptimage_error_t **error_out);

/**
 * Adds fields that the API's documentation does not have, as a JSON object. Numbers are sent exactly as written.
 */
gptimage_status_t gptimage_edit_request_set_extra(gptimage_edit_request_t *request,
                                                  const char *json,
                                                  gptimage_error_t **error_out);

/**
 * Adds an image by path, after those added before; 1 to 16 in all. The file must be a PNG, JPEG or WebP of at most 50
 * MB. It is streamed from disk when the request is sent.
 */
gptimage_status_t gptimage_edit_request_add_image_path(gptimage_edit_request_t *request,
                                                       const char *file,
                                                       gptimage_error_t **error_out);

/**
 * Adds an image from memory; the bytes are copied. `data` may be NULL only if `len` is 0, which makes an empty file
 * that is refused when the request is sent. Otherwise like gptimage_edit_request_add_image_path().
 */
gptimage_status_t gptimage_edit_request_add_image_bytes(gptimage_edit_request_t *request,
                                                        const uint8_t *data,
                                                        size_t len,
                                                        gptimage_error_t **error_out);

/**
 * Sets the mask by path: a PNG under 4 MB with the dimensions of the first image. That image is edited where the mask
 * is transparent.
 */
gptimage_status_t gptimage_edit_request_set_mask_path(gptimage_edit_request_t *request,
                                                      const char *file,
                                                      gptimage_error_t **error_out);

/**
 * Sets the mask from memory; the bytes are copied. `data` may be NULL only if `len` is 0, which makes an empty file
 * that is refused when the request is sent. Otherwise like gptimage_edit_request_set_mask_path().
 */
gptimage_status_t gptimage_edit_request_set_mask_bytes(gptimage_edit_request_t *request,
                                                       const uint8_t *data,
                                                       size_t len,
                                                       gptimage_error_t **error_out);

/**
 * Sets the maximum duration of a call of this request in milliseconds. 0 means the client's deadline. Default: 0.
 */
gptimage_status_t gptimage_edit_request_set_deadline_ms(gptimage_edit_request_t *request,
                                                        uint64_t deadline_ms,
                                                        gptimage_error_t **error_out);

/**
 * Sets whether gptimage_client_edit_to() may replace an existing file. Default: 0.
 */
gptimage_status_t gptimage_edit_request_set_overwrite(gptimage_edit_request_t *request,
                                                      int overwrite,
                                                      gptimage_error_t **error_out);

/**
 * Sets whether only values that no server could accept are refused, to allow values that the API introduced after this
 * version of the library. Default: 0.
 */
gptimage_status_t gptimage_edit_request_set_structural_rules(gptimage_edit_request_t *request,
                                                             int on,
                                                             gptimage_error_t **error_out);

/**
 * Returns the status of the error. GPTIMAGE_STATUS_OK for NULL.
 */
gptimage_status_t gptimage_error_status(const gptimage_error_t *error);

/**
 * Returns the stable name of the error's status, such as "rate_limited"; "ok" for NULL. Static: do not free.
 */
const char *gptimage_error_kind(const gptimage_error_t *error);

/**
 * Returns one line that says what went wrong and what to do next. It never contains the key. "" for NULL. Lives as
 * long as the error.
 */
const char *gptimage_error_message(const gptimage_error_t *error);

/**
 * Returns whether money was spent by any attempt: "not_charged" (proved), "unknown" or "charged". "not_charged" for
 * NULL. Lives as long as the error.
 */
const char *gptimage_error_charge(const gptimage_error_t *error);

/**
 * Returns the HTTP status of the response; 0 if there was no response.
 */
uint16_t gptimage_error_http_status(const gptimage_error_t *error);

/**
 * Returns how many milliseconds the server asks to wait; -1 if it does not say.
 */
int64_t gptimage_error_retry_after_ms(const gptimage_error_t *error);

/**
 * Returns the client request id of the last attempt, by which the vendor can find it; NULL if there was no attempt.
 * Lives as long as the error.
 */
const char *gptimage_error_client_request_id(const gptimage_error_t *error);

/**
 * Returns the vendor's id of the last attempt's inference; NULL if it is not known. Lives as long as the error.
 */
const char *gptimage_error_inference_id(const gptimage_error_t *error);

/**
 * Returns the images that were paid for and arrived despite the error; NULL if there are none. An image that was not
 * downloaded is listed with its URL. Owned by the error: do not free.
 */
const gptimage_generated_t *gptimage_error_generated(const gptimage_error_t *error);

/**
 * Returns the number of violated rules. 0 for NULL.
 */
size_t gptimage_error_violation_count(const gptimage_error_t *error);

/**
 * Returns a violated rule by index. All texts are NULL if the index is out of range. They live as long as the error.
 */
gptimage_violation_t gptimage_error_violation(const gptimage_error_t *error,
                                              size_t index);

/**
 * Returns a response that could not be used, without its images and cut at 64 KiB; NULL if there is none. Lives as
 * long as the error.
 */
const char *gptimage_error_response_body(const gptimage_error_t *error);

/**
 * Returns the path of the file that holds a whole response that could not be used, in the system's own bytes: next to
 * the output file, or in the salvage folder. NULL if there is none. The text lives as long as the error; the file is
 * not removed.
 */
const char *gptimage_error_response_file(const gptimage_error_t *error);

/**
 * Returns a whole response that could not be used, if there was no folder for gptimage_error_response_file();
 * otherwise no bytes. Owned by the error: do not free.
 */
gptimage_bytes_t gptimage_error_response_bytes(const gptimage_error_t *error);

/**
 * Returns the id of the task that the gateway returned instead of images; NULL if it did not. Ask the gateway for the
 * outcome of that task. Lives as long as the error.
 */
const char *gptimage_error_task_id(const gptimage_error_t *error);

/**
 * Returns the error as a JSON object, with every attempt and at most 64 KiB of the response, without images. "{}" for
 * NULL. Lives as long as the error.
 */
const char *gptimage_error_json(const gptimage_error_t *error);

/**
 * Frees an error, with every text and result that came from it. `error` may be NULL.
 */
void gptimage_error_free(gptimage_error_t *error);

/**
 * Creates a request. `prompt` describes the image in 1 to 32,000 characters of UTF-8. Parameters that are not set are
 * not sent; the server has defaults for them. All values are validated together when the request is sent. Free the
 * request with gptimage_generate_request_free().
 */
gptimage_status_t gptimage_generate_request_new(const char *prompt,
                                                gptimage_generate_request_t **request_out,
                                                gptimage_error_t **error_out);

/**
 * Frees a request. Calls that use it are not affected. `request` may be NULL.
 */
void gptimage_generate_request_free(gptimage_generate_request_t *request);

/**
 * Sets the model. Default: "openai/gpt-image-2".
 */
gptimage_status_t gptimage_generate_request_set_model(gptimage_generate_request_t *request,
                                                      const char *model,
                                                      gptimage_error_t **error_out);

/**
 * Sets the width × height in pixels: "1024x1024", "1024x1536" or "1536x1024". Server default: "1024x1024".
 */
gptimage_status_t gptimage_generate_request_set_size(gptimage_generate_request_t *request,
                                                     const char *size,
                                                     gptimage_error_t **error_out);

/**
 * Sets the quality: "low", "medium" or "high". Server default: "medium".
 */
gptimage_status_t gptimage_generate_request_set_quality(gptimage_generate_request_t *request,
                                                        const char *quality,
                                                        gptimage_error_t **error_out);

/**
 * Sets the file format: "png", "jpeg" or "webp". Server default: "png".
 */
gptimage_status_t gptimage_generate_request_set_output_format(gptimage_generate_request_t *request,
                                                              const char *output_format,
                                                              gptimage_error_t **error_out);

/**
 * Sets the background: "auto", "transparent" (png and webp only) or "opaque". Server default: "auto".
 */
gptimage_status_t gptimage_generate_request_set_background(gptimage_generate_request_t *request,
                                                           const char *background,
                                                           gptimage_error_t **error_out);

/**
 * Sets the moderation level: "auto" or "low". Server default: "auto".
 */
gptimage_status_t gptimage_generate_request_set_moderation(gptimage_generate_request_t *request,
                                                           const char *moderation,
                                                           gptimage_error_t **error_out);

/**
 * Sets how the server returns images: "url" or "b64_json". Server default: "url".
 */
gptimage_status_t gptimage_generate_request_set_response_format(gptimage_generate_request_t *request,
                                                                const char *response_format,
                                                                gptimage_error_t **error_out);

/**
 * Sets the number of images: exactly 1.
 */
gptimage_status_t gptimage_generate_request_set_n(gptimage_generate_request_t *request,
                                                  int64_t n,
                                                  gptimage_error_t **error_out);

/**
 * Sets the quality of jpeg and webp files in percent, 0 to 100. Server default: 100.
 */
gptimage_status_t gptimage_generate_request_set_output_compression(gptimage_generate_request_t *request,
                                                                   int64_t percent,
                                                                   gptimage_error_t **error_out);

/**
 * Sets a parameter by the API's name, also one that this header does not declare.
 */
gptimage_status_t gptimage_generate_request_set(gptimage_generate_request_t *request,
                                                const char *name,
                                                const char *value,
                                                gptimage_error_t **error_out);

/**
 * Adds fields that the API's documentation does not have, as a JSON object. Numbers are sent exactly as written.
 */
gptimage_status_t gptimage_generate_request_set_extra(gptimage_generate_request_t *request,
                                                      const char *json,
                                                      gptimage_error_t **error_out);

/**
 * Sets the maximum duration of a call of this request in milliseconds. 0 means the client's deadline. Default: 0.
 */
gptimage_status_t gptimage_generate_request_set_deadline_ms(gptimage_generate_request_t *request,
                                                            uint64_t deadline_ms,
                                                            gptimage_error_t **error_out);

/**
 * Sets whether gptimage_client_generate_to() may replace an existing file. Default: 0.
 */
gptimage_status_t gptimage_generate_request_set_overwrite(gptimage_generate_request_t *request,
                                                          int overwrite,
                                                          gptimage_error_t **error_out);

/**
 * Sets whether only values that no server could accept are refused, to allow values that the API introduced after this
 * version of the library. Default: 0.
 */
gptimage_status_t gptimage_generate_request_set_structural_rules(gptimage_generate_request_t *request,
                                                                 int on,
                                                                 gptimage_error_t **error_out);

/**
 * Returns a copy of a result, for example of an error's, whose images can then be downloaded. Bytes in memory are
 * shared. NULL for NULL. Free it with gptimage_generated_free().
 */
gptimage_generated_t *gptimage_generated_copy(const gptimage_generated_t *generated);

/**
 * Frees a result, with every text and all bytes that came from it. `generated` may be NULL, but must not belong to an
 * error.
 */
void gptimage_generated_free(gptimage_generated_t *generated);

/**
 * Returns the number of images. 0 for NULL.
 */
size_t gptimage_generated_image_count(const gptimage_generated_t *generated);

/**
 * Returns the file of an image that is in memory; no bytes if it is in a file or at its URL, or if the index is out of
 * range. Owned by the result until the image is downloaded again: do not free.
 */
gptimage_bytes_t gptimage_generated_image_bytes(const gptimage_generated_t *generated,
                                                size_t index);

/**
 * Returns the URL that the server gave for the image; NULL if it gave none. Lives as long as the result.
 */
const char *gptimage_generated_image_url(const gptimage_generated_t *generated,
                                         size_t index);

/**
 * Returns the path of the file that the image was saved to by its call, in the system's own bytes; NULL if there is
 * none. Lives as long as the result, or until the image is downloaded.
 */
const char *gptimage_generated_image_path(const gptimage_generated_t *generated,
                                          size_t index);

/**
 * Returns the prompt as rewritten by the model; NULL if the server did not state it. Lives as long as the result.
 */
const char *gptimage_generated_image_revised_prompt(const gptimage_generated_t *generated,
                                                    size_t index);

/**
 * Returns the format, read from the bytes: "png", "jpeg" or "webp"; NULL if the image is still at its URL. Static: do
 * not free.
 */
const char *gptimage_generated_image_format(const gptimage_generated_t *generated,
                                            size_t index);

/**
 * Returns the width in pixels, read from the bytes; 0 if the image is still at its URL.
 */
uint32_t gptimage_generated_image_width(const gptimage_generated_t *generated,
                                        size_t index);

/**
 * Returns the height in pixels, read from the bytes; 0 if the image is still at its URL.
 */
uint32_t gptimage_generated_image_height(const gptimage_generated_t *generated,
                                         size_t index);

/**
 * Returns the exact cost of the call in the vendor's credits, as decimal text; NULL if the server did not state it.
 * Lives as long as the result.
 */
const char *gptimage_generated_credits_used(const gptimage_generated_t *generated);

/**
 * Returns the exact cost of the call in US dollars, as decimal text; NULL if the server did not state it. Lives as
 * long as the result.
 */
const char *gptimage_generated_usd_spent(const gptimage_generated_t *generated);

/**
 * Returns the vendor's id of the inference; NULL if it is not known. Lives as long as the result.
 */
const char *gptimage_generated_inference_id(const gptimage_generated_t *generated);

/**
 * Returns the client request id of the successful attempt; NULL if there is none. Lives as long as the result.
 */
const char *gptimage_generated_client_request_id(const gptimage_generated_t *generated);

/**
 * Returns the number of attempts, including the successful one. 0 for NULL.
 */
size_t gptimage_generated_attempt_count(const gptimage_generated_t *generated);

/**
 * Returns the result as a JSON object, without pixels: images, cost, ids, attempts, warnings. "{}" for NULL. Lives as
 * long as the result, or until an image is downloaded.
 */
const char *gptimage_generated_json(const gptimage_generated_t *generated);

/**
 * Creates a result with one image at the URL that the server gave for it earlier. Download it with
 * gptimage_client_fetch() or gptimage_client_fetch_to(). Free it with gptimage_generated_free().
 */
gptimage_status_t gptimage_generated_from_url(const char *url,
                                              gptimage_generated_t **generated_out,
                                              gptimage_error_t **error_out);

/**
 * Saves a copy of an image and waits until it is written. If `to` is an existing folder or ends in "/", a file name is
 * generated; a missing extension is added; an existing file is refused unless `overwrite` is not 0. The file appears
 * under its name only when it is complete. The format is never converted: an extension of another format is logged as
 * a warning.
 */
gptimage_status_t gptimage_generated_image_save(const gptimage_generated_t *generated,
                                                size_t index,
                                                const char *to,
                                                int overwrite,
                                                gptimage_error_t **error_out);

/**
 * Downloads an image of a result from its URL into memory and waits for it. An image that is in memory or in a file
 * already is left alone. Free of charge, and repeatable. Changes `generated`, which no other thread may use meanwhile.
 * The result inside an error cannot be changed: use gptimage_generated_copy() first. For a URL alone, use
 * gptimage_generated_from_url().
 */
gptimage_status_t gptimage_client_fetch(const gptimage_client_t *client,
                                        gptimage_generated_t *generated,
                                        size_t index,
                                        gptimage_error_t **error_out);

/**
 * Downloads an image of a result to a file or folder and waits for it. If `to` is an existing folder or ends in "/", a
 * file name is generated; a missing extension is added; an existing file is refused unless `overwrite` is not 0. The
 * file appears under its name only when it is complete. An image that is in memory or in a file already is left alone,
 * and a copy of it is saved. Otherwise like gptimage_client_fetch().
 */
gptimage_status_t gptimage_client_fetch_to(const gptimage_client_t *client,
                                           gptimage_generated_t *generated,
                                           size_t index,
                                           const char *to,
                                           int overwrite,
                                           gptimage_error_t **error_out);

/**
 * Starts making an image and returns at once. `callback` may be NULL. `*job_out` is set before the callback is called.
 * Free the job with gptimage_job_free().
 */
gptimage_status_t gptimage_client_start_generate(const gptimage_client_t *client,
                                                 const gptimage_generate_request_t *request,
                                                 gptimage_job_callback_t callback,
                                                 void *user_data,
                                                 gptimage_job_t **job_out,
                                                 gptimage_error_t **error_out);

/**
 * Starts editing images and returns at once. Otherwise like gptimage_client_start_generate().
 */
gptimage_status_t gptimage_client_start_edit(const gptimage_client_t *client,
                                             const gptimage_edit_request_t *request,
                                             gptimage_job_callback_t callback,
                                             void *user_data,
                                             gptimage_job_t **job_out,
                                             gptimage_error_t **error_out);

/**
 * Waits until the job has ended, for at most `timeout_ms` milliseconds, and takes its result. GPTIMAGE_WAIT_FOREVER
 * waits without limit; 0 only checks. Returns GPTIMAGE_STATUS_PENDING if the job has not ended. The result can be
 * taken once; later calls return GPTIMAGE_STATUS_INVALID_ARGUMENT. If `error_out` is NULL, an error that may have cost
 * something is kept for gptimage_client_collect().
 */
gptimage_status_t gptimage_job_wait(const gptimage_job_t *job,
                                    uint64_t timeout_ms,
                                    gptimage_generated_t **generated_out,
                                    gptimage_error_t **error_out);

/**
 * Cancels a job. The job ends at once, with GPTIMAGE_STATUS_CANCELLED or with its result if it had one. A request that
 * may already be charged continues (unless gptimage_config_set_abort_on_cancel() is set), and
 * gptimage_client_collect() returns its outcome. `job` may be NULL.
 */
void gptimage_job_cancel(const gptimage_job_t *job);

/**
 * Returns how far the job is. GPTIMAGE_PHASE_PLANNED for NULL.
 */
gptimage_phase_t gptimage_job_phase(const gptimage_job_t *job);

/**
 * Frees a job, at any time. A job that has not ended is cancelled as by gptimage_job_cancel(). When this returns, the
 * callback is not running and is never called again. May be called from the job's own callback. `job` may be NULL.
 */
void gptimage_job_free(gptimage_job_t *job);

/**
 * Sets the log callback for all clients and replaces the previous one. Lines less severe than `level` are not
 * reported. `callback` may be NULL to remove it. When this returns, the previous callback is not running and is never
 * called again, unless it is the caller itself.
 */
void gptimage_set_log_callback(gptimage_log_level_t level,
                               gptimage_log_callback_t callback,
                               void *user_data);

/**
 * Lists the calls that may be charged and whose outcome nobody has received: attempts in flight that the server may
 * have, including those that another thread waits for, and outcomes that wait for gptimage_client_collect(), including
 * those in a salvage folder. Free the list with gptimage_pending_free().
 */
gptimage_status_t gptimage_client_pending(const gptimage_client_t *client,
                                          gptimage_pending_t **pending_out,
                                          gptimage_error_t **error_out);

/**
 * Returns the number of calls. 0 for NULL.
 */
size_t gptimage_pending_count(const gptimage_pending_t *pending);

/**
 * Returns the client request id of the call's last attempt; NULL if the call ended before it had one, or if the index
 * is out of range. Lives as long as the list.
 */
const char *gptimage_pending_client_request_id(const gptimage_pending_t *pending,
                                               size_t index);

/**
 * Returns how far the call's last attempt came. GPTIMAGE_PHASE_PLANNED if the index is out of range.
 */
gptimage_phase_t gptimage_pending_phase(const gptimage_pending_t *pending,
                                        size_t index);

/**
 * Returns not 0 if the call has ended and its outcome waits for gptimage_client_collect().
 */
int gptimage_pending_ended(const gptimage_pending_t *pending,
                           size_t index);

/**
 * Frees a list, with every text that came from it. `pending` may be NULL.
 */
void gptimage_pending_free(gptimage_pending_t *pending);

/**
 * Looks up in the vendor's usage log whether an attempt was charged, and waits for the result. Free of charge.
 * `period` is how far back the log is read, in minutes, hours or days, such as "7d"; NULL for "24h". `timeout_ms` is
 * the maximum time to wait for a missing log entry, in milliseconds; 0 reads the log once. A log that is absent,
 * refuses access or lags behind is not a failure: the charge stays "unknown". Free the result with
 * gptimage_reconciled_free().
 */
gptimage_status_t gptimage_client_reconcile(const gptimage_client_t *client,
                                            const char *client_request_id,
                                            const char *period,
                                            uint64_t timeout_ms,
                                            gptimage_reconciled_t **reconciled_out,
                                            gptimage_error_t **error_out);

/**
 * Returns "not_charged" (the attempt failed at no cost and may be repeated), "charged" or "unknown". "unknown" for
 * NULL. Lives as long as the result.
 */
const char *gptimage_reconciled_charge(const gptimage_reconciled_t *reconciled);

/**
 * Returns the logged price in exact US dollars, as decimal text; NULL if there is none. Lives as long as the result.
 */
const char *gptimage_reconciled_usd_spent(const gptimage_reconciled_t *reconciled);

/**
 * Returns the logged price in the vendor's credits, as decimal text; NULL if there is none. Lives as long as the
 * result.
 */
const char *gptimage_reconciled_credits_used(const gptimage_reconciled_t *reconciled);

/**
 * Returns the vendor's id of the inference; NULL if it is not known. Lives as long as the result.
 */
const char *gptimage_reconciled_inference_id(const gptimage_reconciled_t *reconciled);

/**
 * Returns one line that says what to do next; for a charged attempt, with everything that a refund request needs. ""
 * for NULL. Lives as long as the result.
 */
const char *gptimage_reconciled_message(const gptimage_reconciled_t *reconciled);

/**
 * Returns the result as a JSON object. "{}" for NULL. Lives as long as the result.
 */
const char *gptimage_reconciled_json(const gptimage_reconciled_t *reconciled);

/**
 * Frees a result, with every text that came from it. `reconciled` may be NULL.
 */
void gptimage_reconciled_free(gptimage_reconciled_t *reconciled);

/**
 * Returns the stable name of a status, such as "rate_limited"; "ok" for 0, "unknown_status" for an unknown number.
 * Static: do not free.
 */
const char *gptimage_status_name(gptimage_status_t status);

/**
 * Returns the version of the loaded library, such as "0.1.0". GPTIMAGE_VERSION is the header's. Static: do not free.
 */
const char *gptimage_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GPTIMAGE_H */
