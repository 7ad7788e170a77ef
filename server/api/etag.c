#include "server/api/etag.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/base/checksum.h"

static void add_text(struct checksum *checksum, const char *text)
{
    if (text == NULL)
        text = "\x01"; /* differs from every text that the store has */
    checksum_add(checksum, text, strlen(text) + 1);
}

static void write_tag(struct checksum *checksum, char ret_tag[REPLY_ETAG])
{
    char sha256[CHECKSUM_TEXT];
    checksum_finish(checksum, sha256);
    snprintf(ret_tag, REPLY_ETAG, "\"%.32s\"", sha256);
}

static void tag_model(const struct model_record *record, char ret_tag[REPLY_ETAG])
{
    struct checksum checksum;
    const int64_t numbers[] = {record->sequence, record->version, record->updated_at};
    checksum_init(&checksum);
    checksum_add(&checksum, numbers, sizeof numbers);
    add_text(&checksum, record->description);
    add_text(&checksum, record->config);
    add_text(&checksum, record->labels);
    write_tag(&checksum, ret_tag);
}

static void tag_dataset(const struct dataset_record *record, char ret_tag[REPLY_ETAG])
{
    struct checksum checksum;
    const int64_t numbers[] = {record->sequence, record->updated_at};
    checksum_init(&checksum);
    checksum_add(&checksum, numbers, sizeof numbers);
    add_text(&checksum, record->x.sha256);
    add_text(&checksum, record->label.sha256);
    add_text(&checksum, record->names);
    write_tag(&checksum, ret_tag);
}

void etag_of_model(const struct model_record *record, struct reply *reply)
{
    tag_model(record, reply->etag);
}

void etag_of_dataset(const struct dataset_record *record, struct reply *reply)
{
    tag_dataset(record, reply->etag);
}

/* If-Match: "one", "other"; weak tags never match, and "*" is anything that is there. */
static bool lists(const char *list, const char *tag)
{
    list += strspn(list, " \t,");
    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = strstr(list, tag); at != NULL; at = strstr(at + 1, tag))
        if (at == list || at[-1] != '/')
            return true;
    return false;
}

/* What is not there matches nothing. */
static enum store_status judge(const struct request *request, enum store_status status,
                               const char *tag)
{
    if (status != STORE_OK && status != STORE_NOT_FOUND)
        return status;
    return status == STORE_OK && lists(request->if_match, tag) ? STORE_OK : STORE_CHANGED;
}

enum store_status etag_check_model(struct store *store, const struct request *request)
{
    char tag[REPLY_ETAG] = "";
    struct model_record record = {0};
    if (request->if_match == NULL)
        return STORE_OK;
    const enum store_status status = store_model_find(store, request->model, &record);
    if (status == STORE_OK)
        tag_model(&record, tag);
    model_record_finish(&record);
    return judge(request, status, tag);
}

enum store_status etag_check_dataset(struct store *store, const struct request *request)
{
    char tag[REPLY_ETAG] = "";
    struct dataset_record record = {0};
    if (request->if_match == NULL)
        return STORE_OK;
    const enum store_status status = store_dataset_find(store, request->dataset, &record);
    if (status == STORE_OK)
        tag_dataset(&record, tag);
    dataset_record_finish(&record);
    return judge(request, status, tag);
}
