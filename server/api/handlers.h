/* handlers.h - the handlers of the routes, each in the file whose name it begins with, and what
 * these files share. */
#ifndef SERVER_API_HANDLERS_H
#define SERVER_API_HANDLERS_H

#include "server/http/reply.h"
#include "server/store/store.h"

struct dataset_record;
struct run_record;

request_handler encode_post;

request_handler functions_psp_kernel;
request_handler functions_mse_loss;

request_handler models_create;
request_handler models_list;
request_handler models_get;
request_handler models_update;
request_handler models_delete;

request_handler versions_list;
request_handler versions_get_weights;
request_handler versions_put_weights;

request_handler predict_post;

request_handler evaluate_post;

request_handler train_post;

request_handler datasets_list;
request_handler datasets_get;
request_handler datasets_delete;
/* Free it with dataset_record_finish(). */
enum store_status datasets_find(struct service *service, const char *id,
                                struct dataset_record *ret_record);

request_handler datasets_put_table;
request_handler datasets_put_x;
request_handler datasets_put_label;

request_handler runs_list;
request_handler runs_get;
request_handler runs_metrics;
request_handler runs_cancel;
/* Free it with run_record_finish(). */
enum store_status runs_find(struct service *service, int64_t run, struct run_record *ret_record);
/* Answers with a run that was queued, or if the request waits for it, as it is then. The state that
 * the handler has made begins with this struct. */
struct queued_run {
    int64_t id;
};
void runs_answer_queued(struct service *service, const struct request *request,
                        const struct queued_run *run, struct reply *reply);

request_handler runs_resume;

request_handler health_live;
request_handler health_ready;

request_handler contract_get;

request_handler backup_post;

#endif
