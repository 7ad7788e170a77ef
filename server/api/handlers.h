/* handlers.h - one handler for each route, in the file named beside it. */
#ifndef SERVER_API_HANDLERS_H
#define SERVER_API_HANDLERS_H

#include "server/http/request.h"

struct model;

/* encode.c */
route_handler function_encode;
route_handler model_encode;

/* functions.c */
route_handler function_psp_kernel;
route_handler function_mse_loss;

/* models.c */
route_handler models_create;
route_handler models_list;
route_handler models_get;
route_handler models_update;
route_handler models_delete;
/* The model that the path names, in the version that it names, or else in the one served. NULL with
 * the problem set; release it with model_release(). */
struct model *models_find(struct service *service, const struct request *request,
                          struct problem *problem);

/* versions.c */
route_handler versions_list;
route_handler weights_get;
route_handler weights_put;

/* predict.c; evaluate.c */
route_handler model_predict;
route_handler model_evaluate;

/* train.c */
route_handler model_train;

/* datasets.c */
route_handler datasets_list;
route_handler datasets_get;
route_handler datasets_put_table;
route_handler datasets_put_x;
route_handler datasets_put_label;
route_handler datasets_delete;

/* runs.c */
route_handler runs_list;
route_handler runs_get;
route_handler runs_metrics;
route_handler runs_cancel;
/* Answers with a run. */
void run_write(struct service *service, int64_t run, unsigned status, struct reply *reply);

/* health.c */
route_handler health_live;
route_handler health_ready;
route_handler contract_get;

#endif
