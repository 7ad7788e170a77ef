#include "server/api/npy_answer.h"

#include "server/files/npy.h"

bool npy_is_wanted(const struct request *request, unsigned arrays, struct reply *reply)
{
    if (!request->accepts_npy)
        return false;
    if (arrays != 1 && !request->accepts_json)
        problem_set(&reply->problem, PROBLEM_NOT_ACCEPTABLE,
                    "application/x-npy holds one array: ask for one alone, by ret_type or tensor.");
    return arrays == 1;
}

void npy_answer(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values)
{
    char header[NPY_HEADER_WRITTEN];
    size_t bytes = dtype_size(dtype);
    for (unsigned d = 0; d < rank; d++)
        bytes *= shape[d];
    json_write_bytes(&reply->json, header, npy_header_write(dtype, rank, shape, header));
    json_write_bytes(&reply->json, values, bytes);
    reply->content_type = "application/x-npy";
    reply_with(reply, 200);
}
