/* handlers.h - the handlers of the routes, each in the file named above it. */
#ifndef SERVER_API_HANDLERS_H
#define SERVER_API_HANDLERS_H

#include "server/http/reply.h"
#include "server/store/store.h"

struct dataset_record;
struct run_record;

/* encode.c */
request_handler encode_post;

/* functions.c */
request_handler functions_psp_kernel;
request_handler functions_mse_loss;

/* models.c */
request_handler models_create;
request_handler models_list;
request_handler models_get;
request_handler models_update;
request_handler models_delete;

/* versions.c */
request_handler versions_list;
request_handler versions_get_weights;
request_handler versions_put_weights;

/* predict.c */
request_handler predict_post;

/* evaluate.c */
request_handler evaluate_post;

/* train.c */
request_handler train_post;

/* datasets.c */
request_handler datasets_list;
request_handler datasets_get;
request_handler datasets_delete;
/* Free it with dataset_record_finish(). */
enum store_status datasets_find(struct service *service, const char *id,
                                struct dataset_record *ret_record);

/* datasets_put.c */
request_handler datasets_put_table;
request_handler datasets_put_x;
request_handler datasets_put_label;

/* runs.c */
request_handler runs_list;
request_handler runs_get;
request_handler runs_metrics;
request_handler runs_cancel;
/* Free it with run_record_finish(). */
enum store_status runs_find(struct service *service, int64_t run, struct run_record *ret_record);
void runs_answer(struct service *service, int64_t run, struct reply *reply);

/* health.c */
request_handler health_live;
request_handler health_ready;

/* contract.c */
request_handler contract_get;

#endif
