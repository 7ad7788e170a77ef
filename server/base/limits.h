/* limits.h - the sizes, counts and numbers that a client controls, and the service's bounds of
 * them.
 *
 * A request with a size beyond one of these is refused before anything is allocated for it. */
#ifndef SERVER_BASE_LIMITS_H
#define SERVER_BASE_LIMITS_H

#define LIMIT_ID              63                /* characters of an id, of a model or dataset */
#define LIMIT_IDEMPOTENCY_KEY 255               /* characters of an Idempotency-Key */
#define LIMIT_REQUEST_ID      128               /* characters of an X-Request-Id that is echoed */
#define LIMIT_DESCRIPTION     4096              /* bytes of a model's description */
#define LIMIT_LABEL           256               /* bytes of the name of one class */
#define LIMIT_QUERY           8192              /* bytes of a parameter of the query string */
#define LIMIT_URI             16384             /* bytes of what a request line asks for */
#define LIMIT_PARAMETERS      64                /* of a query string, known or not */
#define LIMIT_PATH            256               /* bytes of a path; ids are short */
#define LIMIT_DOCUMENT        (4 * 1024 * 1024) /* bytes of a JSON body, less its arrays of numbers */
#define LIMIT_TREE            (64 * 1024 * 1024) /* bytes of the memory that its values take */
#define LIMIT_BLOCKS          1024               /* arrays of numbers in a JSON body */
#define LIMIT_RECORD          (16 * 1024 * 1024) /* bytes of the text of a record of CSV */
#define LIMIT_KEYS            1000               /* API keys of a key file */
#define LIMIT_KEY             256                /* bytes of an API key that a client sends */
#define LIMIT_KEY_RATE        1000000            /* requests a second of a key with a limit */
#define LIMIT_PAGE            1000               /* items of one page of a listing */
#define LIMIT_PAGE_DEFAULT    50
#define LIMIT_PAGE_BYTES      (1024 * 1024) /* of a page, after which it takes no further item */
#define LIMIT_LISTED          16 /* ranges, or names of classes, that a listing shows of an item */

#define LIMIT_FEATURES         1000000 /* n: features of one sample */
#define LIMIT_RECEPTIVE_FIELDS 1024    /* m: neurons a feature */
#define LIMIT_IN_FEATURES      1000000 /* afferents of a model */
#define LIMIT_OUT_FEATURES     65536
#define LIMIT_WEIGHTS          (16 * 1024 * 1024) /* of all layers of a model */
#define LIMIT_T                100000             /* steps of the time grid */
#define LIMIT_MAX_SPIKES       1000               /* that are counted of an output */
#define LIMIT_VOLTAGES         (16 * 1024 * 1024) /* T or a sample's spikes, * neurons of a layer */
#define LIMIT_MARGIN           1e7
#define LIMIT_SPIKES           (16 * 1024 * 1024) /* batch * n * k * m of an answer of encode */
#define LIMIT_CONFUSION        1024               /* classes of a confusion matrix */
#define LIMIT_ANSWER           (4 * 1024 * 1024)  /* numbers of an answer; max_spikes * outputs */

/* batch * (T + in_features) * out_features, rounded up to whole LANES, of predict and evaluate: 10
 * to 100 seconds on a core, the longest with few spikes in a long window */
#define LIMIT_WORK 40000000000ull
/* Of requests that wait for the compute pool; else 503. Some minutes on two cores */
#define LIMIT_WAITING_WORK (8 * LIMIT_WORK)
/* More than that gives way to what is shorter: see thread_pool.h. 5 to 50 ms on a core */
#define LIMIT_LONG_WORK 20000000ull

#define LIMIT_TAU_MIN              1e-3 /* steps; beyond these float32 can't follow */
#define LIMIT_TAU                  1e6
#define LIMIT_V_THRESHOLD_MIN      1e-6
#define LIMIT_V_THRESHOLD          1e6
#define LIMIT_BETA_MIN             1e-6
#define LIMIT_BETA                 1e6
#define LIMIT_RANGE_MIN            1e-15f /* x_max - x_min, whose square must be a float32 */
#define LIMIT_RANGE                1e15f
#define LIMIT_LEARNING_RATE        1e6
#define LIMIT_WEIGHT_DECAY         1e6
#define LIMIT_DROPOUT              0.99
#define LIMIT_SILENCE_COST         1e6
#define LIMIT_SLOPE_FLOOR          1e6
#define LIMIT_GRAD_NORM            1e9
#define LIMIT_SHIFT                1000 /* pixels of an augmentation */
#define LIMIT_EPOCHS               100000
#define LIMIT_VALIDATION           0.9  /* share of the samples that is set aside */
#define LIMIT_WAIT_SECONDS         600  /* Prefer: wait=N beyond it is cut to it */
#define LIMIT_QUEUED_RUNS          1000 /* runs that wait; further ones are refused with 503, */
#define LIMIT_QUEUED_RUNS_OF_MODEL 250  /* and so are those of a model that has as many */
#define LIMIT_KEPT_VERSIONS        100  /* that a run keeps of its epochs */
#define LIMIT_CRASHES              3    /* unclean ends in a row that a run may be running at */

#define LIMIT_INLINE_WORK   1000000 /* of LIMIT_WORK's: more leaves the event loop, */
#define LIMIT_INLINE_BODY   65536   /* and so does a larger body, in bytes */
#define LIMIT_WAITING_JOBS  256 /* requests of a client that wait for the compute pool; else 503 */
#define LIMIT_SMALL_BODY    16384   /* bytes of a body that are not counted in --max-bodies */
#define LIMIT_SMALL_READING 2097152 /* bytes that reading a body may take uncounted, likewise */
#define LIMIT_SMALL_MODEL   262144  /* bytes of a model that is not counted in --memory */
#define LIMIT_SMALL_ANSWER  16384   /* bytes of an answer that are not counted in --max-answers */
#define LIMIT_WHOLE_ANSWER  65536   /* numbers of an answer that is made at once; else in pieces */
#define LIMIT_READ_RATE     1024    /* bytes a second that a client reads of an answer at least */
#define LIMIT_GZIP_MIN      4096    /* bytes of an answer that is worth compressing */

#endif
